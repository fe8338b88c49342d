//! Bytes without conversion.

use std::sync::Arc;

use arrow::array::{Array, AsArray, BinaryArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field};
use volley_api::{Column, ConfigMap, Converted, Converter, Error, RawBatch, Result, Serialized, Side, Unserialized};

use crate::keys::converter_def;
use crate::rejections::{Rejections, bytes_of};

/// `org.apache.kafka.connect.converters.ByteArrayConverter`: optional bytes, without a copy.
#[derive(Debug)]
pub struct ByteArrayConverter {
    side: Side,
}

impl ByteArrayConverter {
    /// Java class name.
    pub const CLASS: &'static str = "org.apache.kafka.connect.converters.ByteArrayConverter";

    /// A converter of one side.
    ///
    /// # Errors
    /// An invalid `converter.type`.
    pub fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        converter_def().parse(config)?;
        Ok(Self { side })
    }
}

impl Converter for ByteArrayConverter {
    fn to_connect(&mut self, batch: &RawBatch, side: Side) -> Result<Converted> {
        let bytes = bytes_of(batch, side);
        let column = Column::new(Arc::new(Field::new("value", DataType::Binary, true)), Arc::new(bytes.clone()));
        Ok(Rejections::new(Self::CLASS, side).into_converted(bytes.len(), column))
    }

    /// Other types than bytes reject every row that has a value.
    fn from_connect(&mut self, rows: &Unserialized<'_>) -> Result<Serialized> {
        let column = rows.column;
        let mut rejections = Rejections::new(Self::CLASS, self.side);
        let bytes = match column.array.data_type() {
            DataType::Binary => column.array.as_binary::<i32>().clone(),
            DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
                cast(&column.array, &DataType::Binary)?.as_binary::<i32>().clone()
            }
            other => {
                // A wrong type is an error of each row, so that the error handler decides about each of them.
                for row in (0..column.len()).filter(|row| !column.is_null(*row)) {
                    rejections.push(row, mismatch(other));
                }
                BinaryArray::new_null(column.len())
            }
        };
        Ok(Serialized::new(bytes, rejections.into_rows()))
    }
}

fn mismatch(data_type: &DataType) -> Error {
    Error::data(format!("invalid schema type for ByteArrayConverter: {data_type}; it takes bytes only"))
}
