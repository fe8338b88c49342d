//! Which partitioner and which timestamp extractor a class name means.

/// The kinds of partitioners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PartitionerClass {
    Default,
    Field,
    TimeBased,
    Daily,
    Hourly,
    FieldAndTime,
    Sql,
}

/// The name of the default, as Confluent's users know it.
pub(crate) const DEFAULT_CLASS: &str = "io.confluent.connect.storage.partitioner.DefaultPartitioner";

const CONFLUENT_PACKAGES: [&str; 3] = [
    "io.confluent.connect.storage.partitioner",
    "io.confluent.connect.hdfs.partitioner",
    "io.confluent.connect.hdfs3.partitioner",
];
const FIELD_AND_TIME_PACKAGES: [&str; 2] = ["com.canelmas.kafka.connect", "kafka.connect.storage.partitioner"];
const EXTRACTOR_PREFIX: &str = "io.confluent.connect.storage.partitioner.TimeBasedPartitioner$";

impl PartitionerClass {
    /// The partitioner with this class name: the full one, the one without its package, or that without `Partitioner`.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (package, class) = match name.rsplit_once('.') {
            Some((package, class)) => (Some(package), class),
            None => (None, name),
        };
        let short = class.strip_suffix("Partitioner").filter(|short| !short.is_empty());
        let found = match short.unwrap_or(class) {
            "Default" => Self::Default,
            "Field" => Self::Field,
            "TimeBased" => Self::TimeBased,
            "Daily" => Self::Daily,
            "Hourly" => Self::Hourly,
            "FieldAndTime" | "FieldAndTimeBased" => Self::FieldAndTime,
            "Sql" => Self::Sql,
            _ => return None,
        };
        let packages: &[&str] = match found {
            Self::FieldAndTime => &FIELD_AND_TIME_PACKAGES,
            Self::Sql => &[],
            _ => &CONFLUENT_PACKAGES,
        };
        let is_known = package.is_none_or(|package| short.is_some() && packages.contains(&package));
        is_known.then_some(found)
    }

    /// Whether fields make directories.
    pub(crate) fn has_fields(self) -> bool {
        matches!(self, Self::Field | Self::FieldAndTime)
    }

    /// Whether time makes directories.
    pub(crate) fn has_time(self) -> bool {
        !matches!(self, Self::Default | Self::Field | Self::Sql)
    }
}

/// The kinds of timestamp extractors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExtractorClass {
    Wallclock,
    Record,
    RecordField,
}

impl ExtractorClass {
    /// The extractor with this name: the short one, the class name without its package, or the full one.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let class = name.strip_prefix(EXTRACTOR_PREFIX).unwrap_or(name);
        match class.strip_suffix("TimestampExtractor").unwrap_or(class).to_ascii_lowercase().as_str() {
            "wallclock" => Some(Self::Wallclock),
            "record" => Some(Self::Record),
            "recordfield" => Some(Self::RecordField),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_names_are_confluent_s_and_shorter_ones() {
        use PartitionerClass::{Daily, Default, Field, FieldAndTime, Hourly, TimeBased};
        let kinds =
            [("Default", Default), ("Field", Field), ("TimeBased", TimeBased), ("Daily", Daily), ("Hourly", Hourly)];
        for (name, kind) in kinds {
            for package in ["", "io.confluent.connect.storage.partitioner.", "io.confluent.connect.hdfs.partitioner."] {
                assert_eq!(PartitionerClass::parse(&format!("{package}{name}Partitioner")), Some(kind));
            }
            assert_eq!(PartitionerClass::parse(name), Some(kind));
        }
        for name in [
            "com.canelmas.kafka.connect.FieldAndTimeBasedPartitioner",
            "kafka.connect.storage.partitioner.FieldAndTimeBasedPartitioner",
            "FieldAndTime",
        ] {
            assert_eq!(PartitionerClass::parse(name), Some(FieldAndTime));
        }
        for other in [
            "",
            "Partitioner",
            "com.acme.DailyPartitioner",
            "com.canelmas.kafka.connect.FieldPartitioner",
            "io.confluent.connect.storage.partitioner.Daily",
            "daily",
        ] {
            assert_eq!(PartitionerClass::parse(other), None, "{other}");
        }
        assert_eq!(PartitionerClass::parse(DEFAULT_CLASS), Some(Default));
    }

    #[test]
    fn extractors_are_known_by_short_names_and_classes() {
        use ExtractorClass::{Record, RecordField, Wallclock};
        for (name, kind) in [("Wallclock", Wallclock), ("Record", Record), ("RecordField", RecordField)] {
            let class =
                format!("io.confluent.connect.storage.partitioner.TimeBasedPartitioner${name}TimestampExtractor");
            for name in [name, &name.to_lowercase(), &class] {
                assert_eq!(ExtractorClass::parse(name), Some(kind), "{name}");
            }
        }
        assert_eq!((ExtractorClass::parse("com.acme.Extractor"), ExtractorClass::parse("")), (None, None));
    }
}
