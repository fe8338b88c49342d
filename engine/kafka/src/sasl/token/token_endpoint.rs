//! The identity provider's endpoint that gives tokens to clients with id and secret.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::Method;
use hyper::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use url::Url;
use volley_api::{ConfigMap, Error, Result};
use volley_net::{HttpClient, HttpError, HttpLimits, HttpRequest};

use super::jwt::{self, ClaimNames, Token};
use super::token_answer::{TokenAnswer, token_answer};
use super::token_options::ENDPOINT;
use super::token_request::ClientCredentials;

/// More than any answer with a token.
const MAX_ANSWER: usize = 1 << 20;

const LOGIN_FAILED: &str = "org.apache.kafka.common.errors.SaslAuthenticationException";

/// Where tokens are asked for. `Debug` shows no secrets.
pub(super) struct TokenEndpoint {
    pub(super) url: Url,
    pub(super) credentials: ClientCredentials,
    pub(super) claims: ClaimNames,
    pub(super) http: HttpClient,
}

impl TokenEndpoint {
    /// The client for an endpoint, with the `ssl.*` options of the login module.
    pub(super) fn http(tls_properties: ConfigMap, connect_timeout: Duration, answer_timeout: Duration) -> HttpClient {
        HttpClient::new(tls_properties, HttpLimits { connect_timeout, answer_timeout, max_answer: MAX_ANSWER })
    }

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
        let answer = self.http.send(self.request()?).await.map_err(|error| self.unreachable(error))?;
        self.read(answer.status, &answer.body)
    }

    fn request(&self) -> Result<HttpRequest> {
        let target = match self.url.query() {
            Some(query) => format!("{}?{query}", self.url.path()),
            None => self.url.path().to_owned(),
        };
        let mut authorization = HeaderValue::from_str(self.credentials.authorization().reveal()).map_err(|_| {
            Error::config(format!(
                "the token endpoint {} (`{ENDPOINT}`) cannot be asked: client id and secret cannot be sent in a header",
                self.name()
            ))
            .with_exception(LOGIN_FAILED)
        })?;
        authorization.set_sensitive(true);
        let headers = vec![
            (ACCEPT, HeaderValue::from_static("application/json")),
            (AUTHORIZATION, authorization),
            (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
            (CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded")),
        ];
        let body = Bytes::from(self.credentials.body());
        Ok(HttpRequest { method: Method::POST, url: self.url.clone(), target, headers, body })
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

    fn unreachable(&self, error: HttpError) -> Error {
        if let HttpError::TlsSettings(error) = error {
            return Error::config(format!(
                "could not prepare TLS to the token endpoint {} (options `ssl.*` of the login module in \
                 `sasl.jaas.config`): {error}",
                self.name()
            ));
        }
        let error = Error::from(error);
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
