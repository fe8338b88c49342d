//! Single numbers and booleans in the big-endian format of Kafka's own serializers.
//!
//! Without widening: a column must have exactly the converter's type, as in Kafka Connect.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BooleanArray, PrimitiveArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Field, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
};
use volley_api::{
    Column, ConfigMap, Converted, Converter, Error, RawBatch, Result, Serialized, Side, Unserialized, Value,
};

use crate::keys::converter_def;
use crate::rejections::{Rejections, bytes_of, serialization_error};

/// Optional INT16 in two bytes.
pub type ShortConverter = NumberConverter<Int16Type>;
/// Optional INT32 in four bytes.
pub type IntegerConverter = NumberConverter<Int32Type>;
/// Optional INT64 in eight bytes.
pub type LongConverter = NumberConverter<Int64Type>;
/// Optional FLOAT32 in four bytes.
pub type FloatConverter = NumberConverter<Float32Type>;
/// Optional FLOAT64 in eight bytes.
pub type DoubleConverter = NumberConverter<Float64Type>;

/// A number type with a converter.
pub trait WireNumber: ArrowPrimitiveType {
    /// Java class name of the converter.
    const CLASS: &'static str;
    /// Kafka Connect's name of the type in messages.
    const NAME: &'static str;
    /// The number as big-endian bytes.
    type Bytes: AsRef<[u8]>;

    /// The number in `bytes`; `None` if their count is wrong.
    fn read(bytes: &[u8]) -> Option<Self::Native>;

    /// The bytes of `number`.
    fn write(number: Self::Native) -> Self::Bytes;

    /// The number as a [`Value`].
    fn to_value(number: Self::Native) -> Value;

    /// The number in a value; `None` if it has another type.
    fn of_value(value: &Value) -> Option<Self::Native>;
}

impl WireNumber for Int16Type {
    const CLASS: &'static str = "org.apache.kafka.connect.converters.ShortConverter";
    const NAME: &'static str = "short";
    type Bytes = [u8; 2];

    fn read(bytes: &[u8]) -> Option<i16> {
        bytes.try_into().ok().map(i16::from_be_bytes)
    }

    fn write(number: i16) -> [u8; 2] {
        number.to_be_bytes()
    }

    fn to_value(number: i16) -> Value {
        Value::Int16(number)
    }

    fn of_value(value: &Value) -> Option<i16> {
        match value {
            Value::Int16(number) => Some(*number),
            _ => None,
        }
    }
}

impl WireNumber for Int32Type {
    const CLASS: &'static str = "org.apache.kafka.connect.converters.IntegerConverter";
    const NAME: &'static str = "integer";
    type Bytes = [u8; 4];

    fn read(bytes: &[u8]) -> Option<i32> {
        bytes.try_into().ok().map(i32::from_be_bytes)
    }

    fn write(number: i32) -> [u8; 4] {
        number.to_be_bytes()
    }

    fn to_value(number: i32) -> Value {
        Value::Int32(number)
    }

    fn of_value(value: &Value) -> Option<i32> {
        match value {
            Value::Int32(number) => Some(*number),
            _ => None,
        }
    }
}

impl WireNumber for Int64Type {
    const CLASS: &'static str = "org.apache.kafka.connect.converters.LongConverter";
    const NAME: &'static str = "long";
    type Bytes = [u8; 8];

    fn read(bytes: &[u8]) -> Option<i64> {
        bytes.try_into().ok().map(i64::from_be_bytes)
    }

    fn write(number: i64) -> [u8; 8] {
        number.to_be_bytes()
    }

    fn to_value(number: i64) -> Value {
        Value::Int64(number)
    }

    fn of_value(value: &Value) -> Option<i64> {
        match value {
            Value::Int64(number) => Some(*number),
            _ => None,
        }
    }
}

impl WireNumber for Float32Type {
    const CLASS: &'static str = "org.apache.kafka.connect.converters.FloatConverter";
    const NAME: &'static str = "float";
    type Bytes = [u8; 4];

    fn read(bytes: &[u8]) -> Option<f32> {
        bytes.try_into().ok().map(f32::from_be_bytes)
    }

    fn write(number: f32) -> [u8; 4] {
        number.to_be_bytes()
    }

    fn to_value(number: f32) -> Value {
        Value::Float32(number)
    }

    fn of_value(value: &Value) -> Option<f32> {
        match value {
            Value::Float32(number) => Some(*number),
            _ => None,
        }
    }
}

impl WireNumber for Float64Type {
    const CLASS: &'static str = "org.apache.kafka.connect.converters.DoubleConverter";
    const NAME: &'static str = "double";
    type Bytes = [u8; 8];

    fn read(bytes: &[u8]) -> Option<f64> {
        bytes.try_into().ok().map(f64::from_be_bytes)
    }

    fn write(number: f64) -> [u8; 8] {
        number.to_be_bytes()
    }

    fn to_value(number: f64) -> Value {
        Value::Float64(number)
    }

    fn of_value(value: &Value) -> Option<f64> {
        match value {
            Value::Float64(number) => Some(*number),
            _ => None,
        }
    }
}

/// The converter of one type of number.
pub struct NumberConverter<T> {
    side: Side,
    number: PhantomData<fn() -> T>,
}

impl<T: WireNumber> NumberConverter<T> {
    /// Java class name.
    pub const CLASS: &'static str = T::CLASS;

    /// A converter of one side.
    ///
    /// # Errors
    /// An invalid `converter.type`.
    pub fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        converter_def().parse(config)?;
        Ok(Self { side, number: PhantomData })
    }
}

impl<T: WireNumber> fmt::Debug for NumberConverter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(T::CLASS).field("side", &self.side).finish()
    }
}

impl<T: WireNumber> Converter for NumberConverter<T> {
    fn to_connect(&mut self, batch: &RawBatch, side: Side) -> Result<Converted> {
        let bytes = bytes_of(batch, side);
        let mut rejections = Rejections::new(T::CLASS, side);
        let expected = format!("{} is {} bytes", T::DATA_TYPE, size_of::<T::Native>());
        let array: PrimitiveArray<T> = decode_each(bytes, &mut rejections, (T::NAME, &expected), T::read);
        Ok(rejections.into_converted(bytes.len(), optional(T::DATA_TYPE, Arc::new(array))))
    }

    fn from_connect(&mut self, rows: &Unserialized<'_>) -> Result<Serialized> {
        let column = rows.column;
        let mut rejections = Rejections::new(T::CLASS, self.side);
        let bytes = match column.array.as_primitive_opt::<T>() {
            Some(array) => array.iter().map(|value| value.map(T::write)).collect(),
            None => reject_all(column, &T::DATA_TYPE, &mut rejections),
        };
        Ok(Serialized::new(bytes, rejections.into_rows()))
    }
}

/// Optional BOOLEAN in one byte, 0x00 or 0x01.
#[derive(Debug)]
pub struct BooleanConverter {
    side: Side,
}

impl BooleanConverter {
    /// Java class name.
    pub const CLASS: &'static str = "org.apache.kafka.connect.converters.BooleanConverter";

    /// A converter of one side.
    ///
    /// # Errors
    /// An invalid `converter.type`.
    pub fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        converter_def().parse(config)?;
        Ok(Self { side })
    }
}

impl Converter for BooleanConverter {
    fn to_connect(&mut self, batch: &RawBatch, side: Side) -> Result<Converted> {
        let read = |bytes: &[u8]| match bytes {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        };
        let bytes = bytes_of(batch, side);
        let mut rejections = Rejections::new(Self::CLASS, side);
        let array: BooleanArray =
            decode_each(bytes, &mut rejections, ("boolean", "a boolean is one byte, 0 or 1"), read);
        Ok(rejections.into_converted(bytes.len(), optional(DataType::Boolean, Arc::new(array))))
    }

    fn from_connect(&mut self, rows: &Unserialized<'_>) -> Result<Serialized> {
        let column = rows.column;
        let mut rejections = Rejections::new(Self::CLASS, self.side);
        let bytes = match column.array.as_boolean_opt() {
            Some(array) => array.iter().map(|value| value.map(|value| [u8::from(value)])).collect(),
            None => reject_all(column, &DataType::Boolean, &mut rejections),
        };
        Ok(Serialized::new(bytes, rejections.into_rows()))
    }
}

/// Decodes every row that is not null. Rows that cannot be decoded are left out and rejected.
fn decode_each<V, A: FromIterator<Option<V>>>(
    bytes: &BinaryArray,
    rejections: &mut Rejections,
    (name, expected): (&str, &str),
    read: impl Fn(&[u8]) -> Option<V>,
) -> A {
    let rows = bytes.iter().enumerate().filter_map(|(row, value)| match value {
        None => Some(None),
        Some(value) => {
            let decoded = read(value);
            if decoded.is_none() {
                let found = serialization_error(format!("could not deserialize {} bytes: {expected}", value.len()));
                // Kafka Connect's message
                rejections.push(row, Error::data(format!("Failed to deserialize {name}: ")).with_source(found));
            }
            decoded.map(Some)
        }
    });
    rows.collect()
}

fn optional(data_type: DataType, array: ArrayRef) -> Column {
    Column::new(Arc::new(Field::new("value", data_type, true)), array)
}

/// Rejects every row that has a value, each by itself, so that the error handler decides about each.
fn reject_all(column: &Column, expected: &DataType, rejections: &mut Rejections) -> BinaryArray {
    let found = column.array.data_type();
    for row in (0..column.len()).filter(|row| !column.is_null(*row)) {
        rejections.data(row, format!("could not serialize a value of type {found}: it must be {expected}"));
    }
    BinaryArray::new_null(column.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rejections::raw_batch_of;

    #[test]
    fn numbers_round_trip_and_wrong_lengths_are_rejected_alone() {
        let mut converter = LongConverter::new(&ConfigMap::new(), Side::Value).unwrap();
        let bytes = 7i64.to_be_bytes();
        let batch = raw_batch_of(&[Some(&bytes), Some(b"short"), None, Some(b"")]);
        let converted = converter.to_connect(&batch, Side::Value).unwrap();
        assert_eq!(converted.rejected.iter().map(|row| row.row).collect::<Vec<_>>(), [1, 3]);
        assert_eq!(converted.rejected[0].error.exception(), "org.apache.kafka.connect.errors.DataException");
        let run = &converted.runs[0];
        assert_eq!(run.rows.iter().collect::<Vec<_>>(), [0, 2]);
        let back = converter.from_connect(&Unserialized::new("t", &run.column)).unwrap();
        assert_eq!(back.bytes.iter().collect::<Vec<_>>(), [Some(&bytes[..]), None]);
    }

    #[test]
    fn a_column_of_another_type_is_not_widened() {
        let mut converter = LongConverter::new(&ConfigMap::new(), Side::Key).unwrap();
        let array = PrimitiveArray::<Int32Type>::from(vec![Some(1), None]);
        let serialized =
            converter.from_connect(&Unserialized::new("t", &optional(DataType::Int32, Arc::new(array)))).unwrap();
        assert_eq!(serialized.rejected.iter().map(|row| row.row).collect::<Vec<_>>(), [0]);
        assert!(serialized.bytes.is_null(1));
    }

    #[test]
    fn booleans_are_one_byte() {
        let mut converter = BooleanConverter::new(&ConfigMap::new(), Side::Value).unwrap();
        let converted =
            converter.to_connect(&raw_batch_of(&[Some(&[1]), Some(&[2]), Some(&[0])]), Side::Value).unwrap();
        assert_eq!(converted.rejected[0].row, 1);
        let back = converter.from_connect(&Unserialized::new("t", &converted.runs[0].column)).unwrap();
        assert_eq!(back.bytes.iter().collect::<Vec<_>>(), [Some(&[1][..]), Some(&[0][..])]);
    }
}
