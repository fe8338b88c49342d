//! OAUTHBEARER (RFC 7628): the client shows a token that somebody else gave it.

/// What the client sends: no authorization id, the token, the extensions.
pub(super) fn first_message(token: &str, extensions: &[(String, String)]) -> Vec<u8> {
    let extensions: String = extensions.iter().map(|(name, value)| format!("{name}={value}\x01")).collect();
    format!("n,,\x01auth=Bearer {token}\x01{extensions}\x01").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_stand_behind_the_token() {
        let extensions = [("traceId".to_owned(), "1".to_owned())];
        assert_eq!(first_message("T", &extensions), b"n,,\x01auth=Bearer T\x01traceId=1\x01\x01");
    }
}
