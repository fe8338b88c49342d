//! What Java's client keys say about a connection.

use std::fmt;
use std::time::Duration;

use kafka_protocol::protocol::StrBytes;
use volley_api::{ConfigMap, Error, Result};
use volley_net::TlsConnector;

use crate::bootstrap;
use crate::sasl::Credentials;

/// Where a broker listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// A name or an IP address, without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Address {
    /// From a broker's answer; `None` if it says that there is no such broker.
    pub(crate) fn new(host: &str, port: i32) -> Option<Self> {
        let port = u16::try_from(port).ok().filter(|port| *port > 0)?;
        (!host.is_empty()).then(|| Self { host: host.to_owned(), port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// How to connect to a cluster. `Debug` shows no secrets.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionSettings {
    /// `bootstrap.servers`; at least one.
    pub(crate) bootstrap_servers: Vec<Address>,
    /// `client.id`
    pub(crate) client_id: StrBytes,
    /// `request.timeout.ms`
    pub(crate) request_timeout: Duration,
    /// `socket.connection.setup.timeout.ms`
    pub(crate) setup_timeout: Duration,
    /// `socket.connection.setup.timeout.max.ms`
    pub(crate) setup_timeout_max: Duration,
    /// `reconnect.backoff.ms`
    pub(crate) reconnect_backoff: Duration,
    /// `reconnect.backoff.max.ms`
    pub(crate) reconnect_backoff_max: Duration,
    /// `retry.backoff.ms`
    pub(crate) retry_backoff: Duration,
    /// `retry.backoff.max.ms`
    pub(crate) retry_backoff_max: Duration,
    /// `send.buffer.bytes`; `None` = the system's
    pub(crate) send_buffer: Option<u32>,
    /// `receive.buffer.bytes`; `None` = the system's
    pub(crate) receive_buffer: Option<u32>,
    /// `Some` for `security.protocol` SSL and SASL_SSL.
    pub(crate) tls: Option<TlsConnector>,
    /// `Some` for `security.protocol` SASL_PLAINTEXT and SASL_SSL.
    pub(crate) sasl: Option<Credentials>,
}

impl ConnectionSettings {
    /// Reads the keys, and the files of the TLS stores.
    ///
    /// # Errors
    /// `Config`, naming the key whose value is wrong.
    pub(crate) fn read(properties: &ConfigMap) -> Result<Self> {
        let (encrypted, authenticated) = security(properties)?;
        let buffer = |key, default| {
            number(properties, key, default, -1).map(|bytes| u32::try_from(bytes).ok().filter(|bytes| *bytes > 0))
        };
        Ok(Self {
            bootstrap_servers: bootstrap::servers(properties)?,
            client_id: StrBytes::from_string(text(properties, "client.id").unwrap_or_default().to_owned()),
            request_timeout: duration(properties, "request.timeout.ms", 40_000)?,
            setup_timeout: duration(properties, "socket.connection.setup.timeout.ms", 10_000)?,
            setup_timeout_max: duration(properties, "socket.connection.setup.timeout.max.ms", 30_000)?,
            reconnect_backoff: duration(properties, "reconnect.backoff.ms", 50)?,
            reconnect_backoff_max: duration(properties, "reconnect.backoff.max.ms", 1_000)?,
            retry_backoff: duration(properties, "retry.backoff.ms", 100)?,
            retry_backoff_max: duration(properties, "retry.backoff.max.ms", 1_000)?,
            send_buffer: buffer("send.buffer.bytes", 131_072)?,
            receive_buffer: buffer("receive.buffer.bytes", 32_768)?,
            tls: encrypted.then(|| TlsConnector::new(properties)).transpose()?,
            sasl: authenticated.then(|| Credentials::read(properties)).transpose()?,
        })
    }
}

/// Whether there is TLS, and whether there is SASL.
fn security(properties: &ConfigMap) -> Result<(bool, bool)> {
    let value = text(properties, "security.protocol").unwrap_or("PLAINTEXT");
    match value.to_ascii_uppercase().as_str() {
        "PLAINTEXT" => Ok((false, false)),
        "SSL" => Ok((true, false)),
        "SASL_PLAINTEXT" => Ok((false, true)),
        "SASL_SSL" => Ok((true, true)),
        _ => Err(Error::config(format!(
            "`security.protocol` is `{value}`: it must be PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL"
        ))),
    }
}

fn text<'a>(properties: &'a ConfigMap, key: &str) -> Option<&'a str> {
    properties.get(key).map(|value| value.trim()).filter(|value| !value.is_empty())
}

fn duration(properties: &ConfigMap, key: &str, default: i64) -> Result<Duration> {
    number(properties, key, default, 0).map(|ms| Duration::from_millis(ms.unsigned_abs()))
}

fn number(properties: &ConfigMap, key: &str, default: i64, least: i64) -> Result<i64> {
    let Some(value) = text(properties, key) else { return Ok(default) };
    value
        .parse()
        .ok()
        .filter(|number| (least..=i64::from(i32::MAX)).contains(number))
        .ok_or_else(|| Error::config(format!("`{key}` is `{value}`: it must be a number from {least} to {}", i32::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<ConnectionSettings> {
        ConnectionSettings::read(&pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn defaults_are_those_of_a_connect_worker() {
        let settings = read(&[]).unwrap();
        assert_eq!(settings.bootstrap_servers[0].to_string(), "localhost:9092");
        assert_eq!(settings.request_timeout, Duration::from_secs(40));
        assert_eq!(settings.setup_timeout, Duration::from_secs(10));
        assert!(settings.tls.is_none() && settings.sasl.is_none());
        assert_eq!(read(&[("send.buffer.bytes", "-1")]).unwrap().send_buffer, None);
    }

    #[test]
    fn a_bad_value_is_named() {
        for (key, value) in [
            ("request.timeout.ms", "soon"),
            ("request.timeout.ms", "-1"),
            ("security.protocol", "TLS"),
            ("receive.buffer.bytes", "-2"),
        ] {
            let error = read(&[(key, value)]).unwrap_err();
            assert!(error.to_string().contains(key) && error.to_string().contains(value), "{error}");
        }
    }
}
