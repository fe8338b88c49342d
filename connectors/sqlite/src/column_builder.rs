//! The values of one column. SQLite takes any value into any column: what has no place in the column's type is refused.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Decimal128Builder, Float64Builder, Int8Builder, Int16Builder,
    Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
};
use rusqlite::types::ValueRef;

use crate::column_type::ColumnType;
use crate::points_in_time::{micros_of_julian_day, micros_of_text};
use crate::time_form::TimeUnit;

/// From here on floating point has no fractions.
const WHOLE: f64 = 9_007_199_254_740_992.0;

/// What it is that has no place in the column.
type Refused = String;

/// Builds the values of a column.
#[derive(Debug)]
pub(crate) enum ColumnBuilder {
    Boolean(BooleanBuilder),
    Int8(Int8Builder),
    Int16(Int16Builder),
    Int64(Int64Builder),
    Float64(Float64Builder),
    Decimal(Decimal128Builder, u32, i8),
    Text(StringBuilder),
    Bytes(BinaryBuilder),
    Timestamp(TimestampMicrosecondBuilder, TimeUnit),
}

impl ColumnBuilder {
    /// For values of a type; `unit` is what numbers count that are points in time.
    pub(crate) fn new(column_type: ColumnType, unit: TimeUnit) -> Self {
        match column_type {
            ColumnType::Boolean => Self::Boolean(BooleanBuilder::new()),
            ColumnType::Int8 => Self::Int8(Int8Builder::new()),
            ColumnType::Int16 => Self::Int16(Int16Builder::new()),
            ColumnType::Int64 => Self::Int64(Int64Builder::new()),
            ColumnType::Float64 => Self::Float64(Float64Builder::new()),
            ColumnType::Decimal { precision, scale, .. } => {
                Self::Decimal(Decimal128Builder::new().with_data_type(column_type.data_type()), precision, scale)
            }
            ColumnType::Number | ColumnType::Text => Self::Text(StringBuilder::new()),
            ColumnType::Bytes => Self::Bytes(BinaryBuilder::new()),
            ColumnType::Date | ColumnType::Timestamp => {
                Self::Timestamp(TimestampMicrosecondBuilder::new().with_data_type(column_type.data_type()), unit)
            }
        }
    }

    /// Adds a value; how many bytes it has.
    pub(crate) fn append(&mut self, value: ValueRef<'_>) -> Result<usize, Refused> {
        if let ValueRef::Null = value {
            self.append_null();
            return Ok(1);
        }
        match self {
            Self::Boolean(builder) => builder.append_value(boolean(value)?),
            Self::Int8(builder) => builder.append_value(integer(value)?),
            Self::Int16(builder) => builder.append_value(integer(value)?),
            Self::Int64(builder) => builder.append_value(integer(value)?),
            Self::Float64(builder) => builder.append_value(floating(value)?),
            Self::Decimal(builder, precision, scale) => builder.append_value(decimal(value, *precision, *scale)?),
            Self::Text(builder) => return append_text(builder, value),
            Self::Bytes(builder) => match value {
                ValueRef::Blob(bytes) | ValueRef::Text(bytes) => {
                    builder.append_value(bytes);
                    return Ok(bytes.len());
                }
                _ => return Err(refused(value)),
            },
            Self::Timestamp(builder, unit) => builder.append_value(micros(value, *unit)?),
        }
        Ok(8)
    }

    fn append_null(&mut self) {
        match self {
            Self::Boolean(builder) => builder.append_null(),
            Self::Int8(builder) => builder.append_null(),
            Self::Int16(builder) => builder.append_null(),
            Self::Int64(builder) => builder.append_null(),
            Self::Float64(builder) => builder.append_null(),
            Self::Decimal(builder, ..) => builder.append_null(),
            Self::Text(builder) => builder.append_null(),
            Self::Bytes(builder) => builder.append_null(),
            Self::Timestamp(builder, _) => builder.append_null(),
        }
    }

    /// The values so far; begins anew.
    pub(crate) fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Boolean(builder) => Arc::new(builder.finish()),
            Self::Int8(builder) => Arc::new(builder.finish()),
            Self::Int16(builder) => Arc::new(builder.finish()),
            Self::Int64(builder) => Arc::new(builder.finish()),
            Self::Float64(builder) => Arc::new(builder.finish()),
            Self::Decimal(builder, ..) => Arc::new(builder.finish()),
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Bytes(builder) => Arc::new(builder.finish()),
            Self::Timestamp(builder, _) => Arc::new(builder.finish()),
        }
    }
}

/// What is said of a value that has no place: what kind it is, since the value itself may be anything.
fn refused(value: ValueRef<'_>) -> Refused {
    match value {
        ValueRef::Null => "a null".to_owned(),
        ValueRef::Integer(number) => format!("the integer {number}"),
        ValueRef::Real(number) => format!("the number {number:?}"),
        ValueRef::Text(text) => format!("a text of {} bytes", text.len()),
        ValueRef::Blob(bytes) => format!("a blob of {} bytes", bytes.len()),
    }
}

fn boolean(value: ValueRef<'_>) -> Result<bool, Refused> {
    match value {
        ValueRef::Integer(number) => Ok(number != 0),
        ValueRef::Text(text) if text.eq_ignore_ascii_case(b"true") => Ok(true),
        ValueRef::Text(text) if text.eq_ignore_ascii_case(b"false") => Ok(false),
        _ => Err(refused(value)),
    }
}

fn integer<T: TryFrom<i64>>(value: ValueRef<'_>) -> Result<T, Refused> {
    match value {
        ValueRef::Integer(number) => T::try_from(number).map_err(|_| refused(value)),
        _ => Err(refused(value)),
    }
}

fn floating(value: ValueRef<'_>) -> Result<f64, Refused> {
    match value {
        ValueRef::Real(number) => Ok(number),
        ValueRef::Integer(number) if (number as f64).abs() <= WHOLE => Ok(number as f64),
        _ => Err(refused(value)),
    }
}

fn decimal(value: ValueRef<'_>, precision: u32, scale: i8) -> Result<i128, Refused> {
    let unscaled = match value {
        ValueRef::Integer(number) => unscaled(&number.to_string(), scale),
        // the shortest text that means this number: what was put in, not what floating point makes of it
        ValueRef::Real(number) => unscaled(&number.to_string(), scale),
        ValueRef::Text(text) => std::str::from_utf8(text).ok().and_then(|text| unscaled(text.trim(), scale)),
        ValueRef::Null | ValueRef::Blob(_) => None,
    };
    unscaled.filter(|number| number.unsigned_abs() < 10_u128.pow(precision)).ok_or_else(|| refused(value))
}

/// The number without its point, with `scale` places behind it; `None` if it has more, or is no number.
fn unscaled(text: &str, scale: i8) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = fraction.trim_end_matches('0');
    let scale = usize::try_from(scale).ok()?;
    if !whole.ends_with(|last: char| last.is_ascii_digit()) {
        return None;
    }
    if fraction.len() > scale || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("{whole}{fraction:0<scale$}").parse().ok()
}

fn append_text(builder: &mut StringBuilder, value: ValueRef<'_>) -> Result<usize, Refused> {
    match value {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            let text = std::str::from_utf8(bytes).map_err(|_| format!("{}, which is no UTF-8", refused(value)))?;
            builder.append_value(text);
            Ok(bytes.len())
        }
        ValueRef::Integer(number) => {
            builder.append_value(number.to_string());
            Ok(8)
        }
        ValueRef::Real(number) => {
            builder.append_value(format!("{number:?}"));
            Ok(8)
        }
        ValueRef::Null => Err(refused(value)),
    }
}

fn micros(value: ValueRef<'_>, unit: TimeUnit) -> Result<i64, Refused> {
    let micros = match value {
        ValueRef::Integer(number) => number.checked_mul(match unit {
            TimeUnit::Seconds => 1_000_000,
            TimeUnit::Millis => 1_000,
        }),
        ValueRef::Real(day) => micros_of_julian_day(day),
        ValueRef::Text(text) => std::str::from_utf8(text).ok().and_then(micros_of_text),
        ValueRef::Null | ValueRef::Blob(_) => None,
    };
    micros.ok_or_else(|| refused(value))
}

#[cfg(test)]
mod tests {
    use arrow::array::Array;
    use arrow::util::display::array_value_to_string;

    use super::*;

    fn shown(declared: &str, value: ValueRef<'_>) -> Result<String, Refused> {
        let column_type = ColumnType::of(Some(declared));
        let mut builder = ColumnBuilder::new(column_type, TimeUnit::Millis);
        builder.append(ValueRef::Null).unwrap();
        builder.append(value)?;
        let array = builder.finish();
        assert!(array.is_null(0) && array.is_valid(1));
        assert_eq!(array.data_type(), &column_type.data_type());
        assert_eq!(builder.finish().len(), 0, "begins anew");
        Ok(array_value_to_string(&array, 1).unwrap())
    }

    #[test]
    fn values_are_what_their_column_is_declared_as() {
        let text = |text: &'static str| ValueRef::Text(text.as_bytes());
        for (declared, value, expected) in [
            ("INTEGER", ValueRef::Integer(i64::MIN), "-9223372036854775808"),
            ("TINYINT", ValueRef::Integer(-128), "-128"),
            ("SMALLINT", ValueRef::Integer(32_767), "32767"),
            ("BOOLEAN", ValueRef::Integer(2), "true"),
            ("BOOLEAN", text("FALSE"), "false"),
            ("REAL", ValueRef::Real(0.1), "0.1"),
            ("REAL", ValueRef::Integer(3), "3.0"),
            ("NUMERIC(10,2)", ValueRef::Real(12.34), "12.34"),
            ("NUMERIC(10,2)", ValueRef::Integer(-7), "-7.00"),
            ("DECIMAL(38,0)", ValueRef::Real(1e37), "10000000000000000000000000000000000000"),
            ("DECIMAL(4,2)", ValueRef::Real(-0.05), "-0.05"),
            ("NUMERIC", ValueRef::Real(0.1), "0.1"),
            ("NUMERIC", ValueRef::Integer(12), "12"),
            ("TEXT", text("né"), "né"),
            ("", ValueRef::Integer(5), "5"),
            ("", ValueRef::Blob(b"ab"), "ab"),
            ("BLOB", ValueRef::Blob(&[0, 255]), "00ff"),
            ("DATE", ValueRef::Integer(-1), "1969-12-31T23:59:59.999"),
            ("DATE", text("2026-02-28"), "2026-02-28T00:00:00"),
            ("DATE", text("2026-02-28 10:00"), "2026-02-28T10:00:00"),
            ("TIMESTAMP", ValueRef::Integer(1_769_817_600_123), "2026-01-31T00:00:00.123Z"),
            ("TIMESTAMP", text("2026-01-31 00:00:00.123456"), "2026-01-31T00:00:00.123456Z"),
            ("DATETIME", ValueRef::Real(2_440_587.5), "1970-01-01T00:00:00Z"),
        ] {
            assert_eq!(shown(declared, value).unwrap(), expected, "{declared} {value:?}");
        }
    }

    #[test]
    fn what_has_no_place_in_its_column_is_refused() {
        for (declared, value) in [
            ("INTEGER", ValueRef::Text(b"many")),
            ("INTEGER", ValueRef::Real(1.5)),
            ("TINYINT", ValueRef::Integer(128)),
            ("BOOLEAN", ValueRef::Text(b"maybe")),
            ("REAL", ValueRef::Integer(i64::MAX)),
            ("NUMERIC(4,2)", ValueRef::Real(0.125)),
            ("NUMERIC(4,2)", ValueRef::Integer(100)),
            ("NUMERIC(4,2)", ValueRef::Real(f64::INFINITY)),
            ("NUMERIC(4,2)", ValueRef::Text(b"")),
            ("TEXT", ValueRef::Blob(&[255])),
            ("BLOB", ValueRef::Integer(1)),
            ("DATE", ValueRef::Text(b"today")),
            ("TIMESTAMP", ValueRef::Integer(i64::MAX)),
        ] {
            assert!(shown(declared, value).is_err(), "{declared} {value:?}");
        }
    }
}
