//! Listens, and serves until told to end.

use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};
use volley_api::{Error, Result};

use super::listener::{Listener, Scheme};

/// A listener that serves.
#[derive(Debug)]
pub struct RestServer {
    listener: Listener,
    socket: TcpListener,
    address: SocketAddr,
}

impl RestServer {
    /// Listens, without serving yet: who connects waits.
    ///
    /// # Errors
    /// `Config` if the address cannot be listened on, or the listener is https.
    ///
    /// # Cancellation
    /// Nothing is left behind.
    pub async fn bind(listener: Listener) -> Result<Self> {
        if listener.scheme == Scheme::Https {
            return Err(Error::config(
                "could not listen by https: this version of Volley serves http only; put a proxy before it",
            ));
        }
        let (host, port) = (listener.bind_host().to_owned(), listener.port);
        let failed = |error: std::io::Error| {
            Error::config(format!("could not listen on {host}:{port}: choose another address in `listeners`"))
                .with_source(error)
        };
        let socket = TcpListener::bind((host.as_str(), port)).await.map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        Ok(Self { listener, socket, address })
    }

    /// What was asked for, and the address that it got.
    pub fn bound(&self) -> (Listener, SocketAddr) {
        (self.listener.clone(), self.address)
    }
}

/// Serves `router` until `end`, then finishes what is being answered.
pub fn serve(server: RestServer, router: Router, end: CancellationToken) -> JoinHandle<()> {
    info!(address = %server.address, "REST server listens");
    tokio::spawn(async move {
        let serving = axum::serve(server.socket, router).with_graceful_shutdown(async move { end.cancelled().await });
        if let Err(error) = serving.await {
            error!(%error, "REST server failed");
        }
    })
}
