//! One field of structs, as a column of its own.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Field};
use volley_api::{Column, Result, schema};

use super::{as_connect, child_values, defaulted};

/// The field of this name, null where the struct is null, and with its default in place of nulls where it has a schema; `None` if
/// the column has no such field.
pub(crate) fn field_column(column: &Column, name: &str) -> Result<Option<Column>> {
    located(column, name, true)
}

/// The same without defaults.
pub(crate) fn plain_field_column(column: &Column, name: &str) -> Result<Option<Column>> {
    located(column, name, false)
}

fn located(column: &Column, name: &str, has_defaults: bool) -> Result<Option<Column>> {
    let DataType::Struct(fields) = column.field.data_type() else { return Ok(None) };
    let Some((place, field)) = fields.find(name) else { return Ok(None) };
    let structs = column.array.as_struct();
    let has_schema = schema::has_schema(&column.field);
    let values = structs.column(place);
    let values = if has_schema && has_defaults { defaulted(field, values)? } else { Arc::clone(values) };
    let field = match has_schema {
        true => Arc::clone(field),
        false => Arc::new(schema::without_schema(Field::clone(field))),
    };
    as_connect(&Column::new(field, child_values(structs, &values)?)).map(Some)
}
