//! Adding columns to a struct column.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StructArray};
use arrow::compute::is_null;
use arrow::compute::kernels::zip::zip;
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use volley_api::{Column, Records, Result, schema};

use super::field_insertion::Insertion;
use crate::columns::{defaulted, json_texts};

/// A struct with a schema and the fields added; `layout` is the field of the result.
pub(crate) fn insert_with_schema(
    column: &Column,
    layout: &FieldRef,
    records: &Records,
    insertions: &[Insertion],
    replaces_null_with_default: bool,
) -> Result<Column> {
    let DataType::Struct(fields) = layout.data_type() else { return Ok(column.clone()) };
    let structs = column.array.as_struct();
    let mut columns = Vec::with_capacity(fields.len());
    for (field, values) in fields.iter().zip(structs.columns()) {
        columns.push(if replaces_null_with_default { defaulted(field, values)? } else { Arc::clone(values) });
    }
    columns.extend(insertions.iter().map(|insertion| insertion.values(records, true)));
    let array = StructArray::try_new(fields.clone(), columns, structs.nulls().cloned())?;
    Ok(Column::new(Arc::clone(layout), Arc::new(array)))
}

/// A struct without a schema and the fields added; those of the same name are replaced, but where a record has no value for
/// them.
pub(crate) fn insert_without_schema(column: &Column, records: &Records, insertions: &[Insertion]) -> Result<Column> {
    let structs = column.array.as_struct();
    let mut fields: Vec<FieldRef> = structs.fields().iter().cloned().collect();
    let mut columns: Vec<ArrayRef> = structs.columns().to_vec();
    for insertion in insertions {
        let (field, values) = (Arc::new(insertion.field(false)), insertion.values(records, false));
        match fields.iter().position(|existing| existing.name() == &insertion.name) {
            Some(place) => (fields[place], columns[place]) = replaced(&fields[place], &columns[place], field, values)?,
            None if values.null_count() == values.len() => {}
            None => {
                fields.push(field);
                columns.push(values);
            }
        }
    }
    let fields = Fields::from(fields);
    let root = Field::new(column.field.name(), DataType::Struct(fields.clone()), column.field.is_nullable());
    let root = root.with_metadata(column.field.metadata().clone());
    let array = StructArray::try_new_with_length(fields, columns, structs.nulls().cloned(), structs.len())?;
    Ok(Column::new(Arc::new(root), Arc::new(array)))
}

/// The new values, and where they are null the old ones. Values of two types are mixed, as where a converter meets them.
pub(crate) fn replaced(
    old: &FieldRef,
    old_values: &ArrayRef,
    new: FieldRef,
    values: ArrayRef,
) -> Result<(FieldRef, ArrayRef)> {
    if values.null_count() == 0 || old.data_type() == &DataType::Null {
        return Ok((new, values));
    }
    if old.data_type() == new.data_type() && !schema::is_json_text(old) && !schema::is_json_text(&new) {
        return Ok((new, zip(&is_null(&values)?, old_values, &values)?));
    }
    let field = Arc::new(schema::mixed_field(old.name()));
    let old_texts = json_texts(&Column::new(Arc::clone(old), Arc::clone(old_values)))?;
    let texts = json_texts(&Column::new(new, values))?;
    Ok((field, zip(&is_null(&texts)?, &old_texts, &texts)?))
}
