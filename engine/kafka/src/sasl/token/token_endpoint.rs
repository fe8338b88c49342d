//! The identity provider's endpoint that gives tokens to clients with id and secret.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;
use url::Url;
use volley_api::{ConfigMap, Error, Result};
use volley_net::TlsConnector;

use super::http_post::{FormPost, post};
use super::jwt::{self, ClaimNames, Token};
use super::token_answer::{TokenAnswer, token_answer};
use super::token_options::ENDPOINT;
use super::token_request::ClientCredentials;

const LOGIN_FAILED: &str = "org.apache.kafka.common.errors.SaslAuthenticationException";

/// Where tokens are asked for. `Debug` shows no secrets.
pub(super) struct TokenEndpoint {
    pub(super) url: Url,
    pub(super) credentials: ClientCredentials,
    pub(super) claims: ClaimNames,
    pub(super) connect_timeout: Duration,
    pub(super) read_timeout: Duration,
    /// `ssl.*` options of the login module.
    pub(super) tls_properties: ConfigMap,
    /// Made when it is needed, since that reads files.
    pub(super) tls: OnceCell<TlsConnector>,
}

impl TokenEndpoint {
    /// How it is called in errors and logs: the URL without what may be secret in it.
    pub(super) fn name(&self) -> String {
        let host = self.url.host().map(|host| host.to_string()).unwrap_or_default();
        let port = self.url.port().map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}://{host}{port}{}", self.url.scheme(), self.url.path())
    }

    /// Asks for a token.
    ///
    /// # Errors
    /// `Retriable` if it does not answer, or says that it cannot now; `Config` if it refuses.
    ///
    /// # Cancellation
    /// The connection is closed.
    pub(super) async fn fetch(&self) -> Result<Arc<Token>> {
        let tls = match self.url.scheme() {
            "https" => Some(self.tls().await?),
            _ => None,
        };
        let form = FormPost {
            url: &self.url,
            tls,
            authorization: self.credentials.authorization(),
            body: self.credentials.body(),
            connect_timeout: self.connect_timeout,
            read_timeout: self.read_timeout,
        };
        let (status, body) = post(form).await.map_err(|error| self.unreachable(error))?;
        self.read(status, &body)
    }

    async fn tls(&self) -> Result<&TlsConnector> {
        let properties = self.tls_properties.clone();
        let make = || async move {
            let made = tokio::task::spawn_blocking(move || TlsConnector::new(&properties)).await;
            made.unwrap_or_else(|_| Err(Error::fatal("TLS could not be prepared")))
        };
        let made = self.tls.get_or_try_init(make).await;
        made.map_err(|error| {
            Error::config(format!(
                "could not prepare TLS to the token endpoint {} (options `ssl.*` of the login module in \
                 `sasl.jaas.config`): {error}",
                self.name()
            ))
        })
    }

    fn read(&self, status: u16, body: &[u8]) -> Result<Arc<Token>> {
        match token_answer(status, body) {
            TokenAnswer::NotNow(reason) => Err(Error::retriable(format!(
                "the token endpoint {} (`{ENDPOINT}`) gives no token: {reason}",
                self.name()
            ))),
            TokenAnswer::Refused { status, reason } => Err(self.refused(status, &reason)),
            TokenAnswer::Token(text) => {
                let token = Token::parse(&text, &self.claims).map_err(|reason| self.unusable(&reason))?;
                if token.is_valid_at(jwt::now()) {
                    Ok(Arc::new(token))
                } else {
                    Err(Error::retriable(format!(
                        "the token endpoint {} (`{ENDPOINT}`) gave a token that has expired already: is the clock of this \
                         machine right?",
                        self.name()
                    )))
                }
            }
        }
    }

    fn unreachable(&self, error: Error) -> Error {
        let text = format!("the token endpoint {} (`{ENDPOINT}`) cannot be reached: {error}", self.name());
        if error.is_retriable() {
            return Error::retriable(text);
        }
        Error::config(format!("{text} (options `ssl.*` of the login module in `sasl.jaas.config` set up its TLS)"))
            .with_exception(LOGIN_FAILED)
    }

    fn unusable(&self, reason: &str) -> Error {
        Error::config(format!(
            "the token endpoint {} (`{ENDPOINT}`) gave a token that cannot be used: {reason}",
            self.name()
        ))
        .with_exception(LOGIN_FAILED)
    }

    fn refused(&self, status: u16, reason: &str) -> Error {
        let advice = match status {
            401 | 403 => {
                "check client id and secret (`sasl.oauthbearer.client.credentials.client.id` and `.client.secret`, or \
                 `clientId` and `clientSecret` in `sasl.jaas.config`)"
            }
            400 => {
                "check client id and secret (`sasl.oauthbearer.client.credentials.client.id` and `.client.secret`, or \
                 `clientId` and `clientSecret` in `sasl.jaas.config`), and `sasl.oauthbearer.scope`"
            }
            _ => "check the URL: it must be the endpoint for OAuth 2.0 client credentials",
        };
        // Some servers repeat what they do not like.
        let secret = self.credentials.client_secret.reveal();
        let reason =
            if reason.is_empty() { String::new() } else { format!(" ({})", reason.replace(secret, "[hidden]")) };
        Error::config(format!(
            "the token endpoint {} (`{ENDPOINT}`) gives no token: it answers {status}{reason}; {advice}",
            self.name()
        ))
        .with_exception(LOGIN_FAILED)
    }
}
