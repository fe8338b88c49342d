//! OAUTHBEARER (RFC 7628): the client shows a token that somebody else gave it.
//!
//! Where it comes from: the login module's options, unsigned, for trying things out (`unsecuredLoginStringClaim_sub` and the
//! like); or a file named by `sasl.oauthbearer.token.endpoint.url` (`file:///path`), read anew for each authentication.
//! Tokens are not fetched over HTTP.

use std::fmt;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Number, Value};
use volley_api::{ConfigMap, Error, Result};

use super::jaas::LoginModule;

const ENDPOINT: &str = "sasl.oauthbearer.token.endpoint.url";
const STRING_CLAIM: &str = "unsecuredLoginStringClaim_";
const NUMBER_CLAIM: &str = "unsecuredLoginNumberClaim_";
const LIST_CLAIM: &str = "unsecuredLoginListClaim_";
const LIFETIME: &str = "unsecuredLoginLifetimeSeconds";

/// Where a token comes from. `Debug` shows no claims.
#[derive(Clone)]
pub(crate) enum TokenSource {
    /// Made here, without a signature, with these claims.
    Unsecured { claims: Map<String, Value>, lifetime_seconds: u64 },
    /// The contents of a file.
    File(PathBuf),
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsecured { .. } => f.write_str("Unsecured"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

impl TokenSource {
    /// What the keys and the login module say.
    ///
    /// # Errors
    /// `Config` if they name no source, or one that cannot be had.
    pub(super) fn read(properties: &ConfigMap, module: Option<&LoginModule>) -> Result<Self> {
        if let Some(url) = properties.get(ENDPOINT).map(|url| url.trim()).filter(|url| !url.is_empty()) {
            let path = url.strip_prefix("file:").map(|path| path.strip_prefix("//").unwrap_or(path));
            return match path {
                Some(path) if path.starts_with('/') => Ok(Self::File(PathBuf::from(path))),
                Some(_) => Err(Error::config(format!("`{ENDPOINT}` must name an absolute path: file:///path"))),
                None => Err(Error::config(format!(
                    "`{ENDPOINT}` is not a file: tokens are not fetched over HTTP here; let something else fetch them into \
                     a file, and name that (file:///path)"
                ))),
            };
        }
        module.and_then(|module| unsecured(module).transpose()).unwrap_or_else(|| {
            Err(Error::config(format!(
                "OAUTHBEARER has no token: set `{ENDPOINT}` to a file (file:///path), or for trying things out the option \
                 `{STRING_CLAIM}sub` in `sasl.jaas.config`"
            )))
        })
    }

    /// A token to show now.
    ///
    /// # Cancellation
    /// Without effect.
    pub(super) async fn token(&self) -> Result<String> {
        match self {
            Self::Unsecured { claims, lifetime_seconds } => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
                Ok(unsigned(claims, now, now.saturating_add(*lifetime_seconds)))
            }
            Self::File(path) => {
                let read = tokio::fs::read_to_string(path).await;
                let token = read.map(|token| token.trim().to_owned()).map_err(|error| {
                    Error::config(format!("could not read the token in {} (`{ENDPOINT}`): {error}", path.display()))
                })?;
                let is_token = !token.is_empty() && token.chars().all(|c| c.is_ascii_graphic());
                if is_token { Ok(token) } else { Err(not_a_token(path)) }
            }
        }
    }
}

fn not_a_token(path: &std::path::Path) -> Error {
    Error::config(format!("the file {} (`{ENDPOINT}`) does not hold a token", path.display()))
}

fn unsecured(module: &LoginModule) -> Result<Option<TokenSource>> {
    let mut claims = Map::new();
    let mut lifetime_seconds = 3600;
    for (option, value) in &module.options {
        let bad = || Error::config(format!("`sasl.jaas.config` has an option `{option}` that is no number"));
        if let Some(name) = option.strip_prefix(STRING_CLAIM) {
            claims.insert(name.to_owned(), Value::from(value.as_str()));
        } else if let Some(name) = option.strip_prefix(NUMBER_CLAIM) {
            let number = value.parse().ok().and_then(Number::from_f64).ok_or_else(bad)?;
            claims.insert(name.to_owned(), Value::Number(number));
        } else if let Some(name) = option.strip_prefix(LIST_CLAIM) {
            claims.insert(name.to_owned(), list(value));
        } else if option == LIFETIME {
            lifetime_seconds = value.parse().map_err(|_| bad())?;
        }
    }
    Ok((!claims.is_empty()).then_some(TokenSource::Unsecured { claims, lifetime_seconds }))
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

fn unsigned(claims: &Map<String, Value>, issued: u64, expires: u64) -> String {
    let mut claims = claims.clone();
    claims.entry("iat").or_insert(Value::from(issued));
    claims.entry("exp").or_insert(Value::from(expires));
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    format!("{header}.{}.", URL_SAFE_NO_PAD.encode(Value::Object(claims).to_string()))
}

/// What the client sends: no authorization id, the token, the extensions.
pub(super) fn first_message(token: &str, extensions: &[(String, String)]) -> Vec<u8> {
    let extensions: String = extensions.iter().map(|(name, value)| format!("{name}={value}\x01")).collect();
    format!("n,,\x01auth=Bearer {token}\x01{extensions}\x01").into_bytes()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn source(url: &str, options: &str) -> Result<TokenSource> {
        let properties = [(ENDPOINT.to_owned(), url.to_owned())].into_iter().collect();
        let module = LoginModule::parse(&format!("x.OAuthBearerLoginModule required {options};")).unwrap();
        TokenSource::read(&properties, Some(&module))
    }

    fn claims(token: &str) -> Value {
        let mut parts = token.split('.');
        assert_eq!(URL_SAFE_NO_PAD.decode(parts.next().unwrap()).unwrap(), br#"{"alg":"none"}"#);
        let claims = URL_SAFE_NO_PAD.decode(parts.next().unwrap()).unwrap();
        assert_eq!(parts.collect::<Vec<_>>(), [""]);
        serde_json::from_slice(&claims).unwrap()
    }

    #[tokio::test]
    async fn an_unsecured_token_has_the_claims_of_the_login_module() {
        let options = "unsecuredLoginStringClaim_sub=alice unsecuredLoginNumberClaim_n=\"1.5\" \
                       unsecuredLoginListClaim_scope=\"|a|b\" unsecuredLoginLifetimeSeconds=\"10\"";
        let claims = claims(&source("", options).unwrap().token().await.unwrap());
        assert_eq!(claims["sub"], "alice");
        assert_eq!(claims["n"], 1.5);
        assert_eq!(claims["scope"], serde_json::json!(["a", "b"]));
        assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 10);
    }

    #[tokio::test]
    async fn a_token_in_a_file_is_read_each_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        let source = source(&format!("file://{}", path.display()), "").unwrap();
        assert!(source.token().await.unwrap_err().to_string().contains("token"));
        std::fs::write(&path, "one\n").unwrap();
        assert_eq!(source.token().await.unwrap(), "one");
        std::fs::write(&path, "two").unwrap();
        assert_eq!(source.token().await.unwrap(), "two");
        std::fs::write(&path, "t\x01wo").unwrap();
        assert!(source.token().await.is_err());
    }

    #[test]
    fn what_is_missing_is_said() {
        assert!(source("", "").unwrap_err().to_string().contains("unsecuredLoginStringClaim_sub"));
        assert!(source("https://x/token", "").unwrap_err().to_string().contains("HTTP"));
        assert!(source("file:x", "").unwrap_err().to_string().contains("absolute"));
        assert!(source("", "unsecuredLoginNumberClaim_n=x").unwrap_err().to_string().contains("no number"));
    }

    #[test]
    fn extensions_stand_behind_the_token() {
        let extensions = [("traceId".to_owned(), "1".to_owned())];
        assert_eq!(first_message("T", &extensions), b"n,,\x01auth=Bearer T\x01traceId=1\x01\x01");
    }
}
