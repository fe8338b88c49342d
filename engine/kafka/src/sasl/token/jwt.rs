//! What a client looks at in a token before it shows it. Whether it is genuine is the broker's to find out.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};
use volley_api::Secret;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Life that must be left in a token that is shown, in milliseconds.
const MARGIN: i64 = 1_000;

/// A token that can be shown. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// The token itself: visible ASCII characters only.
    pub(crate) text: Secret,
    /// Whom it is about.
    pub(crate) principal: String,
    /// Milliseconds since 1970; `None` if it does not say.
    pub(crate) issued_at: Option<i64>,
    /// Milliseconds since 1970.
    pub(crate) expires_at: i64,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// Names of the claims that are looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ClaimNames {
    /// `sasl.oauthbearer.sub.claim.name`
    pub(super) subject: String,
    /// `sasl.oauthbearer.scope.claim.name`
    pub(super) scope: String,
}

impl Default for ClaimNames {
    fn default() -> Self {
        Self { subject: "sub".to_owned(), scope: "scope".to_owned() }
    }
}

impl Token {
    /// Takes a serialised JWT. The reason never quotes it.
    pub(super) fn parse(text: &str, names: &ClaimNames) -> Result<Self, String> {
        let text = text.trim();
        let sections: Vec<&str> = text.split('.').map(str::trim).collect();
        if sections.len() != 3 || sections.iter().any(|section| section.is_empty()) {
            return Err("it does not have the three sections of a JWT (header, payload, signature)".to_owned());
        }
        if !text.chars().all(|c| c.is_ascii_graphic()) {
            return Err("it has characters that no JWT has".to_owned());
        }
        let claims = claims_in(sections[1])?;
        check_scopes(&claims, &names.scope)?;
        let expires_at = time_claim(&claims, "exp")?.ok_or("it does not say when it expires (claim `exp`)")?;
        let issued_at = time_claim(&claims, "iat")?;
        let principal = claims.get(&names.subject).and_then(Value::as_str).map(str::trim).unwrap_or_default();
        if principal.is_empty() || principal.contains('\0') {
            return Err(format!(
                "it does not say whom it is about (claim `{}`, set by `sasl.oauthbearer.sub.claim.name`)",
                names.subject
            ));
        }
        Ok(Self { text: Secret::new(text), principal: principal.to_owned(), issued_at, expires_at })
    }

    /// Whether it can still be shown at this time: a broker that gets it a moment later must not find it expired.
    pub(crate) fn is_valid_at(&self, now: i64) -> bool {
        now.saturating_add(MARGIN) < self.expires_at
    }
}

/// Milliseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn claims_in(section: &str) -> Result<Map<String, Value>, String> {
    let json = BASE64.decode(section).map_err(|_| "its payload is not base64url")?;
    match serde_json::from_slice(&json) {
        Ok(Value::Object(claims)) => Ok(claims),
        _ => Err("its payload is not a JSON object".to_owned()),
    }
}

/// A claim in seconds, as milliseconds.
fn time_claim(claims: &Map<String, Value>, name: &str) -> Result<Option<i64>, String> {
    let seconds = match claims.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(value) => value.as_f64().filter(|seconds| seconds.is_finite() && *seconds >= 0.0),
    };
    // Saturates; Java cuts fractions of a second off.
    let millis = |seconds: f64| (seconds.trunc() * 1000.0) as i64;
    seconds.map(|seconds| Some(millis(seconds))).ok_or_else(|| format!("its claim `{name}` is not a time"))
}

fn check_scopes(claims: &Map<String, Value>, name: &str) -> Result<(), String> {
    let scopes: Vec<&Value> = match claims.get(name) {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Array(scopes)) => scopes.iter().collect(),
        Some(scope) => vec![scope],
    };
    let texts: Vec<&str> = scopes.iter().filter_map(|scope| scope.as_str().map(str::trim)).collect();
    let has_blank = texts.len() < scopes.len() || texts.iter().any(|text| text.is_empty());
    let has_twice = texts.iter().enumerate().any(|(at, text)| texts[..at].contains(text));
    if has_blank || has_twice {
        return Err(format!(
            "its claim `{name}` (`sasl.oauthbearer.scope.claim.name`) must be a text or a list of texts, none of them \
             empty or twice"
        ));
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A JWT with these claims, and no signature worth the name.
    pub(in super::super) fn jwt(claims: &Value) -> String {
        format!("{}.{}.c2ln", BASE64.encode(r#"{"alg":"RS256"}"#), BASE64.encode(claims.to_string()))
    }

    fn parse(claims: &Value) -> Result<Token, String> {
        Token::parse(&jwt(claims), &ClaimNames::default())
    }

    #[test]
    fn times_and_subject_are_read() {
        let claims = serde_json::json!({"sub": "alice", "exp": 20.9, "iat": 10, "scope": ["a", "b"]});
        let token = Token::parse(&format!(" {}\n", jwt(&claims)), &ClaimNames::default()).unwrap();
        assert_eq!((token.principal.as_str(), token.issued_at, token.expires_at), ("alice", Some(10_000), 20_000));
        assert!(token.is_valid_at(18_999) && !token.is_valid_at(19_000));
        assert_eq!(token.text.reveal(), jwt(&claims));
        let names = ClaimNames { subject: "azp".to_owned(), ..ClaimNames::default() };
        let claims = serde_json::json!({"azp": "bob", "exp": 1});
        assert_eq!(Token::parse(&jwt(&claims), &names).unwrap().principal, "bob");
    }

    #[test]
    fn what_java_refuses_is_refused_and_named() {
        for (claims, named) in [
            (serde_json::json!({"sub": "a"}), "exp"),
            (serde_json::json!({"sub": "a", "exp": "soon"}), "exp"),
            (serde_json::json!({"sub": "a", "exp": -1}), "exp"),
            (serde_json::json!({"sub": "a", "exp": 1, "iat": -1}), "iat"),
            (serde_json::json!({"exp": 1}), "sub"),
            (serde_json::json!({"sub": "  ", "exp": 1}), "sub"),
            (serde_json::json!({"sub": "a", "exp": 1, "scope": ""}), "scope"),
            (serde_json::json!({"sub": "a", "exp": 1, "scope": ["x", "x"]}), "scope"),
            (serde_json::json!([1]), "JSON object"),
        ] {
            let reason = parse(&claims).unwrap_err();
            assert!(reason.contains(named), "{claims}: {reason}");
        }
        for text in ["", "a", "a.b", "..", "a..c", "a.b.c.d", "a.!.c"] {
            assert!(Token::parse(text, &ClaimNames::default()).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_no_reason_quotes_it(text in "[A-Za-z0-9_.-]{8,60}") {
            if let Err(reason) = Token::parse(&text, &ClaimNames::default()) {
                prop_assert!(!reason.contains(&text));
            }
        }

        #[test]
        fn no_claims_panic(exp in any::<f64>(), sub in ".*") {
            let _ = parse(&serde_json::json!({"sub": sub, "exp": exp}));
        }
    }
}
