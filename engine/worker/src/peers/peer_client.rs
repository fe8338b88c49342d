//! HTTP to another worker of the group: one connection for each request, no redirects, a deadline for everything.

use std::fmt;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use hyper::Method;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use url::Url;
use volley_api::ConfigMap;
use volley_net::{HttpAnswer, HttpClient, HttpError, HttpLimits, HttpRequest};

use crate::worker_config::WorkerConfig;
use crate::worker_config::{LISTENERS, tls_properties};

/// The `User-Agent` of requests between workers.
pub(crate) const USER_AGENT: &str = "kafka-connect";

/// Time limit for the connection to the other worker.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// Time limit for the whole request: the other worker has the same one.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(90);

/// Largest answer; a larger one is refused. Workers never send so much.
const MAX_ANSWER: usize = 64 << 20;

const LIMITS: HttpLimits =
    HttpLimits { connect_timeout: CONNECT_TIMEOUT, answer_timeout: REQUEST_TIMEOUT, max_answer: MAX_ANSWER };

/// The HTTP client for the other workers of the group.
#[derive(Clone, Debug)]
pub struct PeerClient(HttpClient);

impl Default for PeerClient {
    fn default() -> Self {
        Self(HttpClient::new(ConfigMap::new(), LIMITS))
    }
}

/// A request to another worker.
#[derive(Debug)]
pub(crate) struct PeerRequest {
    pub(crate) method: Method,
    /// The other worker's address.
    pub(crate) url: Url,
    /// Path and query, sent unchanged: a URL would resolve `..`, which may be the name of a connector.
    pub(crate) target: String,
    /// Headers besides those of every request.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// JSON body, if any.
    pub(crate) body: Option<Bytes>,
}

/// The reason why there is no answer.
#[derive(Debug)]
pub(crate) enum PeerError {
    /// Name resolution, the network, or invalid HTTP.
    Io(String),
    /// No answer in time.
    TimedOut,
    /// The URL has no host, or its scheme is neither http nor https.
    Url(String),
}

/// `Result` of a request to another worker.
pub(crate) type PeerResult<T> = std::result::Result<T, PeerError>;

impl fmt::Display for PeerError {
    /// Java's wording, where clients of the REST API see it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(message) | Self::Url(message) => f.write_str(message),
            Self::TimedOut => {
                write!(f, "java.util.concurrent.TimeoutException: Total timeout {REQUEST_TIMEOUT:?} elapsed")
            }
        }
    }
}

impl PeerClient {
    /// A client with the TLS settings of the worker's own listeners.
    pub fn new(config: &WorkerConfig) -> Self {
        Self(HttpClient::new(tls_properties(config, LISTENERS), LIMITS))
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Cancellation
    /// The connection is closed; the other worker may have handled the request nevertheless.
    pub(crate) async fn send(&self, request: PeerRequest) -> PeerResult<HttpAnswer> {
        let url = request.url.clone();
        let sending = self.0.send(request.into_http());
        let sent = tokio::time::timeout(REQUEST_TIMEOUT, sending).await.map_err(|_| PeerError::TimedOut)?;
        sent.map_err(|error| peer_error(error, &url))
    }
}

impl PeerRequest {
    fn into_http(self) -> HttpRequest {
        let Self { method, url, target, headers: more, body } = self;
        let mut headers = vec![
            (hyper::header::USER_AGENT, HeaderValue::from_static(USER_AGENT)),
            (ACCEPT, HeaderValue::from_static("application/json")),
        ];
        if body.is_some() {
            headers.push((CONTENT_TYPE, HeaderValue::from_static("application/json")));
        }
        headers.extend(more);
        HttpRequest { method, url, target, headers, body: body.unwrap_or_default() }
    }
}

fn peer_error(error: HttpError, url: &Url) -> PeerError {
    match error {
        HttpError::NoHost => {
            PeerError::Url(format!("could not find a host in `{url}`, which a worker gave as its address"))
        }
        HttpError::Scheme(other) => PeerError::Url(format!("could not talk {other} to another worker")),
        HttpError::Request(reason) => PeerError::Url(format!("could not make a request to `{url}`: {reason}")),
        HttpError::Connect(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            PeerError::Io("java.net.ConnectException: Connection refused".to_owned())
        }
        HttpError::Connect(error) => PeerError::Io(format!("java.net.ConnectException: {error}")),
        HttpError::ConnectTimeout(_) => PeerError::Io("java.net.SocketTimeoutException: Connect Timeout".to_owned()),
        HttpError::Tls(error) => PeerError::Io(format!("javax.net.ssl.SSLException: {error}")),
        HttpError::TlsSettings(error) => PeerError::Io(format!("java.io.IOException: {error}")),
        HttpError::Exchange(error) => PeerError::Io(format!("java.io.IOException: {error}")),
        HttpError::TlsTimeout(_) | HttpError::AnswerTimeout(_) => PeerError::TimedOut,
    }
}
