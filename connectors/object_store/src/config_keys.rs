//! The keys of `ObjectStoreSink`, as users see them.

use volley_api::{ConfigDef, ConfigKey, ConfigType, ConfigValue, Importance, Validator, Width};
use volley_store::store_keys;

use crate::chain::FileTemplate;
use crate::format::{NAME_TEMPLATE, format_keys};
use crate::keyed::KeyedTemplate;
use crate::layout::partitioner_keys;
use crate::siblings::sibling_keys;
use crate::success::success_key;

const URL_DOCUMENTATION: &str = "Where the files go: `file:///directory`, `s3://bucket/prefix`, `gs://bucket/prefix`, \
    `az://container/prefix` or `hdfs://name-node:8020/directory`. A local directory is created if it is missing, a bucket is not. One connector per place: two \
    that write the same topic into one `topics.dir` are refused.";
pub(crate) const TOPICS_DIR: &str = "topics.dir";
pub(crate) const FILE_DELIM: &str = "file.delim";
pub(crate) const PAD_WIDTH: &str = "filename.offset.zero.pad.width";
pub(crate) const FLUSH_SIZE: &str = "flush.size";
pub(crate) const ROTATE_BYTES: &str = "rotate.bytes";
pub(crate) const ROTATE_INTERVAL: &str = "rotate.interval.ms";
pub(crate) const ROTATE_SCHEDULE_INTERVAL: &str = "rotate.schedule.interval.ms";
pub(crate) const TIMEZONE: &str = "timezone";
pub(crate) const LOCALE: &str = "locale";
pub(crate) const ROTATE_IDLE: &str = "rotate.idle.ms";
pub(crate) const NULL_VALUES: &str = "behavior.on.null.values";
pub(crate) const TOMBSTONES: &str = "tombstone.encoded.partition";
pub(crate) const LAST_OFFSET: &str = "file.name.last.offset";
pub(crate) const JAVA_LOGS_DIR: &str = "java.logs.dir";
pub(crate) const SPOOL_DIRECTORY: &str = "file.spool.directory";
pub(crate) const OFFSET_TAGS: &str = "file.offset.tags";
pub(crate) const OBJECT_TAGS: &str = "store.s3.object.tags";
pub(crate) const RETRY_BACKOFF: &str = "retry.backoff.ms";
pub(crate) const RETRY_TIMEOUT: &str = "retry.timeout.ms";

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
