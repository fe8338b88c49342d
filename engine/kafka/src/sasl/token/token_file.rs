//! A token that somebody else keeps in a file.

use std::fs;
use std::path::PathBuf;

use volley_api::{Error, Result};

use super::jwt::{self, ClaimNames, Token};
use super::token_options::ENDPOINT;

/// More than any token; a file that is larger is something else.
const LARGEST: u64 = 1 << 20;

/// The file, which is read each time: so a token that was renewed counts at once.
#[derive(Debug)]
pub(crate) struct TokenFile {
    pub(super) path: PathBuf,
    pub(super) claims: ClaimNames,
}

impl TokenFile {
    /// The token that is in it now. Blocks.
    ///
    /// # Errors
    /// `Config` if there is none; `Retriable` if it has expired, since whoever wrote it may renew it.
    pub(super) fn token(&self) -> Result<Token> {
        let path = self.path.display();
        let unreadable = |reason: String| {
            Error::config(format!("could not read a token from the file {path} (`{ENDPOINT}`): {reason}"))
        };
        let size = fs::metadata(&self.path).map_err(|error| unreadable(error.to_string()))?.len();
        if size > LARGEST {
            return Err(unreadable("it is too large for a token".to_owned()));
        }
        let text = fs::read_to_string(&self.path).map_err(|error| unreadable(error.to_string()))?;
        let token = Token::parse(&text, &self.claims).map_err(unreadable)?;
        if token.is_valid_at(jwt::now()) {
            return Ok(token);
        }
        Err(Error::retriable(format!(
            "the token in the file {path} (`{ENDPOINT}`) has expired: see to it that it is renewed in time, and that the \
             clock is right"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sasl::token::jwt::tests::jwt;

    #[test]
    fn a_token_in_a_file_is_read_each_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        let file = TokenFile { path: path.clone(), claims: ClaimNames::default() };
        assert!(file.token().unwrap_err().to_string().contains("token"));
        let token = |subject: &str, exp: i64| jwt(&serde_json::json!({"sub": subject, "exp": exp}));
        for subject in ["one", "two"] {
            fs::write(&path, format!("{}\n", token(subject, 9_999_999_999))).unwrap();
            assert_eq!(file.token().unwrap().principal, subject);
        }
        fs::write(&path, token("late", 1)).unwrap();
        let error = file.token().unwrap_err();
        assert!(error.is_retriable() && error.to_string().contains("expired"), "{error}");
        fs::write(&path, "secret but no token").unwrap();
        let error = file.token().unwrap_err();
        assert!(!error.is_retriable() && !error.to_string().contains("secret"), "{error}");
    }
}
