//! TLS, as `ssl` and `sslmode` of PostgreSQL's Java driver say it.

use std::error::Error as StdError;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};
use volley_api::{ConfigMap, Error, Result};
use volley_jdbc::Parameters;
use volley_net::TlsConnector;

const TRUST_STORE: &str = "ssl.truststore.location";
const IDENTIFICATION: &str = "ssl.endpoint.identification.algorithm";
/// Takes any certificate.
const NON_VALIDATING: &str = "org.postgresql.ssl.NonValidatingFactory";
const FACTORIES: [&str; 3] =
    [NON_VALIDATING, "org.postgresql.ssl.DefaultJavaSSLFactory", "org.postgresql.ssl.LibPQFactory"];

/// Whether connections are encrypted, and whom they trust.
#[derive(Clone, Debug)]
pub(crate) struct Tls {
    mode: SslMode,
    connector: Option<TlsConnector>,
}

impl Tls {
    /// The parameters that say it.
    pub(crate) const PARAMETERS: [&str; 7] =
        ["ssl", "sslmode", "sslrootcert", "sslfactory", "sslcert", "sslkey", "sslpassword"];

    /// What the parameters say. Reads the file of certificates.
    ///
    /// # Errors
    /// `Config`, naming the parameter.
    pub(crate) fn from_parameters(parameters: &Parameters) -> Result<Self> {
        let refused = |name: &str, value: &str, why: &str| {
            Err(Error::config(format!("parameter `{name}` of `connection.url` is `{value}`: {why}")))
        };
        for name in ["sslcert", "sslkey"] {
            if let Some(value) = parameters.get(name) {
                return refused(name, value, "certificates of clients are not possible yet; log in with a password");
            }
        }
        let factory = parameters.get("sslfactory");
        if let Some(class) = factory.filter(|class| !FACTORIES.contains(class)) {
            return refused("sslfactory", class, "a Java class cannot be loaded; use `sslmode` and `sslrootcert`");
        }
        let is_on = parameters.get("ssl").is_some_and(|value| value.is_empty() || value.eq_ignore_ascii_case("true"));
        let mode = parameters.get("sslmode").unwrap_or(if is_on { "verify-full" } else { "prefer" });
        let (ssl_mode, proves_itself) = match mode {
            "disable" | "allow" => return Ok(Self { mode: SslMode::Disable, connector: None }),
            "prefer" => (SslMode::Prefer, false),
            "require" => (SslMode::Require, false),
            "verify-ca" | "verify-full" => (SslMode::Require, factory != Some(NON_VALIDATING)),
            _ => {
                return refused(
                    "sslmode",
                    mode,
                    "it must be disable, allow, prefer, require, verify-ca or verify-full",
                );
            }
        };
        let connector = match proves_itself {
            false => TlsConnector::trusting_anyone(&ConfigMap::new())?,
            true => TlsConnector::new(&trust(parameters, mode == "verify-full"))?,
        };
        Ok(Self { mode: ssl_mode, connector: Some(connector) })
    }

    /// Whether encryption is asked for.
    pub(crate) fn mode(&self) -> SslMode {
        self.mode
    }

    /// For a connection to `host`.
    pub(crate) fn to(&self, host: &str) -> HostTls {
        HostTls { connector: self.connector.clone(), host: host.to_owned() }
    }
}

/// Whom to trust: the file that is named, or that of every program of PostgreSQL, or whom the system trusts.
fn trust(parameters: &Parameters, checks_name: bool) -> ConfigMap {
    let usual = || {
        let file = PathBuf::from(std::env::var_os("HOME")?).join(".postgresql/root.crt");
        file.exists().then(|| file.display().to_string())
    };
    let mut properties = ConfigMap::new();
    if let Some(file) = parameters.get("sslrootcert").map(str::to_owned).or_else(usual) {
        properties.insert(TRUST_STORE.to_owned(), file);
    }
    if !checks_name {
        properties.insert(IDENTIFICATION.to_owned(), String::new());
    }
    properties
}

/// TLS to one host.
#[derive(Clone, Debug)]
pub(crate) struct HostTls {
    connector: Option<TlsConnector>,
    host: String,
}

impl TlsConnect<TcpStream> for HostTls {
    type Stream = Encrypted;
    type Error = Box<dyn StdError + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = std::result::Result<Encrypted, Self::Error>> + Send>>;

    fn connect(self, stream: TcpStream) -> Self::Future {
        Box::pin(async move {
            let Some(connector) = self.connector else { return Err("TLS is switched off".into()) };
            Ok(Encrypted(connector.connect(&self.host, stream).await?))
        })
    }
}

/// An encrypted connection.
#[derive(Debug)]
pub(crate) struct Encrypted(volley_net::TlsStream);

impl TlsStream for Encrypted {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tls(parameters: &[(&str, &str)]) -> Result<Tls> {
        let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Tls::from_parameters(&Parameters(parameters.collect()))
    }

    #[test]
    fn connections_are_encrypted_as_java_s_driver_would_encrypt_them() {
        let mode = |parameters| tls(parameters).unwrap().mode();
        assert_eq!(mode(&[]), SslMode::Prefer);
        assert_eq!(mode(&[("ssl", "false")]), SslMode::Prefer);
        assert_eq!(mode(&[("sslmode", "disable"), ("ssl", "true")]), SslMode::Disable);
        assert_eq!(mode(&[("ssl", "true")]), SslMode::Require);
        assert_eq!(mode(&[("ssl", ""), ("sslfactory", NON_VALIDATING)]), SslMode::Require);
        assert!(tls(&[("sslmode", "maybe")]).is_err());
    }
}
