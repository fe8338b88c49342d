//! What a connection is set to: parameters of PostgreSQL's Java driver, and what they are here.

use std::time::Duration;

use tokio_postgres::Config;
use volley_api::{Error, Result, Secret};
use volley_jdbc::{ConnectionSettings, Host};

use crate::tls::Tls;

const DEFAULT_PORT: u16 = 5432;
const APPLICATION: &str = "volley";
/// The Java driver's.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Parameters that say how the Java driver works inside: nothing is lost without them.
const INTERNAL: [&str; 32] = [
    "adaptiveFetch",
    "adaptiveFetchMaximum",
    "adaptiveFetchMinimum",
    "allowEncodingChanges",
    "assumeMinServerVersion",
    "autosave",
    "binaryTransfer",
    "binaryTransferDisable",
    "binaryTransferEnable",
    "cleanupSavepoints",
    "databaseMetadataCacheFields",
    "databaseMetadataCacheFieldsMiB",
    "defaultRowFetchSize",
    "disableColumnSanitiser",
    "escapeSyntaxCallMode",
    "logServerErrorDetail",
    "logUnclosedConnections",
    "loggerFile",
    "loggerLevel",
    "maxResultBuffer",
    "maxSendBufferSize",
    "preferQueryMode",
    "prepareThreshold",
    "preparedStatementCacheQueries",
    "preparedStatementCacheSizeMiB",
    "protocolVersion",
    "reWriteBatchedInserts",
    "receiveBufferSize",
    "sendBufferSize",
    "stringtype",
    "tcpNoDelay",
    "unknownLength",
];

/// Which of several servers is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// The first that answers.
    #[default]
    Any,
    /// One that takes writes.
    Primary,
    /// One that takes none.
    Secondary,
}

/// Where and how to connect.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    /// What is said to the server.
    pub(crate) config: Config,
    /// Names and ports, in the order in which they are tried; at least one.
    pub(crate) hosts: Vec<(String, u16)>,
    pub(crate) wanted: Wanted,
    pub(crate) tls: Tls,
    /// How long a server may take to answer.
    pub(crate) connect_timeout: Duration,
    /// Parameters that have no counterpart.
    pub(crate) unknown: Vec<String>,
}

impl Server {
    /// What the settings say.
    ///
    /// # Errors
    /// `Config`, naming the parameter, for what is wrong or cannot be done.
    pub(crate) fn from_settings(settings: &ConnectionSettings) -> Result<Self> {
        let (address, parameters) =
            settings.on_network().map_err(|reason| Error::config(format!("invalid `connection.url`: {reason}")))?;
        let mut config = Config::new();
        config.application_name(APPLICATION);
        let hosts = if address.hosts.is_empty() {
            vec![("localhost".to_owned(), DEFAULT_PORT)]
        } else {
            address.hosts.iter().map(|Host { name, port }| (name.clone(), port.unwrap_or(DEFAULT_PORT))).collect()
        };
        let tls = Tls::from_parameters(&parameters)?;
        config.ssl_mode(tls.mode());
        let (mut connect_timeout, mut wanted) = (CONNECT_TIMEOUT, Wanted::Any);
        let user = parameters.get("user").or(settings.user.as_deref());
        let password = parameters.get("password").or(settings.password.as_ref().map(Secret::reveal));
        if let Some(user) = user {
            config.user(user);
        }
        if let Some(password) = password {
            config.password(password);
        }
        if let Some(database) = address.database.as_deref().or(user) {
            config.dbname(database);
        }
        let mut options = parameters.get("options").map(str::to_owned).into_iter().collect::<Vec<_>>();
        let mut unknown = Vec::new();
        for (name, value) in &parameters.0 {
            match name.as_str() {
                "user" | "password" | "options" => {}
                "currentSchema" => options.push(format!("-c search_path={}", escaped(value))),
                "ApplicationName" => {
                    config.application_name(value);
                }
                "connectTimeout" | "loginTimeout" => connect_timeout = seconds(name, value)?,
                "targetServerType" => wanted = wanted_server(value)?,
                name if Tls::PARAMETERS.contains(&name) => {}
                name if INTERNAL.contains(&name) => {}
                name => unknown.push(name.to_owned()),
            }
        }
        if !options.is_empty() {
            config.options(options.join(" "));
        }
        Ok(Self { config, hosts, wanted, tls, connect_timeout, unknown })
    }
}

/// A value in the options of a session, where spaces separate.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace(' ', "\\ ")
}

fn seconds(name: &str, value: &str) -> Result<Duration> {
    match value.trim().parse::<u64>() {
        // no limit
        Ok(0) => Ok(Duration::from_secs(u64::from(u32::MAX))),
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
        Err(_) => Err(Error::config(format!(
            "parameter `{name}` of `connection.url` is `{value}`: it must be a number of seconds"
        ))),
    }
}

fn wanted_server(value: &str) -> Result<Wanted> {
    match value {
        // what is preferred is tried in the order of the URL
        "any" | "preferPrimary" | "preferSecondary" | "preferSlave" => Ok(Wanted::Any),
        "primary" | "master" => Ok(Wanted::Primary),
        "secondary" | "slave" => Ok(Wanted::Secondary),
        _ => Err(Error::config(format!(
            "parameter `targetServerType` of `connection.url` is `{value}`: it must be any, primary, secondary, \
            preferPrimary or preferSecondary"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;
    use volley_jdbc::{JdbcUrl, Parameters};

    use super::*;

    fn server(url: &str, properties: &[(&str, &str)]) -> Result<Server> {
        let properties: IndexMap<_, _> =
            properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Server::from_settings(&ConnectionSettings {
            url: JdbcUrl::parse(url).unwrap(),
            user: Some("volley".to_owned()),
            password: Some(Secret::new("secret")),
            properties: Parameters(properties),
        })
    }

    #[test]
    fn parameters_of_the_java_driver_are_followed_or_named() {
        let url = "jdbc:postgresql://db1,db2:5433/shop?currentSchema=a,%20b&prepareThreshold=0&hostRecheckSeconds=2";
        let server = server(url, &[("ApplicationName", "orders"), ("options", "-c geqo=off")]).unwrap();
        assert_eq!(server.unknown, ["hostRecheckSeconds"]);
        assert_eq!(server.hosts, [("db1".to_owned(), 5432), ("db2".to_owned(), 5433)]);
        assert_eq!((server.config.get_dbname(), server.config.get_user()), (Some("shop"), Some("volley")));
        assert_eq!(server.config.get_application_name(), Some("orders"));
        assert_eq!(server.config.get_options(), Some("-c geqo=off -c search_path=a,\\ b"));
        assert!(!format!("{server:?}").contains("secret"));
    }

    #[test]
    fn what_the_url_leaves_out_is_as_in_java() {
        let server = server("jdbc:postgresql:", &[]).unwrap();
        assert_eq!(
            (&server.hosts[..], server.config.get_dbname()),
            (&[("localhost".to_owned(), 5432)][..], Some("volley"))
        );
    }

    #[test]
    fn what_cannot_be_followed_is_refused_and_named() {
        for (parameter, named) in [
            ("sslmode=sometimes", "sslmode"),
            ("sslmode=verify-full&sslrootcert=/none.pem", "/none.pem"),
            ("sslmode=require&sslcert=/a.crt", "sslcert"),
            ("ssl=true&sslfactory=com.example.Factory", "sslfactory"),
            ("connectTimeout=soon", "connectTimeout"),
            ("targetServerType=best", "targetServerType"),
        ] {
            let error = server(&format!("jdbc:postgresql://db/shop?{parameter}"), &[]).unwrap_err();
            assert!(error.to_string().contains(named), "{error}");
        }
    }
}
