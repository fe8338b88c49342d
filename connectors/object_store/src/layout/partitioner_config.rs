//! Which directories there are, from the values of the keys.

use volley_api::{Config, ConfigIssue, ConfigValue, Error, Result};

use super::default_partitioner::DefaultPartitioner;
use super::field_and_time_partitioner::FieldAndTimePartitioner;
use super::field_partitioner::{FieldLayout, FieldPartitioner};
use super::field_path::FieldPath;
use super::one_directory::OneDirectory;
use super::partitioner::Partitioner;
use super::partitioner_class::{ExtractorClass, PartitionerClass};
use super::partitioner_keys::{
    DIRECTORY_DELIM, LOCALE, PARTITION_DURATION, PARTITION_FIELD_FORMAT_PATH, PARTITION_FIELD_NAME, PARTITION_SQL,
    PARTITIONER_CLASS, PATH_FORMAT, TIMESTAMP_EXTRACTOR, TIMESTAMP_FIELD, TIMEZONE,
};
use super::sql_partitioner::{SqlLayout, SqlPartitioner};
use super::time::{PathPattern, TimestampExtractor, Zone};
use super::time_partitioner::{TimeLayout, TimePartitioner};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 86_400_000;
/// Stands between the fields of a `FieldAndTimeBasedPartitioner`, whatever `directory.delim` is.
const FIELD_AND_TIME_DELIM: &str = "/";

/// A partitioner, as configured.
#[derive(Clone, Debug)]
pub(crate) enum PartitionerConfig {
    /// One directory for all. No key says so.
    One,
    /// A directory for each Kafka partition.
    Default,
    /// A directory for each value of some fields.
    Field(FieldLayout),
    /// A directory for each span of time.
    Time(TimeLayout),
    /// Directories of fields, and in them directories of time.
    FieldAndTime {
        /// The outer directories.
        fields: FieldLayout,
        /// The inner ones.
        time: TimeLayout,
        /// Stands between them.
        delim: String,
    },
    /// A directory for each value of columns of SQL.
    Sql(SqlLayout),
}

impl PartitionerConfig {
    /// From keys that have been checked one by one.
    ///
    /// # Errors
    /// `Config`: the first of the [`partitioner_issues`].
    pub(crate) fn from_config(config: &Config) -> Result<Self> {
        let mut issues = Issues::default();
        let read = Self::read(config, &mut issues);
        match (read, issues.0.into_iter().next()) {
            (Some(read), None) => Ok(read),
            (_, Some(issue)) => Err(Error::config(issue.message)),
            (None, None) => Err(Error::config(format!("`{PARTITIONER_CLASS}` names no partitioner"))),
        }
    }

    /// Whether the directory of a record depends on its value.
    pub(crate) fn looks_into_values(&self) -> bool {
        match self {
            Self::One | Self::Default => false,
            Self::Time(time) => matches!(time.extractor, TimestampExtractor::RecordField(_)),
            Self::Field(_) | Self::FieldAndTime { .. } | Self::Sql(_) => true,
        }
    }

    /// Whether the directory of a record depends on its timestamp.
    pub(crate) fn is_by_time_of_record(&self) -> bool {
        match self {
            Self::One | Self::Default | Self::Field(_) | Self::Sql(_) => false,
            Self::Time(time) | Self::FieldAndTime { time, .. } => matches!(time.extractor, TimestampExtractor::Record),
        }
    }

    /// Whether the clock has a say in the directory of a record.
    pub(crate) fn is_by_clock(&self) -> bool {
        match self {
            Self::Time(time) | Self::FieldAndTime { time, .. } => {
                matches!(time.extractor, TimestampExtractor::Wallclock)
            }
            _ => false,
        }
    }

    /// The partitioner.
    ///
    /// # Errors
    /// `Config` if there is something wrong with its SQL.
    pub(crate) fn partitioner(&self) -> Result<Box<dyn Partitioner>> {
        Ok(match self.clone() {
            Self::One => Box::new(OneDirectory),
            Self::Default => Box::new(DefaultPartitioner),
            Self::Field(fields) => Box::new(FieldPartitioner::new(fields)),
            Self::Time(time) => Box::new(TimePartitioner::new(time)),
            Self::FieldAndTime { fields, time, delim } => Box::new(FieldAndTimePartitioner::new(fields, time, delim)),
            Self::Sql(layout) => Box::new(SqlPartitioner::new(layout)?),
        })
    }

    fn read(config: &Config, issues: &mut Issues) -> Option<Self> {
        // a name that is none has been reported with its key
        let class = PartitionerClass::parse(config.string(PARTITIONER_CLASS)?)?;
        let delim = config.string(DIRECTORY_DELIM).unwrap_or("/");
        let field_delim = if class == PartitionerClass::Field { delim } else { FIELD_AND_TIME_DELIM };
        if class == PartitionerClass::Sql {
            return sql_layout(config, delim, issues).map(Self::Sql);
        }
        let fields = class.has_fields().then(|| field_layout(config, field_delim, issues));
        let time = class.has_time().then(|| time_layout(config, class, delim, issues));
        match (fields, time) {
            (None, None) => Some(Self::Default),
            (Some(fields), None) => Some(Self::Field(fields?)),
            (None, Some(time)) => Some(Self::Time(time?)),
            (Some(fields), Some(time)) => {
                Some(Self::FieldAndTime { fields: fields?, time: time?, delim: delim.to_owned() })
            }
        }
    }
}

/// What is wrong with keys that depend on each other. Single keys have been checked. Keys that the partitioner does not
/// use may have any value.
pub(crate) fn partitioner_issues(config: &Config) -> Vec<ConfigIssue> {
    let mut issues = Issues::default();
    PartitionerConfig::read(config, &mut issues);
    issues.0
}

#[derive(Debug, Default)]
struct Issues(Vec<ConfigIssue>);

impl Issues {
    /// Reports a value in the words of Kafka's ConfigException, and gives none.
    fn report<T>(&mut self, key: &str, value: &str, reason: &str) -> Option<T> {
        self.0.push(ConfigIssue::new(key, format!("Invalid value {value} for configuration {key}: {reason}")));
        None
    }
}

fn field_layout(config: &Config, delim: &str, issues: &mut Issues) -> Option<FieldLayout> {
    let names = config.list(PARTITION_FIELD_NAME);
    if names.is_empty() || names.iter().any(String::is_empty) {
        let value = names.join(",");
        return issues.report(
            PARTITION_FIELD_NAME,
            &value,
            "name the field of each directory, such as country,address.city",
        );
    }
    let has_names = *config.get(PARTITION_FIELD_FORMAT_PATH) != ConfigValue::Boolean(false);
    Some(FieldLayout {
        fields: names.iter().map(|name| FieldPath::new(name)).collect(),
        with_names: has_names
            || config.string(PARTITIONER_CLASS).and_then(PartitionerClass::parse) == Some(PartitionerClass::Field),
        delim: delim.to_owned(),
    })
}

fn sql_layout(config: &Config, delim: &str, issues: &mut Issues) -> Option<SqlLayout> {
    let columns = config.string(PARTITION_SQL).unwrap_or_default();
    if columns.trim().is_empty() {
        let reason = "give the columns that name the directories, such as upper(country) AS country";
        return issues.report(PARTITION_SQL, columns, reason);
    }
    Some(SqlLayout {
        columns: columns.to_owned(),
        with_names: *config.get(PARTITION_FIELD_FORMAT_PATH) != ConfigValue::Boolean(false),
        delim: delim.to_owned(),
        queries: None,
    })
}

/// Everything that is wrong is reported, not the first thing only.
fn time_layout(config: &Config, class: PartitionerClass, delim: &str, issues: &mut Issues) -> Option<TimeLayout> {
    let text = |key: &str| config.string(key).unwrap_or_default();
    let (duration_ms, format) = match class {
        PartitionerClass::Hourly => (Some(HOUR_MS), Some(hourly_format(delim))),
        PartitionerClass::Daily => (Some(DAY_MS), Some(daily_format(delim))),
        _ => (duration(config, issues), path_format(text(PATH_FORMAT), delim, issues)),
    };
    let locale = match text(LOCALE) {
        "" => issues.report(LOCALE, "", "Locale cannot be empty."),
        locale => Some(locale),
    };
    let zone = match (text(TIMEZONE), Zone::parse(text(TIMEZONE))) {
        ("", _) => issues.report(TIMEZONE, "", "Timezone cannot be empty."),
        (id, None) => {
            let reason = format!(
                "The datetime zone id '{id}' is not recognised; give a name such as Europe/Berlin, UTC or +02:00"
            );
            issues.report(TIMEZONE, id, &reason)
        }
        (_, zone) => zone,
    };
    let extractor = extractor(config, issues);
    let (zone, format) = (zone?, format?);
    // an empty locale has been reported; what else is wrong with the pattern is said as well
    let pattern = match PathPattern::parse(&format, locale.unwrap_or("en"), &zone) {
        Ok(pattern) => Some(pattern),
        Err(reason) => issues.report(PATH_FORMAT, &format, &reason),
    };
    locale?;
    Some(TimeLayout { duration_ms: duration_ms?, pattern: pattern?, zone, extractor: extractor? })
}

fn duration(config: &Config, issues: &mut Issues) -> Option<i64> {
    let duration = config.long(PARTITION_DURATION)?;
    if duration <= 0 {
        return issues.report(PARTITION_DURATION, &duration.to_string(), "Partition duration needs to be a positive.");
    }
    Some(duration)
}

/// The format without a delimiter at its end.
fn path_format(format: &str, delim: &str, issues: &mut Issues) -> Option<String> {
    if format.is_empty() || format == delim {
        return issues.report(PATH_FORMAT, format, "Path format cannot be empty.");
    }
    let without = if delim.is_empty() { None } else { format.strip_suffix(delim) };
    Some(without.unwrap_or(format).to_owned())
}

fn extractor(config: &Config, issues: &mut Issues) -> Option<TimestampExtractor> {
    let name = config.string(TIMESTAMP_EXTRACTOR).unwrap_or_default();
    let field = config.string(TIMESTAMP_FIELD).unwrap_or_default();
    match ExtractorClass::parse(name) {
        Some(ExtractorClass::Wallclock) => Some(TimestampExtractor::Wallclock),
        Some(ExtractorClass::Record) => Some(TimestampExtractor::Record),
        Some(ExtractorClass::RecordField) if field.is_empty() => {
            issues.report(TIMESTAMP_FIELD, field, "name the field that has the time")
        }
        Some(ExtractorClass::RecordField) => Some(TimestampExtractor::RecordField(FieldPath::new(field))),
        None => {
            let reason = format!("Invalid timestamp extractor: {name}; give Wallclock, Record or RecordField");
            issues.report(TIMESTAMP_EXTRACTOR, name, &reason)
        }
    }
}

fn daily_format(delim: &str) -> String {
    let delim = quoted(delim);
    format!("'year'=YYYY'{delim}month'=MM'{delim}day'=dd")
}

fn hourly_format(delim: &str) -> String {
    format!("{}'{}hour'=HH", daily_format(delim), quoted(delim))
}

/// A text that stands for itself between apostrophes.
fn quoted(text: &str) -> String {
    text.replace('\'', "''")
}

#[cfg(test)]
mod tests {
    use volley_api::ConfigDef;
    use volley_api::testing::config_map;

    use super::*;
    use crate::layout::partitioner_keys::partitioner_keys;

    fn parsed(entries: &[(&str, &str)]) -> Config {
        let def = partitioner_keys().into_iter().fold(ConfigDef::new(), ConfigDef::key);
        def.parse(&config_map(entries)).unwrap()
    }

    fn issues(entries: &[(&str, &str)]) -> Vec<(String, String)> {
        partitioner_issues(&parsed(entries)).into_iter().map(|issue| (issue.key, issue.message)).collect()
    }

    #[test]
    fn what_a_time_based_partitioner_lacks_is_said_at_once_in_confluent_s_words() {
        let found = issues(&[("partitioner.class", "TimeBasedPartitioner")]);
        let expected = [
            ("partition.duration.ms", "-1", "Partition duration needs to be a positive."),
            ("path.format", "", "Path format cannot be empty."),
            ("locale", "", "Locale cannot be empty."),
            ("timezone", "", "Timezone cannot be empty."),
        ];
        let expected = expected.map(|(key, value, reason)| {
            (key.to_owned(), format!("Invalid value {value} for configuration {key}: {reason}"))
        });
        assert_eq!(found, expected);
        let error = PartitionerConfig::from_config(&parsed(&[("partitioner.class", "Daily")])).unwrap_err();
        assert_eq!(error.to_string(), "Invalid value  for configuration locale: Locale cannot be empty.");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_key() {
        let base = [
            ("partitioner.class", "FieldAndTime"),
            ("partition.field.name", "a"),
            ("partition.duration.ms", "1"),
            ("path.format", "YYYY/"),
            ("locale", "en"),
            ("timezone", "UTC"),
            ("timestamp.extractor", "RecordField"),
        ];
        assert_eq!(issues(&base), []);
        let cases = [
            ("partition.field.name", "", "name the field"),
            ("partition.field.name", "a,,b", "name the field"),
            ("partition.duration.ms", "0", "Partition duration needs to be a positive."),
            ("path.format", "/", "Path format cannot be empty."),
            ("path.format", "YYYY/TT", "Illegal pattern component: TT"),
            ("path.format", "../YYYY", "it makes the path `../1970`"),
            ("timezone", "PST", "The datetime zone id 'PST' is not recognised"),
            ("timestamp.extractor", "com.acme.Mine", "Invalid timestamp extractor: com.acme.Mine"),
            ("timestamp.field", "", "name the field that has the time"),
        ];
        for (key, value, expected) in cases {
            let entries: Vec<_> =
                base.iter().copied().filter(|(other, _)| *other != key).chain([(key, value)]).collect();
            let found = issues(&entries);
            assert!(found.len() == 1 && found[0].0 == key && found[0].1.contains(expected), "{found:?}");
        }
    }

    #[test]
    fn keys_that_the_partitioner_does_not_use_may_be_wrong() {
        let odd =
            [("timezone", "PST"), ("path.format", "TT"), ("timestamp.extractor", "x"), ("partition.field.name", ",")];
        assert_eq!(issues(&odd), []);
        assert!(matches!(PartitionerConfig::from_config(&parsed(&odd)), Ok(PartitionerConfig::Default)));
    }

    #[test]
    fn whatever_changes_the_directories_changes_the_signature() {
        let time = [("path.format", "YYYY"), ("partition.duration.ms", "1"), ("locale", "en"), ("timezone", "UTC")];
        let field = [("partition.field.name", "a,b")];
        let variants: &[&[(&str, &str)]] = &[
            &[("partitioner.class", "Default")],
            &[("partitioner.class", "Field")],
            &[("partitioner.class", "Field"), ("partition.field.name", "b,a")],
            &[("partitioner.class", "Field"), ("directory.delim", "_")],
            &[("partitioner.class", "TimeBased")],
            &[("partitioner.class", "TimeBased"), ("path.format", "YYYY-MM")],
            &[("partitioner.class", "TimeBased"), ("path.format", "MMM")],
            &[("partitioner.class", "TimeBased"), ("path.format", "MMM"), ("locale", "de")],
            &[("partitioner.class", "TimeBased"), ("partition.duration.ms", "2")],
            &[("partitioner.class", "TimeBased"), ("timezone", "Asia/Seoul")],
            &[("partitioner.class", "TimeBased"), ("timestamp.extractor", "Record")],
            &[("partitioner.class", "TimeBased"), ("timestamp.extractor", "RecordField")],
            &[("partitioner.class", "TimeBased"), ("timestamp.extractor", "RecordField"), ("timestamp.field", "x")],
            &[("partitioner.class", "Daily")],
            &[("partitioner.class", "Hourly")],
            &[("partitioner.class", "FieldAndTime")],
            &[("partitioner.class", "FieldAndTime"), ("partition.field.format.path", "false")],
            &[("partitioner.class", "FieldAndTime"), ("directory.delim", "_")],
        ];
        let signature = |entries: &[(&str, &str)]| {
            let config = parsed(&[&time, &field[..], entries].concat());
            PartitionerConfig::from_config(&config).unwrap().partitioner().unwrap().signature()
        };
        let signatures: Vec<_> = variants.iter().map(|entries| signature(entries)).collect();
        for (at, one) in signatures.iter().enumerate() {
            assert!(!signatures[..at].contains(one), "{one}");
        }
        assert_eq!(signature(&[("locale", "de")]), "default");
    }

    #[test]
    fn only_the_clock_on_the_wall_gives_a_record_another_directory_when_it_is_read_again() {
        let time = [("locale", "en"), ("timezone", "UTC"), ("partition.field.name", "a")];
        let is_function = |entries: &[(&str, &str)]| {
            let config = parsed(&[&time[..], entries].concat());
            !PartitionerConfig::from_config(&config).unwrap().is_by_clock()
        };
        assert!(is_function(&[]) && is_function(&[("partitioner.class", "Field")]));
        assert!(!is_function(&[("partitioner.class", "Daily")]));
        assert!(is_function(&[("partitioner.class", "Daily"), ("timestamp.extractor", "record")]));
    }
}
