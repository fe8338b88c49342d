//! The values of one column.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Decimal256Builder, Float32Builder,
    Float64Builder, Int8Builder, Int16Builder, Int32Builder, Int64Builder, StringBuilder, Time64MicrosecondBuilder,
    TimestampMicrosecondBuilder, UInt64Builder,
};
use arrow::datatypes::i256;
use mysql_async::Value;

use super::decimal::unscaled;
use super::times::{days, first_day, micros, time_of_day};
use crate::parameters::ZeroDates;
use crate::value_type::ValueType;

/// Why a value has no place in its column.
type Refused = &'static str;

const UNEXPECTED: Refused = "a value of another type than the server has told";

/// Builds the values of a column.
#[derive(Debug)]
pub(super) enum ColumnBuilder {
    Boolean(BooleanBuilder),
    Int8(Int8Builder),
    Int16(Int16Builder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    UInt64(UInt64Builder),
    Float32(Float32Builder),
    Float64(Float64Builder),
    Decimal128(Decimal128Builder, i8),
    Decimal256(Decimal256Builder, i8),
    Text(StringBuilder),
    Bytes(BinaryBuilder),
    Date(Date32Builder),
    YearDate(Date32Builder),
    Time(Time64MicrosecondBuilder),
    Timestamp(TimestampMicrosecondBuilder),
}

impl ColumnBuilder {
    /// For values of a type.
    pub(super) fn new(value: ValueType) -> Self {
        let data_type = value.data_type();
        match value {
            ValueType::Boolean => Self::Boolean(BooleanBuilder::new()),
            ValueType::Int8 => Self::Int8(Int8Builder::new()),
            ValueType::Int16 => Self::Int16(Int16Builder::new()),
            ValueType::Int32 => Self::Int32(Int32Builder::new()),
            ValueType::Int64 => Self::Int64(Int64Builder::new()),
            ValueType::UInt64 => Self::UInt64(UInt64Builder::new()),
            ValueType::Float32 => Self::Float32(Float32Builder::new()),
            ValueType::Float64 => Self::Float64(Float64Builder::new()),
            ValueType::Decimal128(scale) => Self::Decimal128(Decimal128Builder::new().with_data_type(data_type), scale),
            ValueType::Decimal256(scale) => Self::Decimal256(Decimal256Builder::new().with_data_type(data_type), scale),
            ValueType::Text => Self::Text(StringBuilder::new()),
            ValueType::Bytes => Self::Bytes(BinaryBuilder::new()),
            ValueType::Date => Self::Date(Date32Builder::new()),
            ValueType::YearDate => Self::YearDate(Date32Builder::new()),
            ValueType::Time => Self::Time(Time64MicrosecondBuilder::new()),
            ValueType::DateTime | ValueType::Timestamp => {
                Self::Timestamp(TimestampMicrosecondBuilder::new().with_data_type(data_type))
            }
        }
    }

    /// Adds a value; how many bytes it has.
    ///
    /// # Errors
    /// What it is that has no place in the column.
    pub(super) fn append(&mut self, value: &Value, zero_dates: ZeroDates) -> Result<usize, Refused> {
        match self {
            Self::Boolean(builder) => builder.append_option(integer(value)?.map(|number| number != 0)),
            Self::Int8(builder) => builder.append_option(narrow(value)?),
            Self::Int16(builder) => builder.append_option(narrow(value)?),
            Self::Int32(builder) => builder.append_option(narrow(value)?),
            Self::Int64(builder) => builder.append_option(narrow(value)?),
            Self::UInt64(builder) => builder.append_option(narrow(value)?),
            Self::Float32(builder) => builder.append_option(match value {
                Value::NULL => None,
                Value::Float(number) => Some(*number),
                _ => return Err(UNEXPECTED),
            }),
            Self::Float64(builder) => builder.append_option(match value {
                Value::NULL => None,
                Value::Double(number) => Some(*number),
                Value::Float(number) => Some(f64::from(*number)),
                _ => return Err(UNEXPECTED),
            }),
            Self::Decimal128(builder, scale) => {
                builder.append_option(bytes(value)?.map(|text| unscaled::<i128>(text, *scale)).transpose()?)
            }
            Self::Decimal256(builder, scale) => {
                builder.append_option(bytes(value)?.map(|text| unscaled::<i256>(text, *scale)).transpose()?)
            }
            Self::Text(builder) => {
                let text = bytes(value)?.map(std::str::from_utf8).transpose();
                let text = text.map_err(|_| "a text that is no UTF-8")?;
                builder.append_option(text);
                return Ok(text.map_or(1, str::len));
            }
            Self::Bytes(builder) => {
                let bytes = bytes(value)?;
                builder.append_option(bytes);
                return Ok(bytes.map_or(1, <[u8]>::len));
            }
            Self::Date(builder) => builder.append_option(match value {
                Value::NULL => None,
                value => days(value, zero_dates)?,
            }),
            Self::YearDate(builder) => builder.append_option(match narrow(value)? {
                None => None,
                Some(year) => first_day(year, zero_dates)?,
            }),
            Self::Time(builder) => builder.append_option(match value {
                Value::NULL => None,
                value => Some(time_of_day(value)?),
            }),
            Self::Timestamp(builder) => builder.append_option(match value {
                Value::NULL => None,
                value => micros(value, zero_dates)?,
            }),
        }
        Ok(8)
    }

    /// The values so far; begins anew.
    pub(super) fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Boolean(builder) => Arc::new(builder.finish()),
            Self::Int8(builder) => Arc::new(builder.finish()),
            Self::Int16(builder) => Arc::new(builder.finish()),
            Self::Int32(builder) => Arc::new(builder.finish()),
            Self::Int64(builder) => Arc::new(builder.finish()),
            Self::UInt64(builder) => Arc::new(builder.finish()),
            Self::Float32(builder) => Arc::new(builder.finish()),
            Self::Float64(builder) => Arc::new(builder.finish()),
            Self::Decimal128(builder, _) => Arc::new(builder.finish()),
            Self::Decimal256(builder, _) => Arc::new(builder.finish()),
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Bytes(builder) => Arc::new(builder.finish()),
            Self::Date(builder) | Self::YearDate(builder) => Arc::new(builder.finish()),
            Self::Time(builder) => Arc::new(builder.finish()),
            Self::Timestamp(builder) => Arc::new(builder.finish()),
        }
    }
}

fn bytes(value: &Value) -> Result<Option<&[u8]>, Refused> {
    match value {
        Value::NULL => Ok(None),
        Value::Bytes(bytes) => Ok(Some(bytes)),
        _ => Err(UNEXPECTED),
    }
}

/// A number, or bits as one.
fn integer(value: &Value) -> Result<Option<i128>, Refused> {
    match value {
        Value::NULL => Ok(None),
        Value::Int(number) => Ok(Some(i128::from(*number))),
        Value::UInt(number) => Ok(Some(i128::from(*number))),
        Value::Bytes(bits) if bits.len() <= 8 => {
            Ok(Some(bits.iter().fold(0, |number, byte| number << 8 | i128::from(*byte))))
        }
        _ => Err(UNEXPECTED),
    }
}

fn narrow<T: TryFrom<i128>>(value: &Value) -> Result<Option<T>, Refused> {
    let number = integer(value)?.map(T::try_from).transpose();
    number.map_err(|_| "a number that is too large for its type")
}

#[cfg(test)]
mod tests {
    use arrow::array::Array;
    use arrow::util::display::array_value_to_string;

    use super::*;

    fn shown(value_type: ValueType, value: &Value) -> Result<String, Refused> {
        let mut builder = ColumnBuilder::new(value_type);
        builder.append(&Value::NULL, ZeroDates::Null).unwrap();
        builder.append(value, ZeroDates::Null)?;
        let array = builder.finish();
        assert!(array.is_null(0));
        assert_eq!(array.data_type(), &value_type.data_type());
        assert_eq!(builder.finish().len(), 0, "begins anew");
        Ok(array_value_to_string(&array, 1).unwrap())
    }

    #[test]
    fn every_type_is_read_from_what_the_server_sends() {
        let bytes = |bytes: &[u8]| Value::Bytes(bytes.to_vec());
        for (value_type, value, expected) in [
            (ValueType::Boolean, bytes(&[1]), "true"),
            (ValueType::Boolean, Value::Int(0), "false"),
            (ValueType::Int8, bytes(&[1]), "1"),
            (ValueType::Int8, Value::Int(-128), "-128"),
            (ValueType::Int16, Value::Int(255), "255"),
            (ValueType::Int64, Value::UInt(4_294_967_295), "4294967295"),
            (ValueType::UInt64, Value::UInt(u64::MAX), "18446744073709551615"),
            (ValueType::Float32, Value::Float(1.5), "1.5"),
            (ValueType::Float64, Value::Double(f64::MIN), "-1.7976931348623157e308"),
            (ValueType::Decimal128(2), bytes(b"-12.34"), "-12.34"),
            (ValueType::Decimal256(0), bytes(&[b'9'; 65]), &"9".repeat(65)),
            (ValueType::Text, bytes("né".as_bytes()), "né"),
            (ValueType::Bytes, bytes(&[0, 255]), "00ff"),
            (ValueType::Date, Value::Date(2026, 2, 28, 0, 0, 0, 0), "2026-02-28"),
            (ValueType::Date, Value::Date(0, 0, 0, 0, 0, 0, 0), ""),
            (ValueType::YearDate, Value::Int(2026), "2026-01-01"),
            (ValueType::Time, Value::Time(false, 0, 12, 34, 56, 789), "12:34:56.000789"),
            (ValueType::DateTime, Value::Date(2026, 1, 2, 3, 4, 5, 6), "2026-01-02T03:04:05.000006"),
            (ValueType::Timestamp, Value::Date(2026, 1, 2, 3, 4, 5, 0), "2026-01-02T03:04:05Z"),
        ] {
            assert_eq!(shown(value_type, &value).unwrap(), expected, "{value_type:?}");
        }
    }

    #[test]
    fn what_has_no_place_is_refused() {
        for (value_type, value) in [
            (ValueType::Int8, Value::Int(128)),
            (ValueType::UInt64, Value::Int(-1)),
            (ValueType::Int64, Value::Bytes(vec![0; 9])),
            (ValueType::Text, Value::Bytes(vec![255])),
            (ValueType::Text, Value::Int(1)),
            (ValueType::Float32, Value::Double(1.0)),
            (ValueType::Time, Value::Time(false, 1, 0, 0, 0, 0)),
            (ValueType::Date, Value::Int(1)),
        ] {
            assert!(shown(value_type, &value).is_err(), "{value_type:?}");
        }
    }
}
