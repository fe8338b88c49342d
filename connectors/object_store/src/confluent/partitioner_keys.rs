//! The keys that say which directories there are. They mean the same in `ObjectStoreSink`.

use volley_api::{ConfigKey, ConfigType, Importance};

use super::storage_keys::grouped;
use super::translation::Translation;

const PARTITIONER_CLASS: &str = "partitioner.class";
/// Whose midnight counts, for partitioners by time and for rotation.
pub(crate) const TIMEZONE: &str = "timezone";
const KEYS: [&str; 8] = [
    PARTITIONER_CLASS,
    "partition.field.name",
    "partition.duration.ms",
    "path.format",
    "locale",
    TIMEZONE,
    "timestamp.extractor",
    "timestamp.field",
];

/// The keys, with Confluent's defaults.
pub(crate) fn partitioner_keys() -> Vec<ConfigKey> {
    use ConfigType::{Class, List, Long, String};
    use Importance::{High, Medium};
    let [class, fields, duration, format, locale, timezone, extractor, field] = KEYS;
    let default_class = "io.confluent.connect.storage.partitioner.DefaultPartitioner";
    let keys = vec![
        ConfigKey::with_default(class, Class, default_class, High, "Which directory below its topic a record goes to."),
        ConfigKey::with_default(fields, List, "", Medium, "Fields of the value that name the directories."),
        ConfigKey::with_default(duration, Long, "-1", Medium, "The time that a directory is for, in milliseconds."),
        ConfigKey::with_default(format, String, "", Medium, "Pattern of the directories by time, as Joda-Time has it."),
        ConfigKey::with_default(locale, String, "", Medium, "Language of the names of months and days."),
        ConfigKey::with_default(timezone, String, "", Medium, "Time zone of directories by time, and of the rotation."),
        ConfigKey::with_default(extractor, String, "Wallclock", Medium, "Which time of a record counts."),
        ConfigKey::with_default(field, String, "timestamp", Medium, "The field with the time, for `RecordField`."),
    ];
    grouped("Partitioner", keys)
}

/// Hands the keys on. What is wrong with them is said for `ObjectStoreSink`, which has the same keys.
pub(crate) fn translate_partitioner(translation: &mut Translation<'_>) {
    translation.same(&KEYS);
}
