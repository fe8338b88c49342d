//! The bytes: TCP, with TLS on it or not.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::time::timeout;
use volley_api::{Error, Result};
use volley_net::TlsStream;

use super::settings::{Address, ConnectionSettings};

/// A connection to a broker.
#[derive(Debug)]
pub(super) enum Transport {
    Plain(TcpStream),
    Tls(TlsStream),
}

impl Transport {
    /// Connects to the first address of the broker's name that answers.
    pub(super) async fn open(address: &Address, settings: &ConnectionSettings) -> Result<Self> {
        let tcp = connect(address, settings).await?;
        let Some(tls) = &settings.tls else { return Ok(Self::Plain(tcp)) };
        match timeout(settings.request_timeout, tls.connect(&address.host, tcp)).await {
            Ok(stream) => Ok(Self::Tls(stream?)),
            Err(_) => Err(Error::retriable(format!(
                "broker {address} did not shake hands within {:?}",
                settings.request_timeout
            ))),
        }
    }
}

async fn connect(address: &Address, settings: &ConnectionSettings) -> Result<TcpStream> {
    let unreachable = |reason: String| Error::retriable(format!("broker {address} cannot be reached: {reason}"));
    let mut setup = settings.setup_timeout;
    let found = timeout(setup, lookup_host((address.host.as_str(), address.port)))
        .await
        .map_err(|_| unreachable(format!("its name was not resolved within {setup:?}")))?
        .map_err(|error| unreachable(error.to_string()))?;
    let mut reason = "its name has no address".to_owned();
    for candidate in found {
        match timeout(setup, connect_to(candidate, settings)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => reason = error.to_string(),
            Err(_) => reason = format!("no connection within {setup:?}"),
        }
        setup = (setup * 2).min(settings.setup_timeout_max.max(Duration::from_millis(1)));
    }
    Err(unreachable(reason))
}

async fn connect_to(address: SocketAddr, settings: &ConnectionSettings) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_keepalive(true)?;
    socket.set_nodelay(true)?;
    if let Some(bytes) = settings.send_buffer {
        socket.set_send_buffer_size(bytes)?;
    }
    if let Some(bytes) = settings.receive_buffer {
        socket.set_recv_buffer_size(bytes)?;
    }
    socket.connect(address).await
}

impl AsyncRead for Transport {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
