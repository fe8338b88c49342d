//! The part behind `jdbc:<subprotocol>:` where the database is on the network.

use indexmap::IndexMap;
use percent_encoding::percent_decode_str;

/// A server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Name or IP address; the address of version 6 without brackets.
    pub name: String,
    /// Port; `None`: the usual one.
    pub port: Option<u16>,
}

/// `//host:port,host:port/database?name=value&name=value`; all but the slashes may be missing, and where the slashes
/// are missing it is a database on this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkAddress {
    /// The servers, in the order in which they are tried; empty: this machine.
    pub hosts: Vec<Host>,
    /// The database; `None`: the usual one.
    pub database: Option<String>,
    /// Parameters; of two with the same name the last counts.
    pub parameters: IndexMap<String, String>,
}

impl NetworkAddress {
    /// Takes it apart.
    ///
    /// # Errors
    /// What is wrong with it; no parameter's value is shown.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (address, parameters) = text.split_once('?').unwrap_or((text, ""));
        let parameters = parameters.split('&').filter(|parameter| !parameter.is_empty()).map(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            Ok((decoded(name)?, decoded(value)?))
        });
        let parameters = parameters.collect::<Result<_, String>>()?;
        let (hosts, database) = match address.strip_prefix("//") {
            Some(address) => address.split_once('/').unwrap_or((address, "")),
            None => ("", address.trim_start_matches('/')),
        };
        let hosts = hosts.split(',').filter(|host| !host.is_empty()).map(parse_host).collect::<Result<_, String>>()?;
        let database = Some(decoded(database)?).filter(|database| !database.is_empty());
        Ok(Self { hosts, database, parameters })
    }
}

fn parse_host(text: &str) -> Result<Host, String> {
    // an address of version 6 has colons in its brackets
    let end = text.rfind(']').map_or(0, |bracket| bracket + 1);
    let (name, port) = match text[end..].find(':') {
        Some(colon) => (&text[..end + colon], Some(&text[end + colon + 1..])),
        None => (text, None),
    };
    let port = match port.filter(|port| !port.is_empty()) {
        // what stands there may be a password, where somebody has written a user in front of the host
        Some(port) => Some(port.parse().map_err(|_| "what stands behind a host and a colon must be a port")?),
        None => None,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    Ok(Host { name: if name.is_empty() { "localhost".to_owned() } else { name.to_owned() }, port })
}

/// As Java decodes it: a plus is a space.
fn decoded(text: &str) -> Result<String, String> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded.map(Into::into).map_err(|_| "a part with %-codes that are no UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str, port: Option<u16>) -> Host {
        Host { name: name.to_owned(), port }
    }

    #[test]
    fn hosts_database_and_parameters_are_found_wherever_java_finds_them() {
        let parse = |text: &str| NetworkAddress::parse(text).unwrap();
        let full = parse("//db1:5432,[::1]:5433,db3/my%20shop?user=a&password=b%26c&ssl");
        assert_eq!(full.hosts, [host("db1", Some(5432)), host("::1", Some(5433)), host("db3", None)]);
        assert_eq!(full.database.as_deref(), Some("my shop"));
        let parameters: Vec<_> = full.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(parameters, [("user", "a"), ("password", "b&c"), ("ssl", "")]);
        assert_eq!(parse("//db/"), NetworkAddress { hosts: vec![host("db", None)], ..NetworkAddress::default() });
        assert_eq!(parse("//:5433/x").hosts, [host("localhost", Some(5433))]);
        assert_eq!(parse("shop").database.as_deref(), Some("shop"));
        assert_eq!(parse("/"), NetworkAddress::default());
        let error = NetworkAddress::parse("//user:secret@db/x").unwrap_err();
        assert!(error.contains("must be a port") && !error.contains("secret"), "{error}");
        assert!(NetworkAddress::parse("//db/x?password=%ff").is_err());
    }
}
