//! The keys of the source, under the names of Confluent's connector and of Aiven's.

use chrono_tz::Tz;
use volley_api::{ConfigDef, ConfigKey, ConfigType, ConfigValue, Importance, Validator, Width};
use volley_java::validate_java_regex;

use super::column_choice::ColumnChoice;
use super::key_columns::KeyColumns;
use crate::source::splits::SplitCount;
use crate::types::{Granularity, NumericMapping, UnsupportedColumns};
use crate::url::JdbcUrl;

pub(in crate::source) const URL: &str = "connection.url";
pub(in crate::source) const USER: &str = "connection.user";
pub(in crate::source) const PASSWORD: &str = "connection.password";
pub(in crate::source) const CREDENTIALS_PROVIDER: &str = "jdbc.credentials.provider.class";
pub(in crate::source) const ATTEMPTS: &str = "connection.attempts";
pub(in crate::source) const BACKOFF: &str = "connection.backoff.ms";
pub(in crate::source) const WHITELIST: &str = "table.whitelist";
pub(in crate::source) const BLACKLIST: &str = "table.blacklist";
pub(in crate::source) const INCLUDE: &str = "table.include.list";
pub(in crate::source) const EXCLUDE: &str = "table.exclude.list";
pub(in crate::source) const CATALOG_PATTERN: &str = "catalog.pattern";
pub(in crate::source) const SCHEMA_PATTERN: &str = "schema.pattern";
pub(in crate::source) const TABLE_TYPES: &str = "table.types";
pub(in crate::source) const TABLE_SPLITS: &str = "table.splits";
pub(in crate::source) const TABLE_POLL_INTERVAL: &str = "table.poll.interval.ms";
pub(in crate::source) const ZONE: &str = "db.timezone";
pub(in crate::source) const NUMERIC_MAPPING: &str = "numeric.mapping";
pub(in crate::source) const PRECISION_MAPPING: &str = "numeric.precision.mapping";
pub(in crate::source) const QUOTE: &str = "quote.sql.identifiers";
pub(in crate::source) const QUOTE_OF_AIVEN: &str = "sql.quote.identifiers";
pub(in crate::source) const QUALIFY: &str = "table.names.qualify";
pub(in crate::source) const ISOLATION: &str = "transaction.isolation.mode";
pub(in crate::source) const QUERY_RETRIES: &str = "query.retry.attempts";
pub(in crate::source) const MODE: &str = "mode";
pub(in crate::source) const INCREMENTING: &str = "incrementing.column.name";
pub(in crate::source) const INCREMENTING_MAPPING: &str = "incrementing.column.mapping";
pub(in crate::source) const INCREMENTING_INITIAL: &str = "incrementing.initial";
pub(in crate::source) const TIMESTAMP: &str = "timestamp.column.name";
pub(in crate::source) const TIMESTAMP_MAPPING: &str = "timestamp.columns.mapping";
pub(in crate::source) const TIMESTAMP_INITIAL: &str = "timestamp.initial";
pub(in crate::source) const TIMESTAMP_INITIAL_OF_AIVEN: &str = "timestamp.initial.ms";
pub(in crate::source) const DELAY: &str = "timestamp.delay.interval.ms";
pub(in crate::source) const GRANULARITY: &str = "timestamp.granularity";
pub(in crate::source) const VALIDATE_NON_NULL: &str = "validate.non.null";
pub(in crate::source) const QUERY: &str = "query";
pub(in crate::source) const QUERY_MASKED: &str = "query.masked";
pub(in crate::source) const QUERY_SUFFIX: &str = "query.suffix";
pub(in crate::source) const QUERIES: &str = "queries";
pub(in crate::source) const KEY_COLUMNS: &str = "key.columns";
pub(in crate::source) const LATE_COMMITS: &str = "late.commits";
pub(in crate::source) const WAIT: &str = "wait";
pub(in crate::source) const LOOKBACK_MS: &str = "lookback.ms";
pub(in crate::source) const LOOKBACK_ROWS: &str = "lookback.rows";
pub(in crate::source) const TOPIC_PREFIX: &str = "topic.prefix";
pub(in crate::source) const POLL_INTERVAL: &str = "poll.interval.ms";
pub(in crate::source) const BATCH_MAX_ROWS: &str = "batch.max.rows";
pub(in crate::source) const RUN_MODE: &str = "volley.mode";
pub(in crate::source) const BOUNDED: &str = "bounded";
pub(in crate::source) const UNSUPPORTED: &str = "unsupported.columns";

/// Keys below `connection.` that are not for the driver.
pub(in crate::source) const OWN_CONNECTION_KEYS: [&str; 5] = [URL, USER, PASSWORD, ATTEMPTS, BACKOFF];

/// Whose names the keys have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source) enum Flavour {
    /// Confluent's connector.
    Confluent,
    /// Aiven's.
    Aiven,
}

/// The keys, in the order in which they are shown.
pub(in crate::source) fn config_def(flavour: Flavour) -> ConfigDef {
    let groups = [
        ("Database", connection_keys()),
        ("Database", table_keys(flavour)),
        ("Database", sql_keys(flavour)),
        ("Mode", mode_keys(flavour)),
        ("Connector", connector_keys(flavour)),
    ];
    let mut order = std::collections::HashMap::new();
    let keys = groups.into_iter().flat_map(|(group, keys)| keys.into_iter().map(move |key| (group, key)));
    keys.fold(ConfigDef::new(), |def, (group, key)| {
        let place = order.entry(group).and_modify(|place| *place += 1).or_insert(1);
        let name = key.name.clone();
        def.key(key.grouped(group, *place, Width::Medium, &name))
    })
}

fn connection_keys() -> Vec<ConfigKey> {
    use ConfigType::{Class, Int, Long, Password, String};
    use Importance::{High, Low};
    vec![
        ConfigKey::required(
            URL,
            String,
            High,
            "Where the database is: `jdbc:postgresql://host:5432/database`. Parameters of the Java driver may \
             follow behind `?`; those that have no counterpart are named in the log.",
        )
        .validated(text(|url| JdbcUrl::parse(url).map(drop))),
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
            "How often the first connection is tried before the task fails. A connection that is lost later is tried \
            again until the database is back.",
        )
        .validated(Validator::AtLeast(1)),
        ConfigKey::with_default(BACKOFF, Long, "10000", Low, "How long to wait between them, in milliseconds.")
            .validated(Validator::AtLeast(0)),
    ]
}

fn table_keys(flavour: Flavour) -> Vec<ConfigKey> {
    use ConfigType::{List, Long, String};
    use Importance::{Low, Medium};
    let mut keys = vec![
        ConfigKey::with_default(
            WHITELIST,
            List,
            "",
            Medium,
            "The tables to read, each by any tail of its full name: `orders`, `public.orders`. Empty: all that there \
            are.",
        ),
        ConfigKey::with_default(
            BLACKLIST,
            List,
            "",
            Medium,
            "Tables that are not read. Not together with `table.whitelist`.",
        ),
    ];
    if flavour == Flavour::Confluent {
        let regexes = || Validator::custom(each(|item| validate_java_regex(&ConfigValue::String(item.to_owned()))));
        keys.extend([
            ConfigKey::with_default(
                INCLUDE,
                List,
                "",
                Medium,
                "Regular expressions; a table is read whose full name one of them matches as a whole.",
            )
            .validated(regexes()),
            ConfigKey::with_default(
                EXCLUDE,
                List,
                "",
                Medium,
                "Regular expressions; a table is not read whose full name one of them matches as a whole.",
            )
            .validated(regexes()),
        ]);
    }
    keys.extend([
        ConfigKey::optional(
            CATALOG_PATTERN,
            String,
            Medium,
            "Catalog of the tables, as a pattern of SQL's LIKE. PostgreSQL has one for each connection: the database.",
        ),
        ConfigKey::optional(SCHEMA_PATTERN, String, Medium, "Schema of the tables, as a pattern of SQL's LIKE."),
        ConfigKey::with_default(
            TABLE_TYPES,
            List,
            "TABLE",
            Low,
            "Kinds of tables: TABLE, VIEW, MATERIALIZED VIEW, FOREIGN TABLE, PARTITIONED TABLE, SYSTEM TABLE.",
        ),
        ConfigKey::with_default(
            TABLE_POLL_INTERVAL,
            Long,
            "60000",
            Low,
            "How often new and removed tables are looked for, in milliseconds. The tasks begin anew where there are \
            some.",
        )
        .validated(Validator::AtLeast(1)),
    ]);
    keys
}

fn sql_keys(flavour: Flavour) -> Vec<ConfigKey> {
    use ConfigType::{Boolean, Int, String};
    use Importance::{Low, Medium};
    let mut keys = vec![
        ConfigKey::with_default(
            ZONE,
            String,
            "UTC",
            Medium,
            "Time zone of columns that have a date and a time but no time zone, such as `Europe/Zurich`.",
        )
        .validated(text(|zone| {
            zone.parse::<Tz>().map(drop).map_err(|_| "it must be a name such as Europe/Zurich or UTC".to_owned())
        })),
        ConfigKey::optional(
            NUMERIC_MAPPING,
            String,
            Low,
            "Which NUMERIC columns are no Decimals. `precision_only`: those of scale 0 and at most 18 digits are \
            integers. `best_fit`: these, and those with decimal places and at most 18 digits are floating point. \
            `best_fit_eager_double`: all with decimal places are. `none`: none.",
        )
        .validated(Validator::one_of_ignore_case(NumericMapping::NAMES)),
        ConfigKey::with_default(
            PRECISION_MAPPING,
            Boolean,
            "false",
            Low,
            "Older name of `numeric.mapping=precision_only`.",
        ),
        ConfigKey::with_default("dialect.name", String, "", Low, "Has no effect: the URL says which database it is."),
    ];
    match flavour {
        Flavour::Confluent => keys.push(
            ConfigKey::with_default(
                QUOTE,
                String,
                "always",
                Medium,
                "Whether names of tables and columns stand in quotes in SQL: `always`, or `never`, where capitals \
                mean nothing.",
            )
            .validated(Validator::one_of_ignore_case(["always", "never"])),
        ),
        Flavour::Aiven => keys.extend([
            ConfigKey::with_default(
                QUOTE_OF_AIVEN,
                Boolean,
                "true",
                Medium,
                "Whether names of tables and columns stand in quotes in SQL.",
            ),
            ConfigKey::with_default(
                QUALIFY,
                Boolean,
                "true",
                Low,
                "Whether names of tables in SQL and in source partitions have the catalog and the schema in front.",
            ),
        ]),
    }
    keys.extend([
        ConfigKey::with_default(
            ISOLATION,
            String,
            "DEFAULT",
            Low,
            "Isolation of the transaction that a query runs in.",
        )
        .validated(Validator::one_of_ignore_case([
            "DEFAULT",
            "READ_UNCOMMITTED",
            "READ_COMMITTED",
            "REPEATABLE_READ",
            "SERIALIZABLE",
            "SQL_SERVER_SNAPSHOT",
        ])),
        ConfigKey::with_default(
            QUERY_RETRIES,
            Int,
            "-1",
            Low,
            "How often in a row a query is tried again that failed for a passing reason; -1: without end.",
        )
        .validated(Validator::AtLeast(-1)),
    ]);
    keys
}

fn mode_keys(flavour: Flavour) -> Vec<ConfigKey> {
    use ConfigType::{Boolean, List, Long, Password, String};
    use Importance::{High, Low, Medium};
    let mut keys = vec![
        ConfigKey::required(
            MODE,
            String,
            High,
            "`bulk`: the whole table, each time. `incrementing`: rows whose number in a column is greater than any \
            before. `timestamp`: rows whose time in some columns is later. `timestamp+incrementing`: both.",
        )
        .validated(modes()),
        ConfigKey::with_default(
            INCREMENTING,
            String,
            "",
            Medium,
            "The column with the number. Empty: the one that the database counts up.",
        ),
        ConfigKey::with_default(
            TIMESTAMP,
            List,
            "",
            Medium,
            "The columns with the time. Of several, the first that is not null counts.",
        ),
    ];
    match flavour {
        Flavour::Confluent => keys.extend([
            ConfigKey::with_default(
                INCREMENTING_MAPPING,
                List,
                "",
                Medium,
                "The column for each table: `regular expression:column`. Each table must match one of them.",
            )
            .validated(Validator::custom(each(|item| ColumnChoice::parse_one(item).map(drop)))),
            ConfigKey::with_default(
                TIMESTAMP_MAPPING,
                List,
                "",
                Medium,
                "The columns for each table: `regular expression:[column|column]`. Each table must match one of them.",
            )
            .validated(Validator::custom(each(|item| ColumnChoice::parse_many(item).map(drop)))),
            ConfigKey::optional(
                TIMESTAMP_INITIAL,
                Long,
                Low,
                "Where `timestamp` begins, in milliseconds since 1970; -1: now. Nothing: 1970.",
            ),
        ]),
        Flavour::Aiven => keys.extend([
            ConfigKey::with_default(
                TIMESTAMP_INITIAL_OF_AIVEN,
                Long,
                "0",
                Low,
                "Where `timestamp` begins, in milliseconds since 1970.",
            ),
            ConfigKey::with_default(
                INCREMENTING_INITIAL,
                Long,
                "-1",
                Low,
                "Where `incrementing` begins: with the first number that is greater.",
            ),
        ]),
    }
    keys.extend([
        ConfigKey::with_default(
            VALIDATE_NON_NULL,
            Boolean,
            "true",
            Low,
            "Whether the columns of the mode must be NOT NULL. Rows where they are null are never read.",
        ),
        ConfigKey::with_default(
            QUERY,
            String,
            "",
            Medium,
            "A query to read instead of tables. The conditions of the mode are added at its end: put what has a WHERE \
            of its own into `SELECT * FROM (…) AS q`.",
        ),
    ]);
    if flavour == Flavour::Confluent {
        keys.extend([
            ConfigKey::optional(QUERY_MASKED, Password, Medium, "The same as `query`, and never shown."),
            ConfigKey::with_default(
                QUERY_SUFFIX,
                String,
                "",
                Low,
                "SQL that is added behind everything, such as `LIMIT 1000`.",
            ),
        ]);
    }
    keys
}

fn connector_keys(flavour: Flavour) -> Vec<ConfigKey> {
    use ConfigType::{Int, Long, String};
    use Importance::{High, Low, Medium};
    let mut keys = vec![
        ConfigKey::required(
            TOPIC_PREFIX,
            String,
            High,
            "What the names of topics begin with; the name of the table follows. With `query` it is the whole name.",
        ),
        ConfigKey::with_default(
            POLL_INTERVAL,
            Int,
            "5000",
            High,
            "How long to wait after a table or query was read before it is read again, in milliseconds.",
        )
        .validated(Validator::AtLeast(0)),
        ConfigKey::with_default(
            BATCH_MAX_ROWS,
            Int,
            if flavour == Flavour::Aiven { "100" } else { "1000" },
            Low,
            "Most rows that are taken at a time. Where it is not set, Volley takes 8192.",
        )
        .validated(Validator::AtLeast(1)),
        ConfigKey::with_default(
            DELAY,
            Long,
            "0",
            High,
            "How old a row must be by its time before it is read, in milliseconds, so that transactions that began \
            earlier have ended.",
        )
        .validated(Validator::AtLeast(0)),
    ];
    if flavour == Flavour::Confluent {
        keys.extend([
            ConfigKey::with_default(
                GRANULARITY,
                String,
                "connect_logical",
                Low,
                "What points in time become: `connect_logical`, Connect's Timestamp in milliseconds; or their micro- \
                or nanoseconds as a number or a text, or a text of date and time.",
            )
            .validated(Validator::one_of_ignore_case(Granularity::NAMES)),
            ConfigKey::with_default(
                "date.calendar.system",
                String,
                "LEGACY",
                Low,
                "Has no effect: dates before 1582 are those of the database, which count in the calendar of today.",
            )
            .validated(Validator::one_of_ignore_case(["LEGACY", "PROLEPTIC_GREGORIAN"])),
            ConfigKey::with_default(
                "max.buffer.size",
                Int,
                "0",
                Low,
                "Has no effect: the worker bounds what is in memory.",
            ),
            ConfigKey::with_default(
                "poll.linger.ms",
                Long,
                "5000",
                Low,
                "Has no effect: rows are passed on as they come.",
            ),
            ConfigKey::with_default(
                "table.monitoring.startup.polling.limit.ms",
                Long,
                "10000",
                Low,
                "Has no effect: the tables are looked for before the tasks begin.",
            ),
        ]);
    }
    keys.push(
        ConfigKey::with_default(
            RUN_MODE,
            String,
            "continuous",
            Medium,
            "`bounded`: read once what is new, and stop. `continuous`: go on until stopped.",
        )
        .validated(Validator::one_of(["continuous", BOUNDED]))
        .unlisted(),
    );
    keys.push(
        ConfigKey::with_default(
            UNSUPPORTED,
            String,
            "deliver",
            Medium,
            "What to do with columns for whose type Java's connector has none, and which it leaves out: `deliver` \
            arrays as arrays and anything else as text, `drop` them as Java does, or `fail`.",
        )
        .validated(Validator::one_of_ignore_case(UnsupportedColumns::NAMES))
        .unlisted(),
    );
    keys.extend(own_keys());
    keys
}

/// Keys that Java's connectors do not have.
fn own_keys() -> [ConfigKey; 6] {
    use ConfigType::{Int, List, Long, String};
    use Importance::Medium;
    [
        ConfigKey::with_default(
            KEY_COLUMNS,
            List,
            "none",
            Medium,
            "The columns that are the keys of the records, as a Struct: `none`, as in Java; `auto`, those of the \
            primary key; or their names.",
        )
        .validated(Validator::custom(key_columns))
        .unlisted(),
        ConfigKey::with_default(
            QUERIES,
            List,
            "",
            Medium,
            "Names of several queries to read instead of tables. Each has its SQL in `query.<name>`, and may have \
            `query.<name>.topic` (else `topic.prefix` and the name), `query.<name>.mode`, \
            `query.<name>.incrementing.column.name`, `query.<name>.timestamp.column.name` and \
            `query.<name>.key.columns`.",
        )
        .unlisted(),
        ConfigKey::with_default(
            TABLE_SPLITS,
            String,
            "off",
            Medium,
            "Into how many ranges of its keys a table is divided, which the tasks share while it is read for the first \
            time, or by a bounded `mode=bulk`: `off`, `auto` (large tables, by their size) or a number up to 64.",
        )
        .validated(text(|splits| SplitCount::parse(splits).map(drop)))
        .unlisted(),
        ConfigKey::with_default(
            LATE_COMMITS,
            String,
            "ignore",
            Medium,
            "What becomes of rows whose transactions commit after later rows were read: `ignore`, they are lost, as in \
            Java; `wait`: no row is read before all transactions that began earlier have ended.",
        )
        .validated(Validator::one_of_ignore_case(["ignore", WAIT]))
        .unlisted(),
        ConfigKey::with_default(
            LOOKBACK_MS,
            Long,
            "0",
            Medium,
            "In the modes with `timestamp`: rows that are so much older than the latest, in milliseconds, are looked \
            at again; those that have come since, or have changed, are delivered.",
        )
        .validated(Validator::AtLeast(0))
        .unlisted(),
        ConfigKey::with_default(
            LOOKBACK_ROWS,
            Int,
            "0",
            Medium,
            "In mode `incrementing`: gaps among so many numbers before the greatest are looked at again; rows that \
            have come since are delivered.",
        )
        .validated(Validator::Between(0, 1_000_000))
        .unlisted(),
    ]
}

/// The names of modes.
pub(in crate::source) fn modes() -> Validator {
    Validator::one_of(["bulk", "timestamp", "incrementing", "timestamp+incrementing"])
}

/// Checks `key.columns`.
pub(in crate::source) fn key_columns(value: &ConfigValue) -> Result<(), String> {
    match value {
        ConfigValue::List(names) => KeyColumns::parse(names).map(drop),
        _ => Ok(()),
    }
}

fn text(check: impl Fn(&str) -> Result<(), String> + Send + Sync + 'static) -> Validator {
    Validator::custom(move |value| match value {
        ConfigValue::String(text) => check(text),
        _ => Ok(()),
    })
}

fn each(
    check: impl Fn(&str) -> Result<(), String> + Send + Sync + 'static,
) -> impl Fn(&ConfigValue) -> Result<(), String> + Send + Sync + 'static {
    move |value| match value {
        ConfigValue::List(items) => items.iter().try_for_each(|item| check(item)),
        _ => Ok(()),
    }
}
