//! The side that opens the connection.

use std::fmt;
use std::net::IpAddr;

use openssl::error::ErrorStack;
use openssl::ssl::{Ssl, SslContext, SslVerifyMode};
use openssl::x509::verify::X509CheckFlags;
use tokio::net::TcpStream;
use volley_api::{ConfigMap, Error, Result};

use super::context;
use super::handshake::{self, Side};
use super::stream::TlsStream;

const IDENTIFICATION: &str = "ssl.endpoint.identification.algorithm";

/// Opens TLS connections. Cheap to clone.
#[derive(Clone)]
pub struct TlsConnector {
    context: SslContext,
    checks_name: bool,
}

impl fmt::Debug for TlsConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConnector").field("checks_name", &self.checks_name).finish_non_exhaustive()
    }
}

impl TlsConnector {
    /// What Java's `ssl.*` keys describe: `ssl.truststore.*` (or `ssl.truststore.certificates`) says whom to trust, else the
    /// system does; `ssl.keystore.*` is shown to a server that asks; `ssl.endpoint.identification.algorithm` empty means
    /// that any name of the server is right.
    ///
    /// Reads the stores' files: not for a thread that must not block.
    ///
    /// # Errors
    /// `Config`, naming the key, for a store that cannot be read, and for a value that is not understood.
    pub fn new(properties: &ConfigMap) -> Result<Self> {
        let checks_name = match properties.get(IDENTIFICATION).map(|value| value.trim()) {
            Some("") => false,
            Some(algorithm) if !algorithm.eq_ignore_ascii_case("https") => {
                return Err(Error::config(format!(
                    "`{IDENTIFICATION}` is `{algorithm}`: it must be https, or empty to trust any name"
                )));
            }
            _ => true,
        };
        let mut builder = context::builder(properties)?;
        builder.set_verify(SslVerifyMode::PEER);
        Ok(Self { context: builder.build(), checks_name })
    }

    /// Encrypts, and takes any server for the right one, whatever certificate it shows: for protocols where users expect that of a
    /// setting. The keys are those of [`TlsConnector::new`].
    ///
    /// # Errors
    /// As for [`TlsConnector::new`].
    pub fn trusting_anyone(properties: &ConfigMap) -> Result<Self> {
        let mut builder = context::builder(properties)?;
        builder.set_verify(SslVerifyMode::NONE);
        Ok(Self { context: builder.build(), checks_name: false })
    }

    /// Shakes hands with the server behind `tcp`, which must be able to prove that it is `host`: a name or an IP address, as
    /// in the URL. Takes as long as the server does: set a deadline around it.
    ///
    /// # Errors
    /// `Config` if either side does not trust the other, else `Retriable`.
    ///
    /// # Cancellation
    /// Dropping the future closes the connection.
    pub async fn connect(&self, host: &str, tcp: TcpStream) -> Result<TlsStream> {
        let ssl = self
            .session(host)
            .map_err(|error| Error::config(format!("could not prepare TLS for host `{host}`")).with_source(error))?;
        let port = tcp.peer_addr().map_or_else(|_| String::new(), |address| format!(":{}", address.port()));
        handshake::shake_hands(ssl, tcp, Side::Client, &format!("server {host}{port}")).await
    }

    fn session(&self, host: &str) -> std::result::Result<Ssl, ErrorStack> {
        let host = host.trim_start_matches('[').trim_end_matches([']', '.']);
        let mut ssl = Ssl::new(&self.context)?;
        let address = host.parse::<IpAddr>().ok();
        if address.is_none() {
            ssl.set_hostname(host)?;
        }
        if self.checks_name {
            let expected = ssl.param_mut();
            expected.set_hostflags(X509CheckFlags::NO_PARTIAL_WILDCARDS);
            match address {
                Some(address) => expected.set_ip(address)?,
                None => expected.set_host(host)?,
            }
        }
        Ok(ssl)
    }
}
