//! Asks registries in turn until one answers, and again after pauses.

use std::error::Error as StdError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use tokio::time::sleep;
use tracing::{debug, warn};
use volley_api::{Error, Result};
use volley_net::{HttpError, HttpResult};

use super::authorization::Authorization;
use super::exchange::{Answered, Asked, Exchange};
use super::pauses::{chance, pause};
use super::rest_answer::complaint;
use super::rest_request::RestRequest;
use crate::config::{BaseUrl, Connection, KeyWords, RetryLimits};

/// The registries that know the same.
#[derive(Debug)]
pub(super) struct Rounds {
    urls: Vec<BaseUrl>,
    /// The place of the one that has answered last, which is asked first.
    first: AtomicUsize,
    exchange: Exchange,
    authorization: Authorization,
    limits: RetryLimits,
    words: &'static KeyWords,
}

/// Why one of them does not answer.
struct Failure {
    text: String,
    /// Whether asking again does not help.
    is_final: bool,
    /// The pause that it wants.
    wanted: Option<Duration>,
}

impl Rounds {
    /// `urls` is not empty.
    pub(super) fn new(urls: &[BaseUrl], connection: &Connection) -> Self {
        Self {
            urls: urls.to_vec(),
            first: AtomicUsize::new(0),
            exchange: Exchange::new(connection, connection.proxy.clone()),
            authorization: Authorization::new(connection),
            limits: connection.retry,
            words: connection.words,
        }
    }

    /// Where the registry is that has answered last.
    pub(super) fn last(&self) -> String {
        let url = self.urls.get(self.first.load(Ordering::Relaxed));
        url.map(ToString::to_string).unwrap_or_default()
    }

    pub(super) fn authorization(&self) -> &Authorization {
        &self.authorization
    }

    /// The answer of the first who gives one, whether it is a refusal or not, and who it is.
    ///
    /// # Errors
    /// `Retriable` if nobody answers after all retries; `Config` if that does not help.
    ///
    /// # Cancellation
    /// Without effect here; a registry may have done what it was asked.
    pub(super) async fn ask(&self, request: &RestRequest) -> Result<(&BaseUrl, Answered)> {
        let mut round = 0;
        loop {
            let failures = match self.ask_each(request).await? {
                Ok(answered) => return Ok(answered),
                Err(failures) => failures,
            };
            let is_final = failures.iter().all(|failure| failure.is_final);
            if is_final || round >= self.limits.retries {
                return Err(self.gave_up(&failures, is_final));
            }
            let wanted = failures.iter().filter_map(|failure| failure.wanted).max();
            let pause = pause(self.limits, round, wanted, chance());
            let error = failures.last().map_or("", |failure| &failure.text);
            warn!(error, pause_ms = pause.as_millis(), "no schema registry answers: asking again after a pause");
            sleep(pause).await;
            round += 1;
        }
    }

    /// One round.
    async fn ask_each(&self, request: &RestRequest) -> Result<std::result::Result<(&BaseUrl, Answered), Vec<Failure>>> {
        let first = self.first.load(Ordering::Relaxed);
        let mut failures = Vec::new();
        for place in (0..self.urls.len()).map(|place| (first + place) % self.urls.len()) {
            let Some(url) = self.urls.get(place) else { break };
            match self.ask_one(url, request).await? {
                Ok(answered) => {
                    self.first.store(place, Ordering::Relaxed);
                    return Ok(Ok((url, answered)));
                }
                Err(failure) => {
                    debug!(error = failure.text, "a schema registry does not answer");
                    failures.push(failure);
                }
            }
        }
        Ok(Err(failures))
    }

    async fn ask_one(&self, url: &BaseUrl, request: &RestRequest) -> Result<std::result::Result<Answered, Failure>> {
        let mut outcome = match self.send(url, request).await {
            Ok(outcome) => outcome,
            Err(error) if error.is_retriable() => {
                return Ok(Err(Failure { text: error.to_string(), is_final: false, wanted: None }));
            }
            Err(error) => return Err(error),
        };
        // A token may be taken back before its end.
        if outcome.as_ref().is_ok_and(|answered| answered.status == 401) && self.authorization.forget_token() {
            outcome = self.send(url, request).await?;
        }
        Ok(match outcome {
            Ok(answered) if is_busy(answered.status) => Err(self.busy(url, &answered)),
            Ok(answered) => Ok(answered),
            // It is the same for all of them.
            Err(HttpError::TlsSettings(error)) => return Err(Error::config(self.tls_text(&error))),
            Err(error) => Err(self.unreachable(url, &error)),
        })
    }

    /// # Errors
    /// Those of the authorization.
    async fn send(&self, url: &BaseUrl, request: &RestRequest) -> Result<HttpResult<Answered>> {
        let mut headers = self.authorization.headers(url).await?;
        headers.push((ACCEPT, HeaderValue::from_static(request.accepted)));
        if !request.body.is_empty() {
            headers.push((CONTENT_TYPE, HeaderValue::from_static(request.media_type)));
        }
        headers.extend(request.headers.iter().cloned());
        let target = url.target(&request.path);
        let (method, body) = (request.method.clone(), request.body.clone());
        Ok(self.exchange.send(Asked { method, url: &url.url, target, headers, body }).await)
    }

    fn busy(&self, url: &BaseUrl, answered: &Answered) -> Failure {
        let message = self.authorization.without_secrets(url, complaint(&answered.body).message);
        let message = if message.is_empty() { message } else { format!(" ({message})") };
        let text = format!("{url} answers {}{message}", answered.status);
        Failure { text, is_final: false, wanted: answered.retry_after }
    }

    fn gave_up(&self, failures: &[Failure], is_final: bool) -> Error {
        let urls: Vec<_> = self.urls.iter().map(ToString::to_string).collect();
        let last = failures.last().map_or("", |failure| &failure.text);
        let text = format!(
            "no Schema Registry (`{}`) gives an answer: tried {}; the last failure: {last}",
            self.words.url,
            urls.join(", ")
        );
        if is_final { Error::config(text) } else { Error::retriable(text) }
    }

    fn unreachable(&self, url: &BaseUrl, error: &HttpError) -> Failure {
        let (reason, is_final) = match error {
            HttpError::TlsSettings(error) | HttpError::Tls(error) => (self.tls_text(error), !error.is_retriable()),
            HttpError::NoHost | HttpError::Scheme(_) | HttpError::Request(_) => (error.to_string(), true),
            HttpError::Connect(error) | HttpError::Exchange(error) => (with_causes(error), false),
            HttpError::ConnectTimeout(_) | HttpError::TlsTimeout(_) | HttpError::AnswerTimeout(_) => {
                (error.to_string(), false)
            }
        };
        Failure { text: format!("{url} cannot be reached: {reason}"), is_final, wanted: None }
    }

    fn tls_text(&self, error: &Error) -> String {
        format!("{error} (TLS with the Schema Registry is set up by the keys `{}`)", self.words.tls)
    }
}

/// Whether the registry cannot answer now.
fn is_busy(status: u16) -> bool {
    matches!(status, 408 | 429 | 500..)
}

fn with_causes(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
