//! The fields of structs.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, StructArray};
use arrow::compute::kernels::zip::zip;
use arrow::compute::{is_null, nullif};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use volley_api::{Column, Result, schema};

use super::default_value;

/// The values with the field's default in place of nulls.
pub(crate) fn defaulted(field: &Field, values: &ArrayRef) -> Result<ArrayRef> {
    if values.null_count() == 0 || !field.metadata().contains_key(schema::DEFAULT) {
        return Ok(Arc::clone(values));
    }
    match default_value(field) {
        Some(default) => Ok(zip(&is_null(values)?, &default, values)?),
        None => Ok(Arc::clone(values)),
    }
}

/// The columns of a struct; nulls that have a default get it if that is wanted.
pub(crate) fn top_level(structs: &StructArray, replaces_null: bool) -> Result<Vec<ArrayRef>> {
    let columns = structs.fields().iter().zip(structs.columns());
    columns
        .map(|(field, values)| if replaces_null { defaulted(field, values) } else { Ok(Arc::clone(values)) })
        .collect()
}

/// The values of one of a struct's columns, null where the struct is null.
pub(crate) fn child_values(structs: &StructArray, values: &ArrayRef) -> Result<ArrayRef> {
    match structs.nulls().filter(|nulls| nulls.null_count() > 0) {
        Some(nulls) if values.data_type() != &DataType::Null => {
            Ok(nullif(values, &BooleanArray::new(!nulls.inner(), None))?)
        }
        _ => Ok(Arc::clone(values)),
    }
}

/// The field of a struct that is made anew of another: all of that but its fields and its default.
pub(crate) fn struct_field(root: &Field, fields: Fields) -> FieldRef {
    let mut metadata = root.metadata().clone();
    metadata.remove(schema::DEFAULT);
    metadata.remove(schema::EXTENSION_NAME);
    Arc::new(Field::new(root.name(), DataType::Struct(fields), root.is_nullable()).with_metadata(metadata))
}

/// A struct column of these members in place of those of `column`, whose struct `structs` is.
pub(crate) fn with_members(
    column: &Column,
    structs: &StructArray,
    members: Vec<(FieldRef, ArrayRef)>,
) -> Result<Column> {
    of_members(struct_field(&column.field, Fields::empty()), structs, members)
}

/// A struct column of these members and the nulls of `structs`; `root` is its field but for them.
pub(crate) fn of_members(root: FieldRef, structs: &StructArray, members: Vec<(FieldRef, ArrayRef)>) -> Result<Column> {
    let (fields, arrays): (Vec<_>, Vec<_>) = members.into_iter().unzip();
    let fields = Fields::from(fields);
    let array = StructArray::try_new_with_length(fields.clone(), arrays, structs.nulls().cloned(), structs.len())?;
    let field = Field::clone(&root).with_data_type(DataType::Struct(fields));
    Ok(Column::new(Arc::new(field), Arc::new(array)))
}
