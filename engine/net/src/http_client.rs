//! One HTTP request and its whole answer: a connection for each, no redirects, no proxies, everything with a deadline.
//!
//! ```text
//!  HttpRequest ─ HttpClient ─ TCP ─ TLS, for https ─► server
//!  HttpAnswer or HttpError ◄─────────────────────────┘
//! ```

use std::fmt;
use std::future::Future;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio::time::timeout;
use url::{Host, Url};
use volley_api::{ConfigMap, Error};

use crate::{HttpError, HttpResult, TlsConnector};

/// How long a request may take, and how much an answer may be.
#[derive(Clone, Copy, Debug)]
pub struct HttpLimits {
    /// Until the server has accepted the connection, and again until TLS is agreed upon.
    pub connect_timeout: Duration,
    /// From then on until the answer is there as a whole.
    pub answer_timeout: Duration,
    /// Bytes of an answer; a longer one is refused.
    pub max_answer: usize,
}

/// A request. The client adds the header `Host`.
#[derive(Clone, Debug)]
pub struct HttpRequest {
    /// Method.
    pub method: Method,
    /// Where the server is; http or https.
    pub url: Url,
    /// Path and query.
    pub target: String,
    /// Headers.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Body; may be empty.
    pub body: Bytes,
}

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAnswer {
    /// Status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

/// Sends requests.
#[derive(Clone)]
pub struct HttpClient {
    tls_properties: ConfigMap,
    /// Made when the first https URL is met, since that reads files.
    tls: OnceCell<TlsConnector>,
    limits: HttpLimits,
}

impl fmt::Debug for HttpClient {
    /// Shows no properties: they may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl HttpClient {
    /// A client with the `ssl.*` keys of `tls_properties`, which are read when the first https URL is met.
    pub fn new(tls_properties: ConfigMap, limits: HttpLimits) -> Self {
        Self { tls_properties, tls: OnceCell::new(), limits }
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// How far it came.
    ///
    /// # Cancellation
    /// The connection is closed; the server may have done what it was asked all the same.
    pub async fn send(&self, request: HttpRequest) -> HttpResult<HttpAnswer> {
        let tls = match request.url.scheme() {
            "http" => None,
            "https" => Some(self.tls().await?),
            other => return Err(HttpError::Scheme(other.to_owned())),
        };
        let HttpLimits { connect_timeout, .. } = self.limits;
        let tcp = within(connect_timeout, connect(&request.url), HttpError::ConnectTimeout).await?;
        let Some(tls) = tls else { return self.exchange(tcp, request).await };
        let host = request.url.host_str().unwrap_or_default().to_owned();
        let shaking_hands = async { tls.connect(&host, tcp).await.map_err(HttpError::Tls) };
        let stream = within(connect_timeout, shaking_hands, HttpError::TlsTimeout).await?;
        self.exchange(stream, request).await
    }

    async fn tls(&self) -> HttpResult<&TlsConnector> {
        let properties = self.tls_properties.clone();
        let make = || async move {
            let made = tokio::task::spawn_blocking(move || TlsConnector::new(&properties)).await;
            made.unwrap_or_else(|_| Err(Error::fatal("TLS could not be prepared"))).map_err(HttpError::TlsSettings)
        };
        self.tls.get_or_try_init(make).await
    }

    async fn exchange<S>(&self, stream: S, request: HttpRequest) -> HttpResult<HttpAnswer>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let HttpLimits { answer_timeout, max_answer, .. } = self.limits;
        within(answer_timeout, exchange(stream, request, max_answer), HttpError::AnswerTimeout).await
    }
}

async fn within<T>(
    limit: Duration,
    step: impl Future<Output = HttpResult<T>>,
    too_late: fn(Duration) -> HttpError,
) -> HttpResult<T> {
    timeout(limit, step).await.unwrap_or_else(|_| Err(too_late(limit)))
}

async fn connect(url: &Url) -> HttpResult<TcpStream> {
    let port = url.port_or_known_default().ok_or(HttpError::NoHost)?;
    let stream = match url.host().ok_or(HttpError::NoHost)? {
        Host::Domain(name) => TcpStream::connect((name, port)).await,
        Host::Ipv4(address) => TcpStream::connect((address, port)).await,
        Host::Ipv6(address) => TcpStream::connect((address, port)).await,
    };
    let stream = stream.map_err(HttpError::Connect)?;
    // A request is one write, so that waiting for more would only cost time.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

async fn exchange<S>(stream: S, request: HttpRequest, max_answer: usize) -> HttpResult<HttpAnswer>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broken = |error: hyper::Error| HttpError::Exchange(io::Error::other(error));
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let answer = async {
        let answer = sender.send_request(hyper_request(request)?).await.map_err(broken)?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = Limited::new(answer.into_body(), max_answer).collect().await;
        let body = body.map_err(|error| HttpError::Exchange(io::Error::other(error)))?;
        Ok(HttpAnswer { status, headers, body: body.to_bytes() })
    };
    let (mut answer, mut connection) = (std::pin::pin!(answer), std::pin::pin!(connection));
    let mut is_open = true;
    loop {
        tokio::select! {
            answer = &mut answer => return answer,
            // It drives the exchange. Where it is over first, its error is the exchange's too.
            _ = &mut connection, if is_open => is_open = false,
        }
    }
}

fn hyper_request(request: HttpRequest) -> HttpResult<Request<Full<Bytes>>> {
    let HttpRequest { method, url, target, headers, body } = request;
    let host = url.host().map(|host| host.to_string()).unwrap_or_default();
    let host = url.port().map_or(host.clone(), |port| format!("{host}:{port}"));
    let mut builder = Request::builder().method(method).uri(target).header(HOST, host);
    for (name, value) in headers {
        builder = builder.header(name, value);
    }
    builder.body(Full::new(body)).map_err(|error| HttpError::Request(error.to_string()))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    const LIMITS: HttpLimits = HttpLimits {
        connect_timeout: Duration::from_secs(20),
        answer_timeout: Duration::from_secs(20),
        max_answer: 16,
    };

    /// A server that answers one request with `answer`; what it was asked comes out of the task.
    async fn server(answer: &'static [u8]) -> (Url, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}/a?b", listener.local_addr().unwrap())).unwrap();
        #[allow(clippy::disallowed_methods, reason = "the test awaits it")]
        let asked = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let length = stream.read(&mut request).await.unwrap();
            stream.write_all(answer).await.unwrap();
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        (url, asked)
    }

    fn request(url: &Url) -> HttpRequest {
        HttpRequest {
            method: Method::POST,
            url: url.clone(),
            target: "/../a?b".to_owned(),
            headers: vec![(HeaderName::from_static("x-key"), HeaderValue::from_static("value"))],
            body: Bytes::from_static(b"body"),
        }
    }

    async fn ask(url: &Url, limits: HttpLimits) -> HttpResult<HttpAnswer> {
        HttpClient::new(ConfigMap::new(), limits).send(request(url)).await
    }

    #[tokio::test]
    async fn a_request_is_sent_as_it_stands_and_the_answer_read() {
        let (url, asked) = server(b"HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\n\r\nnope").await;
        let answer = ask(&url, LIMITS).await.unwrap();
        assert_eq!((answer.status, answer.body), (404, Bytes::from_static(b"nope")));
        assert_eq!(answer.headers["content-length"], "4");
        let asked = asked.await.unwrap();
        assert!(asked.starts_with("POST /../a?b HTTP/1.1\r\n") && asked.ends_with("\r\n\r\nbody"), "{asked}");
        let host = format!("host: 127.0.0.1:{}\r\n", url.port().unwrap());
        assert!(asked.contains(&host) && asked.contains("x-key: value\r\n"), "{asked}");
    }

    #[tokio::test]
    async fn an_answer_beyond_the_limit_is_refused() {
        let (url, _asked) = server(b"HTTP/1.1 200 OK\r\ncontent-length: 17\r\n\r\n12345678901234567").await;
        assert!(matches!(ask(&url, LIMITS).await, Err(HttpError::Exchange(_))));
    }

    #[tokio::test]
    async fn a_server_that_does_not_answer_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let limits = HttpLimits { answer_timeout: Duration::from_millis(1), ..LIMITS };
        assert!(matches!(ask(&url, limits).await, Err(HttpError::AnswerTimeout(_))));
    }

    #[tokio::test]
    async fn where_nobody_can_be_asked_is_told_apart() {
        let (url, _) = {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            (Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap(), drop(listener))
        };
        assert!(matches!(ask(&url, LIMITS).await, Err(HttpError::Connect(_))));
        let ftp = Url::parse("ftp://localhost/").unwrap();
        assert!(matches!(ask(&ftp, LIMITS).await, Err(HttpError::Scheme(scheme)) if scheme == "ftp"));
    }
}
