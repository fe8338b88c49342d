//! Messages that are values of one kind: points in time, days, times of a day, decimals.

use arrow::datatypes::i256;
use chrono::{Datelike, NaiveDate};

use super::wire::{Input, Wire, write_sized, write_varint};
use crate::decimal;
use crate::json::{Decoded, Failure};

const DAY: i64 = 86_400_000;

/// The integers of fields 1 to 4 of a message; the last of one number counts.
fn integers(message: &[u8]) -> Decoded<[i64; 4]> {
    let mut values = [0; 4];
    let mut input = Input::new(message);
    while let Some((number, wire)) = input.tag()? {
        match (values.get_mut(number as usize - 1), wire) {
            (Some(value), Wire::Varint) => *value = input.varint()?.cast_signed(),
            _ => input.skip(number, wire)?,
        }
    }
    Ok(values)
}

/// Milliseconds since 1970 of a `google.protobuf.Timestamp`; what is finer is cut off.
pub(crate) fn read_timestamp(message: &[u8]) -> Decoded<i64> {
    let [seconds, nanos, ..] = integers(message)?;
    let millis = i128::from(seconds) * 1_000 + i128::from(nanos.div_euclid(1_000_000));
    i64::try_from(millis).map_err(|_| Failure::unfit(format!("{seconds} seconds since 1970 are beyond a timestamp")))
}

/// Days since 1970 of a `google.type.Date`.
pub(crate) fn read_date(message: &[u8]) -> Decoded<i32> {
    let [year, month, day, _] = integers(message)?;
    let part = |value: i64| u32::try_from(value).ok();
    let date = i32::try_from(year).ok().filter(|year| *year != 0);
    let date = date.and_then(|year| NaiveDate::from_ymd_opt(year, part(month)?, part(day)?));
    let days = date.map(|date| date.signed_duration_since(NaiveDate::default()).num_days());
    days.and_then(|days| i32::try_from(days).ok())
        .ok_or_else(|| Failure::unfit(format!("year {year}, month {month}, day {day} is no day")))
}

/// Milliseconds since midnight of a `google.type.TimeOfDay`; what is finer is cut off.
pub(crate) fn read_time(message: &[u8]) -> Decoded<i32> {
    let [hours, minutes, seconds, nanos] = integers(message)?;
    let parts = [(hours, 24), (minutes, 60), (seconds, 60), (nanos, 1_000_000_000)];
    if parts.iter().any(|(part, end)| !(0..*end).contains(part)) {
        return Err(Failure::unfit(format!("{hours}:{minutes}:{seconds} and {nanos} ns is no time of a day")));
    }
    // less than a day, as the parts are
    Ok(((hours * 60 + minutes) * 60_000 + seconds * 1_000 + nanos / 1_000_000) as i32)
}

/// The unscaled value of a `confluent.type.Decimal` at `scale`.
pub(crate) fn read_decimal(message: &[u8], scale: i32) -> Decoded<i256> {
    let (mut bytes, mut own) = (&[][..], 0);
    let mut input = Input::new(message);
    while let Some((number, wire)) = input.tag()? {
        match (number, wire) {
            (1, Wire::Sized) => bytes = input.sized()?,
            (3, Wire::Varint) => own = input.varint()? as i32,
            _ => input.skip(number, wire)?,
        }
    }
    let unscaled = if bytes.is_empty() { Some(i256::ZERO) } else { decimal::from_be_bytes(bytes) };
    let too_large = || Failure::unfit(format!("a decimal has more than {} digits", decimal::MAX_DIGITS));
    let unscaled = unscaled.ok_or_else(too_large)?;
    let digits = unscaled.to_string();
    if digits.trim_start_matches('-').len() > decimal::MAX_DIGITS {
        return Err(too_large());
    }
    if own == scale || unscaled == i256::ZERO {
        return Ok(unscaled);
    }
    let exponent = -i64::from(own);
    decimal::unscaled_at(&format!("{digits}e{exponent}"), scale).ok_or_else(|| {
        Failure::unfit(format!(
            "a decimal has scale {own}, and does not fit its schema, which has scale {scale}: set the parameter `scale` of its \
             field"
        ))
    })
}

fn write_integers(fields: &[(u8, i64)], out: &mut Vec<u8>) {
    for (number, value) in fields.iter().filter(|(_, value)| *value != 0) {
        out.push(number << 3);
        write_varint(out, value.cast_unsigned());
    }
}

/// Appends the fields of a `google.protobuf.Timestamp`.
pub(crate) fn write_timestamp(millis: i64, out: &mut Vec<u8>) {
    write_integers(&[(1, millis.div_euclid(1_000)), (2, millis.rem_euclid(1_000) * 1_000_000)], out);
}

/// Appends the fields of a `google.type.Date`.
///
/// # Errors
/// The day is beyond the calendar.
pub(crate) fn write_date(days: i32, out: &mut Vec<u8>) -> Result<(), String> {
    let date = NaiveDate::default().checked_add_signed(chrono::TimeDelta::days(days.into()));
    let date = date.filter(|date| date.year() != 0).ok_or_else(|| format!("day {days} since 1970 has no date"))?;
    write_integers(&[(1, date.year().into()), (2, date.month().into()), (3, date.day().into())], out);
    Ok(())
}

/// Appends the fields of a `google.type.TimeOfDay`.
///
/// # Errors
/// It is not within a day.
pub(crate) fn write_time(millis: i32, out: &mut Vec<u8>) -> Result<(), String> {
    let millis = i64::from(millis);
    if !(0..DAY).contains(&millis) {
        return Err(format!("{millis} ms since midnight is no time of a day"));
    }
    let (seconds, nanos) = (millis / 1_000, millis % 1_000 * 1_000_000);
    write_integers(&[(1, seconds / 3_600), (2, seconds / 60 % 60), (3, seconds % 60), (4, nanos)], out);
    Ok(())
}

/// Appends the fields of a `confluent.type.Decimal`.
///
/// # Errors
/// None.
pub(crate) fn write_decimal(value: i256, precision: u32, scale: i32, out: &mut Vec<u8>) -> Result<(), String> {
    out.push(1 << 3 | Wire::Sized.number() as u8);
    write_sized(out, |out| {
        out.extend_from_slice(&decimal::to_be_bytes(value));
        Ok::<(), String>(())
    })?;
    write_integers(&[(2, precision.into()), (3, scale.into())], out);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out);
        out
    }

    #[test]
    fn what_is_written_is_read() {
        for millis in [0, 1, -1, 1_700_000_000_123, i64::MIN, i64::MAX] {
            assert_eq!(read_timestamp(&written(|out| write_timestamp(millis, out))).unwrap(), millis);
        }
        for days in [0, -1, 19_000, -719_162] {
            assert_eq!(read_date(&written(|out| write_date(days, out).unwrap())).unwrap(), days);
        }
        for millis in [0, 1, 86_399_999] {
            assert_eq!(read_time(&written(|out| write_time(millis, out).unwrap())).unwrap(), millis);
        }
    }

    #[test]
    fn a_decimal_is_read_at_the_scale_of_its_schema_or_not_at_all() {
        let message =
            |unscaled: i128, scale| written(|out| write_decimal(i256::from_i128(unscaled), 38, scale, out).unwrap());
        let read = |message: &[u8], scale| read_decimal(message, scale).map(|value| value.to_i128().unwrap());
        assert_eq!(read(&message(-1234, 2), 2).unwrap(), -1234);
        assert_eq!(read(&message(-1234, 2), 4).unwrap(), -123_400);
        assert_eq!(read(&message(1200, 2), 0).unwrap(), 12);
        assert_eq!(read(&message(12, -2), 0).unwrap(), 1200);
        assert!(read(&message(1234, 2), 0).unwrap_err().to_string().contains("scale 2"));
        assert_eq!(read(&[], 3).unwrap(), 0);
        assert!(read_decimal(&[&[0x0A, 40][..], &[1; 40]].concat(), 0).is_err());
        assert!(read_decimal(&[0x0A, 1, 1, 0x18, 0x81, 0x80, 0x80, 0x80, 0x08], 0).is_err());
    }

    #[test]
    fn what_is_no_day_or_no_time_of_a_day_is_refused() {
        // year 2024, month 13; no year; 24 hours; negative minutes
        assert!(read_date(&[0x08, 0xE8, 0x0F, 0x10, 13, 0x18, 1]).is_err());
        assert!(read_date(&[0x10, 1, 0x18, 1]).is_err());
        assert!(read_time(&[0x08, 24]).is_err());
        assert!(read_time(&[0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1]).is_err());
        assert!(read_timestamp(&[0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]).is_err());
        assert!(write_time(86_400_000, &mut Vec::new()).is_err());
        assert!(write_date(i32::MAX, &mut Vec::new()).is_err());
    }
}
