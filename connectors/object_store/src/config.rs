//! The keys of `ObjectStoreSink`, and their values parsed into types.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use volley_api::{Config, ConfigIssue, ConfigMap, Error, QueryEngine, Result};
use volley_store::{StoreConfig, store_issues};

use crate::chain::{FileNaming, FileTemplate, RotationPolicy};
use crate::config_keys::{
    FILE_DELIM, FLUSH_SIZE, JAVA_LOGS_DIR, LAST_OFFSET, NULL_VALUES, OBJECT_TAGS, OFFSET_TAGS, PAD_WIDTH,
    RETRY_BACKOFF, RETRY_TIMEOUT, ROTATE_BYTES, ROTATE_IDLE, ROTATE_INTERVAL, ROTATE_SCHEDULE_INTERVAL,
    SPOOL_DIRECTORY, TIMEZONE, TOMBSTONES, TOPICS_DIR,
};
pub(crate) use crate::config_keys::{config_def, grouped};
use crate::evolution::Compatibility;
use crate::format::{
    FormatConfig, FormatKind, NAME_TEMPLATE, OUTPUT_FIELDS, SORTING_COLUMNS, compatibility, format_issues,
};
use crate::keyed::{KeyedTemplate, keyed_issues};
use crate::layout::{PartitionerConfig, Zone, partitioner_issues};
use crate::siblings::{SiblingConfig, sibling_issues, siblings_of};
use crate::store::RetryPolicy;
use crate::success::SuccessFiles;

/// Class name of the connector.
pub(crate) const CLASS: &str = "ObjectStoreSink";

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
