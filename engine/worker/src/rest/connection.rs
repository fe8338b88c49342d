//! Takes connections of a listener and serves each in a task of its own, so that one that is slow or broken is in nobody's
//! way.

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
use volley_kafka::TlsAcceptor;

use super::listener::Scheme;

/// How long a client may take to agree on TLS, and to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// How long nothing is accepted after the system refused to: it is out of file descriptors, or memory.
const RESPITE: Duration = Duration::from_millis(500);

/// Who sent a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Client(pub(super) SocketAddr);

/// How the requests of a listener are answered.
#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) router: Router,
    /// `None`: plain.
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) end: CancellationToken,
}

/// Serves until `end`, then finishes what is being answered.
///
/// # Cancellation
/// All connections are closed.
pub(super) async fn accept_all(listener: TcpListener, service: Service) {
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
    // An answer is one write, so that waiting for more would only cost time.
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
    let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
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
