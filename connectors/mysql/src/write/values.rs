//! Values as parameters of prepared statements.

use chrono::{Datelike, NaiveDateTime, Timelike};
use chrono_tz::Tz;
use mysql_async::Value;
use volley_jdbc::Cell;

/// What a value takes at a guess, beside its text or bytes.
const VALUE_BYTES: usize = 16;
/// The type whose values the session has in UTC.
const TIMESTAMP: &str = "timestamp";

/// A value for a column of a type.
///
/// # Errors
/// What it is that has no place there.
pub(super) fn parameter(cell: &Cell<'_>, type_name: &str, zone: Tz) -> Result<Value, String> {
    let not_finite = || "NaN or infinity, which MySQL does not know".to_owned();
    Ok(match cell {
        Cell::Null => Value::NULL,
        Cell::Boolean(truth) => Value::Int(i64::from(*truth)),
        Cell::Integer(number) => Value::Int(*number),
        Cell::Float(number) if !number.is_finite() => return Err(not_finite()),
        Cell::Float(number) => Value::Float(*number),
        Cell::Double(number) if !number.is_finite() => return Err(not_finite()),
        Cell::Double(number) => Value::Double(*number),
        Cell::Decimal(number) => Value::Bytes(number.clone().into_bytes()),
        Cell::Text(text) => Value::Bytes(text.as_bytes().to_vec()),
        Cell::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
        Cell::Time(micros) => time(*micros)?,
        Cell::Instant(_) | Cell::Local(_) if type_name == TIMESTAMP => {
            let micros = cell.instant(zone).unwrap_or_default();
            date_time(Cell::Instant(micros).date_time(Tz::UTC)?)
        }
        Cell::Date(_) | Cell::Instant(_) | Cell::Local(_) => date_time(cell.date_time(zone)?),
    })
}

/// Bytes that a value takes on its way.
pub(super) fn size(value: &Value) -> usize {
    match value {
        Value::Bytes(bytes) => VALUE_BYTES + bytes.len(),
        _ => VALUE_BYTES,
    }
}

fn time(micros: i64) -> Result<Value, String> {
    let seconds = u32::try_from(micros.div_euclid(1_000_000)).map_err(|_| "a time that no day has".to_owned())?;
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let hours = u8::try_from(hours).map_err(|_| "a time that no day has".to_owned())?;
    Ok(Value::Time(false, 0, hours, minutes as u8, seconds as u8, micros.rem_euclid(1_000_000) as u32))
}

fn date_time(shown: Option<NaiveDateTime>) -> Value {
    let Some(shown) = shown else { return Value::NULL };
    Value::Date(
        // the years of cells are those of four digits
        u16::try_from(shown.year()).unwrap_or_default(),
        shown.month() as u8,
        shown.day() as u8,
        shown.hour() as u8,
        shown.minute() as u8,
        shown.second() as u8,
        shown.nanosecond() / 1_000,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_show_the_zone_and_points_in_time_are_in_utc() {
        let zone: Tz = "Europe/Zurich".parse().unwrap();
        let noon = Cell::Instant(1_767_268_800_123_456);
        let of = |cell: &Cell<'_>, type_name| parameter(cell, type_name, zone).unwrap();
        assert_eq!(of(&noon, "datetime"), Value::Date(2026, 1, 1, 13, 0, 0, 123_456));
        assert_eq!(of(&noon, "timestamp"), Value::Date(2026, 1, 1, 12, 0, 0, 123_456));
        let shown = Cell::Local(1_767_268_800_000_000);
        assert_eq!(of(&shown, "datetime"), Value::Date(2026, 1, 1, 12, 0, 0, 0));
        assert_eq!(of(&shown, "timestamp"), Value::Date(2026, 1, 1, 11, 0, 0, 0));
        assert_eq!(of(&Cell::Time(86_399_999_999), "time"), Value::Time(false, 0, 23, 59, 59, 999_999));
    }

    #[test]
    fn what_mysql_does_not_know_is_refused() {
        for cell in [Cell::Double(f64::NAN), Cell::Float(f32::INFINITY), Cell::Date(i32::MAX), Cell::Time(-1)] {
            assert!(parameter(&cell, "double", Tz::UTC).is_err(), "{cell:?}");
        }
    }
}
