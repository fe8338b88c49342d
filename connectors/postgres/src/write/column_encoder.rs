//! The values of one column in binary. Its types are looked at once, not for each value.

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Float32Array, Float64Array, Int16Array, Int32Array,
    Int64Array, StringArray, Time64MicrosecondArray, TimestampMicrosecondArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    DataType, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type, Time64MicrosecondType, TimeUnit,
    TimestampMicrosecondType,
};
use chrono_tz::Tz;

use super::target_type::TargetType;
use super::value_encoder::{NULL, encode_value, since_2000};

/// Writes the values of a column.
#[derive(Debug)]
pub(super) struct ColumnEncoder<'a> {
    nulls: Option<&'a NullBuffer>,
    values: Values<'a>,
}

/// Pairs of types that are written without a look at the type of each value, and all others.
#[derive(Debug)]
enum Values<'a> {
    Boolean(&'a BooleanArray),
    Int2(&'a Int16Array),
    Int4(&'a Int32Array),
    Int8(&'a Int64Array),
    Float4(&'a Float32Array),
    Float8(&'a Float64Array),
    Text(&'a StringArray),
    Bytes(&'a BinaryArray),
    Time(&'a Time64MicrosecondArray),
    /// A point in time that is written as it is.
    Micros(&'a TimestampMicrosecondArray),
    Other {
        target: &'a TargetType,
        array: &'a ArrayRef,
        zone: Tz,
    },
}

impl<'a> ColumnEncoder<'a> {
    /// Of values that go into a column of this type. Clocks show the time of `zone`.
    pub(super) fn new(target: &'a TargetType, array: &'a ArrayRef, zone: Tz) -> Self {
        let values = match (target, array.data_type()) {
            (TargetType::Boolean, DataType::Boolean) => Values::Boolean(array.as_boolean()),
            (TargetType::Int2, DataType::Int16) => Values::Int2(array.as_primitive::<Int16Type>()),
            (TargetType::Int4, DataType::Int32) => Values::Int4(array.as_primitive::<Int32Type>()),
            (TargetType::Int8, DataType::Int64) => Values::Int8(array.as_primitive::<Int64Type>()),
            (TargetType::Float4, DataType::Float32) => Values::Float4(array.as_primitive::<Float32Type>()),
            (TargetType::Float8, DataType::Float64) => Values::Float8(array.as_primitive::<Float64Type>()),
            (TargetType::Text | TargetType::Json, DataType::Utf8) => Values::Text(array.as_string::<i32>()),
            (TargetType::Bytes, DataType::Binary) => Values::Bytes(array.as_binary::<i32>()),
            (TargetType::Time, DataType::Time64(TimeUnit::Microsecond)) => {
                Values::Time(array.as_primitive::<Time64MicrosecondType>())
            }
            (TargetType::Timestamp, DataType::Timestamp(TimeUnit::Microsecond, with_zone))
                if with_zone.is_none() || zone == Tz::UTC =>
            {
                Values::Micros(array.as_primitive::<TimestampMicrosecondType>())
            }
            (TargetType::TimestampWithZone, DataType::Timestamp(TimeUnit::Microsecond, Some(_))) => {
                Values::Micros(array.as_primitive::<TimestampMicrosecondType>())
            }
            _ => Values::Other { target, array, zone },
        };
        Self { nulls: array.nulls(), values }
    }

    /// Appends the length and the bytes of the value in `row`, as COPY has them.
    ///
    /// # Errors
    /// What it is that the type has no place for.
    #[inline]
    pub(super) fn append(&self, row: usize, out: &mut Vec<u8>) -> Result<(), String> {
        if self.nulls.is_some_and(|nulls| nulls.is_null(row)) {
            out.extend_from_slice(&NULL.to_be_bytes());
            return Ok(());
        }
        match &self.values {
            Values::Boolean(array) => append_fixed([u8::from(array.value(row))], out),
            Values::Int2(array) => append_fixed(array.value(row).to_be_bytes(), out),
            Values::Int4(array) => append_fixed(array.value(row).to_be_bytes(), out),
            Values::Int8(array) => append_fixed(array.value(row).to_be_bytes(), out),
            Values::Float4(array) => append_fixed(array.value(row).to_be_bytes(), out),
            Values::Float8(array) => append_fixed(array.value(row).to_be_bytes(), out),
            Values::Time(array) => append_fixed(array.value(row).to_be_bytes(), out),
            Values::Micros(array) => append_fixed(since_2000(array.value(row))?.to_be_bytes(), out),
            Values::Bytes(array) => append_bytes(array.value(row), out)?,
            Values::Text(array) => {
                let text = array.value(row).as_bytes();
                if text.contains(&0) {
                    return Err("a text with a character of code 0".to_owned());
                }
                append_bytes(text, out)?;
            }
            Values::Other { target, array, zone } => encode_value(target, array, row, *zone, out)?,
        }
        Ok(())
    }
}

#[inline]
fn append_fixed<const N: usize>(bytes: [u8; N], out: &mut Vec<u8>) {
    out.extend_from_slice(&(N as i32).to_be_bytes());
    out.extend_from_slice(&bytes);
}

#[inline]
fn append_bytes(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    let length = i32::try_from(bytes.len()).map_err(|_| "a value of more than 2 GB".to_owned())?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Date32Array, Decimal128Array, NullArray};
    use proptest::prelude::*;

    use super::*;

    const TARGETS: [TargetType; 16] = [
        TargetType::Boolean,
        TargetType::Int2,
        TargetType::Int4,
        TargetType::Int8,
        TargetType::Float4,
        TargetType::Float8,
        TargetType::Numeric,
        TargetType::Text,
        TargetType::Json,
        TargetType::Jsonb,
        TargetType::Uuid,
        TargetType::Bytes,
        TargetType::Date,
        TargetType::Time,
        TargetType::Timestamp,
        TargetType::TimestampWithZone,
    ];

    /// Of each type that a column may have, the same number of values.
    fn arrays(numbers: &[Option<i64>]) -> Vec<ArrayRef> {
        let texts = || numbers.iter().map(|number| number.map(|number| number.to_string()));
        let micros = TimestampMicrosecondArray::from(numbers.to_vec());
        vec![
            Arc::new(BooleanArray::from_iter(numbers.iter().map(|number| number.map(|number| number > 0)))),
            Arc::new(Int16Array::from_iter(numbers.iter().map(|number| number.map(|number| number as i16)))),
            Arc::new(Int32Array::from_iter(numbers.iter().map(|number| number.map(|number| number as i32)))),
            Arc::new(Int64Array::from(numbers.to_vec())),
            Arc::new(Float32Array::from_iter(numbers.iter().map(|number| number.map(|number| number as f32)))),
            Arc::new(Float64Array::from_iter(
                numbers.iter().map(|number| number.map(|number| f64::from_bits(number as u64))),
            )),
            Arc::new(StringArray::from_iter(texts())),
            Arc::new(StringArray::from_iter(texts().map(|text| text.map(|text| text.replace('1', "\0"))))),
            Arc::new(BinaryArray::from_iter(texts())),
            Arc::new(Date32Array::from_iter(numbers.iter().map(|number| number.map(|number| number as i32)))),
            Arc::new(Time64MicrosecondArray::from(numbers.to_vec())),
            Arc::new(micros.clone().with_timezone("UTC")),
            Arc::new(micros),
            Arc::new(Decimal128Array::from_iter(numbers.iter().map(|number| number.map(i128::from)))),
            Arc::new(NullArray::new(numbers.len())),
        ]
    }

    fn number() -> impl Strategy<Value = Option<i64>> {
        prop::option::of(prop_oneof![
            any::<i64>(),
            -1_000_i64..1_000,
            Just(i64::MAX),
            Just(i64::MIN),
            Just(i64::MAX / 1_000 * 1_000)
        ])
    }

    proptest! {
        #[test]
        fn a_column_is_written_as_its_values_are_one_by_one(
            numbers in prop::collection::vec(number(), 1..20),
            zone in prop::sample::select(vec![Tz::UTC, Tz::America__New_York]),
        ) {
            for array in arrays(&numbers) {
                for target in TARGETS.iter().filter(|target| target.takes(array.data_type())) {
                    let encoder = ColumnEncoder::new(target, &array, zone);
                    for row in 0..numbers.len() {
                        let (mut found, mut expected) = (Vec::new(), Vec::new());
                        let outcome = encoder.append(row, &mut found);
                        let of_value = encode_value(target, &array, row, zone, &mut expected);
                        prop_assert_eq!(&outcome, &of_value, "{:?} {:?}", target, array);
                        if outcome.is_ok() {
                            prop_assert_eq!(found, expected, "{:?} {:?}", target, array);
                        }
                    }
                }
            }
        }
    }
}
