//! One HTTP request and its whole answer, each step with a deadline.
//!
//! [`volley_net::HttpClient`] does the same without proxies, and does not give the headers of an answer, of which
//! `Retry-After` is wanted here.

use std::fmt;
use std::future::Future;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio::time::timeout;
use url::{Host, Url};
use volley_api::{ConfigMap, Error};
use volley_net::{HttpError, HttpResult, TlsConnector};

use super::proxy_tunnel::open_tunnel;
use crate::config::{Connection, Proxy};

/// Bytes of an answer. No schema is that long.
const MAX_ANSWER: usize = 32 << 20;

/// A request. The header `Host` is added.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) method: Method,
    /// Where the server is; http or https.
    pub(super) url: &'a Url,
    /// Path and query.
    pub(super) target: String,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Bytes,
}

/// What a server answered.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) status: u16,
    /// The header `Retry-After`, if it is a number.
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Bytes,
}

/// Sends requests.
pub(super) struct Exchange {
    tls_properties: ConfigMap,
    /// Made when the first https URL is met, since that reads files.
    tls: OnceCell<TlsConnector>,
    proxy: Option<Proxy>,
    connect_timeout: Duration,
    answer_timeout: Duration,
}

impl fmt::Debug for Exchange {
    /// Shows no properties: they may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("proxy", &self.proxy).finish_non_exhaustive()
    }
}

impl Exchange {
    /// With the settings of a connection; `proxy` may be another than its.
    pub(super) fn new(connection: &Connection, proxy: Option<Proxy>) -> Self {
        let Connection { tls, connect_timeout, answer_timeout, .. } = connection.clone();
        Self { tls_properties: tls, tls: OnceCell::new(), proxy, connect_timeout, answer_timeout }
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Cancellation
    /// The connection is closed; the server may have done what it was asked all the same.
    pub(super) async fn send(&self, asked: Asked<'_>) -> HttpResult<Answered> {
        let url = asked.url;
        let host = url.host().ok_or(HttpError::NoHost)?;
        let port = url.port_or_known_default().ok_or(HttpError::NoHost)?;
        let tls = if url.scheme() == "https" { Some(self.tls().await?) } else { None };
        let connecting = async {
            match (&self.proxy, host) {
                (Some(proxy), _) => TcpStream::connect((proxy.host.as_str(), proxy.port)).await,
                (None, Host::Domain(name)) => TcpStream::connect((name, port)).await,
                (None, Host::Ipv4(address)) => TcpStream::connect((address, port)).await,
                (None, Host::Ipv6(address)) => TcpStream::connect((address, port)).await,
            }
            .map_err(HttpError::Connect)
        };
        let mut tcp = within(self.connect_timeout, connecting, HttpError::ConnectTimeout).await?;
        // A request is one write, so that waiting for more would only cost time.
        let _ = tcp.set_nodelay(true);
        let Some(tls) = tls else { return self.ask(tcp, asked).await };
        let name = url.host_str().unwrap_or_default();
        if self.proxy.is_some() {
            let authority = format!("{name}:{port}");
            let tunnel = open_tunnel(&mut tcp, &authority);
            within(self.connect_timeout, tunnel, HttpError::ConnectTimeout).await?;
        }
        let shaking_hands = async { tls.connect(name, tcp).await.map_err(HttpError::Tls) };
        let stream = within(self.connect_timeout, shaking_hands, HttpError::TlsTimeout).await?;
        self.ask(stream, asked).await
    }

    async fn tls(&self) -> HttpResult<&TlsConnector> {
        let properties = self.tls_properties.clone();
        let make = || async move {
            let made = tokio::task::spawn_blocking(move || TlsConnector::new(&properties)).await;
            made.unwrap_or_else(|_| Err(Error::fatal("TLS could not be prepared"))).map_err(HttpError::TlsSettings)
        };
        self.tls.get_or_try_init(make).await
    }

    async fn ask<S>(&self, stream: S, asked: Asked<'_>) -> HttpResult<Answered>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        // A proxy of http is told the whole URL, and a tunnel nothing.
        let is_whole = self.proxy.is_some() && asked.url.scheme() == "http";
        let request = request(asked, is_whole)?;
        within(self.answer_timeout, exchange(stream, request), HttpError::AnswerTimeout).await
    }
}

async fn within<T>(
    limit: Duration,
    step: impl Future<Output = HttpResult<T>>,
    too_late: fn(Duration) -> HttpError,
) -> HttpResult<T> {
    timeout(limit, step).await.unwrap_or_else(|_| Err(too_late(limit)))
}

fn request(asked: Asked<'_>, is_whole: bool) -> HttpResult<Request<Full<Bytes>>> {
    let Asked { method, url, target, headers, body } = asked;
    let host = url.host_str().unwrap_or_default();
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let uri = if is_whole { format!("http://{host}{target}") } else { target };
    let mut builder = Request::builder().method(method).uri(uri).header(HOST, host);
    for (name, value) in headers {
        builder = builder.header(name, value);
    }
    builder.body(Full::new(body)).map_err(|error| HttpError::Request(error.to_string()))
}

async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> HttpResult<Answered>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broken = |error: hyper::Error| HttpError::Exchange(io::Error::other(error));
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let answer = async {
        let answer = sender.send_request(request).await.map_err(broken)?;
        let status = answer.status().as_u16();
        let seconds = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let body = Limited::new(answer.into_body(), MAX_ANSWER).collect().await;
        let body = body.map_err(|error| HttpError::Exchange(io::Error::other(error)))?;
        Ok(Answered { status, retry_after: seconds.map(Duration::from_secs), body: body.to_bytes() })
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
