//! What a time may be written as.

use arrow::datatypes::{DataType, TimeUnit};
use volley_api::schema;

/// The type of a column of times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeType {
    /// Text, by the format.
    String,
    /// A number since 1970, by the precision.
    Unix,
    Date,
    Time,
    Timestamp,
}

impl TimeType {
    pub(crate) const NAMES: [&str; 5] = ["string", "unix", "Date", "Time", "Timestamp"];

    /// By its name in configurations.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let all = [Self::String, Self::Unix, Self::Date, Self::Time, Self::Timestamp];
        all.into_iter().zip(Self::NAMES).find(|(_, known)| *known == name).map(|(time_type, _)| time_type)
    }

    /// What a column of this type holds; `None` if it holds no times.
    pub(crate) fn of(data_type: &DataType) -> Option<Self> {
        Some(match data_type {
            DataType::Utf8 => Self::String,
            DataType::Int64 => Self::Unix,
            DataType::Date32 => Self::Date,
            DataType::Time32(_) => Self::Time,
            DataType::Timestamp(..) => Self::Timestamp,
            _ => return None,
        })
    }

    pub(crate) fn data_type(self) -> DataType {
        match self {
            Self::String => DataType::Utf8,
            Self::Unix => DataType::Int64,
            Self::Date => DataType::Date32,
            Self::Time => DataType::Time32(TimeUnit::Millisecond),
            Self::Timestamp => schema::timestamp_type(),
        }
    }
}

/// The unit of a number of type `unix`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Precision {
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
}

impl Precision {
    pub(crate) const NAMES: [&str; 4] = ["nanoseconds", "microseconds", "milliseconds", "seconds"];

    /// By its name in configurations.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let all = [Self::Nanoseconds, Self::Microseconds, Self::Milliseconds, Self::Seconds];
        all.into_iter().zip(Self::NAMES).find(|(_, known)| *known == name).map(|(precision, _)| precision)
    }

    /// Milliseconds, towards 0, or the bound of what there is.
    pub(crate) fn to_millis(self, number: i64) -> i64 {
        match self {
            Self::Seconds => number.saturating_mul(1_000),
            Self::Milliseconds => number,
            Self::Microseconds => number / 1_000,
            Self::Nanoseconds => number / 1_000_000,
        }
    }

    /// Of milliseconds, towards 0, or the bound of what there is.
    pub(crate) fn of_millis(self, millis: i64) -> i64 {
        match self {
            Self::Seconds => millis / 1_000,
            Self::Milliseconds => millis,
            Self::Microseconds => millis.saturating_mul(1_000),
            Self::Nanoseconds => millis.saturating_mul(1_000_000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precisions_round_towards_0_and_stop_at_the_bounds() {
        assert_eq!((Precision::Seconds.of_millis(-1_999), Precision::Microseconds.to_millis(-1_999)), (-1, -1));
        assert_eq!(Precision::Nanoseconds.of_millis(i64::MAX / 10), i64::MAX);
        assert_eq!(Precision::Seconds.to_millis(i64::MIN), i64::MIN);
        assert_eq!((Precision::named("seconds"), Precision::named("hours")), (Some(Precision::Seconds), None));
    }
}
