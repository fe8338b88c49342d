//! HTTP to another worker of the group: one connection for each request, no redirects, everything with a deadline.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use url::{Host, Url};
use volley_api::ConfigMap;
use volley_net::TlsConnector;

use crate::worker_config::WorkerConfig;
use crate::worker_config::{LISTENERS, tls_properties};

/// By what name workers ask each other.
pub(crate) const USER_AGENT: &str = "kafka-connect";

/// How long it may take until the other worker has accepted the connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// How long the whole request may take: as long as the other worker itself takes to give up.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(90);

/// More than any answer of a worker; one beyond it is refused.
const MAX_ANSWER: usize = 64 << 20;

/// Talks to the other workers of the group.
#[derive(Clone, Default)]
pub struct PeerClient {
    tls_properties: ConfigMap,
    /// Made when the first https URL is met: most groups have none.
    tls: OnceCell<TlsConnector>,
}

impl fmt::Debug for PeerClient {
    /// Shows no values: they may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeerClient").finish_non_exhaustive()
    }
}

/// A request to another worker.
#[derive(Debug)]
pub(crate) struct PeerRequest {
    pub(crate) method: Method,
    /// Where the other worker is.
    pub(crate) url: Url,
    /// Path and query, sent as they stand: a URL would resolve `..`, which may be the name of a connector.
    pub(crate) target: String,
    /// Headers beside those that every request has.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// JSON, where there is a body.
    pub(crate) body: Option<Bytes>,
}

/// What the other worker answered.
#[derive(Debug)]
pub(crate) struct PeerAnswer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum PeerError {
    /// The name, the network, or the other worker's HTTP.
    Io(String),
    /// No answer in time.
    TimedOut,
    /// The URL names no host, or neither http nor https.
    Url(String),
}

/// `Result` of a request to another worker.
pub(crate) type PeerResult<T> = std::result::Result<T, PeerError>;

impl fmt::Display for PeerError {
    /// As Java's client words it, where it is seen by clients of the REST API.
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
    /// One with the TLS settings of the worker's own listeners.
    pub fn new(config: &WorkerConfig) -> Self {
        Self { tls_properties: tls_properties(config, LISTENERS), tls: OnceCell::new() }
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Cancellation
    /// The connection is closed; the other worker may have done what it was asked all the same.
    pub(crate) async fn send(&self, request: PeerRequest) -> PeerResult<PeerAnswer> {
        tokio::time::timeout(REQUEST_TIMEOUT, self.exchange(request)).await.unwrap_or(Err(PeerError::TimedOut))
    }

    async fn exchange(&self, request: PeerRequest) -> PeerResult<PeerAnswer> {
        let stream = connect(&request.url).await?;
        match request.url.scheme() {
            "http" => talk(stream, request).await,
            "https" => {
                let host = request.url.host_str().unwrap_or_default().to_owned();
                let shaking = self.tls().await?.connect(&host, stream);
                let stream = tokio::time::timeout(CONNECT_TIMEOUT, shaking).await.map_err(|_| PeerError::TimedOut)?;
                let refused = |error: volley_api::Error| PeerError::Io(format!("javax.net.ssl.SSLException: {error}"));
                talk(stream.map_err(refused)?, request).await
            }
            other => Err(PeerError::Url(format!("could not talk {other} to another worker"))),
        }
    }

    async fn tls(&self) -> PeerResult<&TlsConnector> {
        let properties = self.tls_properties.clone();
        let make = || async move {
            let made = tokio::task::spawn_blocking(move || TlsConnector::new(&properties)).await;
            let made = made.unwrap_or_else(|_| Err(volley_api::Error::fatal("TLS could not be prepared")));
            made.map_err(|error| PeerError::Io(format!("java.io.IOException: {error}")))
        };
        self.tls.get_or_try_init(make).await
    }
}

async fn connect(url: &Url) -> PeerResult<TcpStream> {
    let nowhere = || PeerError::Url(format!("could not find a host in `{url}`, which a worker gave as its address"));
    let port = url.port_or_known_default().ok_or_else(nowhere)?;
    let connecting = async {
        match url.host().ok_or_else(nowhere)? {
            Host::Domain(name) => TcpStream::connect((name, port)).await.map_err(|error| connect_error(&error)),
            Host::Ipv4(address) => TcpStream::connect((address, port)).await.map_err(|error| connect_error(&error)),
            Host::Ipv6(address) => TcpStream::connect((address, port)).await.map_err(|error| connect_error(&error)),
        }
    };
    let too_late = || PeerError::Io("java.net.SocketTimeoutException: Connect Timeout".to_owned());
    let stream = tokio::time::timeout(CONNECT_TIMEOUT, connecting).await.map_err(|_| too_late())??;
    // A request is one write, so that waiting for more would only cost time.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

fn connect_error(error: &std::io::Error) -> PeerError {
    PeerError::Io(match error.kind() {
        std::io::ErrorKind::ConnectionRefused => "java.net.ConnectException: Connection refused".to_owned(),
        _ => format!("java.net.ConnectException: {error}"),
    })
}

async fn talk<S>(stream: S, request: PeerRequest) -> PeerResult<PeerAnswer>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broken = |error: hyper::Error| PeerError::Io(format!("java.io.IOException: {error}"));
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let exchange = async {
        let answer = sender.send_request(http_request(request)?).await.map_err(broken)?;
        let (parts, body) = answer.into_parts();
        let body = Limited::new(body, MAX_ANSWER).collect().await;
        let body = body.map_err(|error| PeerError::Io(format!("java.io.IOException: {error}")))?.to_bytes();
        Ok(PeerAnswer { status: parts.status.as_u16(), body })
    };
    let (mut exchange, mut connection) = (std::pin::pin!(exchange), std::pin::pin!(connection));
    let mut is_open = true;
    loop {
        tokio::select! {
            answer = &mut exchange => return answer,
            // It drives the exchange. Where it is over first, its error is the exchange's too.
            _ = &mut connection, if is_open => is_open = false,
        }
    }
}

fn http_request(request: PeerRequest) -> PeerResult<Request<Full<Bytes>>> {
    let PeerRequest { method, url, target, headers, body } = request;
    let host = url.host().map(|host| host.to_string()).unwrap_or_default();
    let host = url.port().map_or(host.clone(), |port| format!("{host}:{port}"));
    let mut builder = Request::builder().method(method).uri(target).header(HOST, host);
    builder = builder.header(hyper::header::USER_AGENT, USER_AGENT).header(ACCEPT, "application/json");
    if body.is_some() {
        builder = builder.header(CONTENT_TYPE, "application/json");
    }
    for (name, value) in headers {
        builder = builder.header(name, value);
    }
    let bad = |error: hyper::http::Error| PeerError::Url(format!("could not make a request to `{url}`: {error}"));
    builder.body(Full::new(body.unwrap_or_default())).map_err(bad)
}
