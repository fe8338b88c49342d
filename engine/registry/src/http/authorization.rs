//! The headers that say who asks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{AUTHORIZATION, HeaderName, HeaderValue};
use volley_api::{Error, Result, Secret};

use super::oauth_token::TokenKeeper;
use crate::config::{BaseUrl, Connection, Credentials, KeyWords};

/// Shorter ones are not looked for in texts: they would be found in words.
const SHORTEST_SECRET: usize = 4;

/// Who asks. `Debug` shows no secrets.
#[derive(Debug)]
pub(super) struct Authorization {
    known: Known,
    further: Vec<(String, Secret)>,
    words: &'static KeyWords,
}

#[derive(Debug)]
enum Known {
    InUrl,
    Basic(Secret),
    Token(Secret),
    OAuth(Box<TokenKeeper>),
}

impl Authorization {
    pub(super) fn new(connection: &Connection) -> Self {
        let known = match &connection.credentials {
            Credentials::Url => Known::InUrl,
            Credentials::Basic(user_info) => Known::Basic(user_info.clone()),
            Credentials::Token(token) => Known::Token(token.clone()),
            Credentials::OAuth(client) => Known::OAuth(Box::new(TokenKeeper::new(client.clone(), connection))),
        };
        Self { known, further: connection.headers.clone(), words: connection.words }
    }

    /// The headers for the registry at `url`.
    ///
    /// # Errors
    /// Those of the token endpoint; `Config` for what cannot stand in a header.
    ///
    /// # Cancellation
    /// Without effect.
    pub(super) async fn headers(&self, url: &BaseUrl) -> Result<Vec<(HeaderName, HeaderValue)>> {
        let shown = match &self.known {
            Known::InUrl => url.user_info.as_ref().map(basic),
            Known::Basic(user_info) => Some(basic(user_info)),
            Known::Token(token) => Some(bearer(token)),
            Known::OAuth(keeper) => Some(bearer(&keeper.token().await?)),
        };
        let mut headers = Vec::new();
        if let Some(shown) = shown {
            let mut value = HeaderValue::from_str(shown.reveal())
                .map_err(|_| unsendable(&format!("the token (`{}`)", self.words.login)))?;
            value.set_sensitive(true);
            headers.push((AUTHORIZATION, value));
        }
        for (name, value) in &self.further {
            let header =
                HeaderName::from_bytes(name.as_bytes()).map_err(|_| unsendable(&format!("the header {name}")))?;
            let mut value = HeaderValue::from_str(value.reveal()).map_err(|_| unsendable(name))?;
            value.set_sensitive(true);
            headers.push((header, value));
        }
        Ok(headers)
    }

    /// Forgets a token that a registry does not like. Returns whether there may be a better one.
    pub(super) fn forget_token(&self) -> bool {
        match &self.known {
            Known::OAuth(keeper) => keeper.forget(),
            Known::InUrl | Known::Basic(_) | Known::Token(_) => false,
        }
    }

    /// What the keys are called.
    pub(super) fn words(&self) -> &'static KeyWords {
        self.words
    }

    /// What to set when a registry refuses the client.
    pub(super) fn advice(&self, url: &BaseUrl) -> String {
        match &self.known {
            Known::InUrl if url.user_info.is_none() => self.words.no_login.to_owned(),
            Known::InUrl => format!("check user and password in `{}`, and what they may do", self.words.url),
            Known::Basic(_) => self.words.bad_user.to_owned(),
            Known::Token(_) => "check `bearer.auth.token`, and what it allows; it may have expired".to_owned(),
            Known::OAuth(_) => self.words.bad_client.to_owned(),
        }
    }

    /// A text of a registry without the secrets that it was shown: some servers repeat what they do not like.
    pub(super) fn without_secrets(&self, url: &BaseUrl, text: String) -> String {
        let secrets = match &self.known {
            Known::InUrl => url.user_info.as_ref().map(parts).unwrap_or_default(),
            Known::Basic(user_info) => parts(user_info),
            Known::Token(token) => vec![token.reveal().to_owned()],
            Known::OAuth(keeper) => keeper.secrets(),
        };
        let further = self.further.iter().map(|(_, value)| value.reveal().to_owned());
        let secrets = secrets.into_iter().chain(further).filter(|secret| secret.len() >= SHORTEST_SECRET);
        secrets.fold(text, |text, secret| text.replace(secret.as_str(), "[hidden]"))
    }
}

fn basic(user_info: &Secret) -> Secret {
    Secret::new(format!("Basic {}", STANDARD.encode(user_info.reveal())))
}

fn bearer(token: &Secret) -> Secret {
    Secret::new(format!("Bearer {}", token.reveal()))
}

/// What may show of user and password: both as they are sent, and the password.
fn parts(user_info: &Secret) -> Vec<String> {
    let both = user_info.reveal();
    let password = both.split_once(':').map(|(_, password)| password.to_owned());
    [STANDARD.encode(both), both.to_owned()].into_iter().chain(password).collect()
}

fn unsendable(what: &str) -> Error {
    Error::config(format!("{what} for the Schema Registry has characters that no header may have"))
}
