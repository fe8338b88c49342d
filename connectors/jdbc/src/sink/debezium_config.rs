//! The keys of Debezium's JDBC sink, and what they mean.

use std::time::Duration;

use volley_api::{
    Config, ConfigDef, ConfigIssue, ConfigKey, ConfigMap, ConfigType, Error, Importance, Result, Validator,
};

use super::column_values::ValueSettings;
use super::config::{SinkConfig, connection_settings, key_mode, nested, tolerates_bad_records, write_kind, zone_of};
use super::config_keys::{
    DELETES, EXACTLY_ONCE, INSERT_MODE, NESTED, PASSWORD, URL, exactly_once_key, grouped, nested_key, url_key, zone_key,
};
use super::record_plan::{KeyMode, PlanSettings};
use super::retries::RetrySettings;
use super::table_names::TableNames;

const USER: &str = "connection.username";
const TRUNCATES: &str = "truncate.enabled";
const KEY_MODE: &str = "primary.key.mode";
const KEY_FIELDS: &str = "primary.key.fields";
const EVOLUTION: &str = "schema.evolution";
const COLLECTION_FORMAT: &str = "collection.name.format";
const TABLE_FORMAT: &str = "table.name.format";
const QUOTE: &str = "quote.identifiers";
const INCLUDED: &str = "field.include.list";
const EXCLUDED: &str = "field.exclude.list";
const ZONE: &str = "use.time.zone";
const OLD_ZONE: &str = "database.time_zone";
const RETRIES: &str = "flush.max.retries";
const RETRY_DELAY: &str = "flush.retry.delay.ms";
/// The pool of Java's connector.
const POOL: [(&str, &str); 4] = [
    ("connection.pool.min_size", "5"),
    ("connection.pool.max_size", "32"),
    ("connection.pool.acquire_increment", "32"),
    ("connection.pool.timeout", "1800"),
];
/// Other keys below `connection.` that are not for the driver.
const OWN: [&str; 5] = [URL, USER, PASSWORD, "connection.provider", "connection.restart.on.errors"];
const DEFAULT_FORMAT: &str = "${topic}";

/// The keys, in the order in which they are shown.
pub(super) fn config_def() -> ConfigDef {
    use ConfigType::{Boolean, Int, List, Long, Password, String};
    use Importance::{High, Low, Medium};
    let mut connection = vec![
        url_key(),
        ConfigKey::optional(USER, String, High, "User of the database."),
        ConfigKey::optional(PASSWORD, Password, High, "Password of the user."),
        zone_key(ZONE),
        ConfigKey::optional(OLD_ZONE, String, Low, "Older name of `use.time.zone`."),
    ];
    let ignored = "Has no effect: each task has one connection, and makes it anew where it is lost.";
    connection.extend(POOL.map(|(name, default)| ConfigKey::with_default(name, Int, default, Low, ignored)));
    connection.push(ConfigKey::with_default("connection.provider", String, "", Low, ignored));
    connection.push(ConfigKey::with_default("connection.restart.on.errors", Boolean, "false", Low, ignored));
    let writes = vec![
        ConfigKey::with_default(
            INSERT_MODE,
            String,
            "insert",
            High,
            "`insert`: each record is a new row. `upsert`: a record takes the place of the row with its key, or is a new \
             one. `update`: it changes the row with its key, if there is one.",
        )
        .validated(Validator::one_of_ignore_case(["insert", "upsert", "update"])),
        ConfigKey::with_default(
            DELETES,
            Boolean,
            "false",
            Medium,
            "Whether changes that are removals, and records with a null value, remove the row with their key. Else they are \
             skipped.",
        ),
        ConfigKey::with_default(TRUNCATES, Boolean, "false", Medium, "Whether changes that empty a table empty it. Else they are skipped."),
        ConfigKey::with_default(
            KEY_MODE,
            String,
            "none",
            High,
            "Where the primary key comes from: `none`; `kafka`: topic, partition and offset; `record_key`; `record_value`: \
             fields of the row; `record_header`: headers, as texts.",
        )
        .validated(Validator::one_of_ignore_case(["none", "kafka", "record_key", "record_value", "record_header"])),
        ConfigKey::with_default(KEY_FIELDS, List, "", High, "The columns of the primary key; empty: all fields of the key."),
        ConfigKey::with_default(
            "batch.size",
            Int,
            "500",
            Low,
            "Has no effect: rows are written in the batches in which they are consumed (`volley.batch.max.rows`).",
        )
        .validated(Validator::AtLeast(1)),
        ConfigKey::with_default("use.reduction.buffer", Boolean, "false", Low, "Has no effect: of each key only the last change is written."),
        ConfigKey::with_default(RETRIES, Int, "5", Low, "How often in a row a batch is written again that failed for a passing reason.")
            .validated(Validator::AtLeast(0)),
        ConfigKey::with_default(RETRY_DELAY, Long, "1000", Low, "How long to wait before it is written again, in milliseconds.")
            .validated(Validator::AtLeast(0)),
        exactly_once_key(),
    ];
    let mapping = vec![
        ConfigKey::with_default(
            EVOLUTION,
            String,
            "none",
            Medium,
            "`basic`: tables that are missing are created, and columns added. `none`: everything must be there.",
        )
        .validated(Validator::one_of_ignore_case(["none", "basic"])),
        ConfigKey::with_default(
            COLLECTION_FORMAT,
            String,
            DEFAULT_FORMAT,
            Medium,
            "The name of the table. `${topic}` stands for the topic, with underscores in place of dots, `${source.table}` for \
             a field of a change's `source`.",
        ),
        ConfigKey::optional(TABLE_FORMAT, String, Low, "Older name of `collection.name.format`."),
        ConfigKey::with_default(
            QUOTE,
            Boolean,
            "false",
            Medium,
            "Whether names of tables and columns stand in quotes when tables are looked for and created.",
        ),
        ConfigKey::with_default(
            INCLUDED,
            List,
            "",
            Medium,
            "The fields that are written, as `field` or `topic:field`; empty: all.",
        ),
        ConfigKey::with_default(
            EXCLUDED,
            List,
            "",
            Medium,
            "The fields that are not written, as `field` or `topic:field`.",
        ),
        nested_key(),
    ];
    grouped([("Connection", connection), ("Writes", writes), ("Data Mapping", mapping)])
}

/// What the keys mean; the first thing wrong is the error.
pub(super) fn parse(config: &ConfigMap) -> Result<SinkConfig> {
    let parsed = config_def().parse(config)?;
    if let Some(issue) = issues(&parsed).into_iter().next() {
        return Err(Error::config(format!("invalid `{}`: {}", issue.key, issue.message)));
    }
    let text = |key: &str| parsed.string(key).unwrap_or_default().to_ascii_lowercase();
    let number = |key: &str| u64::try_from(parsed.long(key).unwrap_or_default()).unwrap_or_default();
    let own: Vec<&str> = OWN.into_iter().chain(POOL.map(|(name, _)| name)).collect();
    let evolves = text(EVOLUTION) == "basic";
    let zone_key = if config.contains_key(ZONE) || !config.contains_key(OLD_ZONE) { ZONE } else { OLD_ZONE };
    let old_format = parsed.string(TABLE_FORMAT).filter(|_| !config.contains_key(COLLECTION_FORMAT));
    Ok(SinkConfig {
        settings: connection_settings(&parsed, config, &own, USER)?,
        retries: RetrySettings {
            retries: u32::try_from(number(RETRIES)).unwrap_or(u32::MAX),
            backoff: Duration::from_millis(number(RETRY_DELAY)),
            attempts: 1,
            connection_backoff: Duration::from_millis(number(RETRY_DELAY)),
        },
        mode: write_kind(&text(INSERT_MODE)),
        plan: PlanSettings {
            key_mode: key_mode(&text(KEY_MODE)),
            key_fields: parsed.list(KEY_FIELDS).to_vec(),
            included: parsed.list(INCLUDED).to_vec(),
            excluded: parsed.list(EXCLUDED).to_vec(),
            text_column: "record_value".to_owned(),
            deletes: parsed.boolean(DELETES),
            values: ValueSettings {
                date_zone: chrono_tz::Tz::UTC,
                timestamp_fields: Vec::new(),
                counts_nanos: false,
                fills_defaults: false,
                nested: nested(&text(NESTED)),
                means_debezium: true,
            },
        },
        tables: TableNames {
            format: old_format.or(parsed.string(COLLECTION_FORMAT)).unwrap_or(DEFAULT_FORMAT).to_owned(),
            by_topic: indexmap::IndexMap::new(),
            is_normalized: false,
            has_no_dots: true,
        },
        creates: evolves,
        evolves,
        has_quotes: parsed.boolean(QUOTE),
        zone: zone_of(&parsed, zone_key),
        is_exactly_once: parsed.boolean(EXACTLY_ONCE),
        tolerates_bad_records: tolerates_bad_records(config),
        takes_changes: true,
        truncates: parsed.boolean(TRUNCATES),
    })
}

/// What is wrong with keys that are right by themselves.
pub(super) fn issues(config: &Config) -> Vec<ConfigIssue> {
    let mut issues = Vec::new();
    let mut refuse = |key: &str, why: &str| issues.push(ConfigIssue::new(key, why));
    let text = |key: &str| config.string(key).unwrap_or_default().to_ascii_lowercase();
    let mode = key_mode(&text(KEY_MODE));
    let needs_key = matches!(text(INSERT_MODE).as_str(), "upsert" | "update") || config.boolean(DELETES);
    if mode == KeyMode::None && needs_key {
        refuse(KEY_MODE, "upserts, updates and removals need a primary key: choose where it comes from");
    }
    if mode == KeyMode::RecordHeader && config.list(KEY_FIELDS).is_empty() {
        refuse(KEY_FIELDS, "with `primary.key.mode=record_header` it must name the headers");
    }
    if !config.list(INCLUDED).is_empty() && !config.list(EXCLUDED).is_empty() {
        refuse(EXCLUDED, "`field.include.list` and `field.exclude.list` exclude each other: remove one");
    }
    if config.string(OLD_ZONE).is_some_and(|zone| zone.parse::<chrono_tz::Tz>().is_err()) {
        refuse(OLD_ZONE, "it must be a name such as Europe/Zurich or UTC");
    }
    issues
}

#[cfg(test)]
mod tests {
    use volley_api::testing::config_map;

    use super::*;

    fn parsed(more: &[(&str, &str)]) -> Result<SinkConfig> {
        let base = [("connection.url", "jdbc:postgresql://db/shop"), ("connection.username", "u")];
        parse(&config_map(&[&base, more].concat()))
    }

    #[test]
    fn keys_mean_what_they_mean_in_java() {
        let more = [
            ("insert.mode", "upsert"),
            ("primary.key.mode", "record_key"),
            ("schema.evolution", "basic"),
            ("table.name.format", "x_${topic}"),
            ("connection.pool.max_size", "3"),
            ("connection.sslmode", "require"),
            ("database.time_zone", "Europe/Zurich"),
        ];
        let config = parsed(&more).unwrap();
        assert!(config.creates && config.evolves && config.takes_changes && !config.has_quotes);
        assert_eq!((config.tables.format.as_str(), config.zone.name()), ("x_${topic}", "Europe/Zurich"));
        assert_eq!(config.settings.properties.0.keys().collect::<Vec<_>>(), ["sslmode"]);
        assert_eq!(config.settings.user.as_deref(), Some("u"));
    }

    #[test]
    fn what_does_not_go_together_is_refused_and_named() {
        for (more, expected) in [
            (&[("insert.mode", "upsert")][..], "primary.key.mode"),
            (&[("delete.enabled", "true")], "primary.key.mode"),
            (&[("primary.key.mode", "record_header")], "primary.key.fields"),
            (&[("field.include.list", "a"), ("field.exclude.list", "b")], "field.exclude.list"),
            (&[("schema.evolution", "all")], "schema.evolution"),
            (&[("database.time_zone", "Mars")], "database.time_zone"),
        ] {
            let error = parsed(more).unwrap_err().to_string();
            assert!(error.contains(expected), "{more:?}: {error}");
        }
    }
}
