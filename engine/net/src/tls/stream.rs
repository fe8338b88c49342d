//! An encrypted connection.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

/// A TCP connection with TLS on it; the handshake is over.
#[derive(Debug)]
pub struct TlsStream {
    stream: Pin<Box<SslStream<TcpStream>>>,
}

impl TlsStream {
    pub(super) fn new(stream: Pin<Box<SslStream<TcpStream>>>) -> Self {
        Self { stream }
    }

    /// The connection beneath, for its addresses.
    pub fn tcp(&self) -> &TcpStream {
        self.stream.get_ref()
    }

    /// The protocol version in OpenSSL's words, such as `TLSv1.3`.
    pub fn version(&self) -> &'static str {
        self.stream.ssl().version_str()
    }

    /// Whether the other side has shown a certificate.
    pub fn has_peer_certificate(&self) -> bool {
        self.stream.ssl().peer_certificate().is_some()
    }
}

impl AsyncRead for TlsStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_read(cx, buffer)
    }
}

impl AsyncWrite for TlsStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_shutdown(cx)
    }
}
