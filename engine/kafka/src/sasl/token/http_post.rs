//! One HTTP request with a form, and its answer: no redirects, no proxies, everything with a deadline.

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::{Host, Url};
use volley_api::{Error, Result, Secret};
use volley_net::TlsConnector;

/// More than any answer with a token.
const MAX_ANSWER: usize = 1 << 20;

/// A form to be posted.
pub(super) struct FormPost<'a> {
    pub(super) url: &'a Url,
    /// The connector of an https URL.
    pub(super) tls: Option<&'a TlsConnector>,
    pub(super) authorization: Secret,
    pub(super) body: String,
    pub(super) connect_timeout: Duration,
    pub(super) read_timeout: Duration,
}

/// Status and body of the answer, or `Retriable`, with a reason that does not name the URL; `Config` if TLS is refused.
pub(super) async fn post(form: FormPost<'_>) -> Result<(u16, Bytes)> {
    let tcp = within(form.connect_timeout, "no connection", connect(form.url)).await?;
    let (read_timeout, waiting) = (form.read_timeout, "no answer");
    match form.tls {
        None => within(read_timeout, waiting, exchange(tcp, &form)).await,
        Some(tls) => {
            let host = form.url.host_str().unwrap_or_default();
            let stream = within(form.connect_timeout, "no TLS handshake", tls.connect(host, tcp)).await?;
            within(read_timeout, waiting, exchange(stream, &form)).await
        }
    }
}

async fn within<T>(limit: Duration, what: &str, step: impl Future<Output = Result<T>>) -> Result<T> {
    timeout(limit, step).await.unwrap_or_else(|_| Err(Error::retriable(format!("{what} within {limit:?}"))))
}

async fn connect(url: &Url) -> Result<TcpStream> {
    let nowhere = || Error::config("its URL names no host");
    let port = url.port_or_known_default().ok_or_else(nowhere)?;
    let connected = match url.host().ok_or_else(nowhere)? {
        Host::Domain(name) => TcpStream::connect((name, port)).await,
        Host::Ipv4(address) => TcpStream::connect((address, port)).await,
        Host::Ipv6(address) => TcpStream::connect((address, port)).await,
    };
    let stream = connected.map_err(|error| Error::retriable(error.to_string()))?;
    // A request is one write, so that waiting for more would only cost time.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

async fn exchange<S>(stream: S, form: &FormPost<'_>) -> Result<(u16, Bytes)>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broken = |error: hyper::Error| Error::retriable(error.to_string());
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let answer = async {
        let answer = sender.send_request(request(form)?).await.map_err(broken)?;
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), MAX_ANSWER).collect().await;
        Ok((status, body.map_err(|error| Error::retriable(error.to_string()))?.to_bytes()))
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

fn request(form: &FormPost<'_>) -> Result<Request<Full<Bytes>>> {
    let url = form.url;
    let target = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let host = url.host().map(|host| host.to_string()).unwrap_or_default();
    let host = url.port().map_or(host.clone(), |port| format!("{host}:{port}"));
    let bad = |_| Error::config("client id and secret cannot be sent in a header");
    let mut authorization = HeaderValue::from_str(form.authorization.reveal()).map_err(bad)?;
    authorization.set_sensitive(true);
    Request::builder()
        .method(Method::POST)
        .uri(target)
        .header(HOST, host)
        .header(ACCEPT, "application/json")
        .header(AUTHORIZATION, authorization)
        .header(CACHE_CONTROL, "no-cache")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::new(Bytes::from(form.body.clone())))
        .map_err(|error| Error::config(format!("no request can be made to it: {error}")))
}
