//! What a token endpoint's answer means.

use serde_json::Value;

/// Longest part of what the endpoint says about an error that is repeated.
const LONGEST_REASON: usize = 300;

/// An answer, read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TokenAnswer {
    /// A token, not looked at yet.
    Token(String),
    /// It does not give one; trying again may help.
    NotNow(String),
    /// It does not give one, and will not before a setting is changed.
    Refused { status: u16, reason: String },
}

/// Reads an answer. No reason quotes what may be a token.
pub(super) fn token_answer(status: u16, body: &[u8]) -> TokenAnswer {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    match status {
        200 | 201 => match token_in(&json) {
            Some(token) => TokenAnswer::Token(token),
            None => TokenAnswer::Refused {
                status,
                reason: "there is neither `access_token` nor `id_token` in its JSON".to_owned(),
            },
        },
        _ if is_final(status) => TokenAnswer::Refused { status, reason: reason_in(&json) },
        _ => TokenAnswer::NotNow(match reason_in(&json) {
            reason if reason.is_empty() => format!("it answers {status}"),
            reason => format!("it answers {status}: {reason}"),
        }),
    }
}

fn token_in(json: &Value) -> Option<String> {
    let text = |name: &str| json.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    text("access_token").or_else(|| text("id_token")).map(str::to_owned)
}

/// Whether Java's client gives up on this status; redirects are not followed, so that asking again does not help either.
fn is_final(status: u16) -> bool {
    matches!(status, 300..=407 | 409..=415 | 501 | 505)
}

/// The error that the answer names: RFC 6749's words, or those that another well-known server has.
fn reason_in(json: &Value) -> String {
    let text = |name: &str| json.get(name).and_then(Value::as_str).unwrap_or_default();
    let words = [text("error"), text("error_description"), text("errorCode"), text("errorSummary")];
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    let joined = words.join(" - ");
    joined.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_REASON).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_access_token_comes_before_the_id_token() {
        let token = |body: &str| token_answer(200, body.as_bytes());
        assert_eq!(token(r#"{"id_token":"i","access_token":" a "}"#), TokenAnswer::Token("a".to_owned()));
        assert_eq!(token(r#"{"id_token":"i"}"#), TokenAnswer::Token("i".to_owned()));
        for body in ["{}", "", "[1]", r#"{"access_token":""}"#, r#"{"token":"t0psecret"}"#] {
            let answer = token(body);
            assert!(matches!(&answer, TokenAnswer::Refused { .. }), "{answer:?}");
            assert!(!format!("{answer:?}").contains("t0psecret"));
        }
    }

    #[test]
    fn what_settings_cure_is_told_from_what_time_cures() {
        for status in [400, 401, 403, 404, 405, 415, 302] {
            assert!(matches!(token_answer(status, b""), TokenAnswer::Refused { .. }), "{status}");
        }
        for status in [408, 429, 500, 502, 503, 504] {
            assert!(matches!(token_answer(status, b""), TokenAnswer::NotNow(_)), "{status}");
        }
        let body = br#"{"error":"invalid_client","error_description":"no such\nclient"}"#;
        let reason = "invalid_client - no such client".to_owned();
        assert_eq!(token_answer(401, body), TokenAnswer::Refused { status: 401, reason });
    }

    proptest! {
        #[test]
        fn no_answer_panics(status in any::<u16>(), body in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = token_answer(status, &body);
        }
    }
}
