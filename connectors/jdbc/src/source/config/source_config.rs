//! The configuration of the source, parsed into types.

use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;
use indexmap::IndexMap;
use volley_api::{Config, ConfigIssue, ConfigMap, Error, Result};

use super::column_choice::ColumnChoice;
use super::config_keys::{
    ATTEMPTS, BACKOFF, BATCH_MAX_ROWS, BLACKLIST, BOUNDED, CREDENTIALS_PROVIDER, DELAY, EXCLUDE, Flavour, GRANULARITY,
    INCLUDE, INCREMENTING, INCREMENTING_INITIAL, INCREMENTING_MAPPING, ISOLATION, KEY_COLUMNS, LATE_COMMITS,
    LOOKBACK_MS, LOOKBACK_ROWS, MODE, NUMERIC_MAPPING, OWN_CONNECTION_KEYS, PASSWORD, POLL_INTERVAL, PRECISION_MAPPING,
    QUALIFY, QUERIES, QUERY, QUERY_MASKED, QUERY_RETRIES, QUERY_SUFFIX, QUOTE, QUOTE_OF_AIVEN, RUN_MODE,
    TABLE_POLL_INTERVAL, TABLE_SPLITS, TIMESTAMP, TIMESTAMP_INITIAL, TIMESTAMP_INITIAL_OF_AIVEN, TIMESTAMP_MAPPING,
    TOPIC_PREFIX, UNSUPPORTED, URL, USER, VALIDATE_NON_NULL, WAIT, WHITELIST, ZONE, config_def,
};
use super::key_columns::KeyColumns;
use super::reading::{Mode, Reading};
use super::source_query::{SourceQuery, queries, query_issues, single_query};
use crate::database::{Isolation, Timestamp};
use crate::source::splits::SplitCount;
use crate::source::table_selection::TableSelection;
use crate::types::{Granularity, NumericMapping, TypeSettings, UnsupportedColumns};
use crate::url::{ConnectionSettings, JdbcUrl, Parameters};

/// What keys of the driver begin with.
const DRIVER_PREFIX: &str = "connection.";
/// Rows of a batch where nobody says it.
const USUAL_BATCH_ROWS: usize = 8192;

/// Where `timestamp` begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source) enum InitialTimestamp {
    /// With the first row after this time.
    After(Timestamp),
    /// With rows that come from now on.
    Now,
}

/// The configuration of a connector or a task.
#[derive(Clone, Debug)]
pub(in crate::source) struct SourceConfig {
    pub(in crate::source) settings: ConnectionSettings,
    /// How often the first connection is tried; at least 1.
    pub(in crate::source) attempts: u32,
    pub(in crate::source) backoff: Duration,
    /// Whether it ends when what is there was read.
    pub(in crate::source) is_bounded: bool,
    pub(in crate::source) selection: TableSelection,
    pub(in crate::source) table_poll_interval: Duration,
    /// How tables are read, and queries that say nothing else.
    pub(in crate::source) reading: Arc<Reading>,
    pub(in crate::source) incrementing_initial: i64,
    pub(in crate::source) timestamp_initial: InitialTimestamp,
    pub(in crate::source) delay_ms: i64,
    pub(in crate::source) validates_non_null: bool,
    /// Whether rows wait until all transactions that began earlier have ended.
    pub(in crate::source) waits_for_transactions: bool,
    /// How far rows are looked at again, in milliseconds, where their times say what is new; 0: not at all.
    pub(in crate::source) lookback_ms: i64,
    /// The same, where their numbers do.
    pub(in crate::source) lookback_rows: i64,
    /// The queries to read instead of tables.
    pub(in crate::source) queries: Vec<SourceQuery>,
    pub(in crate::source) suffix: String,
    /// Into how many ranges a table is divided.
    pub(in crate::source) splits: SplitCount,
    pub(in crate::source) topic_prefix: String,
    pub(in crate::source) poll_interval: Duration,
    /// At least 1.
    pub(in crate::source) batch_rows: usize,
    pub(in crate::source) isolation: Isolation,
    /// `None`: without end.
    pub(in crate::source) retries: Option<u32>,
    /// Whether names stand in quotes.
    pub(in crate::source) has_quotes: bool,
    /// Whether names of tables have their catalog and schema.
    pub(in crate::source) is_qualified: bool,
    pub(in crate::source) types: TypeSettings,
}

impl SourceConfig {
    /// Parses the configuration; the first thing wrong is the error.
    pub(in crate::source) fn parse(flavour: Flavour, config: &ConfigMap) -> Result<Self> {
        let parsed = config_def(flavour).parse(config)?;
        if let Some(issue) = issues(&parsed, config).into_iter().next() {
            return Err(Error::config(format!("invalid `{}`: {}", issue.key, issue.message)));
        }
        let number = |key: &str| parsed.long(key).unwrap_or_default();
        let millis = |key: &str| Duration::from_millis(u64::try_from(number(key)).unwrap_or_default());
        let reading = Arc::new(reading(&parsed)?);
        let batch_rows =
            config.contains_key(BATCH_MAX_ROWS).then(|| usize::try_from(number(BATCH_MAX_ROWS)).ok()).flatten();
        Ok(Self {
            settings: settings(&parsed, config)?,
            attempts: u32::try_from(number(ATTEMPTS)).unwrap_or(1).max(1),
            backoff: millis(BACKOFF),
            is_bounded: parsed.string(RUN_MODE) == Some(BOUNDED),
            selection: TableSelection::from_config(&parsed)?,
            table_poll_interval: millis(TABLE_POLL_INTERVAL),
            incrementing_initial: parsed.long(INCREMENTING_INITIAL).unwrap_or(-1),
            timestamp_initial: match parsed.long(TIMESTAMP_INITIAL) {
                Some(-1) => InitialTimestamp::Now,
                Some(millis) => InitialTimestamp::After(Timestamp::from_millis(millis)),
                None => InitialTimestamp::After(Timestamp::from_millis(number(TIMESTAMP_INITIAL_OF_AIVEN))),
            },
            delay_ms: number(DELAY),
            validates_non_null: parsed.boolean(VALIDATE_NON_NULL),
            waits_for_transactions: parsed.string(LATE_COMMITS).is_some_and(|word| word.eq_ignore_ascii_case(WAIT)),
            lookback_ms: number(LOOKBACK_MS),
            lookback_rows: number(LOOKBACK_ROWS),
            queries: queries(&parsed, config, &reading),
            reading,
            splits: SplitCount::parse(parsed.string(TABLE_SPLITS).unwrap_or_default()).unwrap_or_default(),
            suffix: parsed.string(QUERY_SUFFIX).unwrap_or_default().to_owned(),
            topic_prefix: parsed.string(TOPIC_PREFIX).unwrap_or_default().to_owned(),
            poll_interval: millis(POLL_INTERVAL),
            batch_rows: batch_rows.unwrap_or(USUAL_BATCH_ROWS).max(1),
            isolation: isolation(parsed.string(ISOLATION).unwrap_or_default()),
            retries: u32::try_from(number(QUERY_RETRIES)).ok(),
            has_quotes: match flavour {
                Flavour::Confluent => !parsed.string(QUOTE).unwrap_or_default().eq_ignore_ascii_case("never"),
                Flavour::Aiven => parsed.boolean(QUOTE_OF_AIVEN),
            },
            is_qualified: flavour == Flavour::Confluent || parsed.boolean(QUALIFY),
            types: types(&parsed),
        })
    }
}

/// What is wrong with keys that are right by themselves.
pub(in crate::source) fn issues(config: &Config, map: &ConfigMap) -> Vec<ConfigIssue> {
    let mut issues = Vec::new();
    match reading(config) {
        Ok(reading) => issues.extend(query_issues(config, map, &reading)),
        Err(error) => issues.push(ConfigIssue::new(MODE, error.to_string())),
    }
    let has_query = single_query(config).is_some();
    let is_listed = |key: &str| !config.list(key).is_empty();
    let is_text = |key: &str| config.string(key).is_some_and(|text| !text.is_empty());
    if is_listed(WHITELIST) && is_listed(BLACKLIST) {
        issues.push(ConfigIssue::new(
            BLACKLIST,
            format!("`{WHITELIST}` and `{BLACKLIST}` exclude each other: remove one"),
        ));
    }
    for (older, newer) in [(WHITELIST, INCLUDE), (BLACKLIST, EXCLUDE)] {
        if is_listed(older) && is_listed(newer) {
            issues.push(ConfigIssue::new(newer, format!("`{older}` and `{newer}` exclude each other: remove one")));
        }
    }
    if has_query || is_listed(QUERIES) {
        for key in [WHITELIST, BLACKLIST, INCLUDE, EXCLUDE].into_iter().filter(|key| is_listed(key)) {
            issues.push(ConfigIssue::new(key, "tables cannot be chosen where there is a query: remove one"));
        }
    }
    if has_query {
        let keys = KeyColumns::parse(config.list(KEY_COLUMNS));
        if keys == Ok(KeyColumns::PrimaryKey) {
            issues.push(ConfigIssue::new(KEY_COLUMNS, "a `query` has no primary key: name the columns"));
        }
        if config.string(TOPIC_PREFIX).is_some_and(str::is_empty) {
            issues.push(ConfigIssue::new(
                TOPIC_PREFIX,
                "with a `query` it is the name of the topic, and cannot be empty",
            ));
        }
    }
    if is_text(QUERY) && config.password(QUERY_MASKED).is_some() {
        issues.push(ConfigIssue::new(
            QUERY_MASKED,
            format!("`{QUERY}` and `{QUERY_MASKED}` exclude each other: remove one"),
        ));
    }
    // each of several queries may have its own
    let mode = if is_listed(QUERIES) { "" } else { config.string(MODE).unwrap_or_default() };
    if mode.contains("timestamp") && !is_listed(TIMESTAMP) && !is_listed(TIMESTAMP_MAPPING) {
        issues.push(ConfigIssue::new(TIMESTAMP, format!("mode {mode} needs a column with the time of each row")));
    }
    if mode.contains("incrementing") && has_query && !is_text(INCREMENTING) && !is_listed(INCREMENTING_MAPPING) {
        issues
            .push(ConfigIssue::new(INCREMENTING, "a `query` needs the name of the column with the number of each row"));
    }
    for (one, mapping) in [(TIMESTAMP, TIMESTAMP_MAPPING), (INCREMENTING, INCREMENTING_MAPPING)] {
        if (is_listed(one) || is_text(one)) && is_listed(mapping) {
            issues.push(ConfigIssue::new(mapping, format!("`{one}` and `{mapping}` exclude each other: remove one")));
        }
    }
    if config.string(CREDENTIALS_PROVIDER).is_some_and(|class| !class.ends_with(".DefaultJdbcCredentialsProvider")) {
        let message = "a Java class cannot be loaded: take user and password from a config provider, and remove it";
        issues.push(ConfigIssue::new(CREDENTIALS_PROVIDER, message));
    }
    if config.string(ISOLATION).is_some_and(|mode| mode.eq_ignore_ascii_case("SQL_SERVER_SNAPSHOT")) {
        issues.push(ConfigIssue::new(ISOLATION, "SQL_SERVER_SNAPSHOT is for SQL Server only: choose another"));
    }
    issues.extend(split_issues(config));
    issues
}

/// What does not go together with `table.splits`.
fn split_issues(config: &Config) -> Vec<ConfigIssue> {
    let splits = SplitCount::parse(config.string(TABLE_SPLITS).unwrap_or_default()).unwrap_or_default();
    let mut issues = Vec::new();
    if splits.is_off() {
        return issues;
    }
    let mut refuse = |reason: String| issues.push(ConfigIssue::new(TABLE_SPLITS, reason));
    if single_query(config).is_some() || !config.list(QUERIES).is_empty() {
        refuse(format!(
            "a query cannot be divided, because nobody knows its keys: remove it, or read tables or a view instead of the query (`{INCLUDE}`)"
        ));
    }
    if config.string(QUERY_SUFFIX).is_some_and(|suffix| !suffix.trim().is_empty()) {
        refuse(format!("`{QUERY_SUFFIX}` may leave out rows of a range, which would be lost: remove one"));
    }
    for lookback in [LOOKBACK_MS, LOOKBACK_ROWS] {
        if config.long(lookback).is_some_and(|back| back > 0) {
            refuse(format!("it does not go together with `{lookback}`: `{LATE_COMMITS}={WAIT}` loses no row either"));
        }
    }
    let is_bulk = config.string(MODE).is_some_and(|mode| Mode::parse(mode).is_bulk());
    if is_bulk && config.string(RUN_MODE) != Some(BOUNDED) {
        refuse(format!(
            "mode bulk reads everything again and again, and is divided only where it ends: set `{RUN_MODE}={BOUNDED}`"
        ));
    }
    issues
}

fn settings(parsed: &Config, config: &ConfigMap) -> Result<ConnectionSettings> {
    let url = JdbcUrl::parse(parsed.string(URL).unwrap_or_default())
        .map_err(|reason| Error::config(format!("invalid `{URL}`: {reason}")))?;
    let properties: IndexMap<_, _> = config
        .iter()
        .filter(|(key, _)| !OWN_CONNECTION_KEYS.contains(&key.as_str()))
        .filter_map(|(key, value)| Some((key.strip_prefix(DRIVER_PREFIX)?.to_owned(), value.clone())))
        .collect();
    Ok(ConnectionSettings {
        url,
        user: parsed.string(USER).map(str::to_owned),
        password: parsed.password(PASSWORD).cloned(),
        properties: Parameters(properties),
    })
}

fn reading(config: &Config) -> Result<Reading> {
    Ok(Reading {
        mode: Mode::parse(config.string(MODE).unwrap_or_default()),
        incrementing: incrementing(config)?,
        timestamps: timestamps(config)?,
        keys: KeyColumns::parse(config.list(KEY_COLUMNS)).map_err(Error::config)?,
    })
}

fn incrementing(config: &Config) -> Result<ColumnChoice> {
    let by_table = config.list(INCREMENTING_MAPPING).iter().map(|item| ColumnChoice::parse_one(item));
    let by_table = by_table.collect::<std::result::Result<_, _>>().map_err(Error::config)?;
    let name = config.string(INCREMENTING).filter(|name| !name.is_empty());
    Ok(ColumnChoice { names: name.map(str::to_owned).into_iter().collect(), by_table })
}

fn timestamps(config: &Config) -> Result<ColumnChoice> {
    let by_table = config.list(TIMESTAMP_MAPPING).iter().map(|item| ColumnChoice::parse_many(item));
    let by_table = by_table.collect::<std::result::Result<_, _>>().map_err(Error::config)?;
    Ok(ColumnChoice { names: config.list(TIMESTAMP).to_vec(), by_table })
}

fn isolation(name: &str) -> Isolation {
    match name.to_ascii_uppercase().as_str() {
        "READ_UNCOMMITTED" => Isolation::ReadUncommitted,
        "READ_COMMITTED" => Isolation::ReadCommitted,
        "REPEATABLE_READ" => Isolation::RepeatableRead,
        "SERIALIZABLE" => Isolation::Serializable,
        _ => Isolation::Default,
    }
}

fn types(config: &Config) -> TypeSettings {
    let numbers = match config.string(NUMERIC_MAPPING) {
        Some(name) => NumericMapping::parse(name),
        None if config.boolean(PRECISION_MAPPING) => NumericMapping::PrecisionOnly,
        None => NumericMapping::None,
    };
    TypeSettings {
        numbers,
        granularity: Granularity::parse(config.string(GRANULARITY).unwrap_or_default()),
        zone: config.string(ZONE).and_then(|zone| zone.parse().ok()).unwrap_or(Tz::UTC),
        unsupported: UnsupportedColumns::parse(config.string(UNSUPPORTED).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use volley_api::testing::config_map;

    use super::*;

    fn parse(flavour: Flavour, more: &[(&str, &str)]) -> Result<SourceConfig> {
        let base = [("connection.url", "jdbc:postgresql://db/shop"), ("mode", "bulk"), ("topic.prefix", "p-")];
        SourceConfig::parse(flavour, &config_map(&[&base, more].concat()))
    }

    #[test]
    fn keys_below_connection_are_the_driver_s() {
        let more = [
            ("connection.user", "u"),
            ("connection.password", "secret"),
            ("connection.sslmode", "require"),
            ("connection.attempts", "7"),
        ];
        let config = parse(Flavour::Confluent, &more).unwrap();
        assert_eq!(config.settings.properties.0.keys().collect::<Vec<_>>(), ["sslmode"]);
        assert_eq!((config.settings.user.as_deref(), config.attempts, config.batch_rows), (Some("u"), 7, 8192));
        assert!(!format!("{config:?}").contains("secret"));
    }

    #[test]
    fn aiven_s_names_mean_the_same() {
        let more = [
            ("timestamp.initial.ms", "5"),
            ("incrementing.initial", "41"),
            ("sql.quote.identifiers", "false"),
            ("table.names.qualify", "false"),
            ("batch.max.rows", "3"),
        ];
        let config = parse(Flavour::Aiven, &more).unwrap();
        assert_eq!(config.timestamp_initial, InitialTimestamp::After(Timestamp::from_millis(5)));
        assert_eq!((config.incrementing_initial, config.batch_rows), (41, 3));
        assert!(!config.has_quotes && !config.is_qualified);
        let config =
            parse(Flavour::Confluent, &[("timestamp.initial", "-1"), ("quote.sql.identifiers", "never")]).unwrap();
        assert!(config.timestamp_initial == InitialTimestamp::Now && !config.has_quotes && config.is_qualified);
    }

    #[test]
    fn what_does_not_go_together_is_refused_and_named() {
        for (more, expected) in [
            (&[("table.whitelist", "a"), ("table.blacklist", "b")][..], "table.blacklist"),
            (&[("query", "SELECT 1"), ("table.whitelist", "a")], "table.whitelist"),
            (&[("mode", "timestamp")], "timestamp.column.name"),
            (&[("mode", "incrementing"), ("query", "SELECT 1")], "incrementing.column.name"),
            (&[("query", "SELECT 1"), ("topic.prefix", "")], "topic.prefix"),
            (&[("query", "SELECT 1"), ("query.masked", "SELECT 2")], "query.masked"),
            (&[("jdbc.credentials.provider.class", "com.example.Vault")], "jdbc.credentials.provider.class"),
            (&[("db.timezone", "Mars")], "db.timezone"),
            (&[("mode", "all")], "mode"),
            (&[("connection.url", "postgres://db")], "connection.url"),
            (&[("timestamp.columns.mapping", "a")], "timestamp.columns.mapping"),
            (&[("key.columns", "a,a")], "key.columns"),
            (&[("query", "SELECT 1"), ("key.columns", "auto")], "key.columns"),
            (&[("queries", "a")], "query.a"),
            (&[("queries", "a.b")], "a.b"),
            (&[("queries", "a,a"), ("query.a", "SELECT 1")], "twice"),
            (&[("queries", "retry"), ("query.retry", "SELECT 1")], "query.retry.attempts"),
            (&[("queries", "a"), ("query.a", "SELECT 1"), ("query", "SELECT 1")], "exclude each other"),
            (&[("queries", "a"), ("query.a", "SELECT 1"), ("table.whitelist", "t")], "table.whitelist"),
            (&[("queries", "a"), ("query.a", "SELECT 1"), ("query.a.mode", "all")], "query.a.mode"),
            (&[("queries", "a"), ("query.a", "SELECT 1"), ("query.a.mode", "timestamp")], "query.a.timestamp"),
            (&[("queries", "a"), ("query.a", "SELECT 1"), ("query.a.key.columns", "auto")], "query.a.key.columns"),
        ] {
            let error = parse(Flavour::Confluent, more).unwrap_err().to_string();
            assert!(error.contains(expected), "{more:?}: {error}");
        }
    }
}
