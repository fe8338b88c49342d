//! Schemaless columns whose values have several types, as one column for each type.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StructArray, UInt32Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef};
use volley_api::schema::{EXTENSION_NAME, MIXED_EXTENSION, has_schema, is_json_text, mixed_field, without_schema};
use volley_api::{Column, ConfigMap, Converter, Result, Side, Unserialized};
use volley_converters::{JsonConverter, MixedRows};

/// The column in parts, each with its rows; `None` if it is one part as it is. Only the fields that are wanted count.
pub(crate) fn typed_parts(
    mixed: &mut MixedRows,
    column: &Column,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<Option<Vec<(UInt32Array, Column)>>> {
    if has_schema(&column.field) {
        return Ok(None);
    }
    let column = opened(column, &is_wanted)?;
    if !MixedRows::are_in(&column.field, &is_wanted) {
        return Ok(None);
    }
    mixed.split(&column, is_wanted).map(Some)
}

/// JSON texts of other kinds as mixed values, as which they can be read; and maps as JSON texts.
fn opened(column: &Column, is_wanted: &impl Fn(&str) -> bool) -> Result<Column> {
    Ok(match column.field.data_type() {
        DataType::Map(..) => {
            let field = without_schema(mixed_field(column.field.name()));
            Column::new(Arc::new(field), json_texts(column)?)
        }
        DataType::Struct(fields) if fields.iter().any(|field| is_json_text(field) && is_wanted(field.name())) => {
            let open = |field: &FieldRef| match is_json_text(field) && is_wanted(field.name()) {
                true => as_mixed(field),
                false => Arc::clone(field),
            };
            let structs = column.array.as_struct();
            let fields: arrow::datatypes::Fields = fields.iter().map(open).collect();
            let array = StructArray::try_new(fields.clone(), structs.columns().to_vec(), structs.nulls().cloned())?;
            let field = column.field.as_ref().clone().with_data_type(DataType::Struct(fields));
            Column::new(Arc::new(field), Arc::new(array))
        }
        _ if is_json_text(&column.field) => Column::new(as_mixed(&column.field), Arc::clone(&column.array)),
        _ => column.clone(),
    })
}

fn as_mixed(field: &FieldRef) -> FieldRef {
    let mut metadata: HashMap<String, String> = field.metadata().clone();
    metadata.insert(EXTENSION_NAME.to_owned(), MIXED_EXTENSION.to_owned());
    Arc::new(Field::new(field.name(), DataType::Utf8, true).with_metadata(metadata))
}

/// Each value as JSON, null where it is null.
pub(crate) fn json_texts(column: &Column) -> Result<ArrayRef> {
    let plain = ConfigMap::from_iter([("schemas.enable".to_owned(), "false".to_owned())]);
    let plain_column = Column::new(Arc::new(without_schema(column.field.as_ref().clone())), Arc::clone(&column.array));
    let written = JsonConverter::new(&plain, Side::Value)?.from_connect(&Unserialized::new("", &plain_column))?;
    match written.rejected.into_iter().next() {
        Some(rejected) => Err(rejected.error),
        None => Ok(cast(&written.bytes, &DataType::Utf8)?),
    }
}
