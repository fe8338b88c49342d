//! Rows whose columns all have a text in one cell: what is nested becomes JSON, bytes become Base64, both as Connect's
//! JsonConverter writes them.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use volley_api::{Column, ConfigMap, Converter, Error, Records, RejectedRow, Result, Side, Unserialized};
use volley_converters::JsonConverter;

use crate::format::columns::ColumnRows;
use crate::format::rows::{Made, RowMaker, Rows, without_columns};

/// Makes such rows.
pub(crate) struct FlatRows {
    columns: ColumnRows,
    converter: JsonConverter,
    /// The schema with columns as they come, and the flat one.
    schemas: Option<(SchemaRef, SchemaRef)>,
}

impl FlatRows {
    /// No columns yet. `keeps_schemas`: see [`ColumnRows::new`].
    pub(crate) fn new(keeps_schemas: bool) -> Result<Self> {
        let config = ConfigMap::from_iter([("schemas.enable".to_owned(), "false".to_owned())]);
        let (columns, converter) = (ColumnRows::new(keeps_schemas), JsonConverter::new(&config, Side::Value)?);
        Ok(Self { columns, converter, schemas: None })
    }

    fn flat_schema(&mut self, schema: &SchemaRef) -> SchemaRef {
        if let Some((source, flat)) = &self.schemas
            && source == schema
        {
            return Arc::clone(flat);
        }
        let flat_field = |field: &FieldRef| match is_flat(field.data_type()) {
            true => Arc::clone(field),
            false => Arc::new(Field::new(field.name(), DataType::Utf8, true)),
        };
        let flat = Arc::new(Schema::new(schema.fields().iter().map(flat_field).collect::<Vec<_>>()));
        self.schemas = Some((Arc::clone(schema), Arc::clone(&flat)));
        flat
    }

    fn cells(&mut self, topic: &str, field: &FieldRef, array: &ArrayRef) -> Result<ArrayRef> {
        if is_flat(field.data_type()) {
            return Ok(Arc::clone(array));
        }
        let column = Column::new(Arc::clone(field), Arc::clone(array));
        let written = self.converter.from_connect(&Unserialized::new(topic, &column))?;
        let texts = written.bytes.iter().enumerate().map(|(row, text)| match text {
            Some(text) if array.is_valid(row) => {
                let text = std::str::from_utf8(text).map_err(|error| Error::data(error.to_string()))?;
                // Base64 needs no quotes in a cell of its own
                let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
                Ok(Some(inner.unwrap_or(text)))
            }
            _ => Ok(None),
        });
        Ok(Arc::new(texts.collect::<Result<StringArray>>()?))
    }
}

impl RowMaker for FlatRows {
    fn rows(&mut self, records: &Records, rejected: &mut Vec<RejectedRow>) -> Result<Made> {
        let Made { rows, kept } = self.columns.rows(records, rejected)?;
        let Rows::Columns(rows) = rows else { return Err(without_columns()) };
        let source = rows.schema();
        let schema = self.flat_schema(&source);
        let columns = source.fields().iter().zip(rows.columns());
        let columns = columns.map(|(field, array)| self.cells(&records.topic, field, array)).collect::<Result<_>>()?;
        Ok(Made { rows: Rows::Columns(RecordBatch::try_new(schema, columns)?), kept })
    }
}

impl std::fmt::Debug for FlatRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FlatRows").field("schemas", &self.schemas).finish_non_exhaustive()
    }
}

/// Whether a value of this type has a text of its own.
fn is_flat(data_type: &DataType) -> bool {
    !data_type.is_nested()
        && !matches!(
            data_type,
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_)
        )
}
