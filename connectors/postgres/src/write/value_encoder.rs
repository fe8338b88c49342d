//! One value in binary.

use arrow::array::{Array, AsArray};
use chrono_tz::Tz;
use volley_jdbc::{Cell, shown_at, shown_in};

use super::numeric_encoder::encode_numeric;
use super::target_type::TargetType;

/// From 1970-01-01, where Arrow counts from, to 2000-01-01.
const DAYS_TO_2000: i32 = 10_957;
const MICROS_TO_2000: i64 = 946_684_800_000_000;
const DAY_MICROS: i64 = 86_400_000_000;
/// The length of what is not there.
pub(super) const NULL: i32 = -1;
/// The version of jsonb.
const JSONB: u8 = 1;
const UUID_BYTES: usize = 16;
const UUID_DIGITS: usize = 32;

/// Appends the length and the bytes of a value, as COPY has them.
///
/// # Errors
/// What it is that the type has no place for.
pub(super) fn encode_value(
    target: &TargetType,
    array: &dyn Array,
    row: usize,
    zone: Tz,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    if array.is_null(row) || array.data_type() == &arrow::datatypes::DataType::Null {
        out.extend(NULL.to_be_bytes());
        return Ok(());
    }
    let start = out.len();
    out.extend([0; 4]);
    match target {
        TargetType::Array(element) => encode_list(element, array, row, zone, out)?,
        _ => encode_plain(target, &Cell::of(array, row)?, zone, out)?,
    }
    let length = i32::try_from(out.len() - start - 4).map_err(|_| "a value of more than 2 GB".to_owned())?;
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    Ok(())
}

fn encode_list(element: &TargetType, array: &dyn Array, row: usize, zone: Tz, out: &mut Vec<u8>) -> Result<(), String> {
    let list = array.as_list_opt::<i32>().ok_or_else(|| "a value that is no array".to_owned())?.value(row);
    let count = i32::try_from(list.len()).map_err(|_| "an array with too many elements".to_owned())?;
    let dimensions = i32::from(count > 0);
    out.extend(dimensions.to_be_bytes());
    out.extend(i32::from(list.null_count() > 0).to_be_bytes());
    out.extend(element.oid().to_be_bytes());
    if count == 0 {
        return Ok(());
    }
    // elements count from 1
    out.extend(count.to_be_bytes());
    out.extend(1_i32.to_be_bytes());
    (0..list.len()).try_for_each(|place| encode_value(element, &list, place, zone, out))
}

fn encode_plain(target: &TargetType, cell: &Cell<'_>, zone: Tz, out: &mut Vec<u8>) -> Result<(), String> {
    match target {
        TargetType::Boolean => match cell {
            Cell::Boolean(truth) => out.push(u8::from(*truth)),
            _ => return Err(unexpected()),
        },
        TargetType::Int2 => out.extend(integer::<i16>(cell)?.to_be_bytes()),
        TargetType::Int4 => out.extend(integer::<i32>(cell)?.to_be_bytes()),
        TargetType::Int8 => out.extend(integer::<i64>(cell)?.to_be_bytes()),
        TargetType::Float4 => out.extend(float4(cell)?.to_be_bytes()),
        TargetType::Float8 => out.extend(float8(cell)?.to_be_bytes()),
        TargetType::Numeric => encode_numeric(&cell.text(zone)?.ok_or_else(unexpected)?, out)?,
        TargetType::Text | TargetType::Json => text(cell, zone, out)?,
        TargetType::Jsonb => {
            out.push(JSONB);
            text(cell, zone, out)?;
        }
        TargetType::Uuid => out.extend(uuid(cell)?),
        TargetType::Bytes => match cell {
            Cell::Bytes(bytes) => out.extend(*bytes),
            _ => return Err(unexpected()),
        },
        TargetType::Date => out.extend(days(cell, zone)?.to_be_bytes()),
        TargetType::Time => match cell {
            Cell::Time(micros) => out.extend(micros.to_be_bytes()),
            _ => return Err(unexpected()),
        },
        TargetType::Timestamp => out.extend(clock(cell, zone)?.to_be_bytes()),
        TargetType::TimestampWithZone => out.extend(instant(cell, zone)?.to_be_bytes()),
        TargetType::Array(_) => return Err(unexpected()),
    }
    Ok(())
}

fn unexpected() -> String {
    "a value of another type".to_owned()
}

fn out_of_range() -> String {
    "a number out of its range".to_owned()
}

fn integer<T: TryFrom<i64>>(cell: &Cell<'_>) -> Result<T, String> {
    let number = match cell {
        Cell::Integer(number) => *number,
        Cell::Decimal(text) => {
            let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
            if fraction.bytes().any(|digit| digit != b'0') {
                return Err("a number with decimal places".to_owned());
            }
            whole.parse().map_err(|_| out_of_range())?
        }
        _ => return Err(unexpected()),
    };
    T::try_from(number).map_err(|_| out_of_range())
}

fn float8(cell: &Cell<'_>) -> Result<f64, String> {
    match cell {
        Cell::Float(number) => Ok(f64::from(*number)),
        Cell::Double(number) => Ok(*number),
        Cell::Integer(number) => Ok(*number as f64),
        Cell::Decimal(text) => text.parse().map_err(|_| out_of_range()),
        _ => Err(unexpected()),
    }
}

fn float4(cell: &Cell<'_>) -> Result<f32, String> {
    if let Cell::Float(number) = cell {
        return Ok(*number);
    }
    let wide = float8(cell)?;
    let number = wide as f32;
    if number.is_infinite() && wide.is_finite() { Err(out_of_range()) } else { Ok(number) }
}

fn text(cell: &Cell<'_>, zone: Tz, out: &mut Vec<u8>) -> Result<(), String> {
    let text = cell.text(zone)?.ok_or_else(unexpected)?;
    if text.as_bytes().contains(&0) {
        return Err("a text with a character of code 0".to_owned());
    }
    out.extend(text.as_bytes());
    Ok(())
}

/// As PostgreSQL reads it: 32 hexadecimal digits, with dashes between some of them or braces around.
fn uuid(cell: &Cell<'_>) -> Result<Vec<u8>, String> {
    let wrong = || "a text that is no UUID".to_owned();
    match cell {
        Cell::Bytes(bytes) if bytes.len() == UUID_BYTES => Ok(bytes.to_vec()),
        Cell::Text(text) => {
            let inner = text.trim().trim_start_matches('{').trim_end_matches('}');
            let digits: Vec<u8> = inner.bytes().filter(|byte| *byte != b'-').collect();
            if digits.len() != UUID_DIGITS {
                return Err(wrong());
            }
            let pair = |pair: &[u8]| {
                let pair = std::str::from_utf8(pair).ok()?;
                u8::from_str_radix(pair, 16).ok().filter(|_| !pair.starts_with('+'))
            };
            digits.chunks(2).map(pair).collect::<Option<_>>().ok_or_else(wrong)
        }
        _ => Err(wrong()),
    }
}

fn days(cell: &Cell<'_>, zone: Tz) -> Result<i32, String> {
    let days = match cell {
        Cell::Date(i32::MAX) => return Ok(i32::MAX),
        Cell::Date(i32::MIN) => return Ok(i32::MIN),
        Cell::Date(days) => *days,
        Cell::Instant(micros) | Cell::Local(micros) if infinite(*micros).is_some() => {
            return Ok(if *micros > 0 { i32::MAX } else { i32::MIN });
        }
        _ => {
            let micros = shown(cell, zone)?;
            i32::try_from(micros.div_euclid(DAY_MICROS)).map_err(|_| out_of_range())?
        }
    };
    days.checked_sub(DAYS_TO_2000).ok_or_else(out_of_range)
}

/// Microseconds since 1970 that a clock shows.
fn shown(cell: &Cell<'_>, zone: Tz) -> Result<i64, String> {
    match cell {
        Cell::Local(micros) => Ok(*micros),
        Cell::Instant(micros) => shown_at(*micros, zone).ok_or_else(out_of_range),
        Cell::Date(days) => i64::from(*days).checked_mul(DAY_MICROS).ok_or_else(out_of_range),
        _ => Err(unexpected()),
    }
}

fn clock(cell: &Cell<'_>, zone: Tz) -> Result<i64, String> {
    match cell {
        Cell::Date(days) if matches!(*days, i32::MAX | i32::MIN) => Ok(if *days > 0 { i64::MAX } else { i64::MIN }),
        Cell::Instant(micros) | Cell::Local(micros) if infinite(*micros).is_some() => since_2000(*micros),
        _ => shown(cell, zone)?.checked_sub(MICROS_TO_2000).ok_or_else(out_of_range),
    }
}

fn instant(cell: &Cell<'_>, zone: Tz) -> Result<i64, String> {
    let micros = match cell {
        Cell::Instant(micros) | Cell::Local(micros) if infinite(*micros).is_some() => {
            return since_2000(*micros);
        }
        Cell::Instant(micros) => *micros,
        Cell::Local(micros) => shown_in(*micros, zone),
        _ => return Err(unexpected()),
    };
    micros.checked_sub(MICROS_TO_2000).ok_or_else(out_of_range)
}

/// Microseconds since 2000, of those since 1970.
pub(super) fn since_2000(micros: i64) -> Result<i64, String> {
    match infinite(micros) {
        Some(infinite) => Ok(infinite),
        None => micros.checked_sub(MICROS_TO_2000).ok_or_else(out_of_range),
    }
}

/// PostgreSQL's infinity for the greatest and the least time, also where they were counted in milliseconds in between.
fn infinite(micros: i64) -> Option<i64> {
    match micros / 1_000 {
        millis if millis == i64::MAX / 1_000 => Some(i64::MAX),
        millis if millis == i64::MIN / 1_000 => Some(i64::MIN),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int32Array, ListArray, StringArray};
    use arrow::datatypes::Int32Type;

    use super::*;

    fn encoded(target: &TargetType, cell: &Cell<'_>) -> Result<Vec<u8>, String> {
        let mut out = Vec::new();
        encode_plain(target, cell, "Europe/Zurich".parse().unwrap(), &mut out).map(|()| out)
    }

    #[test]
    fn what_has_no_place_in_its_column_is_found_before_it_is_sent() {
        for (target, cell) in [
            (TargetType::Int2, Cell::Integer(40_000)),
            (TargetType::Int4, Cell::Integer(i64::MAX)),
            (TargetType::Int8, Cell::Decimal("1.5".to_owned())),
            (TargetType::Int8, Cell::Decimal("9223372036854775808".to_owned())),
            (TargetType::Float4, Cell::Double(1e300)),
            (TargetType::Text, Cell::Text("a\0b")),
            (TargetType::Jsonb, Cell::Text("\0")),
            (TargetType::Uuid, Cell::Text("not-a-uuid")),
            (TargetType::Uuid, Cell::Text("é0eebc999c0b4ef8bb6d6bb9bd380a1")),
            (TargetType::Date, Cell::Date(i32::MIN + 1)),
            (TargetType::Timestamp, Cell::Date(i32::MAX - 1)),
            (TargetType::Boolean, Cell::Integer(1)),
        ] {
            assert!(encoded(&target, &cell).is_err(), "{target:?} {cell:?}");
        }
    }

    #[test]
    fn times_count_from_2000_and_infinity_stays() {
        assert_eq!(i64::from(DAYS_TO_2000) * DAY_MICROS, MICROS_TO_2000);
        let bytes = |target, cell| encoded(&target, &cell).unwrap();
        assert_eq!(bytes(TargetType::Date, Cell::Date(DAYS_TO_2000)), 0_i32.to_be_bytes());
        let instant = Cell::Instant(MICROS_TO_2000);
        assert_eq!(bytes(TargetType::TimestampWithZone, instant.clone()), 0_i64.to_be_bytes());
        assert_eq!(bytes(TargetType::Timestamp, instant), 3_600_000_000_i64.to_be_bytes());
        let millis = Cell::Instant(i64::MAX / 1_000 * 1_000);
        assert_eq!(bytes(TargetType::Timestamp, millis), i64::MAX.to_be_bytes());
        assert_eq!(bytes(TargetType::Timestamp, Cell::Date(i32::MIN)), i64::MIN.to_be_bytes());
    }

    #[test]
    fn arrays_have_a_dimension_unless_they_are_empty() {
        let lists: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([
            Some(vec![Some(7), None]),
            Some(vec![]),
            None,
        ]));
        let of = |row| {
            let mut out = Vec::new();
            encode_value(&TargetType::Array(Box::new(TargetType::Int4)), &lists, row, Tz::UTC, &mut out).unwrap();
            out
        };
        let words = |words: &[i32]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<_>>();
        assert_eq!(of(0), words(&[32, 1, 1, 23, 2, 1, 4, 7, -1]));
        assert_eq!(of(1), words(&[12, 0, 0, 23]));
        assert_eq!(of(2), words(&[-1]));
        let number = Int32Array::from(vec![1]);
        let mut out = Vec::new();
        encode_value(&TargetType::Text, &number, 0, Tz::UTC, &mut out).unwrap();
        assert_eq!(out, [0, 0, 0, 1, b'1']);
        let uuid = StringArray::from(vec!["{A0EEBC99-9c0b-4ef8-bb6d-6bb9bd380a11}"]);
        let mut out = Vec::new();
        encode_value(&TargetType::Uuid, &uuid, 0, Tz::UTC, &mut out).unwrap();
        assert_eq!((out.len(), out[4]), (20, 0xa0));
    }
}
