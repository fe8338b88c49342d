//! Mixed values as the texts that a file has of them.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, StructArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use volley_api::schema::is_mixed;
use volley_api::{Column, Result, mixed_as_text};

/// Whether values of `field` are mixed, at any depth.
pub(crate) fn has_mixed(field: &Field) -> bool {
    match field.data_type() {
        DataType::Struct(children) => children.iter().any(|child| has_mixed(child)),
        DataType::List(element) => has_mixed(element),
        _ => is_mixed(field),
    }
}

/// The column with plain text for mixed values.
pub(crate) fn as_texts(column: &Column) -> Result<Column> {
    Ok(Column::new(Arc::clone(&column.field), texts(&column.field, &column.array)?))
}

fn texts(field: &FieldRef, array: &ArrayRef) -> Result<ArrayRef> {
    if !has_mixed(field) {
        return Ok(Arc::clone(array));
    }
    Ok(match field.data_type() {
        DataType::Struct(children) => {
            let structs = array.as_struct();
            let columns = children.iter().zip(structs.columns()).map(|(child, column)| texts(child, column));
            let columns = columns.collect::<Result<Vec<_>>>()?;
            Arc::new(StructArray::try_new(children.clone(), columns, structs.nulls().cloned())?)
        }
        DataType::List(element) => {
            let lists = array.as_list::<i32>();
            let values = texts(element, lists.values())?;
            let (offsets, nulls) = (lists.offsets().clone(), lists.nulls().cloned());
            Arc::new(ListArray::try_new(Arc::clone(element), offsets, values, nulls)?)
        }
        _ => Arc::new(mixed_as_text(array.as_string())),
    })
}
