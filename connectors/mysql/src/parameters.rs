//! What a connection is set to: parameters of the Java drivers of MySQL and MariaDB, and what they are here.

use std::time::Duration;

use mysql_async::OptsBuilder;
use volley_api::{Error, Result, Secret};
use volley_jdbc::{ConnectionSettings, Parameters};

use crate::address::Address;
use crate::tls::Tls;

const MARIADB: &str = "mariadb";
/// That of MariaDB's driver; the other has none.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a server waits for who reads slowly: Kafka may be out of reach for long.
const WRITE_TIMEOUT: Duration = Duration::from_secs(86_400);

/// Parameters that say how the Java drivers work inside, or that ask for what is so anyway: nothing is lost without.
const INTERNAL: [&str; 44] = [
    "allowLocalInfile",
    "allowMultiQueries",
    "allowPublicKeyRetrieval",
    "autoReconnect",
    "autoReconnectForPools",
    "cacheCallableStmts",
    "cachePrepStmts",
    "cacheResultSetMetadata",
    "cacheServerConfiguration",
    "characterEncoding",
    "characterSetResults",
    "connectionCollation",
    "connectionTimeZone",
    "defaultFetchSize",
    "elideSetAutoCommits",
    "enableQueryTimeouts",
    "failOverReadOnly",
    "forceConnectionTimeZoneToSession",
    "jdbcCompliantTruncation",
    "largeRowSizeThreshold",
    "maintainTimeStats",
    "maxAllowedPacket",
    "maxReconnects",
    "noAccessToProcedureBodies",
    "pool",
    "prepStmtCacheSize",
    "prepStmtCacheSqlLimit",
    "preserveInstants",
    "rewriteBatchedStatements",
    "serverTimezone",
    "tcpKeepAlive",
    "tcpNoDelay",
    "timezone",
    "useAffectedRows",
    "useBulkStmts",
    "useCompression",
    "useCursorFetch",
    "useJDBCCompliantTimezoneShift",
    "useLegacyDatetimeCode",
    "useLocalSessionState",
    "useOldAliasMetadataBehavior",
    "useServerPrepStmts",
    "useTimezone",
    "useUnicode",
];

/// What becomes of dates that have a nought for a month or a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ZeroDates {
    Refuse,
    Null,
    /// The first day of the first year.
    Round,
}

/// What decides about types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TypeSettings {
    pub(crate) zero_dates: ZeroDates,
    /// Whether BIT(1), and TINYINT(1) where it counts as a bit, are truth values.
    pub(crate) bit_is_boolean: bool,
    pub(crate) tinyint1_is_bit: bool,
    pub(crate) year_is_date: bool,
}

/// Where and how to connect.
#[derive(Clone)]
pub(crate) struct Server {
    /// What is said to the server; without its address.
    pub(crate) options: OptsBuilder,
    /// Names and ports, in the order in which they are tried; at least one.
    pub(crate) hosts: Vec<(String, u16)>,
    pub(crate) tls: Tls,
    /// How long a server may take to answer.
    pub(crate) connect_timeout: Duration,
    /// How long a server waits for us to read.
    pub(crate) write_timeout: Duration,
    /// Assignments for each session.
    pub(crate) session_variables: Option<String>,
    pub(crate) types: TypeSettings,
    /// Whether tables are looked for in the database of the URL only, if nothing else is said.
    pub(crate) only_current: bool,
    /// Parameters that have no counterpart.
    pub(crate) unknown: Vec<String>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("hosts", &self.hosts).field("types", &self.types).finish_non_exhaustive()
    }
}

impl Server {
    /// What the settings say.
    ///
    /// # Errors
    /// `Config`, naming the parameter, for what is wrong or cannot be done.
    pub(crate) fn from_settings(settings: &ConnectionSettings) -> Result<Self> {
        let is_mariadb = settings.url.subprotocol == MARIADB;
        let Address { hosts, database, user, password, parameters } = Address::of(settings)?;
        let options = OptsBuilder::default()
            .user(user)
            .pass(password.as_ref().map(Secret::reveal))
            .db_name(database)
            // the host that is named, and not a file on this machine
            .prefer_socket(false)
            // each statement is another one: its literals are
            .stmt_cache_size(1);
        let zero_dates = if is_mariadb { ZeroDates::Null } else { ZeroDates::Refuse };
        let mut server = Self {
            options,
            hosts,
            tls: Tls::from_parameters(&parameters, is_mariadb)?,
            connect_timeout: CONNECT_TIMEOUT,
            write_timeout: WRITE_TIMEOUT,
            session_variables: None,
            types: TypeSettings { zero_dates, bit_is_boolean: is_mariadb, tinyint1_is_bit: true, year_is_date: true },
            only_current: false,
            unknown: Vec::new(),
        };
        server.follow(&parameters)?;
        Ok(server)
    }

    fn follow(&mut self, parameters: &Parameters) -> Result<()> {
        for (name, value) in &parameters.0 {
            match name.as_str() {
                "user" | "password" => {}
                "zeroDateTimeBehavior" => self.types.zero_dates = zero_dates(name, value)?,
                "tinyInt1isBit" => self.types.tinyint1_is_bit = boolean(name, value)?,
                "transformedBitIsBoolean" => self.types.bit_is_boolean = boolean(name, value)?,
                "yearIsDateType" => self.types.year_is_date = boolean(name, value)?,
                "nullDatabaseMeansCurrent" | "nullCatalogMeansCurrent" => self.only_current = boolean(name, value)?,
                "sessionVariables" => {
                    self.session_variables = Some(value.clone()).filter(|text| !text.trim().is_empty())
                }
                "connectTimeout" => {
                    self.connect_timeout = Duration::from_millis(match number(name, value)? {
                        // no limit
                        0 => u64::from(u32::MAX) * 1_000,
                        millis => millis,
                    });
                }
                "netTimeoutForStreamingResults" => match number(name, value)? {
                    0 => {}
                    seconds => self.write_timeout = Duration::from_secs(seconds),
                },
                name if Tls::PARAMETERS.contains(&name) => {}
                name if INTERNAL.contains(&name) => {}
                name => self.unknown.push(name.to_owned()),
            }
        }
        Ok(())
    }
}

fn wrong(name: &str, value: &str, expected: &str) -> Error {
    Error::config(format!("parameter `{name}` of `connection.url` is `{value}`: it must be {expected}"))
}

pub(crate) fn boolean(name: &str, value: &str) -> Result<bool> {
    match value.trim().to_ascii_lowercase().as_str() {
        "" | "true" | "yes" | "1" => Ok(true),
        "false" | "no" | "0" => Ok(false),
        _ => Err(wrong(name, value, "true or false")),
    }
}

fn number(name: &str, value: &str) -> Result<u64> {
    value.trim().parse().map_err(|_| wrong(name, value, "a number that is not negative"))
}

fn zero_dates(name: &str, value: &str) -> Result<ZeroDates> {
    match value.to_ascii_lowercase().replace('_', "").as_str() {
        "exception" => Ok(ZeroDates::Refuse),
        "converttonull" => Ok(ZeroDates::Null),
        "round" => Ok(ZeroDates::Round),
        _ => Err(wrong(name, value, "EXCEPTION, CONVERT_TO_NULL or ROUND")),
    }
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;
    use mysql_async::Opts;
    use volley_jdbc::JdbcUrl;

    use super::*;

    fn server(url: &str) -> Result<Server> {
        Server::from_settings(&ConnectionSettings {
            url: JdbcUrl::parse(url).unwrap(),
            user: Some("volley".to_owned()),
            password: Some(Secret::new("secret")),
            properties: Parameters(IndexMap::from([("zeroDateTimeBehavior".to_owned(), "round".to_owned())])),
        })
    }

    #[test]
    fn parameters_of_the_java_drivers_are_followed_or_named() {
        let url = "jdbc:mysql:loadbalance://db1,db2:3307/my%20shop?sslMode=DISABLED&useUnicode=true&profileSQL=true&\
                   sessionVariables=sql_mode=ANSI&netTimeoutForStreamingResults=7&tinyInt1isBit=false";
        let server = server(url).unwrap();
        assert_eq!(server.unknown, ["profileSQL"]);
        assert_eq!(server.hosts, [("db1".to_owned(), 3306), ("db2".to_owned(), 3307)]);
        assert_eq!((server.types.zero_dates, server.types.tinyint1_is_bit), (ZeroDates::Round, false));
        assert_eq!(
            (server.write_timeout, server.session_variables.as_deref()),
            (Duration::from_secs(7), Some("sql_mode=ANSI"))
        );
        let options = Opts::from(server.options.clone());
        assert_eq!(
            (options.user(), options.pass(), options.db_name()),
            (Some("volley"), Some("secret"), Some("my shop"))
        );
        assert!(!format!("{server:?}").contains("secret"));
    }

    #[test]
    fn a_login_may_stand_in_front_of_the_host_and_counts_more_than_the_keys() {
        for (url, user, password) in [
            ("jdbc:mariadb://root:word@db/shop", "root", "word"),
            ("jdbc:mysql://root:word@db/shop?user=a&password=b", "a", "b"),
            ("jdbc:mysql://root@db:3306", "root", "secret"),
        ] {
            let options = Opts::from(server(url).unwrap().options);
            assert_eq!((options.user(), options.pass()), (Some(user), Some(password)), "{url}");
        }
    }

    #[test]
    fn defaults_are_those_of_each_driver() {
        let of = |url: &str| {
            let url = JdbcUrl::parse(url).unwrap();
            let settings = ConnectionSettings { url, user: None, password: None, properties: Parameters::default() };
            Server::from_settings(&settings).unwrap().types
        };
        let (mysql, mariadb) = (of("jdbc:mysql:///shop"), of("jdbc:mariadb://db"));
        assert_eq!((mysql.zero_dates, mysql.bit_is_boolean), (ZeroDates::Refuse, false));
        assert_eq!((mariadb.zero_dates, mariadb.bit_is_boolean), (ZeroDates::Null, true));
    }

    #[test]
    fn what_cannot_be_followed_is_refused_and_named_without_secrets() {
        for (url, named) in [
            ("jdbc:mysql:db/shop", "two slashes"),
            ("jdbc:mysql://(host=db,port=1)/shop", "parentheses"),
            ("jdbc:mysql://u:hidden@db:port/shop", "must be a port"),
            ("jdbc:mysql://db?zeroDateTimeBehavior=never", "zeroDateTimeBehavior"),
            ("jdbc:mysql://db?tinyInt1isBit=perhaps", "tinyInt1isBit"),
            ("jdbc:mysql://db?connectTimeout=soon", "connectTimeout"),
            ("jdbc:mysql://db?sslMode=SOMETIMES", "sslMode"),
            ("jdbc:mysql://db?trustCertificateKeyStoreUrl=file:a.jks", "trustCertificateKeyStoreUrl"),
        ] {
            let error = server(url).unwrap_err();
            assert!(!error.is_retriable() && error.to_string().contains(named), "{url}: {error}");
            assert!(!error.to_string().contains("hidden"), "{error}");
        }
    }
}
