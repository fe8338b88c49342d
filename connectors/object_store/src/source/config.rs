//! The keys of `ObjectStoreSource`, and their values parsed into types.

use std::sync::Arc;
use std::time::Duration;

use volley_api::{
    ConfigDef, ConfigKey, ConfigMap, ConfigType, ConfigValue, Error, Importance, Result, Validator, Width,
};
use volley_store::{StoreConfig, store_issues, store_keys};

use super::changed_file::OnChangedFile;
use super::partition_columns::PartitionColumns;
use super::path_pattern::PathPattern;
use super::read::FileFormat;
use super::topic_template::TopicTemplate;

/// Class name of the connector.
pub(super) const CLASS: &str = "ObjectStoreSource";

pub(super) const TOPIC: &str = "topic";
pub(super) const KEY_FIELD: &str = "key.field";
pub(super) const TIMESTAMP_FIELD: &str = "timestamp.field";
pub(super) const PARTITION_COLUMNS: &str = "partition.columns";
pub(super) const ON_CHANGED_FILE: &str = "on.changed.file";
pub(super) const STORE_URL: &str = "store.url";
const PATH: &str = "path";
const FORMAT_CLASS: &str = "format.class";
const AUTO: &str = "auto";
const TOPICS_DIR: &str = "topics.dir";
const FILE_DELIM: &str = "file.delim";
const KEEP_PARTITION: &str = "keep.partition";
const MODE: &str = "volley.mode";
const BOUNDED: &str = "bounded";
const WATCH_INTERVAL: &str = "watch.interval.ms";
const BATCH_MAX_ROWS: &str = "batch.max.rows";
/// A key of every connector.
const ERRORS_TOLERANCE: &str = "errors.tolerance";

/// How many tasks share the files. The connector tells its tasks; it is no key of the user's.
const TASKS: &str = "object.store.source.tasks";

const URL_DOCUMENTATION: &str = "Where the files are: `file:///directory`, `s3://bucket/prefix`, `gs://bucket/prefix`, \
    `az://container/prefix` or `hdfs://name-node/directory`. It is part of the source partitions: under another URL, files are read anew.";

/// The configuration of a task.
#[derive(Clone, Debug)]
pub(super) struct SourceConfig {
    /// Where the files are.
    pub(super) store: StoreConfig,
    /// Which of them are read.
    pub(super) pattern: PathPattern,
    /// Their format; `None`: by their names.
    pub(super) format: Option<FileFormat>,
    /// Where their rows go.
    pub(super) topic: TopicTemplate,
    /// Between topic, partition and offset in the names of the sink's files.
    pub(super) delimiter: String,
    /// The directories whose values are fields of the records.
    pub(super) partition_columns: PartitionColumns,
    /// The field whose value is the key.
    pub(super) key_field: Option<Arc<str>>,
    /// The field whose value is the timestamp.
    pub(super) timestamp_field: Option<Arc<str>>,
    /// Whether rows go to the partition that the sink has read them from.
    pub(super) keeps_partition: bool,
    /// What to do with a file that was replaced.
    pub(super) on_changed_file: OnChangedFile,
    /// How often new files are looked for; `None`: only once, at the beginning.
    pub(super) watch_interval: Option<Duration>,
    /// Most rows of a poll; at least 1.
    pub(super) batch_max_rows: usize,
    /// Whether rows and files that cannot be read are left out.
    pub(super) tolerates_errors: bool,
    /// Number of tasks; at least 1.
    pub(super) tasks: u64,
}

impl SourceConfig {
    /// Parses the configuration of a connector or a task; the first thing wrong is the error.
    pub(super) fn parse(config: &ConfigMap) -> Result<Self> {
        let parsed = config_def().parse(config)?;
        if let Some(issue) = store_issues(&parsed).into_iter().next() {
            return Err(invalid(&issue.key, &issue.message));
        }
        let text = |key: &str| parsed.string(key).unwrap_or_default();
        let field = |key: &str| Some(text(key)).filter(|name| !name.is_empty()).map(Arc::from);
        let format = FileFormat::parse(text(FORMAT_CLASS));
        let pattern = PathPattern::parse(text(PATH), text(FILE_DELIM)).map_err(|reason| invalid(PATH, &reason))?;
        let millis = parsed.long(WATCH_INTERVAL).and_then(|millis| u64::try_from(millis).ok()).unwrap_or(1);
        Ok(Self {
            store: StoreConfig::from_config(&parsed)?,
            pattern: if format.is_none() { pattern.of_known_formats() } else { pattern },
            format,
            topic: TopicTemplate::parse(text(TOPIC), text(TOPICS_DIR)).map_err(|reason| invalid(TOPIC, &reason))?,
            delimiter: text(FILE_DELIM).to_owned(),
            partition_columns: PartitionColumns::new(parsed.list(PARTITION_COLUMNS)),
            key_field: field(KEY_FIELD),
            timestamp_field: field(TIMESTAMP_FIELD),
            keeps_partition: parsed.boolean(KEEP_PARTITION),
            on_changed_file: OnChangedFile::parse(text(ON_CHANGED_FILE)),
            watch_interval: (!text(MODE).eq(BOUNDED)).then(|| Duration::from_millis(millis)),
            batch_max_rows: parsed.long(BATCH_MAX_ROWS).and_then(|rows| usize::try_from(rows).ok()).unwrap_or(1).max(1),
            tolerates_errors: config
                .get(ERRORS_TOLERANCE)
                .is_some_and(|value| value.trim().eq_ignore_ascii_case("all")),
            tasks: config.get(TASKS).and_then(|tasks| tasks.parse().ok()).unwrap_or(1).max(1),
        })
    }
}

fn invalid(key: &str, reason: &str) -> Error {
    Error::config(format!("invalid `{key}`: {reason}"))
}

/// The configuration of each of `tasks` tasks.
pub(super) fn task_config(config: &ConfigMap, tasks: usize) -> ConfigMap {
    let mut config = config.clone();
    config.insert(TASKS.to_owned(), tasks.to_string());
    config
}

/// The keys, in the order in which they are shown.
pub(super) fn config_def() -> ConfigDef {
    let groups = [
        ("Store", store_keys(URL_DOCUMENTATION)),
        ("Files", file_keys()),
        ("Records", record_keys()),
        ("Reading", reading_keys()),
    ];
    let keys = groups.into_iter().flat_map(|(group, keys)| {
        (1..).zip(keys).map(move |(order, key)| {
            let name = key.name.clone();
            key.grouped(group, order, Width::Medium, &name)
        })
    });
    keys.fold(ConfigDef::new(), ConfigDef::key)
}

fn file_keys() -> Vec<ConfigKey> {
    use ConfigType::String;
    use Importance::{High, Low, Medium};
    vec![
        ConfigKey::with_default(
            PATH,
            String,
            "",
            High,
            "Which files below `store.url` are read, such as `topics/orders/**/*.parquet`: `*` and `?` stand for letters of a \
             name, `**` for directories. A directory stands for everything below it; nothing, for all files. Names that begin \
             with `.` or `_` are passed over, unless they are written here; files of the sink only below names with `.`.",
        )
        .validated(Validator::custom(|value| check(value, |text| PathPattern::parse(text, "").map(drop)))),
        ConfigKey::with_default(
            FORMAT_CLASS,
            String,
            AUTO,
            Medium,
            "Format of the files: `auto` goes by their extensions, and passes over files whose extension it does not know. \
             `Parquet`, `JsonLines`, `Avro`, `Arrow`, `Csv` and `ByteArray` (a line for each value) hold for all files that \
             `path` matches. JSON, CSV and bytes may be compressed with gzip or Zstandard.",
        )
        .validated(Validator::custom(|value| check(value, check_format))),
        ConfigKey::with_default(
            TOPICS_DIR,
            String,
            "topics",
            Low,
            "The sink's key of this name: the directory below `store.url` that has one for each topic. For `{topic}` in `topic`.",
        ),
        ConfigKey::with_default(
            FILE_DELIM,
            String,
            "+",
            Low,
            "The sink's key of this name: stands between topic, partition and offset in the names of its files.",
        )
        .validated(Validator::NonEmpty),
    ]
}

fn record_keys() -> Vec<ConfigKey> {
    use ConfigType::{Boolean, List, String};
    use Importance::{High, Medium};
    vec![
        ConfigKey::required(
            TOPIC,
            String,
            High,
            "The topic to write to. `{topic}` in it stands for the directory below `topics.dir`: the topic that the sink has \
             written, as in `restored-{topic}`.",
        )
        .validated(Validator::custom(|value| check(value, |text| TopicTemplate::parse(text, "").map(drop)))),
        ConfigKey::with_default(
            PARTITION_COLUMNS,
            List,
            "",
            Medium,
            "Names of directories, such as `country` of `country=CH`, whose values are fields of the records below them, as text; \
             `*`: of all such directories. Files of Spark and Hive do not have these columns. A column that a file has stays as it is.",
        )
        .validated(Validator::DistinctItems),
        ConfigKey::with_default(
            KEY_FIELD,
            String,
            "",
            Medium,
            "The field of the value that is the record's key too. Empty: the key is null.",
        ),
        ConfigKey::with_default(
            TIMESTAMP_FIELD,
            String,
            "",
            Medium,
            "The field of the value that is the record's timestamp too: a timestamp, milliseconds, or text such as \
             2025-01-31T12:00:00Z. Empty: the time of producing.",
        ),
        ConfigKey::with_default(
            KEEP_PARTITION,
            Boolean,
            "false",
            Medium,
            "Whether rows go to the partition that the name of the sink's file says. The topic must have as many. Rows of other \
             files go where their keys lead.",
        ),
    ]
}

fn reading_keys() -> Vec<ConfigKey> {
    use ConfigType::{Int, Long, String};
    use Importance::{High, Low, Medium};
    vec![
        ConfigKey::with_default(
            MODE,
            String,
            "continuous",
            High,
            "bounded: read the files that are there, and stop. continuous: go on and look for new files until stopped.",
        )
        .validated(Validator::one_of(["continuous", BOUNDED])),
        ConfigKey::with_default(
            WATCH_INTERVAL,
            Long,
            "10000",
            Medium,
            "How long to wait before looking for new files again, in milliseconds. A look lists the store.",
        )
        .validated(Validator::AtLeast(1)),
        ConfigKey::with_default(
            ON_CHANGED_FILE,
            String,
            "fail",
            Medium,
            "What to do with a file that has another size or version than when rows of it were read: `fail` the task, `restart` \
             with its first row, or `ignore` the change, and go on with the next row.",
        )
        .validated(Validator::one_of_ignore_case(OnChangedFile::NAMES)),
        ConfigKey::with_default(BATCH_MAX_ROWS, Int, "8192", Low, "Most rows of a batch.")
            .validated(Validator::Between(1, 1_000_000)),
    ]
}

type Checked = std::result::Result<(), String>;

fn check(value: &ConfigValue, check: impl FnOnce(&str) -> Checked) -> Checked {
    match value {
        ConfigValue::String(text) => check(text),
        _ => Ok(()),
    }
}

fn check_format(text: &str) -> Checked {
    match text == AUTO || FileFormat::parse(text).is_some() {
        true => Ok(()),
        false => Err("the format must be auto, Parquet, JsonLines, Avro, Arrow, Csv or ByteArray".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use volley_api::testing::config_map;

    use super::*;

    #[test]
    fn url_and_topic_are_enough() {
        let config = SourceConfig::parse(&config_map(&[("store.url", "file:///tmp/x"), ("topic", "t")])).unwrap();
        assert_eq!((config.format, config.batch_max_rows, config.tasks), (None, 8192, 1));
        assert_eq!(config.watch_interval, Some(Duration::from_secs(10)));
        assert_eq!(config.on_changed_file, OnChangedFile::Fail);
        assert!(config.pattern.matches("any/file.json") && !config.tolerates_errors);
    }

    #[test]
    fn bad_values_are_refused_with_their_key() {
        let cases = [
            ("topic", "a b", "a topic has letters"),
            ("path", "../x", "plain names"),
            ("format.class", "Orc", "must be auto"),
            ("volley.mode", "watch", "must be one of"),
            ("on.changed.file", "skip", "must be one of"),
            ("batch.max.rows", "0", "at least 1"),
            ("file.delim", "", "non-empty"),
            ("partition.columns", "a,a", "duplicate"),
        ];
        for (key, value, expected) in cases {
            let mut config = config_map(&[("store.url", "file:///tmp/x"), ("topic", "t")]);
            config.insert(key.to_owned(), value.to_owned());
            let message = SourceConfig::parse(&config).unwrap_err().to_string();
            assert!(message.contains(expected) && message.contains(key), "{key}={value}: {message}");
        }
        assert!(SourceConfig::parse(&config_map(&[("store.url", "file:///tmp/x")])).is_err());
    }
}
