//! Accepts the connections of a listener and serves each in a task of its own, so that a slow or broken one does not
//! delay others.

use std::convert::Infallible;
use std::io::{Error, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use tracing::{debug, warn};
use volley_net::TlsAcceptor;

use crate::rest::server::listener::Scheme;
use crate::rest::server::write_timeout::WriteTimeout;

/// Time limit for a client's TLS handshake, and for sending the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a client may stop reading an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// Pause after the system refused to accept a connection, because it has no file descriptors or memory left.
const RESPITE: Duration = Duration::from_millis(500);

/// The client that sent a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client(pub(crate) SocketAddr);

/// How a listener answers its requests.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) router: Router,
    /// `None` = plain HTTP.
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) end: CancellationToken,
}

/// Serves until `end`, then finishes the pending answers.
///
/// # Cancellation
/// All connections are closed.
pub(crate) async fn accept_all(listener: TcpListener, service: Service) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = service.end.cancelled() => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, client)) => drop(connections.spawn(serve(stream, Client(client), service.clone()))),
            Err(error) if is_the_client_s(&error) => {}
            Err(error) => {
                warn!(%error, "could not accept a connection");
                tokio::time::sleep(RESPITE).await;
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

fn is_the_client_s(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset)
}

async fn serve(stream: TcpStream, client: Client, service: Service) {
    // An answer is a single write, so waiting for more data would only cost time.
    let _ = stream.set_nodelay(true);
    let Service { router, tls, end } = service;
    let Some(acceptor) = tls else { return talk(stream, client, Scheme::Http, router, end).await };
    let shaking = tokio::time::timeout(HEAD_TIMEOUT, acceptor.accept(stream));
    let stream = tokio::select! {
        () = end.cancelled() => return,
        stream = shaking => stream,
    };
    match stream {
        Ok(Ok(stream)) => talk(stream, client, Scheme::Https, router, end).await,
        Ok(Err(error)) => debug!(client = %client.0, %error, "no TLS with a client"),
        Err(_) => debug!(client = %client.0, "a client was too slow for TLS"),
    }
}

async fn talk<S>(stream: S, client: Client, scheme: Scheme, router: Router, end: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(client);
        request.extensions_mut().insert(scheme);
        let router = router.clone();
        async move { Ok::<_, Infallible>(router.oneshot(request).await.unwrap_or_else(|never| match never {})) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    let mut connection =
        std::pin::pin!(http.serve_connection(TokioIo::new(WriteTimeout::new(stream, READ_TIMEOUT)), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = end.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!(client = %client.0, %error, "connection broke");
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::time::{Instant, advance, timeout};

    use super::*;
    use crate::spawned_task::SpawnedTask;

    const ANSWER: usize = 1 << 20;
    const PIECE: usize = 64 << 10;

    /// A client that has requested a large answer, and the connection.
    async fn asked() -> (DuplexStream, SpawnedTask) {
        let (mut client, server) = duplex(PIECE);
        let router = Router::new().route("/", get(|| async { "x".repeat(ANSWER) }));
        let address = Client(([127, 0, 0, 1], 1).into());
        let serving = talk(server, address, Scheme::Http, router, CancellationToken::new());
        let connection = SpawnedTask::start_here("a connection", serving);
        client.write_all(b"GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n").await.unwrap();
        (client, connection)
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_read_its_answer_loses_the_connection() {
        let (client, mut connection) = asked().await;
        let began = Instant::now();
        timeout(READ_TIMEOUT * 2, connection.outcome()).await.expect("the connection has ended").unwrap();
        assert!(began.elapsed() >= READ_TIMEOUT, "{:?}", began.elapsed());
        drop(client);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_reads_slowly_gets_its_whole_answer() {
        let (mut client, mut connection) = asked().await;
        let (began, mut answer, mut piece) = (Instant::now(), Vec::new(), vec![0; PIECE]);
        loop {
            advance(READ_TIMEOUT - Duration::from_secs(1)).await;
            match client.read(&mut piece).await.unwrap() {
                0 => break,
                read => answer.extend_from_slice(&piece[..read]),
            }
        }
        connection.outcome().await.unwrap();
        assert!(
            answer.len() > ANSWER && began.elapsed() > READ_TIMEOUT * 10,
            "{} in {:?}",
            answer.len(),
            began.elapsed()
        );
    }
}
