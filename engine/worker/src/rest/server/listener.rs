//! The listeners of the REST server: `http://host:port`.

use std::fmt;

use volley_api::{Error, Result};

/// Protocol of a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Plain.
    Http,
    /// With TLS.
    Https,
}

/// One entry of `listeners`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Protocol.
    pub scheme: Scheme,
    /// Host name or address, without brackets; empty = all addresses.
    pub host: String,
    /// Port; 0 = any free one.
    pub port: u16,
}

impl Listener {
    /// Parses an entry. The protocol may be in any case, an IPv6 address stands in brackets.
    ///
    /// # Errors
    /// `Config`, with Kafka Connect's message, if it is malformed.
    pub fn parse(text: &str) -> Result<Self> {
        let malformed = || {
            Error::config(format!(
                "Listener doesn't have the right format (protocol://hostname:port). It is `{text}` in `listeners`"
            ))
        };
        let (scheme, rest) = text.trim().split_once("://").ok_or_else(malformed)?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => {
                return Err(Error::config(format!(
                    "Listener protocol must be either \"http\" or \"https\". It is `{text}` in `listeners`"
                )));
            }
        };
        let (host, port) = rest.rsplit_once(':').ok_or_else(malformed)?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let port = port.parse().map_err(|_| malformed())?;
        Ok(Self { scheme, host: host.to_owned(), port })
    }

    /// The hosts to bind to; the first that works is used. "All addresses" includes IPv4 and IPv6, where both exist.
    pub(crate) fn bind_hosts(&self) -> Vec<&str> {
        if self.host.is_empty() { vec!["::", "0.0.0.0"] } else { vec![&self.host] }
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "{}://[{}]:{}", self.scheme, self.host, self.port),
            false => write!(f, "{}://{}:{}", self.scheme, self.host, self.port),
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "http",
            Self::Https => "https",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_are_known() {
        let parse = |text: &str| Listener::parse(text).map(|listener| (listener.scheme, listener.host, listener.port));
        assert_eq!(parse("http://:8083").unwrap(), (Scheme::Http, String::new(), 8083));
        assert_eq!(parse("HTTP://localhost:0").unwrap(), (Scheme::Http, "localhost".into(), 0));
        assert_eq!(parse("https://[::1]:443").unwrap(), (Scheme::Https, "::1".into(), 443));
        for text in ["", "localhost:8083", "http://host", "http://host:port", "ftp://h:1", "http://h:99999"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
