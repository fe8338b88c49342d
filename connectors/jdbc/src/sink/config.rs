//! The configuration of the sink, parsed into types.

use std::time::Duration;

use chrono_tz::Tz;
use indexmap::IndexMap;
use volley_api::{Config, ConfigIssue, ConfigMap, Error, Result};

use super::column_values::{Nested, ValueSettings};
use super::config_keys::{
    ATTEMPTS, BACKOFF, CREATES, CREDENTIALS_PROVIDER, DATE_ZONE, DELETES, EVOLVES, EXACTLY_ONCE, FIELDS, FILL_DEFAULTS,
    Flavour, INSERT_MODE, KEY_FIELDS, KEY_MODE, NESTED, NORMALIZE, OWN_CONNECTION_KEYS, PASSWORD, QUOTE,
    QUOTE_OF_AIVEN, RETRIES, RETRY_BACKOFF, TABLE_FORMAT, TABLE_MAPPING, TEXT_COLUMN, TIMESTAMP_FIELDS,
    TIMESTAMP_PRECISION, URL, USER, ZONE, config_def,
};
use super::record_plan::{KeyMode, PlanSettings};
use super::retries::RetrySettings;
use super::table_names::TableNames;
use crate::database::WriteKind;
use crate::url::{ConnectionSettings, JdbcUrl, Parameters};

/// What keys of the driver begin with.
const DRIVER_PREFIX: &str = "connection.";
/// The worker's key that says what becomes of bad records.
const TOLERANCE: &str = "errors.tolerance";
/// Columns of `pk.mode=kafka`.
const COORDINATES: usize = 3;

/// The configuration of a connector or a task.
#[derive(Clone, Debug)]
pub(super) struct SinkConfig {
    pub(super) settings: ConnectionSettings,
    pub(super) retries: RetrySettings,
    /// What is done with records that remove nothing.
    pub(super) mode: WriteKind,
    pub(super) plan: PlanSettings,
    pub(super) tables: TableNames,
    pub(super) creates: bool,
    pub(super) evolves: bool,
    /// Whether names stand in quotes.
    pub(super) has_quotes: bool,
    /// The time zone of columns without one.
    pub(super) zone: Tz,
    pub(super) is_exactly_once: bool,
    /// Whether the worker goes on behind bad records.
    pub(super) tolerates_bad_records: bool,
    /// Whether records may be Debezium's changes.
    pub(super) takes_changes: bool,
    /// Whether changes may empty tables.
    pub(super) truncates: bool,
}

impl SinkConfig {
    /// Parses the configuration; the first thing wrong is the error.
    pub(super) fn parse(flavour: Flavour, config: &ConfigMap) -> Result<Self> {
        let parsed = config_def(flavour).parse(config)?;
        if let Some(issue) = issues(&parsed).into_iter().next() {
            return Err(Error::config(format!("invalid `{}`: {}", issue.key, issue.message)));
        }
        let text = |key: &str| parsed.string(key).unwrap_or_default().to_ascii_lowercase();
        let zone = zone_of(&parsed, ZONE);
        let shifts_dates = flavour == Flavour::Confluent && text(DATE_ZONE) != "utc";
        Ok(Self {
            settings: connection_settings(&parsed, config, &OWN_CONNECTION_KEYS, USER)?,
            retries: retry_settings(&parsed),
            mode: write_kind(&text(INSERT_MODE)),
            plan: PlanSettings {
                key_mode: key_mode(&text(KEY_MODE)),
                key_fields: parsed.list(KEY_FIELDS).to_vec(),
                included: parsed.list(FIELDS).to_vec(),
                excluded: Vec::new(),
                text_column: parsed.string(TEXT_COLUMN).unwrap_or("record_value").to_owned(),
                deletes: parsed.boolean(DELETES),
                values: ValueSettings {
                    date_zone: if shifts_dates { zone } else { Tz::UTC },
                    timestamp_fields: parsed.list(TIMESTAMP_FIELDS).to_vec(),
                    counts_nanos: text(TIMESTAMP_PRECISION) == "nanoseconds",
                    fills_defaults: flavour == Flavour::Aiven || parsed.boolean(FILL_DEFAULTS),
                    nested: nested(&text(NESTED)),
                    means_debezium: false,
                },
            },
            tables: table_names(&parsed)?,
            creates: parsed.boolean(CREATES),
            evolves: parsed.boolean(EVOLVES),
            has_quotes: match flavour {
                Flavour::Confluent => text(QUOTE) != "never",
                Flavour::Aiven => parsed.boolean(QUOTE_OF_AIVEN),
            },
            zone,
            is_exactly_once: parsed.boolean(EXACTLY_ONCE),
            tolerates_bad_records: tolerates_bad_records(config),
            takes_changes: false,
            truncates: false,
        })
    }
}

/// What is wrong with keys that are right by themselves.
pub(super) fn issues(config: &Config) -> Vec<ConfigIssue> {
    let mut issues = Vec::new();
    let mut refuse = |key: &str, why: String| issues.push(ConfigIssue::new(key, why));
    let text = |key: &str| config.string(key).unwrap_or_default().to_ascii_lowercase();
    let (mode, insert) = (key_mode(&text(KEY_MODE)), text(INSERT_MODE));
    let names = config.list(KEY_FIELDS).len();
    if mode == KeyMode::None && matches!(insert.as_str(), "upsert" | "update") {
        refuse(KEY_MODE, format!("`{INSERT_MODE}={insert}` needs a primary key: choose where it comes from"));
    }
    if config.boolean(DELETES) && mode != KeyMode::RecordKey {
        refuse(DELETES, format!("the key of a record says which row is removed: set `{KEY_MODE}=record_key`"));
    }
    if mode == KeyMode::Kafka && names != 0 && names != COORDINATES {
        let why =
            format!("with `{KEY_MODE}=kafka` there are {COORDINATES} names, for topic, partition and offset, or none");
        refuse(KEY_FIELDS, why);
    }
    if config.string(CREDENTIALS_PROVIDER).is_some_and(|class| !class.ends_with(".DefaultJdbcCredentialsProvider")) {
        let why = "a Java class cannot be loaded: take user and password from a config provider, and remove it";
        refuse(CREDENTIALS_PROVIDER, why.to_owned());
    }
    issues
}

/// Everything that a driver is told about a connection. Keys below `connection.` that are not `own` are the driver's.
pub(super) fn connection_settings(
    parsed: &Config,
    config: &ConfigMap,
    own: &[&str],
    user: &str,
) -> Result<ConnectionSettings> {
    let url = JdbcUrl::parse(parsed.string(URL).unwrap_or_default())
        .map_err(|reason| Error::config(format!("invalid `{URL}`: {reason}")))?;
    let properties: IndexMap<_, _> = config
        .iter()
        .filter(|(key, _)| !own.contains(&key.as_str()))
        .filter_map(|(key, value)| Some((key.strip_prefix(DRIVER_PREFIX)?.to_owned(), value.clone())))
        .collect();
    Ok(ConnectionSettings {
        url,
        user: parsed.string(user).map(str::to_owned),
        password: parsed.password(PASSWORD).cloned(),
        properties: Parameters(properties),
    })
}

/// The time zone of a key.
pub(super) fn zone_of(config: &Config, key: &str) -> Tz {
    config.string(key).and_then(|zone| zone.parse().ok()).unwrap_or(Tz::UTC)
}

/// Whether the worker goes on behind bad records.
pub(super) fn tolerates_bad_records(config: &ConfigMap) -> bool {
    config.get(TOLERANCE).is_some_and(|tolerance| tolerance.trim().eq_ignore_ascii_case("all"))
}

/// The choice of `volley.nested.values`.
pub(super) fn nested(name: &str) -> Nested {
    match name {
        "flatten" => Nested::Flatten,
        "fail" => Nested::Fail,
        _ => Nested::Json,
    }
}

fn retry_settings(config: &Config) -> RetrySettings {
    let number = |key: &str| config.long(key).unwrap_or_default();
    let millis = |key: &str| Duration::from_millis(u64::try_from(number(key)).unwrap_or_default());
    RetrySettings {
        retries: u32::try_from(number(RETRIES)).unwrap_or_default(),
        backoff: millis(RETRY_BACKOFF),
        attempts: u32::try_from(number(ATTEMPTS)).unwrap_or(1).max(1),
        connection_backoff: millis(BACKOFF),
    }
}

/// The choice of `insert.mode`.
pub(super) fn write_kind(name: &str) -> WriteKind {
    match name {
        "upsert" => WriteKind::Upsert,
        "update" => WriteKind::Update,
        _ => WriteKind::Insert,
    }
}

/// The choice of `pk.mode`.
pub(super) fn key_mode(name: &str) -> KeyMode {
    match name {
        "kafka" => KeyMode::Kafka,
        "record_key" => KeyMode::RecordKey,
        "record_value" => KeyMode::RecordValue,
        "record_header" => KeyMode::RecordHeader,
        _ => KeyMode::None,
    }
}

fn table_names(config: &Config) -> Result<TableNames> {
    let by_topic = config.list(TABLE_MAPPING).iter().map(|item| TableNames::parse_mapping(item));
    Ok(TableNames {
        format: config.string(TABLE_FORMAT).unwrap_or_default().trim().to_owned(),
        by_topic: by_topic.collect::<std::result::Result<_, _>>().map_err(Error::config)?,
        is_normalized: config.boolean(NORMALIZE),
        has_no_dots: false,
    })
}

#[cfg(test)]
mod tests {
    use volley_api::testing::config_map;

    use super::*;

    fn parse(flavour: Flavour, more: &[(&str, &str)]) -> Result<SinkConfig> {
        let base = [("connection.url", "jdbc:postgresql://db/shop"), ("connection.password", "secret")];
        SinkConfig::parse(flavour, &config_map(&[&base, more].concat()))
    }

    #[test]
    fn defaults_are_java_s() {
        let config = parse(Flavour::Confluent, &[]).unwrap();
        assert_eq!((config.mode, config.plan.key_mode), (WriteKind::Insert, KeyMode::None));
        assert_eq!((config.retries.retries, config.retries.backoff), (10, Duration::from_secs(3)));
        assert!(config.has_quotes && !config.creates && !config.evolves && !config.is_exactly_once);
        assert_eq!(config.tables.format, "${topic}");
        assert!(!format!("{config:?}").contains("secret"));
    }

    #[test]
    fn aiven_s_names_mean_the_same() {
        let more = [
            ("insert.mode", "MULTI"),
            ("sql.quote.identifiers", "false"),
            ("topics.to.tables.mapping", "a:b,c:d"),
            ("table.name.normalize", "true"),
            ("connection.sslmode", "require"),
            ("errors.tolerance", "all"),
        ];
        let config = parse(Flavour::Aiven, &more).unwrap();
        assert_eq!(config.mode, WriteKind::Insert);
        assert!(!config.has_quotes && config.tables.is_normalized && config.tolerates_bad_records);
        assert_eq!(config.tables.by_topic.len(), 2);
        assert_eq!(config.settings.properties.0.keys().collect::<Vec<_>>(), ["sslmode"]);
    }

    #[test]
    fn dates_are_shifted_as_in_java_unless_they_are_in_utc() {
        let zone = ("db.timezone", "America/New_York");
        let date_zone =
            |more: &[(&str, &str)]| parse(Flavour::Confluent, &[&[zone], more].concat()).unwrap().plan.values.date_zone;
        assert_eq!(date_zone(&[]).name(), "America/New_York");
        assert_eq!(date_zone(&[("date.timezone", "utc")]), Tz::UTC);
    }

    #[test]
    fn what_does_not_go_together_is_refused_and_named() {
        for (more, expected) in [
            (&[("insert.mode", "upsert")][..], "pk.mode"),
            (&[("delete.enabled", "true")], "delete.enabled"),
            (&[("pk.mode", "kafka"), ("pk.fields", "a,b")], "pk.fields"),
            (&[("jdbc.credentials.provider.class", "com.example.Vault")], "jdbc.credentials.provider.class"),
            (&[("insert.mode", "multi")], "insert.mode"),
            (&[("db.timezone", "Mars")], "db.timezone"),
            (&[("connection.url", "postgres://db")], "connection.url"),
            (&[("volley.nested.values", "xml")], "volley.nested.values"),
        ] {
            let error = parse(Flavour::Confluent, more).unwrap_err().to_string();
            assert!(error.contains(expected), "{more:?}: {error}");
        }
        let mapping = [("topics.to.tables.mapping", "a")];
        assert!(parse(Flavour::Aiven, &mapping).unwrap_err().to_string().contains("topics.to.tables.mapping"));
    }
}
