//! Tokens without a signature, made from the login module's options, for trying things out.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Number, Value};
use volley_api::{Error, Result, Secret};
use volley_java::LoginModule;

use super::jwt::Token;

pub(super) const STRING_CLAIM: &str = "unsecuredLoginStringClaim_";
const NUMBER_CLAIM: &str = "unsecuredLoginNumberClaim_";
const LIST_CLAIM: &str = "unsecuredLoginListClaim_";
const LIFETIME: &str = "unsecuredLoginLifetimeSeconds";
const PRINCIPAL_CLAIM: &str = "unsecuredLoginPrincipalClaimName";

/// What such tokens say. `Debug` shows no claims.
#[derive(Clone, PartialEq)]
pub(crate) struct UnsecuredToken {
    claims: Map<String, Value>,
    principal_claim: String,
    lifetime_seconds: i64,
}

impl fmt::Debug for UnsecuredToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnsecuredToken")
    }
}

impl UnsecuredToken {
    /// What the login module says; `None` if it has no claims.
    pub(super) fn read(module: &LoginModule) -> Result<Option<Self>> {
        let mut token = Self { claims: Map::new(), principal_claim: "sub".to_owned(), lifetime_seconds: 3600 };
        for (option, value) in &module.options {
            let bad = || Error::config(format!("`sasl.jaas.config` has an option `{option}` that is no number"));
            if let Some(name) = option.strip_prefix(STRING_CLAIM) {
                token.claims.insert(name.to_owned(), Value::from(value.as_str()));
            } else if let Some(name) = option.strip_prefix(NUMBER_CLAIM) {
                let number = value.parse().ok().and_then(Number::from_f64).ok_or_else(bad)?;
                token.claims.insert(name.to_owned(), Value::Number(number));
            } else if let Some(name) = option.strip_prefix(LIST_CLAIM) {
                token.claims.insert(name.to_owned(), list(value));
            } else if option == LIFETIME {
                token.lifetime_seconds = value.parse::<u32>().map_err(|_| bad())?.into();
            } else if option == PRINCIPAL_CLAIM {
                token.principal_claim.clone_from(value);
            }
        }
        Ok((!token.claims.is_empty()).then_some(token))
    }

    /// One that is issued now (milliseconds since 1970).
    pub(super) fn at(&self, now: i64) -> Token {
        let issued = now / 1000;
        let expires = issued + self.lifetime_seconds;
        let mut claims = self.claims.clone();
        claims.entry("iat").or_insert(Value::from(issued));
        claims.entry("exp").or_insert(Value::from(expires));
        let principal = claims.get(&self.principal_claim).and_then(Value::as_str).unwrap_or_default();
        Token {
            principal: if principal.is_empty() { "unknown".to_owned() } else { principal.replace('\0', "") },
            issued_at: Some(now),
            expires_at: expires * 1000,
            text: Secret::new(unsigned(claims)),
        }
    }
}

/// As Java reads it: the first character, unless it may belong to a value, separates the values.
fn list(text: &str) -> Value {
    let separator = text.chars().next().filter(|c| !c.is_alphanumeric() && *c != '_');
    let values: Vec<&str> = match separator {
        Some(separator) => text[separator.len_utf8()..].split(separator).collect(),
        None => vec![text],
    };
    Value::from(values)
}

fn unsigned(claims: Map<String, Value>) -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    format!("{header}.{}.", URL_SAFE_NO_PAD.encode(Value::Object(claims).to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(options: &str) -> Result<Option<UnsecuredToken>> {
        UnsecuredToken::read(&LoginModule::parse(&format!("x.OAuthBearerLoginModule required {options};")).unwrap())
    }

    fn claims(token: &str) -> Value {
        let mut parts = token.split('.');
        assert_eq!(URL_SAFE_NO_PAD.decode(parts.next().unwrap()).unwrap(), br#"{"alg":"none"}"#);
        let claims = URL_SAFE_NO_PAD.decode(parts.next().unwrap()).unwrap();
        assert_eq!(parts.collect::<Vec<_>>(), [""]);
        serde_json::from_slice(&claims).unwrap()
    }

    #[test]
    fn an_unsecured_token_has_the_claims_of_the_login_module() {
        let options = "unsecuredLoginStringClaim_sub=alice unsecuredLoginNumberClaim_n=\"1.5\" \
                       unsecuredLoginListClaim_scope=\"|a|b\" unsecuredLoginLifetimeSeconds=\"10\"";
        let token = read(options).unwrap().unwrap().at(5_000);
        assert_eq!((token.principal.as_str(), token.expires_at), ("alice", 15_000));
        let claims = claims(token.text.reveal());
        assert_eq!(claims["sub"], "alice");
        assert_eq!(claims["n"], 1.5);
        assert_eq!(claims["scope"], serde_json::json!(["a", "b"]));
        assert_eq!((&claims["iat"], &claims["exp"]), (&Value::from(5), &Value::from(15)));
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(read("unsecuredLoginNumberClaim_n=x").unwrap_err().to_string().contains("no number"));
        assert_eq!(read("clientId=a").unwrap(), None);
    }
}
