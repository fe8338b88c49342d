//! Parses `bootstrap.servers` as Java's clients do. Values that a Java client refuses are refused at once, rather than
//! retried without end.

use std::net::ToSocketAddrs;

use tracing::warn;
use volley_api::{ConfigMap, Error, Result};

use crate::ClientRole;
use crate::wire::Address;

const KEY: &str = "bootstrap.servers";
/// A Connect worker's default for `bootstrap.servers`.
const DEFAULT: &str = "localhost:9092";
const NOT_MADE: &str = "org.apache.kafka.common.KafkaException";

/// Refuses servers that the Java client of this role refuses when it is constructed: an entry that is not `host:port`,
/// and a list of which no host can be resolved. Resolves host names, so it MUST NOT run on a thread that must not
/// block.
///
/// # Errors
/// `Config`, with Java's message.
pub fn check_bootstrap_servers(properties: &ConfigMap, role: ClientRole) -> Result<()> {
    let servers = check_form(properties, role)?;
    let unresolvable = |server: &Address| {
        let found = (server.host.as_str(), server.port).to_socket_addrs();
        match found.map(|mut found| found.next()) {
            Ok(Some(_)) => None,
            Ok(None) => Some("it has no address".to_owned()),
            Err(error) => Some(error.to_string()),
        }
    };
    let mut is_any_resolved = false;
    for server in &servers {
        match unresolvable(server) {
            None => is_any_resolved = true,
            Some(reason) => warn!(%server, reason, "could not resolve a host of `bootstrap.servers`"),
        }
    }
    if is_any_resolved {
        return Ok(());
    }
    Err(not_made(role, Error::config(format!("No resolvable bootstrap urls given in {KEY}"))))
}

/// Refuses an empty list, as every configuration with this key does.
///
/// # Errors
/// `Config`, with Java's message.
pub fn check_bootstrap_list(properties: &ConfigMap) -> Result<()> {
    listed(properties).map(drop)
}

/// The part of [`check_bootstrap_servers`] that does not resolve host names.
pub(crate) fn check_form(properties: &ConfigMap, role: ClientRole) -> Result<Vec<Address>> {
    let is_empty = properties.get(KEY).is_some_and(|servers| servers.trim().is_empty());
    if is_empty && role == ClientRole::Admin {
        let cause = Error::config("You must set either bootstrap.servers or bootstrap.controllers");
        return Err(not_made(role, cause));
    }
    addresses(listed(properties)?).map_err(|error| not_made(role, error))
}

/// The servers.
///
/// # Errors
/// `Config`, with Java's message.
pub(crate) fn servers(properties: &ConfigMap) -> Result<Vec<Address>> {
    addresses(listed(properties)?)
}

fn listed(properties: &ConfigMap) -> Result<Vec<&str>> {
    let text = properties.get(KEY).map_or(DEFAULT, |text| text.trim());
    let servers: Vec<&str> = text.split(',').map(str::trim).collect();
    if text.is_empty() {
        return Err(Error::config(format!(
            "Configuration '{KEY}' must not be empty. Valid values include: any non-empty value"
        )));
    }
    if servers.contains(&"") {
        return Err(Error::config(format!("Configuration '{KEY}' values must not be empty.")));
    }
    Ok(servers)
}

fn addresses(servers: Vec<&str>) -> Result<Vec<Address>> {
    servers.into_iter().map(address).collect()
}

/// Parses `host:port` or `[v6]:port`, with or without the brackets, after an optional protocol.
fn address(server: &str) -> Result<Address> {
    let invalid = || Error::config(format!("Invalid url in {KEY}: {server}"));
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || "-%._".contains(c);
    let address = match server.split_once("://") {
        Some((protocol, address)) if protocol.chars().all(is_of_name) => address,
        _ => server,
    };
    let (host, port) = address.rsplit_once(':').ok_or_else(invalid)?;
    let host = host.strip_prefix('[').unwrap_or(host);
    let host = host.strip_suffix(']').unwrap_or(host);
    let is_port = !port.is_empty() && port.chars().all(|c| c.is_ascii_digit());
    if !is_port || !host.chars().all(|c| is_of_name(c) || c == ':') {
        return Err(invalid());
    }
    let port = port.parse().map_err(|_| Error::config(format!("Invalid port in {KEY}: {server}")))?;
    // an empty name stands for this host
    let host = if host.is_empty() { "localhost" } else { host };
    Ok(Address { host: host.to_owned(), port })
}

fn not_made(role: ClientRole, cause: Error) -> Error {
    let message = match role {
        ClientRole::Consumer => "Failed to construct kafka consumer",
        ClientRole::Producer => "Failed to construct kafka producer",
        ClientRole::Admin => "Failed to create new KafkaAdminClient",
    };
    Error::config(message).with_exception(NOT_MADE).with_source(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(servers: &str) -> ConfigMap {
        ConfigMap::from_iter([(KEY.to_owned(), servers.to_owned())])
    }

    #[test]
    fn servers_are_read_in_javas_forms() {
        let shown =
            |text: &str| -> Vec<String> { servers(&given(text)).unwrap().iter().map(ToString::to_string).collect() };
        assert_eq!(shown(" a:1, PLAINTEXT://b.c:22 ,[::1]:333"), ["a:1", "b.c:22", "[::1]:333"]);
        assert_eq!(shown("::1:9"), ["[::1]:9"]);
        assert_eq!(shown(":9,my_host:0"), ["localhost:9", "my_host:0"]);
        let none = servers(&ConfigMap::new()).unwrap();
        assert_eq!(none[0].to_string(), "localhost:9092");
    }

    #[test]
    fn what_cannot_be_right_is_refused_in_the_words_of_java() {
        let trace = |servers: &str, role| check_bootstrap_servers(&given(servers), role).unwrap_err().trace();
        let wrapped = |client: &str, cause: &str| {
            format!(
                "org.apache.kafka.common.KafkaException: {client}\n\
                 Caused by: org.apache.kafka.common.config.ConfigException: {cause}"
            )
        };
        for (servers, cause) in [
            ("127.0.0.1", "Invalid url in bootstrap.servers: 127.0.0.1"),
            ("127.0.0.1:1,foo", "Invalid url in bootstrap.servers: foo"),
            ("http://127.0.0.1:1/x", "Invalid url in bootstrap.servers: http://127.0.0.1:1/x"),
            ("127.0.0.1 :1", "Invalid url in bootstrap.servers: 127.0.0.1 :1"),
            ("a:1;b:2", "Invalid url in bootstrap.servers: a:1;b:2"),
            ("kö:1", "Invalid url in bootstrap.servers: kö:1"),
            ("a:", "Invalid url in bootstrap.servers: a:"),
            ("127.0.0.1:99999", "Invalid port in bootstrap.servers: 127.0.0.1:99999"),
            ("no.such.host.invalid:9092", "No resolvable bootstrap urls given in bootstrap.servers"),
        ] {
            assert_eq!(trace(servers, ClientRole::Consumer), wrapped("Failed to construct kafka consumer", cause));
        }
        let cause = "Invalid url in bootstrap.servers: x";
        assert_eq!(trace("x", ClientRole::Producer), wrapped("Failed to construct kafka producer", cause));
        assert_eq!(trace("x", ClientRole::Admin), wrapped("Failed to create new KafkaAdminClient", cause));
        for (servers, text) in [
            ("", "must not be empty. Valid values include: any non-empty value"),
            (",", "values must not be empty."),
            ("127.0.0.1:1,", "values must not be empty."),
        ] {
            let refused = format!("org.apache.kafka.common.config.ConfigException: Configuration '{KEY}' {text}");
            assert_eq!(trace(servers, ClientRole::Producer), refused);
        }
        let cause = "You must set either bootstrap.servers or bootstrap.controllers";
        assert_eq!(trace(" ", ClientRole::Admin), wrapped("Failed to create new KafkaAdminClient", cause));
    }

    #[test]
    fn one_host_with_an_address_is_enough() {
        for servers in ["no.such.host.invalid:9092,127.0.0.1:1", "[::1]:1", "127.0.0.1:0", ":1"] {
            check_bootstrap_servers(&given(servers), ClientRole::Consumer).unwrap();
        }
    }

    #[test]
    fn no_text_panics() {
        for text in ["[", "]", "[]", "://", "a://", ":", "::", "[]:1", "é:1", "://:1", "\u{0}:1", "a:１"] {
            let _ = servers(&given(text));
        }
    }
}
