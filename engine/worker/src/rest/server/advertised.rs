//! The URL under which others reach this worker.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

use volley_api::{Error, Result};

use crate::rest::server::listener::{Listener, Scheme};
use crate::worker_config::WorkerConfig;

/// The advertised address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advertised {
    /// Protocol.
    pub scheme: Scheme,
    /// Host.
    pub host: String,
    /// Port.
    pub port: u16,
}

impl Advertised {
    /// From `rest.advertised.*`, otherwise from the bound listeners: the first http one, else the first one.
    ///
    /// # Errors
    /// `Config` if a key is wrong, or there is no listener.
    pub fn new(config: &WorkerConfig, listeners: &[(Listener, SocketAddr)]) -> Result<Self> {
        let wanted = match config.parsed().string("rest.advertised.listener").map(str::to_ascii_lowercase).as_deref() {
            None | Some("") => None,
            Some("http") => Some(Scheme::Http),
            Some("https") => Some(Scheme::Https),
            Some(other) => {
                return Err(Error::config(format!(
                    "Invalid value {other} for configuration rest.advertised.listener: it must be http or https"
                )));
            }
        };
        let of = |scheme: Scheme| listeners.iter().find(|(listener, _)| listener.scheme == scheme);
        // A proxy may use https even if this worker does not.
        let chosen = wanted.and_then(of).or_else(|| of(Scheme::Http)).or_else(|| of(Scheme::Https));
        let (listener, address) =
            chosen.ok_or_else(|| Error::config("could not find a listener in `listeners`: add one"))?;
        let host = config.parsed().string("rest.advertised.host.name").filter(|host| !host.is_empty());
        let host = match host {
            Some(host) => host.to_owned(),
            None if !listener.host.is_empty() => listener.host.clone(),
            None => machine_address().to_string(),
        };
        let port = match config.parsed().long("rest.advertised.port") {
            None => address.port(),
            Some(port) => u16::try_from(port).ok().filter(|port| *port > 0).ok_or_else(|| {
                Error::config(format!(
                    "Invalid value {port} for configuration rest.advertised.port: it must be a port, 1 to 65535"
                ))
            })?,
        };
        Ok(Self { scheme: wanted.unwrap_or(listener.scheme), host, port })
    }

    /// `host:port`
    pub fn worker_id(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }

    /// `http://host:port`
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.worker_id())
    }
}

/// The address of this machine's host name; the loopback address if it has none.
fn machine_address() -> IpAddr {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let addresses = (name.trim(), 0).to_socket_addrs().map(Iterator::collect::<Vec<_>>).unwrap_or_default();
    let best = addresses.iter().find(|address| address.is_ipv4()).or_else(|| addresses.first());
    best.map_or(IpAddr::from([127, 0, 0, 1]), SocketAddr::ip)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::distributed_config;

    fn advertised(listeners: &[&str], more: &[(&str, &str)]) -> Result<String> {
        let config = distributed_config(more)?;
        let bound = listeners.iter().enumerate().map(|(index, listener)| {
            let port = 8083 + u16::try_from(index).unwrap();
            (Listener::parse(listener).unwrap(), SocketAddr::from(([127, 0, 0, 1], port)))
        });
        Advertised::new(&config, &bound.collect::<Vec<_>>()).map(|advertised| advertised.url())
    }

    #[test]
    fn the_first_http_listener_is_advertised_unless_told_otherwise() {
        let both = ["https://a:0", "HTTP://b:0"];
        assert_eq!(advertised(&both, &[]).unwrap(), "http://b:8084");
        assert_eq!(advertised(&both, &[("rest.advertised.listener", "HTTPS")]).unwrap(), "https://a:8083");
        assert_eq!(advertised(&["https://a:0"], &[]).unwrap(), "https://a:8083");
        assert_eq!(advertised(&["http://[::1]:0"], &[]).unwrap(), "http://[::1]:8083");
        let proxy = [
            ("rest.advertised.listener", "https"),
            ("rest.advertised.host.name", "proxy"),
            ("rest.advertised.port", "443"),
        ];
        assert_eq!(advertised(&["http://a:0"], &proxy).unwrap(), "https://proxy:443");
    }

    #[test]
    fn what_nobody_could_reach_is_refused() {
        for (key, value) in [
            ("rest.advertised.port", "0"),
            ("rest.advertised.port", "-1"),
            ("rest.advertised.port", "99999"),
            ("rest.advertised.listener", "ftp"),
        ] {
            assert!(
                advertised(&["http://a:0"], &[(key, value)]).unwrap_err().to_string().contains(key),
                "{key}={value}"
            );
        }
    }
}
