//! `timestamp.granularity`: how exact points in time are, and what they are written as.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringBuilder, TimestampMillisecondArray};
use arrow::datatypes::DataType;
use volley_api::schema::timestamp_type;

/// What Java's driver of PostgreSQL makes of times without end, in milliseconds.
const JAVA_INFINITY: i64 = 9_223_372_036_825_200_000;
const JAVA_MINUS_INFINITY: i64 = -9_223_372_036_832_400_000;

/// `timestamp.granularity`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Granularity {
    /// Connect's Timestamp, in milliseconds.
    #[default]
    ConnectLogical,
    /// An INT64.
    Long(Unit),
    /// The number as a text.
    Text(Unit),
    /// A date and time as a text.
    IsoText(Unit),
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Millionths of a second.
    Micros,
    /// Billionths of a second.
    Nanos,
}

impl Granularity {
    pub(crate) const NAMES: [&str; 7] = [
        "connect_logical",
        "micros_long",
        "micros_string",
        "micros_iso_datetime_string",
        "nanos_long",
        "nanos_string",
        "nanos_iso_datetime_string",
    ];

    /// The granularity of this name.
    pub(crate) fn parse(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "micros_long" => Self::Long(Unit::Micros),
            "micros_string" => Self::Text(Unit::Micros),
            "micros_iso_datetime_string" => Self::IsoText(Unit::Micros),
            "nanos_long" => Self::Long(Unit::Nanos),
            "nanos_string" => Self::Text(Unit::Nanos),
            "nanos_iso_datetime_string" => Self::IsoText(Unit::Nanos),
            _ => Self::ConnectLogical,
        }
    }

    /// The type of the columns.
    pub(crate) fn data_type(self) -> DataType {
        match self {
            Self::ConnectLogical => timestamp_type(),
            Self::Long(_) => DataType::Int64,
            Self::Text(_) | Self::IsoText(_) => DataType::Utf8,
        }
    }

    /// A column of it, from microseconds since 1970 (nanoseconds if `is_nanos`).
    pub(crate) fn column(self, times: &Int64Array, is_nanos: bool) -> ArrayRef {
        let nanos_of = |time: i64| i128::from(time) * if is_nanos { 1 } else { 1_000 };
        match self {
            Self::ConnectLogical => {
                let divisor = if is_nanos { 1_000_000 } else { 1_000 };
                let millis: TimestampMillisecondArray = times.unary(|time| match time {
                    i64::MAX => JAVA_INFINITY,
                    i64::MIN => JAVA_MINUS_INFINITY,
                    time => time.div_euclid(divisor),
                });
                Arc::new(millis.with_timezone("UTC"))
            }
            Self::Long(unit) => {
                let counted: Int64Array = times.unary(|time| saturated(unit.of(nanos_of(time))));
                Arc::new(counted)
            }
            // texts are made value by value
            Self::Text(unit) => texts(times, |time| unit.of(nanos_of(time)).to_string()),
            Self::IsoText(unit) => texts(times, |time| unit.iso(nanos_of(time))),
        }
    }
}

impl Unit {
    fn of(self, nanos: i128) -> i128 {
        match self {
            Self::Micros => nanos.div_euclid(1_000),
            Self::Nanos => nanos,
        }
    }

    fn iso(self, nanos: i128) -> String {
        let (seconds, rest) = (nanos.div_euclid(1_000_000_000), nanos.rem_euclid(1_000_000_000) as u32);
        let time = chrono::DateTime::from_timestamp(saturated(seconds), rest);
        // where the calendar ends, the number
        time.map_or_else(
            || self.of(nanos).to_string(),
            |time| match self {
                Self::Micros => time.format("%Y-%m-%dT%H:%M:%S%.6f").to_string(),
                Self::Nanos => time.format("%Y-%m-%dT%H:%M:%S%.9f").to_string(),
            },
        )
    }
}

fn saturated(value: i128) -> i64 {
    value.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
}

fn texts(times: &Int64Array, text: impl Fn(i64) -> String) -> ArrayRef {
    let mut builder = StringBuilder::with_capacity(times.len(), times.len() * 26);
    for time in times {
        builder.append_option(time.map(&text));
    }
    Arc::new(builder.finish())
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::TimestampMillisecondType;

    use super::*;

    #[test]
    fn milliseconds_are_rounded_down_and_times_without_end_are_java_s() {
        let times = Int64Array::from(vec![Some(1_999), Some(-1), None, Some(i64::MAX), Some(i64::MIN)]);
        let column = Granularity::ConnectLogical.column(&times, false);
        let column = column.as_primitive::<TimestampMillisecondType>();
        let found: Vec<_> = column.iter().collect();
        assert_eq!(found, [Some(1), Some(-1), None, Some(JAVA_INFINITY), Some(JAVA_MINUS_INFINITY)]);
    }

    #[test]
    fn microseconds_and_nanoseconds_are_kept_on_request() {
        let times = Int64Array::from(vec![1_700_000_000_123_456]);
        let text = |name: &str| {
            let column = Granularity::parse(name).column(&times, false);
            arrow::util::display::array_value_to_string(&column, 0).unwrap()
        };
        assert_eq!(text("micros_long"), "1700000000123456");
        assert_eq!(text("micros_string"), "1700000000123456");
        assert_eq!(text("nanos_long"), "1700000000123456000");
        assert_eq!(text("nanos_string"), "1700000000123456000");
        assert_eq!(text("micros_iso_datetime_string"), "2023-11-14T22:13:20.123456");
        assert_eq!(text("nanos_iso_datetime_string"), "2023-11-14T22:13:20.123456000");
        for name in Granularity::NAMES {
            let granularity = Granularity::parse(name);
            assert_eq!(granularity.column(&times, false).data_type(), &granularity.data_type());
        }
    }
}
