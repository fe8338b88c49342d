//! Directories, as keys of the connector.

use std::str::FromStr;

use volley_api::ConfigMap;

const FIELD: &str = "field:";
const SQL: &str = "sql:";
const HOUR_MS: &str = "3600000";
const DAY_MS: &str = "86400000";

/// `--partition-by`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PartitionBy {
    fields: Vec<String>,
    time: Option<TimeUnit>,
    /// Columns of SQL; then there is nothing else.
    columns: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TimeUnit {
    Day,
    Hour,
}

impl TimeUnit {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "day" => Some(Self::Day),
            "hour" => Some(Self::Hour),
            _ => None,
        }
    }
}

impl FromStr for PartitionBy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write day, hour, field:NAME[,NAME], field:NAME+day, field:NAME+hour or sql:COLUMNS".to_owned();
        let text = text.trim();
        if let Some(unit) = TimeUnit::parse(text) {
            return Ok(Self { fields: Vec::new(), time: Some(unit), columns: None });
        }
        if let Some(columns) = text.strip_prefix(SQL).map(str::trim) {
            let is_empty = columns.is_empty();
            let by_columns = Self { fields: Vec::new(), time: None, columns: Some(columns.to_owned()) };
            return if is_empty { Err(wrong()) } else { Ok(by_columns) };
        }
        let rest = text.strip_prefix(FIELD).ok_or_else(wrong)?;
        let (names, time) = match rest.rsplit_once('+') {
            Some((names, unit)) => (names, Some(TimeUnit::parse(unit.trim()).ok_or_else(wrong)?)),
            None => (rest, None),
        };
        let fields: Vec<_> = names.split(',').map(|name| name.trim().to_owned()).collect();
        match fields.iter().any(String::is_empty) {
            true => Err(wrong()),
            false => Ok(Self { fields, time, columns: None }),
        }
    }
}

impl PartitionBy {
    /// The keys that say the directories.
    ///
    /// # Errors
    /// If there is a time field or a zone, and directories are not by time.
    pub(super) fn keys(&self, time_field: Option<&str>, timezone: Option<&str>) -> Result<ConfigMap, String> {
        if self.time.is_none() && (time_field.is_some() || timezone.is_some()) {
            return Err("--time-field and --timezone are for directories by day or hour".to_owned());
        }
        let mut keys = ConfigMap::new();
        let mut set = |key: &str, value: &str| drop(keys.insert(key.to_owned(), value.to_owned()));
        if let Some(columns) = &self.columns {
            set("partitioner.class", "SqlPartitioner");
            set("partition.sql", columns);
            return Ok(keys);
        }
        let has_fields = !self.fields.is_empty();
        set(
            "partitioner.class",
            match self.time {
                None => "FieldPartitioner",
                Some(_) if has_fields => "FieldAndTimeBasedPartitioner",
                Some(TimeUnit::Day) => "DailyPartitioner",
                Some(TimeUnit::Hour) => "HourlyPartitioner",
            },
        );
        if has_fields {
            set("partition.field.name", &self.fields.join(","));
        }
        let Some(unit) = self.time else { return Ok(keys) };
        if has_fields {
            let (format, duration) = match unit {
                TimeUnit::Day => ("'year'=YYYY/'month'=MM/'day'=dd", DAY_MS),
                TimeUnit::Hour => ("'year'=YYYY/'month'=MM/'day'=dd/'hour'=HH", HOUR_MS),
            };
            set("path.format", format);
            set("partition.duration.ms", duration);
        }
        set("timezone", timezone.unwrap_or("UTC"));
        match time_field {
            None => set("timestamp.extractor", "Record"),
            Some(field) => {
                set("timestamp.extractor", "RecordField");
                set("timestamp.field", field);
            }
        }
        Ok(keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> String {
        let keys = text.parse::<PartitionBy>().unwrap().keys(None, None).unwrap();
        keys.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn every_form_that_is_promised_is_a_partitioner() {
        assert_eq!(keys("day"), "partitioner.class=DailyPartitioner timezone=UTC timestamp.extractor=Record");
        assert_eq!(keys("hour"), "partitioner.class=HourlyPartitioner timezone=UTC timestamp.extractor=Record");
        assert_eq!(keys("sql: upper(a) AS a"), "partitioner.class=SqlPartitioner partition.sql=upper(a) AS a");
        assert_eq!(keys("field: a , b.c"), "partitioner.class=FieldPartitioner partition.field.name=a,b.c");
        assert_eq!(
            keys("field:a+hour"),
            "partitioner.class=FieldAndTimeBasedPartitioner partition.field.name=a \
             path.format='year'=YYYY/'month'=MM/'day'=dd/'hour'=HH partition.duration.ms=3600000 timezone=UTC \
             timestamp.extractor=Record"
        );
        let by_field = "day".parse::<PartitionBy>().unwrap().keys(Some("at"), Some("Europe/Berlin")).unwrap();
        assert_eq!((by_field["timestamp.field"].as_str(), by_field["timezone"].as_str()), ("at", "Europe/Berlin"));
    }

    #[test]
    fn what_is_no_layout_is_refused() {
        for text in ["", "month", "field", "field:", "field:a,,b", "field:a+month", "field:+day", "day+field:a"] {
            assert!(text.parse::<PartitionBy>().unwrap_err().contains("write day, hour"), "{text}");
        }
        assert!("field:a".parse::<PartitionBy>().unwrap().keys(Some("at"), None).unwrap_err().contains("--time-field"));
    }
}
