//! The side that takes the connection.

use std::fmt;

use openssl::ssl::{Ssl, SslContext, SslVerifyMode};
use tokio::net::TcpStream;
use volley_api::{ConfigMap, Error, Result};

use super::context;
use super::handshake::{self, Side};
use super::stream::TlsStream;

const CLIENT_AUTH: &str = "ssl.client.auth";

/// Takes TLS connections. Cheap to clone.
#[derive(Clone)]
pub struct TlsAcceptor {
    context: SslContext,
}

impl fmt::Debug for TlsAcceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsAcceptor").finish_non_exhaustive()
    }
}

impl TlsAcceptor {
    /// What Java's `ssl.*` keys describe: the key store is what clients see, `ssl.client.auth` (`none`, `requested` or
    /// `required`) whether they must show a certificate too, and the trust store, else the system, who vouches for theirs.
    /// Keys with a listener's prefix are the caller's to strip.
    ///
    /// Reads the stores' files: not for a thread that must not block.
    ///
    /// # Errors
    /// `Config`, naming the key, without a key store, for a store that cannot be read, and for a value that is not
    /// understood.
    pub fn new(properties: &ConfigMap) -> Result<Self> {
        let mode = verify_mode(properties)?;
        let mut builder = context::builder(properties)?;
        builder.check_private_key().map_err(|_| {
            Error::config(
                "TLS has no key to show: set `ssl.keystore.location`, or `ssl.keystore.key` and \
                 `ssl.keystore.certificate.chain`",
            )
        })?;
        builder.set_verify(mode);
        // Without it, a client that resumes a session and has shown a certificate is refused.
        builder.set_session_id_context(b"volley").map_err(context::failure)?;
        Ok(Self { context: builder.build() })
    }

    /// Shakes hands with the client behind `tcp`. Takes as long as the client does: set a deadline around it.
    ///
    /// # Errors
    /// `Config` if either side does not trust the other, else `Retriable`.
    ///
    /// # Cancellation
    /// Dropping the future closes the connection.
    pub async fn accept(&self, tcp: TcpStream) -> Result<TlsStream> {
        let ssl = Ssl::new(&self.context).map_err(context::failure)?;
        handshake::shake_hands(ssl, tcp, Side::Server, "client").await
    }
}

fn verify_mode(properties: &ConfigMap) -> Result<SslVerifyMode> {
    let value = properties.get(CLIENT_AUTH).map_or("none", |value| value.trim());
    match value.to_ascii_lowercase().as_str() {
        "none" | "" => Ok(SslVerifyMode::NONE),
        "requested" => Ok(SslVerifyMode::PEER),
        "required" => Ok(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT),
        _ => Err(Error::config(format!("`{CLIENT_AUTH}` is `{value}`: it must be none, requested or required"))),
    }
}
