//! How registries are reached: what clients must have in common to be one.

use std::fmt;
use std::time::Duration;

use volley_api::{Config, ConfigMap, Error, Result, Secret};

use super::credentials::Credentials;
use super::key_words::{CONFLUENT, KeyWords};
use super::{BaseUrl, keys};

const MOCK: &str = "mock://";

/// Where the registry is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Place {
    /// Inside the process, under this name.
    Mock(String),
    /// At these URLs; not empty.
    Http(Vec<BaseUrl>),
}

/// An HTTP proxy.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Proxy {
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// How often and after which pauses registries are asked again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RetryLimits {
    pub(crate) retries: u32,
    pub(crate) first_pause: Duration,
    pub(crate) longest_pause: Duration,
}

/// Everything about the connection. `Debug` shows no secrets.
#[derive(Clone, PartialEq)]
pub(crate) struct Connection {
    pub(crate) place: Place,
    pub(crate) credentials: Credentials,
    /// Further headers of each request: for Confluent Cloud the logical cluster and the identity pool. May be secrets.
    pub(crate) headers: Vec<(String, Secret)>,
    /// Java's `ssl.*` keys; may be secrets.
    pub(crate) tls: ConfigMap,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) connect_timeout: Duration,
    pub(crate) answer_timeout: Duration,
    pub(crate) retry: RetryLimits,
    /// What the keys are called that say all this.
    pub(crate) words: &'static KeyWords,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("place", &self.place)
            .field("credentials", &self.credentials)
            .field("proxy", &self.proxy)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

impl Connection {
    /// What a parsed configuration says; `properties` is the same as text.
    pub(super) fn read(config: &Config, properties: &ConfigMap) -> Result<Self> {
        let (credentials, headers) = Credentials::read(config)?;
        Ok(Self {
            place: place(config.list(keys::URL), &CONFLUENT)?,
            credentials,
            headers,
            tls: tls_properties(properties, keys::TLS_PREFIX),
            proxy: proxy(config)?,
            connect_timeout: millis(config, keys::CONNECT_TIMEOUT),
            answer_timeout: millis(config, keys::READ_TIMEOUT),
            retry: RetryLimits {
                retries: config.long(keys::MAX_RETRIES).and_then(|count| u32::try_from(count).ok()).unwrap_or(0),
                first_pause: millis(config, keys::RETRY_WAIT),
                longest_pause: millis(config, keys::RETRY_MAX_WAIT),
            },
            words: &CONFLUENT,
        })
    }
}

/// Java's `ssl.*` keys, which stand behind `prefix`.
pub(super) fn tls_properties(properties: &ConfigMap, prefix: &str) -> ConfigMap {
    let tls = properties.iter().filter_map(|(key, value)| {
        let key = key.strip_prefix(prefix).filter(|key| key.starts_with("ssl."))?;
        Some((key.to_owned(), value.clone()))
    });
    tls.collect()
}

/// Where the registries of these URLs are.
pub(super) fn place(urls: &[String], words: &KeyWords) -> Result<Place> {
    let key = words.url;
    let urls: Vec<&str> = urls.iter().map(String::as_str).filter(|url| !url.is_empty()).collect();
    if let [url] = urls[..]
        && let Some(scope) = url.strip_prefix(MOCK)
    {
        return Ok(Place::Mock(scope.to_owned()));
    }
    if urls.is_empty() {
        return Err(Error::config(format!("`{key}` is empty: give it the URL of a Schema Registry")));
    }
    let parsed = urls.iter().enumerate().map(|(place, url)| {
        if url.starts_with(MOCK) {
            return Err(Error::config(format!("`{key}` has mock://… beside other URLs: it must be alone")));
        }
        BaseUrl::parse(url)
            .map_err(|reason| Error::config(format!("could not read URL {} of `{key}`: {reason}", place + 1)))
    });
    parsed.collect::<Result<_>>().map(Place::Http)
}

fn proxy(config: &Config) -> Result<Option<Proxy>> {
    let Some(host) = config.string(keys::PROXY_HOST).filter(|host| !host.is_empty()) else { return Ok(None) };
    let port = config.long(keys::PROXY_PORT).and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0);
    let port = port.ok_or_else(|| {
        Error::config(format!("`{}` needs `{}`, a number from 1 to 65535", keys::PROXY_HOST, keys::PROXY_PORT))
    })?;
    Ok(Some(Proxy { host: host.to_owned(), port }))
}

/// A key in milliseconds.
pub(super) fn millis(config: &Config, key: &str) -> Duration {
    Duration::from_millis(config.long(key).and_then(|millis| u64::try_from(millis).ok()).unwrap_or(0))
}
