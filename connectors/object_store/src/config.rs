//! The keys of `ObjectStoreSink`, and their values parsed into types.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use volley_api::{
    Config, ConfigDef, ConfigIssue, ConfigKey, ConfigMap, ConfigType, ConfigValue, Error, Importance, QueryEngine,
    Result, Validator, Width,
};
use volley_store::{StoreConfig, store_issues, store_keys};

use crate::chain::{FileNaming, FileTemplate, RotationPolicy};
use crate::evolution::Compatibility;
use crate::format::{
    FormatConfig, FormatKind, NAME_TEMPLATE, OUTPUT_FIELDS, SORTING_COLUMNS, compatibility, format_issues, format_keys,
};
use crate::keyed::{KeyedTemplate, keyed_issues};
use crate::layout::{PartitionerConfig, Zone, partitioner_issues, partitioner_keys};
use crate::siblings::{SiblingConfig, sibling_issues, sibling_keys, siblings_of};
use crate::store::RetryPolicy;
use crate::success::{SuccessFiles, success_key};

/// Class name of the connector.
pub(crate) const CLASS: &str = "ObjectStoreSink";

const URL_DOCUMENTATION: &str = "Where the files go: `file:///directory`, `s3://bucket/prefix`, `gs://bucket/prefix`, \
    `az://container/prefix` or `hdfs://name-node:8020/directory`. A local directory is created if it is missing, a bucket is not. One connector per place: two \
    that write the same topic into one `topics.dir` are refused.";
const TOPICS_DIR: &str = "topics.dir";
const FILE_DELIM: &str = "file.delim";
const PAD_WIDTH: &str = "filename.offset.zero.pad.width";
const FLUSH_SIZE: &str = "flush.size";
const ROTATE_BYTES: &str = "rotate.bytes";
const ROTATE_INTERVAL: &str = "rotate.interval.ms";
const ROTATE_SCHEDULE_INTERVAL: &str = "rotate.schedule.interval.ms";
const TIMEZONE: &str = "timezone";
const LOCALE: &str = "locale";
const ROTATE_IDLE: &str = "rotate.idle.ms";
const NULL_VALUES: &str = "behavior.on.null.values";
const TOMBSTONES: &str = "tombstone.encoded.partition";
const LAST_OFFSET: &str = "file.name.last.offset";
const JAVA_LOGS_DIR: &str = "java.logs.dir";
const SPOOL_DIRECTORY: &str = "file.spool.directory";
const OFFSET_TAGS: &str = "file.offset.tags";
const OBJECT_TAGS: &str = "store.s3.object.tags";
const RETRY_BACKOFF: &str = "retry.backoff.ms";
const RETRY_TIMEOUT: &str = "retry.timeout.ms";

const BY_CLOCK: &str = "directories are named by the clock: after a crash, records may be written again to the directory of a later \
    time, at least once; set `timestamp.extractor` to Record or RecordField to have each record once";

/// S3 takes ten tags, three of which are those of the offsets.
const MAX_FURTHER_TAGS: usize = 7;

/// What to do with a record whose value is null.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NullValues {
    /// Reject it.
    Fail,
    /// Leave it out.
    Ignore,
    /// Write what else there is of it.
    Keep,
    /// Write its key, into files of keys in a directory of their own.
    Write {
        /// The directory below the topic's.
        directory: Arc<str>,
    },
}

impl NullValues {
    /// From keys that have been checked.
    fn from_config(config: &Config) -> Self {
        match config.string(NULL_VALUES).unwrap_or_default().to_ascii_lowercase().as_str() {
            "ignore" => Self::Ignore,
            "keep" => Self::Keep,
            "write" => {
                Self::Write { directory: Arc::from(config.string(TOMBSTONES).unwrap_or_default().trim_matches('/')) }
            }
            _ => Self::Fail,
        }
    }

    /// Whether this is the directory of records without values.
    pub(crate) fn is_directory(&self, name: &str) -> bool {
        matches!(self, Self::Write { directory } if &**directory == name)
    }
}

/// The configuration of a task.
#[derive(Clone, Debug)]
pub(crate) struct SinkConfig {
    pub(crate) store: StoreConfig,
    /// A local directory for what waits for the end of a file.
    pub(crate) spool_directory: PathBuf,
    /// Of files of a chain.
    pub(crate) naming: FileNaming,
    /// Where a Java sink whose files are gone on with has its logs.
    pub(crate) java_logs_dir: Option<Arc<str>>,
    /// Where there is a file for each key, its name.
    pub(crate) keyed: Option<Arc<KeyedTemplate>>,
    pub(crate) format: FormatConfig,
    /// Which versions of a schema share a file.
    pub(crate) compatibility: Compatibility,
    /// Files beside each file.
    pub(crate) siblings: Vec<SiblingConfig>,
    /// Whether objects are tagged with their offsets.
    pub(crate) has_tags: bool,
    pub(crate) partitioner: PartitionerConfig,
    pub(crate) rotation: RotationPolicy,
    pub(crate) null_values: NullValues,
    pub(crate) retry: RetryPolicy,
    /// Where `_SUCCESS` is written at the end of a bounded run.
    pub(crate) success: SuccessFiles,
}

impl SinkConfig {
    /// Parses a configuration; the first thing wrong is the error.
    pub(crate) fn parse(config: &ConfigMap) -> Result<Self> {
        let config = with_times_of_template(config);
        let parsed = config_def().parse(&config)?;
        match config_issues(&parsed).into_iter().next() {
            None => {
                let mut sink = Self::from_config(&parsed)?;
                sink.store = sink.store.with_hadoop_keys(&config);
                Ok(sink)
            }
            Some(issue) => Err(Error::config(format!("invalid `{}`: {}", issue.key, issue.message))),
        }
    }

    /// The same, with what executes SQL.
    #[must_use]
    pub(crate) fn with_queries(mut self, queries: &Arc<dyn QueryEngine>) -> Self {
        if let PartitionerConfig::Sql(layout) = &mut self.partitioner {
            layout.queries = Some(Arc::clone(queries));
        }
        self
    }

    /// What a user should know of it.
    pub(crate) fn remarks(&self) -> Vec<String> {
        let is_by_clock = self.partitioner.is_by_clock();
        is_by_clock.then(|| BY_CLOCK.to_owned()).into_iter().collect()
    }

    /// Whether values are not looked into but to be written as JSON.
    pub(crate) fn takes_json_text(&self) -> bool {
        let is_json = matches!(self.format.kind, FormatKind::JsonLines { .. } | FormatKind::RecordJson { .. });
        is_json && self.format.output_fields.is_value_alone() && !self.partitioner.looks_into_values()
    }

    fn from_config(config: &Config) -> Result<Self> {
        let number = |key: &str| config.long(key).and_then(|number| u64::try_from(number).ok()).unwrap_or(0);
        let millis = |key: &str| Duration::from_millis(number(key));
        let positive = |key: &str| config.long(key).filter(|number| *number > 0);
        let partitioner = PartitionerConfig::from_config(config)?;
        let rotation = RotationPolicy {
            rows: number(FLUSH_SIZE).max(1),
            bytes: positive(ROTATE_BYTES).and_then(|bytes| usize::try_from(bytes).ok()),
            interval_ms: positive(ROTATE_INTERVAL),
            interval_by_clock: partitioner.is_by_clock(),
            schedule_ms: positive(ROTATE_SCHEDULE_INTERVAL),
            zone: zone(config).ok_or_else(|| Error::config(format!("invalid `{TIMEZONE}`")))?,
            idle_ms: positive(ROTATE_IDLE),
        };
        Ok(Self {
            store: StoreConfig::from_config(config)?,
            spool_directory: spool_directory(config),
            naming: naming(config)?,
            java_logs_dir: config.string(JAVA_LOGS_DIR).filter(|directory| !directory.is_empty()).map(Arc::from),
            keyed: KeyedTemplate::parse(config.string(NAME_TEMPLATE).unwrap_or_default()).ok().flatten().map(Arc::new),
            format: FormatConfig::from_config(config),
            compatibility: compatibility(config),
            siblings: siblings_of(config),
            has_tags: config.boolean(OFFSET_TAGS),
            partitioner,
            rotation,
            null_values: NullValues::from_config(config),
            retry: RetryPolicy { backoff: millis(RETRY_BACKOFF), timeout: millis(RETRY_TIMEOUT) },
            success: SuccessFiles::from_config(config),
        })
    }
}

fn spool_directory(config: &Config) -> PathBuf {
    let given = config.string(SPOOL_DIRECTORY).filter(|directory| !directory.is_empty());
    given.map_or_else(std::env::temp_dir, PathBuf::from)
}

fn naming(config: &Config) -> Result<FileNaming> {
    let template = config.string(NAME_TEMPLATE).filter(|template| !template.is_empty());
    if let Some(template) = template.filter(|template| !matches!(KeyedTemplate::parse(template), Ok(Some(_)))) {
        let template = FileTemplate::parse(template);
        let template = template.map_err(|reason| Error::config(format!("invalid `{NAME_TEMPLATE}`: {reason}")))?;
        return Ok(FileNaming::Template(Arc::new(template)));
    }
    let width = config.long(PAD_WIDTH).and_then(|width| usize::try_from(width).ok());
    Ok(FileNaming::Directories {
        topics_dir: Arc::from(config.string(TOPICS_DIR).unwrap_or_default().trim_matches('/')),
        delimiter: Arc::from(config.string(FILE_DELIM).unwrap_or_default()),
        offset_digits: width.unwrap_or(0).max(1),
        suffix: Arc::from(""),
        has_last_offset: config.boolean(LAST_OFFSET),
    })
}

/// The configuration with the partitioner that gives a template of names its times.
fn with_times_of_template(config: &ConfigMap) -> Cow<'_, ConfigMap> {
    let template = config.get(NAME_TEMPLATE).and_then(|template| FileTemplate::parse(template.trim()).ok());
    let Some((path, is_hourly)) = template.and_then(|template| Some((template.time_path()?, template.is_hourly())))
    else {
        return Cow::Borrowed(config);
    };
    let duration = if is_hourly { "3600000" } else { "86400000" };
    let mut config = config.clone();
    for (key, value) in [
        ("partitioner.class", "TimeBasedPartitioner"),
        ("path.format", path.as_str()),
        ("partition.duration.ms", duration),
    ] {
        config.insert(key.to_owned(), value.to_owned());
    }
    Cow::Owned(config)
}

fn zone(config: &Config) -> Option<Zone> {
    let id = config.string(TIMEZONE).unwrap_or_default();
    Zone::parse(if id.is_empty() { "UTC" } else { id })
}

/// What is wrong with keys that depend on each other. Single keys have been checked.
pub(crate) fn config_issues(config: &Config) -> Vec<ConfigIssue> {
    let mut issues = store_issues(config);
    issues.extend(format_issues(config));
    issues.extend(sibling_issues(config));
    if !siblings_of(config).is_empty() && !config.list(SORTING_COLUMNS).is_empty() {
        let message = format!("`{SORTING_COLUMNS}` and files of keys or headers, row for row, exclude each other");
        issues.push(ConfigIssue::new(SORTING_COLUMNS, message));
    }
    let writes_nulls = matches!(NullValues::from_config(config), NullValues::Write { .. });
    if writes_nulls && !config.boolean("store.kafka.keys") {
        let message =
            format!("`{NULL_VALUES}` write needs `store.kafka.keys` true: of such a record, its key is written");
        issues.push(ConfigIssue::new(NULL_VALUES, message));
    }
    let format = FormatConfig::from_config(config);
    let has_place_for_nulls = format.kind.is_of_records() || !format.output_fields.is_value_alone();
    if NullValues::from_config(config) == NullValues::Keep && !has_place_for_nulls {
        let message = format!(
            "`{NULL_VALUES}` keep needs a format of records, such as RecordJsonLines, or `{OUTPUT_FIELDS}` with more than the value"
        );
        issues.push(ConfigIssue::new(NULL_VALUES, message));
    }
    issues.extend(partitioner_issues(config));
    if config.boolean(LAST_OFFSET) {
        let has_names = |store: StoreConfig| matches!(store.url.scheme(), "file" | "hdfs" | "viewfs");
        if !StoreConfig::from_config(config).is_ok_and(has_names) {
            issues.push(ConfigIssue::new(LAST_OFFSET, "only in directories and in HDFS files may be named so"));
        }
        if !config.string(NAME_TEMPLATE).unwrap_or_default().is_empty() {
            issues.push(ConfigIssue::new(LAST_OFFSET, format!("`{NAME_TEMPLATE}` says how files are named")));
        }
    }
    issues.extend(keyed_issues(config));
    if config.boolean(OFFSET_TAGS) {
        let is_s3 = StoreConfig::from_config(config).is_ok_and(|store| matches!(store.url.scheme(), "s3" | "s3a"));
        if !is_s3 {
            issues.push(ConfigIssue::new(OFFSET_TAGS, "only objects in S3 have tags".to_owned()));
        }
        if config.list(OBJECT_TAGS).len() > MAX_FURTHER_TAGS {
            let message = format!("an object has at most 10 tags, and `{OFFSET_TAGS}` gives it 3");
            issues.push(ConfigIssue::new(OBJECT_TAGS, message));
        }
    }
    if !config.string(NAME_TEMPLATE).unwrap_or_default().is_empty() && writes_nulls {
        let message =
            format!("with `{NAME_TEMPLATE}` there is no directory for the keys that `{NULL_VALUES}` write asks for");
        issues.push(ConfigIssue::new(NULL_VALUES, message));
    }
    if zone(config).is_none() && issues.iter().all(|issue| issue.key != TIMEZONE) {
        let message = "give UTC, a place such as Europe/Berlin, or a fixed difference such as +02:00";
        issues.push(ConfigIssue::new(TIMEZONE, message));
    }
    issues
}

/// The keys, in the order in which they are shown.
pub(crate) fn config_def() -> ConfigDef {
    let store = grouped("Store", store_keys(URL_DOCUMENTATION));
    let format = grouped("Format", format_keys());
    let siblings = grouped("Keys and headers", sibling_keys());
    let partitioner = grouped("Partitioner", partitioner_keys().into_iter().map(with_our_default).collect());
    let keys = store
        .into_iter()
        .chain(file_keys())
        .chain(format)
        .chain(siblings)
        .chain(partitioner)
        .chain(rotation_keys())
        .chain(error_keys());
    keys.fold(ConfigDef::new(), ConfigDef::key)
}

/// Locale and time zone need not be given here.
fn with_our_default(key: ConfigKey) -> ConfigKey {
    match key.name.as_str() {
        LOCALE => key.defaulting_to(Some("en")),
        TIMEZONE => key.defaulting_to(Some("UTC")),
        _ => key,
    }
}

fn file_keys() -> Vec<ConfigKey> {
    use ConfigType::{Long, String};
    use Importance::{High, Low, Medium};
    let keys = vec![
        ConfigKey::with_default(
            TOPICS_DIR,
            String,
            "topics",
            High,
            "Directory below `store.url` under which each topic has its own; may be empty. Files are named \
             `<topics.dir>/<topic>/partition=<n>/<topic>+<n>+<offset of the first row, 10 digits>.<extension>`.",
        )
        .validated(Validator::custom(check_topics_dir)),
        ConfigKey::with_default(FILE_DELIM, String, "+", Low, "Stands between topic, partition and offset in file names.")
            .validated(Validator::custom(check_file_delim)),
        ConfigKey::with_default(
            PAD_WIDTH,
            Long,
            "10",
            Low,
            "Offsets in file names are filled up with zeros to this many digits.",
        )
        .validated(Validator::Between(0, 19)),
        ConfigKey::with_default(
            LAST_OFFSET,
            ConfigType::Boolean,
            "false",
            Low,
            "Whether the offset of the last row follows that of the first in file names, as in those of Confluent's sinks for \
             HDFS. Then files of these sinks count: records up to the largest offset in their names are skipped. For `file:` \
             and `hdfs:` only.",
        ),
        ConfigKey::optional(
            JAVA_LOGS_DIR,
            String,
            Low,
            "With `file.name.last.offset`, the directory below `store.url` where such a sink has its logs. The task fails where \
             they say that files have not been completed.",
        ),
        ConfigKey::optional(
            NAME_TEMPLATE,
            String,
            Low,
            "Paths of the files below `store.url`, in place of `topics.dir` and what follows it: a text with `{{topic}}`, \
             `{{partition}}`, `{{start_offset}}` (both with `:padding=true` if wanted) and `{{timestamp:unit=yyyy}}` (or `MM`, `dd`, `HH`), \
             the extension included. The time is that of `timestamp.extractor`, in `timezone`. With `{{key}}`, and `{{topic}}` and `{{partition}}` \
             if wanted, there is a file for each key, which newer records of it are written over.",
        )
        .validated(Validator::custom(check_template)),
        ConfigKey::with_default(
            OFFSET_TAGS,
            ConfigType::Boolean,
            "false",
            Low,
            "Whether each object in S3 is tagged with `startOffset`, `endOffset` (both of records in it) and `recordCount`.",
        ),
        ConfigKey::with_default(
            NULL_VALUES,
            String,
            "fail",
            Medium,
            "What to do with a record whose value is null: `fail` (an error, subject to `errors.tolerance`), `ignore`, `write` \
             (its key goes to a file of keys, see `tombstone.encoded.partition`; needs `store.kafka.keys`), or `keep` (what else is written \
             of a record: see `format.output.fields`).",
        )
        .validated(Validator::one_of_ignore_case(["fail", "ignore", "keep", "write"])),
        ConfigKey::with_default(
            TOMBSTONES,
            String,
            "tombstone",
            Low,
            "Directory below the topic's with the keys of records whose value is null, if these are written.",
        )
        .validated(Validator::custom(check_tombstones)),
        ConfigKey::optional(
            SPOOL_DIRECTORY,
            String,
            Low,
            "A directory on a local disk where the bytes of a large file wait until it is complete; by default the directory of \
             temporary files. For S3, if the server looks at the condition of an upload in parts, and for HDFS. Files of \
             `file:` wait in `.volley-tmp` below `store.url`, objects of other stores in memory.",
        ),
        success_key(),
    ];
    grouped("Files", keys)
}

fn rotation_keys() -> Vec<ConfigKey> {
    use ConfigType::Long;
    use Importance::{High, Medium};
    let keys = vec![
        ConfigKey::with_default(FLUSH_SIZE, Long, "1000000", High, "A file is completed when it has this many rows.")
            .validated(Validator::AtLeast(1)),
        ConfigKey::with_default(
            ROTATE_BYTES,
            Long,
            "134217728",
            Medium,
            "A file is completed when its encoded size reaches about this many bytes; -1 = never. The bytes of a \
             large file wait on disk until it is complete, see `file.spool.directory`. Where they cannot, they are held in memory; when the \
             worker's memory budget is used up, the largest file is completed early.",
        )
        .validated(Validator::custom(check_positive_or_off)),
        ConfigKey::with_default(
            ROTATE_INTERVAL,
            Long,
            "-1",
            Medium,
            "A file is completed before a record whose timestamp is this many milliseconds or more after that of the \
             file's first record; -1 = never. It takes such a record, unless `timestamp.extractor` is Wallclock: see \
             `rotate.idle.ms` and `rotate.schedule.interval.ms` for the clock on the wall.",
        )
        .validated(Validator::custom(check_positive_or_off)),
        ConfigKey::with_default(
            ROTATE_SCHEDULE_INTERVAL,
            Long,
            "-1",
            Medium,
            "All open files are completed at multiples of this many milliseconds since midnight in `timezone`, whether \
             or not records arrive; -1 = never. Records are still written exactly once.",
        )
        .validated(Validator::custom(check_positive_or_off)),
        ConfigKey::with_default(
            ROTATE_IDLE,
            Long,
            "60000",
            Medium,
            "A file is completed when it has had no new row for this many milliseconds; -1 = never.",
        )
        .validated(Validator::custom(check_positive_or_off)),
    ];
    grouped("Rotation", keys)
}

fn error_keys() -> Vec<ConfigKey> {
    use ConfigType::Long;
    use Importance::{Low, Medium};
    let keys = vec![
        ConfigKey::with_default(
            RETRY_BACKOFF,
            Long,
            "500",
            Low,
            "Wait before a failed write is tried again, in milliseconds; doubles with each try, up to 30 seconds.",
        )
        .validated(Validator::AtLeast(1)),
        ConfigKey::with_default(
            RETRY_TIMEOUT,
            Long,
            "300000",
            Medium,
            "How long a write that fails (store out of reach, disk full) is tried again, in milliseconds, before the \
             task fails. Nothing is lost by that: offsets are committed only for complete files.",
        )
        .validated(Validator::AtLeast(0)),
    ];
    grouped("Errors", keys)
}

pub(crate) fn grouped(group: &str, keys: Vec<ConfigKey>) -> Vec<ConfigKey> {
    let numbered = (1..).zip(keys);
    numbered
        .map(|(order, key)| {
            let name = key.name.clone();
            key.grouped(group, order, Width::Medium, &name)
        })
        .collect()
}

type Checked = std::result::Result<(), String>;

fn check_text(value: &ConfigValue, check: impl FnOnce(&str) -> Checked) -> Checked {
    match value {
        ConfigValue::String(text) => check(text),
        _ => Ok(()),
    }
}

fn check_topics_dir(value: &ConfigValue) -> Checked {
    check_text(value, check_path)
}

fn check_path(text: &str) -> Checked {
    let inner = text.trim_matches('/');
    let is_bad = |part: &str| part.is_empty() || part == "." || part == ".." || part.contains(char::is_control);
    if !inner.is_empty() && inner.split('/').any(is_bad) {
        return Err("a path of plain names, parted by /, is needed".to_owned());
    }
    Ok(())
}

fn check_tombstones(value: &ConfigValue) -> Checked {
    check_text(value, |text| match text.trim_matches('/').is_empty() {
        true => Err("the name of a directory is needed".to_owned()),
        false => check_path(text),
    })
}

fn check_template(value: &ConfigValue) -> Checked {
    check_text(value, |text| match KeyedTemplate::parse(text)? {
        None if !text.is_empty() => FileTemplate::parse(text).map(drop),
        _ => Ok(()),
    })
}

fn check_file_delim(value: &ConfigValue) -> Checked {
    check_text(value, |text| {
        let is_bad =
            |letter: char| letter.is_ascii_digit() || letter.is_control() || matches!(letter, '/' | '\\' | '.');
        if text.is_empty() || text.contains(is_bad) {
            return Err("letters and signs other than `/`, `.` and digits are needed".to_owned());
        }
        Ok(())
    })
}

fn check_positive_or_off(value: &ConfigValue) -> Checked {
    match value {
        ConfigValue::Long(number) if *number < -1 || *number == 0 => Err("Value must be at least 1, or -1".to_owned()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use parquet::basic::{Compression, ZstdLevel};
    use volley_api::testing::config_map;

    use super::*;

    #[test]
    fn the_url_alone_is_enough() {
        let config = SinkConfig::parse(&config_map(&[("store.url", "file:///tmp/a%20b")])).unwrap();
        assert_eq!(config.store.local_root().unwrap(), PathBuf::from("/tmp/a b"));
        assert!(matches!(config.naming, FileNaming::Directories { topics_dir, .. } if &*topics_dir == "topics"));
        let zstd = Compression::ZSTD(ZstdLevel::try_new(1).unwrap());
        assert!(matches!(config.format.kind, FormatKind::Parquet(options) if options.compression == zstd));
        assert_eq!(&*config.format.extension, ".parquet");
        assert_eq!(config.null_values, NullValues::Fail);
        assert_eq!((config.rotation.interval_ms, config.rotation.idle_ms), (None, Some(60_000)));
    }

    #[test]
    fn bad_values_are_refused_with_their_key() {
        let cases = [
            ("store.url", "", "relative URL"),
            ("store.url", "/tmp/x", "relative URL"),
            ("store.url", "file://relative/x", "three slashes"),
            ("store.url", "s3:///x", "names no bucket"),
            ("store.url", "ftp://host/x", "unknown scheme `ftp`"),
            ("store.s3.endpoint", "localhost:9000", "not a URL such as"),
            ("topics.dir", "../up", "plain names"),
            ("format.class", "io.confluent.connect.hdfs.orc.OrcFormat", "ORC files are not written"),
            ("format.class", "Excel", "must be Parquet"),
            ("file.compression.type", "gzip", "set `parquet.codec`"),
            ("file.extension", "parquet", "begins with a dot"),
            ("file.extension", ".pq", "must end with `.parquet`"),
            ("file.delim", "0", "other than"),
            ("file.name.template", "{{topic}}", "all needed"),
            ("format.output.fields", "header", "not offered"),
            ("parquet.codec", "lzo", "must be one of"),
            ("flush.size", "0", "at least 1"),
            ("rotate.idle.ms", "0", "at least 1, or -1"),
            ("timezone", "Mars/Olympus", "such as +02:00"),
            ("store.s3.access.key.id", "AKIA", "`store.s3.secret.access.key` is needed"),
        ];
        for (key, value, expected) in cases {
            let mut config = config_map(&[("store.url", "file:///tmp/x")]);
            config.insert(key.to_owned(), value.to_owned());
            let message = SinkConfig::parse(&config).unwrap_err().to_string();
            assert!(message.contains(expected) && message.contains(key), "{key}={value}: {message}");
        }
        let s3 = [("store.url", "s3://b/p"), ("file.name.last.offset", "true")];
        let message = SinkConfig::parse(&config_map(&s3)).unwrap_err().to_string();
        assert!(message.contains("`file.name.last.offset`: only in directories and in HDFS"), "{message}");
        let both = [("store.url", "file:///x"), ("parquet.sorting.columns", "a"), ("store.kafka.keys", "true")];
        let message = SinkConfig::parse(&config_map(&both)).unwrap_err().to_string();
        assert!(message.contains("row for row, exclude each other"), "{message}");
        let message = SinkConfig::parse(&config_map(&[])).unwrap_err().to_string();
        assert!(message.contains("\"store.url\""), "{message}");
    }

    #[test]
    fn secrets_do_not_show() {
        let entries =
            [("store.url", "s3://b/p"), ("store.s3.access.key.id", "AKIA"), ("store.s3.secret.access.key", "hunter2")];
        let config = SinkConfig::parse(&config_map(&entries)).unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
