//! The handshake of either side, and why it failed in words.

use std::io;
use std::pin::Pin;

use openssl::error::ErrorStack;
use openssl::ssl::{self, Ssl, SslRef};
use openssl::x509::X509VerifyResult;
use tokio::net::TcpStream;
use tokio_openssl::SslStream;
use volley_api::{Error, Result};

use super::context;
use super::stream::TlsStream;

/// Which end of the connection this is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Opened it.
    Client,
    /// Took it.
    Server,
}

/// Shakes hands over `tcp`; `peer` names the other side in errors.
pub(super) async fn shake_hands(ssl: Ssl, tcp: TcpStream, side: Side, peer: &str) -> Result<TlsStream> {
    let mut stream = Box::pin(SslStream::new(ssl, tcp).map_err(context::failure)?);
    let done = match side {
        Side::Client => Pin::as_mut(&mut stream).connect().await,
        Side::Server => Pin::as_mut(&mut stream).accept().await,
    };
    match done {
        Ok(()) => Ok(TlsStream::new(stream)),
        Err(error) => Err(explain(&error, stream.ssl(), peer)),
    }
}

/// The error that a failure of a connection in use means, if the other side refuses this one: with TLS 1.3 a server says only
/// after the handshake that it does not like the client's certificate.
pub fn tls_refusal(error: &io::Error, peer: &str) -> Option<Error> {
    let stack = error.get_ref()?.downcast_ref::<ssl::Error>()?.ssl_error()?;
    let reason = context::reasons(stack);
    let is_refusal = reason.contains("alert")
        && ["certificate", "unknown ca", "access denied"].iter().any(|word| reason.contains(word));
    is_refusal.then(|| {
        Error::config(format!("{peer} refuses TLS: {reason}; check the key store (`ssl.keystore.*`)"))
            .with_exception(TRUST)
    })
}

/// Whether the other side closed the connection without a word, as one that is killed does.
fn is_end(stack: &ErrorStack) -> bool {
    context::reasons(stack).contains("unexpected eof")
}

const TRUST: &str = "org.apache.kafka.common.errors.SslAuthenticationException";

fn explain(error: &ssl::Error, session: &SslRef, peer: &str) -> Error {
    let verdict = session.verify_result();
    if verdict != X509VerifyResult::OK {
        return Error::config(format!(
            "TLS with {peer} failed: its certificate is not trusted: {}; check the trust store (`ssl.truststore.*`) and \
             the name in the certificate",
            verdict.error_string()
        ))
        .with_exception(TRUST);
    }
    if let Some(stack) = error.ssl_error().filter(|stack| !is_end(stack)) {
        let reason = context::reasons(stack);
        return Error::config(format!("TLS with {peer} failed: {reason}")).with_exception(TRUST);
    }
    let reason = match error.io_error() {
        Some(error) if error.kind() != io::ErrorKind::UnexpectedEof => error.to_string(),
        _ => "the other side closed the connection; does it speak TLS?".to_owned(),
    };
    Error::retriable(format!("TLS with {peer} failed: {reason}"))
}
