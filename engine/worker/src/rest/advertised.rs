//! Under which URL others reach this worker.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

use volley_api::{Error, Result};

use super::listener::{Listener, Scheme};
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
    /// From `rest.advertised.*`, else from the listeners with the addresses that they got: the first http one, else the
    /// first.
    ///
    /// # Errors
    /// `Config` if a key is wrong, or there is no listener of the wanted protocol.
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
        let chosen = match wanted {
            Some(scheme) => of(scheme),
            None => of(Scheme::Http).or_else(|| of(Scheme::Https)),
        };
        let (listener, address) = chosen.ok_or_else(|| {
            Error::config("could not find a listener for `rest.advertised.listener` in `listeners`: add one")
        })?;
        let host = config.parsed().string("rest.advertised.host.name").filter(|host| !host.is_empty());
        let host = match host {
            Some(host) => host.to_owned(),
            None if !listener.host.is_empty() => listener.host.clone(),
            None => machine_address().to_string(),
        };
        let port = config.parsed().long("rest.advertised.port").and_then(|port| u16::try_from(port).ok());
        Ok(Self { scheme: listener.scheme, host, port: port.unwrap_or(address.port()) })
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

/// The address that this machine's name stands for; the loopback address where it stands for none.
fn machine_address() -> IpAddr {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let addresses = (name.trim(), 0).to_socket_addrs().map(Iterator::collect::<Vec<_>>).unwrap_or_default();
    let best = addresses.iter().find(|address| address.is_ipv4()).or_else(|| addresses.first());
    best.map_or(IpAddr::from([127, 0, 0, 1]), SocketAddr::ip)
}
