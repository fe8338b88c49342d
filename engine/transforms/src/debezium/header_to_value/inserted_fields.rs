//! Fields put into structs, and into structs within them.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StructArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use volley_api::{Column, Error, schema};

use crate::columns::{Failure, Outcome, schema_builder_error, top_level};
use crate::debezium::envelope::{member, no_struct};

/// A field with the way to it, which leads through structs.
#[derive(Clone, Debug)]
pub(super) struct InsertedField<'a> {
    pub(super) path: &'a [String],
    pub(super) data_type: DataType,
    pub(super) values: ArrayRef,
}

/// The structs with the fields behind those that they have. Structs on the way to one are required afterwards; a way that
/// leads nowhere is not gone. What is null gets its default where something is put in.
pub(super) fn with_fields(structs: &Column, inserted: &[InsertedField<'_>], is_root: bool) -> Outcome<Column> {
    let array = match structs.field.data_type() {
        DataType::Struct(_) => structs.array.as_struct(),
        _ if is_root => return Err(Failure::of_values(structs, &no_struct(structs, "Nested field"))),
        _ => return Err(Failure::of_values(structs, &Error::data("Cannot list fields on non-struct type"))),
    };
    let mut fields: Vec<FieldRef> = Vec::with_capacity(array.num_columns() + inserted.len());
    let mut arrays = Vec::with_capacity(array.num_columns() + inserted.len());
    for (field, values) in array.fields().iter().zip(top_level(array, true)?) {
        let inner: Vec<InsertedField<'_>> = inserted
            .iter()
            .filter(|inserted| inserted.path.len() > 1 && inserted.path[0] == *field.name())
            .map(|inserted| InsertedField { path: &inserted.path[1..], ..inserted.clone() })
            .collect();
        match member(array, field.name(), false)?.filter(|_| !inner.is_empty()) {
            None => {
                fields.push(Arc::clone(field));
                arrays.push(values);
            }
            Some(nested) => {
                let nested = with_inner_fields(array, nested, &inner, is_root_of(structs, is_root))?;
                fields.push(Arc::new(Field::clone(&nested.field).with_name(field.name())));
                arrays.push(nested.array);
            }
        }
    }
    for InsertedField { path, data_type, values } in inserted.iter().filter(|inserted| inserted.path.len() == 1) {
        let name = &path[0];
        let message = match fields.iter().any(|field| field.name() == name) {
            _ if name.is_empty() => "fieldName cannot be null.".to_owned(),
            true => format!("Cannot create field because of field name duplication {name}"),
            false => {
                fields.push(Arc::new(Field::new(name, data_type.clone(), false)));
                arrays.push(Arc::clone(values));
                continue;
            }
        };
        return Err(Failure::of_values(structs, &schema_builder_error(message)));
    }
    let new = StructArray::try_new_with_length(fields.clone().into(), arrays, array.nulls().cloned(), array.len())?;
    let mut metadata = structs.field.metadata().clone();
    metadata.remove(schema::DEFAULT);
    let is_optional = structs.field.is_nullable();
    let field = Field::new(structs.field.name(), DataType::Struct(fields.into()), is_optional).with_metadata(metadata);
    Ok(Column::new(Arc::new(field), Arc::new(new)))
}

fn is_root_of(structs: &Column, is_root: bool) -> bool {
    is_root && matches!(structs.field.data_type(), DataType::Struct(_))
}

/// A struct within `outer`, which must not be null where that is not.
fn with_inner_fields(
    outer: &StructArray,
    nested: Column,
    inserted: &[InsertedField<'_>],
    is_first: bool,
) -> Outcome<Column> {
    let new = match (nested.field.data_type(), is_first) {
        (DataType::Struct(_), _) => with_fields(&nested, inserted, false)?,
        (_, true) => return Err(Failure::of_values(&nested, &no_struct(&nested, "Nested field"))),
        _ => return Err(Failure::of_values(&nested, &Error::data("Cannot list fields on non-struct type"))),
    };
    let missing: Vec<usize> = (0..outer.len()).filter(|row| outer.is_valid(*row) && new.is_null(*row)).collect();
    if !missing.is_empty() {
        let message =
            format!("Invalid value: null used for required field: \"{}\", schema type: STRUCT", nested.field.name());
        let error = Error::data(message);
        return Err(Failure::Rows(missing.into_iter().map(|row| (row, error.clone())).collect()));
    }
    let field = Field::clone(&new.field).with_nullable(false);
    Ok(Column::new(Arc::new(field), new.array))
}
