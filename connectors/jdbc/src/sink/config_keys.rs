//! The keys of the sink, under the names of Confluent's connector and of Aiven's.

use chrono_tz::Tz;
use volley_api::{ConfigDef, ConfigKey, ConfigType, ConfigValue, Importance, Validator, Width};

use super::table_names::TableNames;
use crate::url::JdbcUrl;

pub(super) const URL: &str = "connection.url";
pub(super) const USER: &str = "connection.user";
pub(super) const PASSWORD: &str = "connection.password";
pub(super) const CREDENTIALS_PROVIDER: &str = "jdbc.credentials.provider.class";
pub(super) const ATTEMPTS: &str = "connection.attempts";
pub(super) const BACKOFF: &str = "connection.backoff.ms";
pub(super) const INSERT_MODE: &str = "insert.mode";
pub(super) const DELETES: &str = "delete.enabled";
pub(super) const TABLE_FORMAT: &str = "table.name.format";
pub(super) const TABLE_MAPPING: &str = "topics.to.tables.mapping";
pub(super) const NORMALIZE: &str = "table.name.normalize";
pub(super) const KEY_MODE: &str = "pk.mode";
pub(super) const KEY_FIELDS: &str = "pk.fields";
pub(super) const FIELDS: &str = "fields.whitelist";
pub(super) const CREATES: &str = "auto.create";
pub(super) const EVOLVES: &str = "auto.evolve";
pub(super) const QUOTE: &str = "quote.sql.identifiers";
pub(super) const QUOTE_OF_AIVEN: &str = "sql.quote.identifiers";
pub(super) const ZONE: &str = "db.timezone";
pub(super) const DATE_ZONE: &str = "date.timezone";
pub(super) const TIMESTAMP_FIELDS: &str = "timestamp.fields.list";
pub(super) const TIMESTAMP_PRECISION: &str = "timestamp.precision.mode";
pub(super) const FILL_DEFAULTS: &str = "replace.null.with.default";
pub(super) const TEXT_COLUMN: &str = "string.output.value.column.name";
pub(super) const RETRIES: &str = "max.retries";
pub(super) const RETRY_BACKOFF: &str = "retry.backoff.ms";
pub(super) const EXACTLY_ONCE: &str = "volley.exactly.once";
pub(super) const NESTED: &str = "volley.nested.values";

/// Keys below `connection.` that are not for the driver.
pub(super) const OWN_CONNECTION_KEYS: [&str; 5] = [URL, USER, PASSWORD, ATTEMPTS, BACKOFF];

/// Whose names the keys have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flavour {
    /// Confluent's connector.
    Confluent,
    /// Aiven's.
    Aiven,
}

/// The keys, in the order in which they are shown.
pub(super) fn config_def(flavour: Flavour) -> ConfigDef {
    grouped([
        ("Connection", connection_keys()),
        ("Writes", write_keys(flavour)),
        ("Data Mapping", mapping_keys(flavour)),
        ("DDL Support", table_keys(flavour)),
        ("Retries", retry_keys()),
    ])
}

/// The keys of these groups.
pub(super) fn grouped<const N: usize>(groups: [(&str, Vec<ConfigKey>); N]) -> ConfigDef {
    groups.into_iter().fold(ConfigDef::new(), |def, (group, keys)| {
        keys.into_iter().zip(1..).fold(def, |def, (key, place)| {
            let name = key.name.clone();
            def.key(key.grouped(group, place, Width::Medium, &name))
        })
    })
}

/// The key with the URL of the database.
pub(super) fn url_key() -> ConfigKey {
    ConfigKey::required(
        URL,
        ConfigType::String,
        Importance::High,
        "Where the database is: `jdbc:postgresql://host:5432/database`. Parameters of the Java driver may follow behind \
         `?`; those that have no counterpart are named in the log.",
    )
    .validated(text(|url| JdbcUrl::parse(url).map(drop)))
}

fn connection_keys() -> Vec<ConfigKey> {
    use ConfigType::{Class, Int, Long, Password, String};
    use Importance::{High, Low};
    vec![
        url_key(),
        ConfigKey::optional(USER, String, High, "User of the database."),
        ConfigKey::optional(PASSWORD, Password, High, "Password of the user."),
        ConfigKey::optional(
            CREDENTIALS_PROVIDER,
            Class,
            Low,
            "A Java class that says user and password. It cannot be loaded: use a config provider, such as \
             `connection.password=${file:/etc/secrets:password}`.",
        ),
        ConfigKey::with_default(
            ATTEMPTS,
            Int,
            "3",
            Low,
            "How often a connection is tried before that counts as one of `max.retries`.",
        )
        .validated(Validator::AtLeast(1)),
        ConfigKey::with_default(BACKOFF, Long, "10000", Low, "How long to wait between them, in milliseconds.")
            .validated(Validator::AtLeast(0)),
        ConfigKey::with_default("dialect.name", String, "", Low, "Has no effect: the URL says which database it is."),
    ]
}

fn write_keys(flavour: Flavour) -> Vec<ConfigKey> {
    use ConfigType::{Boolean, Int, List, String};
    use Importance::{High, Low, Medium};
    let mut modes = vec!["insert", "upsert", "update"];
    if flavour == Flavour::Aiven {
        modes.push("multi");
    }
    let mut keys = vec![
        ConfigKey::with_default(
            INSERT_MODE,
            String,
            "insert",
            High,
            "`insert`: each record is a new row. `upsert`: a record takes the place of the row with its key, or is a new \
             one. `update`: it changes the row with its key, if there is one. Aiven's `multi` is `insert`.",
        )
        .validated(Validator::one_of_ignore_case(modes)),
        ConfigKey::with_default(
            "batch.size",
            Int,
            "3000",
            Medium,
            "Has no effect: rows are written in the batches in which they are consumed (`volley.batch.max.rows`).",
        )
        .validated(Validator::AtLeast(1)),
        ConfigKey::with_default(
            DELETES,
            Boolean,
            "false",
            Medium,
            "Whether a record with a null value removes the row with its key. Needs `pk.mode=record_key`.",
        ),
        ConfigKey::with_default(
            "table.types",
            List,
            "TABLE",
            Low,
            "Has no effect: whatever can be written to by its name is a table.",
        ),
        exactly_once_key(),
    ];
    if flavour == Flavour::Confluent {
        keys.push(ConfigKey::with_default(
            "mssql.use.merge.holdlock",
            Boolean,
            "true",
            Low,
            "Has no effect: it is for SQL Server.",
        ));
    }
    keys
}

/// The key that has offsets stored in the database.
pub(super) fn exactly_once_key() -> ConfigKey {
    ConfigKey::with_default(
        EXACTLY_ONCE,
        ConfigType::Boolean,
        "false",
        Importance::Medium,
        "Whether the offset of each partition is stored in the database, in the table `volley_offsets`, in the transaction \
         of the rows: each record is then written once, in every mode.",
    )
    .unlisted()
}

/// The key that says what becomes of structs, arrays and maps.
pub(super) fn nested_key() -> ConfigKey {
    ConfigKey::with_default(
        NESTED,
        ConfigType::String,
        "json",
        Importance::Medium,
        "What becomes of structs, arrays and maps. `json`: JSON (in PostgreSQL `jsonb`; arrays of plain values are arrays \
         there). `flatten`: of a struct each field is a column, `parent_child`; the others are JSON. `fail`: such records \
         are refused.",
    )
    .validated(Validator::one_of_ignore_case(["json", "flatten", "fail"]))
    .unlisted()
}

fn mapping_keys(flavour: Flavour) -> Vec<ConfigKey> {
    use ConfigType::{Boolean, List, String};
    use Importance::{High, Low, Medium};
    let mut keys = vec![
        ConfigKey::with_default(
            TABLE_FORMAT,
            String,
            "${topic}",
            Medium,
            "The name of the table. `${topic}` stands for the topic. Dots in it separate catalog, schema and table.",
        ),
        ConfigKey::with_default(
            KEY_MODE,
            String,
            "none",
            High,
            "Where the primary key comes from: `none`; `kafka`: topic, partition and offset; `record_key`; `record_value`: \
             fields of the value.",
        )
        .validated(Validator::one_of_ignore_case(["none", "kafka", "record_key", "record_value"])),
        ConfigKey::with_default(
            KEY_FIELDS,
            List,
            "",
            Medium,
            "The columns of the primary key. With `kafka` three names, or none for `__connect_topic`, \
             `__connect_partition` and `__connect_offset`. With a key that is a plain value, its one name. With a struct, \
             its fields; none: all of them.",
        ),
        ConfigKey::with_default(
            FIELDS,
            List,
            "",
            Medium,
            "The fields of the value that are written; empty: all of them. Those of the primary key always are.",
        ),
        zone_key(ZONE),
        ConfigKey::with_default(
            TIMESTAMP_FIELDS,
            List,
            "",
            Medium,
            "Fields with 64-bit integers, or texts such as 2026-01-31T12:00:00.123456Z, that are points in time.",
        ),
        nested_key(),
    ];
    match flavour {
        Flavour::Confluent => keys.extend([
            ConfigKey::with_default(
                DATE_ZONE,
                String,
                "DB_TIMEZONE",
                Medium,
                "`UTC`: dates are written as they are. `DB_TIMEZONE`: as the day that clocks of `db.timezone` show at \
                 midnight UTC, as Java does it; to the west of Greenwich that is the day before.",
            )
            .validated(Validator::one_of_ignore_case(["DB_TIMEZONE", "UTC"])),
            ConfigKey::with_default(
                TIMESTAMP_PRECISION,
                String,
                "microseconds",
                Low,
                "What integers of `timestamp.fields.list` count since 1970: `microseconds` or `nanoseconds`.",
            )
            .validated(Validator::one_of_ignore_case(["microseconds", "nanoseconds"])),
            ConfigKey::with_default(
                "date.calendar.system",
                String,
                "LEGACY",
                Low,
                "Has no effect: dates before 1582 are written in the calendar of today, as records have them.",
            )
            .validated(Validator::one_of_ignore_case(["LEGACY", "PROLEPTIC_GREGORIAN"])),
            ConfigKey::with_default(
                FILL_DEFAULTS,
                Boolean,
                "true",
                Medium,
                "Whether a null in a field that has a default is written as the default.",
            ),
            ConfigKey::with_default(
                TEXT_COLUMN,
                String,
                "record_value",
                Low,
                "The column for values that are no structs.",
            ),
        ]),
        Flavour::Aiven => keys.extend([
            ConfigKey::with_default(
                TABLE_MAPPING,
                List,
                "",
                Medium,
                "The table of single topics: `topic:table`, separated by commas. `table.name.format` is for the others.",
            )
            .validated(each(|item| TableNames::parse_mapping(item).map(drop))),
            ConfigKey::with_default(
                NORMALIZE,
                Boolean,
                "false",
                Medium,
                "Whether characters of the topic other than letters, digits, dots and underscores become underscores in the \
                 name of the table.",
            ),
        ]),
    }
    keys
}

fn table_keys(flavour: Flavour) -> Vec<ConfigKey> {
    use ConfigType::{Boolean, String};
    use Importance::Medium;
    let quote = match flavour {
        Flavour::Confluent => ConfigKey::with_default(
            QUOTE,
            String,
            "always",
            Medium,
            "Whether names of tables and columns stand in quotes when tables are looked for and created: `always`, or \
             `never`, where capitals mean nothing.",
        )
        .validated(Validator::one_of_ignore_case(["always", "never"])),
        Flavour::Aiven => ConfigKey::with_default(
            QUOTE_OF_AIVEN,
            Boolean,
            "true",
            Medium,
            "Whether names of tables and columns stand in quotes when tables are looked for and created.",
        ),
    };
    vec![
        ConfigKey::with_default(
            CREATES,
            Boolean,
            "false",
            Medium,
            "Whether a table that is missing is created, from the schema of the first records.",
        ),
        ConfigKey::with_default(
            EVOLVES,
            Boolean,
            "false",
            Medium,
            "Whether columns that are missing are added, and columns made wider that are too narrow where the database can.",
        ),
        quote,
    ]
}

fn retry_keys() -> Vec<ConfigKey> {
    use ConfigType::Int;
    use Importance::Medium;
    vec![
        ConfigKey::with_default(
            RETRIES,
            Int,
            "10",
            Medium,
            "How often in a row a batch is written again that failed for a passing reason, before the task fails.",
        )
        .validated(Validator::AtLeast(0)),
        ConfigKey::with_default(
            RETRY_BACKOFF,
            Int,
            "3000",
            Medium,
            "How long to wait before it is written again, in milliseconds.",
        )
        .validated(Validator::AtLeast(0)),
    ]
}

/// A key with a time zone.
pub(super) fn zone_key(name: &str) -> ConfigKey {
    ConfigKey::with_default(
        name,
        ConfigType::String,
        "UTC",
        Importance::Medium,
        "Time zone of columns that have a date and a time but no time zone, such as `Europe/Zurich`.",
    )
    .validated(text(|zone| {
        zone.parse::<Tz>().map(drop).map_err(|_| "it must be a name such as Europe/Zurich or UTC".to_owned())
    }))
}

fn text(check: impl Fn(&str) -> Result<(), String> + Send + Sync + 'static) -> Validator {
    Validator::custom(move |value| match value {
        ConfigValue::String(text) => check(text),
        _ => Ok(()),
    })
}

fn each(check: impl Fn(&str) -> Result<(), String> + Send + Sync + 'static) -> Validator {
    Validator::custom(move |value| match value {
        ConfigValue::List(items) => items.iter().try_for_each(|item| check(item)),
        _ => Ok(()),
    })
}
