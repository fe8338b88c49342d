//! Which parts of a record are written: its value, or a struct of its key, value, offset, timestamp and headers, as Aiven's sinks have it.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, StructArray, new_null_array};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use volley_api::schema::{has_schema, without_schema};
use volley_api::{Column, Config, ConfigIssue, Records, Result};

use super::headers_map::headers_map;

/// The key of the parts.
pub(crate) const OUTPUT_FIELDS: &str = "format.output.fields";
/// The key that says whether a value alone has its name around it.
pub(crate) const ENVELOPE: &str = "format.output.envelope";

/// A part of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutputField {
    /// Its key.
    Key,
    /// Its value.
    Value,
    /// Its offset.
    Offset,
    /// Its timestamp.
    Timestamp,
    /// Its headers.
    Headers,
}

impl OutputField {
    fn parse(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "key" => Self::Key,
            "value" => Self::Value,
            "offset" => Self::Offset,
            "timestamp" => Self::Timestamp,
            "headers" => Self::Headers,
            _ => return None,
        })
    }

    /// The fields from keys that have been checked; the value if there are none.
    pub(crate) fn of_config(config: &Config) -> Vec<Self> {
        let fields: Vec<_> = config.list(OUTPUT_FIELDS).iter().filter_map(|name| Self::parse(name)).collect();
        if fields.is_empty() { vec![Self::Value] } else { fields }
    }

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Value => "value",
            Self::Offset => "offset",
            Self::Timestamp => "timestamp",
            Self::Headers => "headers",
        }
    }
}

/// The parts that are written; none: the value as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OutputFields(Vec<OutputField>);

impl OutputFields {
    /// From keys that have been checked.
    pub(crate) fn from_config(config: &Config) -> Self {
        let fields = OutputField::of_config(config);
        match fields.as_slice() {
            [OutputField::Value] if !config.boolean(ENVELOPE) => Self::default(),
            _ => Self(fields),
        }
    }

    /// What is wrong with the keys.
    pub(crate) fn issues(config: &Config) -> Vec<ConfigIssue> {
        let fields = config.list(OUTPUT_FIELDS);
        let unknown = fields.iter().filter(|name| !name.is_empty() && OutputField::parse(name).is_none());
        let message =
            |name: &String| format!("`{name}` is not offered: there are key, value, offset, timestamp and headers");
        unknown.map(|name| ConfigIssue::new(OUTPUT_FIELDS, message(name))).collect()
    }

    /// Whether the value is written as it is.
    pub(crate) fn is_value_alone(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this field of a record is written.
    pub(crate) fn reads(&self, field: OutputField) -> bool {
        self.0.contains(&field)
    }

    /// The records with what is written of each as their value.
    pub(crate) fn around(&self, records: Records) -> Result<Records> {
        if self.is_value_alone() {
            return Ok(records);
        }
        let columns = self.0.iter().map(|field| column_of(*field, &records)).collect::<Result<Vec<_>>>()?;
        let has_type = columns.iter().any(|(field, _)| field.data_type() != &DataType::Null);
        let columns = if has_type {
            columns
        } else {
            columns.into_iter().map(|(field, _)| texts_of_nulls(&field, &records)).collect()
        };
        let fields: Fields = columns.iter().map(|(field, _)| Arc::clone(field)).collect();
        let arrays = columns.into_iter().map(|(_, array)| array).collect();
        let array = StructArray::try_new_with_length(fields.clone(), arrays, None, records.len())?;
        let field = Field::new("value", array.data_type().clone(), true);
        let field = if has_schema(&records.value.field) { field } else { without_schema(field) };
        Ok(Records { value: Column::new(Arc::new(field), Arc::new(array)), ..records })
    }
}

fn column_of(field: OutputField, records: &Records) -> Result<(FieldRef, ArrayRef)> {
    let name = field.name();
    let renamed = |column: &Column| {
        let field = column.field.as_ref().clone().with_name(name).with_nullable(true);
        (Arc::new(field), Arc::clone(&column.array))
    };
    let array: ArrayRef = match field {
        OutputField::Key => return Ok(renamed(&records.key)),
        OutputField::Value => return Ok(renamed(&records.value)),
        OutputField::Headers => return Ok(renamed(&headers_map(records)?)),
        OutputField::Offset => Arc::new((0..records.len()).map(|row| records.offset(row)).collect::<Int64Array>()),
        OutputField::Timestamp => {
            Arc::new(records.timestamps.iter().map(|time| (*time >= 0).then_some(*time)).collect::<Int64Array>())
        }
    };
    Ok((Arc::new(Field::new(name, array.data_type().clone(), true)), array))
}

/// Nulls of a column that has no type: a row has to have something.
fn texts_of_nulls(field: &FieldRef, records: &Records) -> (FieldRef, ArrayRef) {
    let field = Field::new(field.name(), DataType::Utf8, true);
    (Arc::new(field), new_null_array(&DataType::Utf8, records.len()))
}
