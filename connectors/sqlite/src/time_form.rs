//! Points in time in SQL. SQLite has no type for them: a column has numbers or texts, and what it is compared with must
//! be of the same form. The literal of the driver is a call of a function that each connection has; what the function
//! answers is of the form that the column has.

use chrono::DateTime;
use chrono_tz::Tz;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::Value;
use rusqlite::{Connection, types::ValueRef};
use volley_jdbc::{Timestamp, shown_at};

use crate::parameters::TimeClass;
use crate::points_in_time::{DATE_LENGTH, julian_day};

const FUNCTION: &str = "volley_time";
/// The form in which SQLite's Java driver writes texts.
const USUAL_TEXT: &str = "2026-01-31 00:00:00.000";

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeUnit {
    Seconds,
    Millis,
}

/// How a column writes points in time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TimeForm {
    Count(TimeUnit),
    JulianDay,
    /// As this text is written.
    LikeText(String),
}

/// How a column writes what it is declared to have.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ColumnForm {
    pub(crate) form: TimeForm,
    /// Whether it has days, which are those of clocks of a zone, and not points in time.
    pub(crate) has_days: bool,
}

/// The call that stands for a point in time: microseconds since 1970, and what clocks of `zone` show then, for columns
/// that have days.
pub(crate) fn time_call(at: Timestamp, zone: Tz) -> String {
    let micros = i64::from(at.nanos_of_second() % 1_000_000 / 1_000);
    let micros = at.millis().saturating_mul(1_000).saturating_add(micros);
    format!("{FUNCTION}({micros}, {})", shown_at(micros, zone).unwrap_or(micros))
}

/// Whether there is a call in a statement.
pub(crate) fn has_time_call(statement: &str) -> bool {
    statement.contains(FUNCTION)
}

/// Makes the call mean times of this form.
pub(crate) fn set_form(file: &Connection, ColumnForm { form, has_days }: ColumnForm) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    let argument = usize::from(has_days);
    file.create_scalar_function(FUNCTION, 2, flags, move |call| Ok(form.value(call.get(argument)?)))
}

impl TimeForm {
    /// The form that is set.
    pub(crate) fn of_class(class: TimeClass, unit: TimeUnit) -> Self {
        match class {
            TimeClass::Integer => Self::Count(unit),
            TimeClass::Text => Self::LikeText(USUAL_TEXT.to_owned()),
            TimeClass::Real => Self::JulianDay,
        }
    }

    /// The one that says more, of two that values of a column have.
    pub(crate) fn longer(self, other: Self) -> Self {
        match (&self, &other) {
            (Self::LikeText(one), Self::LikeText(another)) if another.len() > one.len() => other,
            _ => self,
        }
    }

    /// The form that a value of the column has.
    pub(crate) fn of_value(value: ValueRef<'_>, unit: TimeUnit) -> Self {
        match value {
            ValueRef::Real(_) => Self::JulianDay,
            ValueRef::Text(text) => Self::LikeText(String::from_utf8_lossy(text).into_owned()),
            ValueRef::Integer(_) | ValueRef::Null | ValueRef::Blob(_) => Self::Count(unit),
        }
    }

    /// A time in this form; what it cannot say is cut off.
    pub(crate) fn value(&self, micros: i64) -> Value {
        match self {
            Self::Count(TimeUnit::Seconds) => Value::Integer(micros.div_euclid(1_000_000)),
            Self::Count(TimeUnit::Millis) => Value::Integer(micros.div_euclid(1_000)),
            Self::JulianDay => Value::Real(julian_day(micros)),
            Self::LikeText(example) => Value::Text(text_like(example, micros)),
        }
    }
}

/// The time, written like `example`: with its separator, as many places of a second, or as many more as it has, and its mark
/// of UTC.
fn text_like(example: &str, micros: i64) -> String {
    let at = DateTime::from_timestamp_micros(micros).unwrap_or(if micros < 0 {
        DateTime::<chrono::Utc>::MIN_UTC
    } else {
        DateTime::<chrono::Utc>::MAX_UTC
    });
    let date = at.format("%Y-%m-%d").to_string();
    let full = at.format("%H:%M:%S%.6f").to_string();
    let Some(rest) = example.get(DATE_LENGTH..).filter(|rest| !rest.is_empty()) else { return date };
    let (separator, rest) =
        rest.split_at(rest.find(|character: char| character.is_ascii_digit()).unwrap_or(rest.len()));
    let zone = rest.find([' ', 'Z', '+', '-']).map_or("", |place| &rest[place..]);
    let time = &rest[..rest.len() - zone.len()];
    let (written, left_out) = full.split_at(time.len().min(full.len()));
    let noughts = "0".repeat(time.len().saturating_sub(full.len()));
    // other values of the column may say more than this one; a longer text is later, a mark behind fewer places too
    let more = match left_out.bytes().any(|byte| byte.is_ascii_digit() && byte != b'0') {
        true if zone.is_empty() => left_out,
        true => left_out.trim_end_matches('0'),
        false => "",
    };
    format!("{date}{separator}{written}{more}{noughts}{zone}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_the_column_has_them() {
        let micros = 1_769_817_601_123_456;
        for (example, expected) in [
            ("2000-01-01", "2026-01-31"),
            ("2000-01-01 00:00", "2026-01-31 00:00:01.123456"),
            ("2000-01-01 00:00:00", "2026-01-31 00:00:01.123456"),
            ("2000-01-01 00:00:00.000", "2026-01-31 00:00:01.123456"),
            ("2000-01-01 00:00:00.0000000", "2026-01-31 00:00:01.1234560"),
            ("2000-01-01T00:00:00Z", "2026-01-31T00:00:01.123456Z"),
            ("2000-01-01T00:00:00.000000000Z", "2026-01-31T00:00:01.123456000Z"),
            ("2000-01-01 00:00:00+00:00", "2026-01-31 00:00:01.123456+00:00"),
            ("é", "2026-01-31"),
        ] {
            assert_eq!(text_like(example, micros), expected, "{example}");
        }
        let midnight = 1_769_817_600_000_000;
        for (example, micros, expected) in [
            ("2000-01-01", midnight, "2026-01-31"),
            ("2000-01-01 00:00", midnight + 3_600_000_000, "2026-01-31 01:00"),
            ("2000-01-01 00:00:00", midnight + 1_000_000, "2026-01-31 00:00:01"),
            ("2000-01-01 00:00:00Z", midnight + 500_000, "2026-01-31 00:00:00.5Z"),
            ("2000-01-01 00:00:00.000", midnight + 500_000, "2026-01-31 00:00:00.500"),
        ] {
            assert_eq!(text_like(example, micros), expected, "{example}");
        }
        assert_eq!(TimeForm::Count(TimeUnit::Millis).value(-1), Value::Integer(-1));
        assert_eq!(TimeForm::Count(TimeUnit::Seconds).value(micros), Value::Integer(1_769_817_601));
    }

    #[test]
    fn a_call_has_the_time_to_the_microsecond() {
        let call = |micros| time_call(Timestamp::from_micros(micros), Tz::UTC);
        assert_eq!(call(1_769_817_601_123_456), "volley_time(1769817601123456, 1769817601123456)");
        assert_eq!(call(-1), "volley_time(-1, -1)");
        let zurich = time_call(Timestamp::from_millis(0), "Europe/Zurich".parse().unwrap());
        assert_eq!(zurich, "volley_time(0, 3600000000)");
        assert!(has_time_call(&time_call(Timestamp::from_millis(i64::MAX), Tz::UTC)));
    }
}
