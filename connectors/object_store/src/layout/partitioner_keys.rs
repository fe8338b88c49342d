//! The keys that say which directories there are.

use volley_api::{ConfigKey, ConfigType, ConfigValue, Importance, Validator};

use super::partitioner_class::{DEFAULT_CLASS, PartitionerClass};

pub(crate) const PARTITIONER_CLASS: &str = "partitioner.class";
pub(crate) const PARTITION_FIELD_NAME: &str = "partition.field.name";
pub(crate) const PARTITION_SQL: &str = "partition.sql";
pub(crate) const PARTITION_FIELD_FORMAT_PATH: &str = "partition.field.format.path";
pub(crate) const PARTITION_DURATION: &str = "partition.duration.ms";
pub(crate) const PATH_FORMAT: &str = "path.format";
pub(crate) const LOCALE: &str = "locale";
pub(crate) const TIMEZONE: &str = "timezone";
pub(crate) const TIMESTAMP_EXTRACTOR: &str = "timestamp.extractor";
pub(crate) const TIMESTAMP_FIELD: &str = "timestamp.field";
pub(crate) const DIRECTORY_DELIM: &str = "directory.delim";

/// The keys, in the order in which they are shown. `locale` and `timezone` are empty by default, as Confluent has them:
/// partitioners by time need both. A connector with other defaults sets them with [`ConfigKey::defaulting_to`].
pub(crate) fn partitioner_keys() -> Vec<ConfigKey> {
    use ConfigType::{Boolean, Class, List, Long, String};
    use Importance::{High, Low, Medium};
    vec![
        ConfigKey::with_default(
            PARTITIONER_CLASS,
            Class,
            DEFAULT_CLASS,
            High,
            "Which directory below its topic a record goes to: `DefaultPartitioner` (its Kafka partition), \
             `FieldPartitioner` (values of fields), `TimeBasedPartitioner`, `DailyPartitioner`, `HourlyPartitioner` \
             (its time), `FieldAndTimeBasedPartitioner` (values of fields, then its time) or `SqlPartitioner` (columns of \
             SQL). The package may be left out.",
        )
        .validated(Validator::custom(check_class)),
        ConfigKey::with_default(
            PARTITION_FIELD_NAME,
            List,
            "",
            Medium,
            "Fields of the value that name the directories, for partitioners by field: `country,address.city` gives \
             `country=DE/address.city=Berlin`. A `/` in a value is written as `%2F`, a null as `null`.",
        ),
        ConfigKey::with_default(
            PARTITION_SQL,
            String,
            "",
            Medium,
            "For `SqlPartitioner`: columns that name the directories, as they stand behind SELECT: `upper(country) AS country, \
             to_char(ordered, '%Y-%m') AS month` gives `country=DE/month=2026-11`. The files do not have them. Time and \
             chance are not possible.",
        ),
        ConfigKey::with_default(
            PARTITION_FIELD_FORMAT_PATH,
            Boolean,
            "true",
            Low,
            "For `FieldAndTimeBasedPartitioner` and `SqlPartitioner`: whether the name of a field stands before its value \
             (`country=DE`) or not (`DE`).",
        ),
        ConfigKey::with_default(
            PARTITION_DURATION,
            Long,
            "-1",
            Medium,
            "For `TimeBasedPartitioner`: the span of time that a directory is for, in milliseconds. `3600000` for \
             `path.format` with an hour, `86400000` for one with a day.",
        ),
        ConfigKey::with_default(
            PATH_FORMAT,
            String,
            "",
            Medium,
            "For `TimeBasedPartitioner`: a pattern of Joda-Time for the directories, such as \
             `'year'=YYYY/'month'=MM/'day'=dd`. Letters in apostrophes stand for themselves.",
        ),
        ConfigKey::with_default(
            LOCALE,
            String,
            "",
            Medium,
            "Language of the names of months and weekdays in `path.format` (`MMM`, `EEE`): a code such as `en`. A \
             value with a country, such as `en-US`, gives short English names.",
        ),
        ConfigKey::with_default(
            TIMEZONE,
            String,
            "",
            Medium,
            "Time zone of the directories: `UTC`, a place such as `Europe/Berlin`, or an offset such as `+02:00`.",
        ),
        ConfigKey::with_default(
            TIMESTAMP_EXTRACTOR,
            String,
            "Wallclock",
            Medium,
            "Which time counts for partitioners by time: `Wallclock` (when the record is written), `Record` (its \
             Kafka timestamp) or `RecordField` (the field `timestamp.field`). With `Wallclock` a record that is read \
             again may go to another directory.",
        ),
        ConfigKey::with_default(
            TIMESTAMP_FIELD,
            String,
            "timestamp",
            Medium,
            "For `RecordField`: the field that has the time, such as `payload.created`. It is a timestamp, a date, a \
             number of milliseconds since 1970-01-01 UTC, or a text of ISO 8601; a text without an offset is in \
             `timezone`.",
        ),
        ConfigKey::with_default(
            DIRECTORY_DELIM,
            String,
            "/",
            Medium,
            "What stands between the directories of a partitioner: `/`, or a text without `/` to have one directory \
             with a long name.",
        )
        .validated(Validator::custom(check_delim)),
    ]
}

type Checked = std::result::Result<(), std::string::String>;

fn check_class(value: &ConfigValue) -> Checked {
    match value {
        ConfigValue::String(name) if PartitionerClass::parse(name).is_none() => Err("give DefaultPartitioner, \
             FieldPartitioner, TimeBasedPartitioner, DailyPartitioner, HourlyPartitioner or FieldAndTimeBasedPartitioner"
            .to_owned()),
        ConfigValue::Null => Err("give the class of a partitioner, such as DefaultPartitioner".to_owned()),
        _ => Ok(()),
    }
}

fn check_delim(value: &ConfigValue) -> Checked {
    match value {
        ConfigValue::String(delim) if delim == "/" => Ok(()),
        ConfigValue::String(delim)
            if delim.contains(|letter: char| matches!(letter, '/' | '\\') || letter.is_control()) =>
        {
            Err("give one `/`, or a text without `/` and `\\`".to_owned())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use volley_api::ConfigDef;
    use volley_api::testing::config_map;

    use super::*;

    #[test]
    fn single_keys_are_checked_by_themselves() {
        let def = partitioner_keys().into_iter().fold(ConfigDef::new(), ConfigDef::key);
        for (key, value) in [
            ("partitioner.class", "com.acme.Mine"),
            ("partitioner.class", ""),
            ("directory.delim", "//"),
            ("directory.delim", "a/b"),
            ("directory.delim", "\\"),
        ] {
            let (_, issues) = def.validate(&config_map(&[(key, value)]));
            assert_eq!(issues.iter().map(|issue| issue.key.as_str()).collect::<Vec<_>>(), [key], "{value}");
        }
    }
}
