//! Columns as Avro values without a frame, for files.

use std::sync::Arc;

use arrow::array::LargeBinaryArray;
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer};
use arrow::datatypes::FieldRef;
use volley_api::{Column, ConfigMap, Error, Result};

use super::avro_converter::AvroFormat;
use super::keys::{avro_file_def, avro_settings};
use crate::avro::schema::avro_schema::AvroSchema;
use crate::keys::cache_size;
use crate::registry::SchemaFormat as _;

/// Writes columns as values of the Avro schemas that AvroConverter would register.
///
/// ```
/// # use std::sync::Arc;
/// # use arrow::{array::Int64Array, datatypes::{DataType, Field}};
/// # use volley_api::{Column, ConfigMap};
/// # use volley_converters::AvroRows;
/// let numbers = Column::new(Arc::new(Field::new("value", DataType::Int64, false)), Arc::new(Int64Array::from(vec![1, -1])));
/// let written = AvroRows::new(&ConfigMap::new())?.write(&numbers)?;
/// assert_eq!(&*written.schema, "\"long\"");
/// assert_eq!(written.values.value(1), [1]);
/// # Ok::<(), volley_api::Error>(())
/// ```
#[derive(Debug)]
pub struct AvroRows {
    format: AvroFormat,
    /// The schemas of the last fields, the oldest first.
    known: Vec<(FieldRef, FileSchema)>,
    capacity: usize,
}

/// A schema, and its text.
#[derive(Clone, Debug)]
struct FileSchema {
    avro: Arc<AvroSchema>,
    text: Arc<str>,
}

/// The rows of a column as Avro values.
#[derive(Clone, Debug)]
pub struct AvroValues {
    /// The schema of all values, as JSON text. Columns of one schema share the text.
    pub schema: Arc<str>,
    /// The value of each row; null for rows that are rejected. A row that is null has a value if the schema allows nulls.
    pub values: LargeBinaryArray,
    /// The rows that cannot be written, ascending, and why.
    pub rejected: Vec<(usize, Error)>,
}

impl AvroRows {
    /// `config` has keys of [`avro_file_def`]; others are passed over.
    ///
    /// # Errors
    /// An invalid setting.
    pub fn new(config: &ConfigMap) -> Result<Self> {
        let parsed = avro_file_def().parse(config)?;
        let format = AvroFormat { settings: avro_settings(&parsed) };
        Ok(Self { format, known: Vec::new(), capacity: cache_size(&parsed) })
    }

    /// Writes all rows. Values without a schema are written as records named `Anything`, as AvroConverter does it.
    ///
    /// # Errors
    /// `Data` if Avro cannot express the schema: then each row is bad for this reason.
    pub fn write(&mut self, column: &Column) -> Result<AvroValues> {
        let schema = self.schema_of(&column.field)?;
        let writer = self.format.writer(&schema.avro, column)?;
        let mut bytes = Vec::with_capacity(column.len() * 64);
        let mut ends: Vec<i64> = Vec::with_capacity(column.len() + 1);
        ends.push(0);
        let mut rejected = Vec::new();
        // Avro's values stand one behind the other: there is no column to work on
        for row in 0..column.len() {
            let start = bytes.len();
            if let Err(reason) = writer.write(row, &mut bytes) {
                bytes.truncate(start);
                rejected.push((row, Error::data(format!("the value cannot be written in Avro: {reason}"))));
            }
            ends.push(bytes.len() as i64);
        }
        let nulls = (!rejected.is_empty()).then(|| {
            let mut valid = vec![true; column.len()];
            rejected.iter().for_each(|(row, _)| valid[*row] = false);
            NullBuffer::from(valid)
        });
        let values = LargeBinaryArray::try_new(OffsetBuffer::new(ends.into()), Buffer::from(bytes), nulls)?;
        Ok(AvroValues { schema: schema.text, values, rejected })
    }

    fn schema_of(&mut self, field: &FieldRef) -> Result<FileSchema> {
        let known = self.known.iter().find(|(known, _)| Arc::ptr_eq(known, field));
        if let Some((_, schema)) = known.or_else(|| self.known.iter().find(|(known, _)| known == field)) {
            return Ok(schema.clone());
        }
        let (avro, registered) = self.format.schema_of(field)?;
        let same = self.known.iter().find(|(_, known)| *known.text == *registered.text);
        let text = same.map_or_else(|| registered.text.as_str().into(), |(_, known)| Arc::clone(&known.text));
        let schema = FileSchema { avro, text };
        if self.known.len() >= self.capacity {
            self.known.remove(0);
        }
        self.known.push((Arc::clone(field), schema.clone()));
        Ok(schema)
    }
}
