//! The value that a change event becomes: the state of the row, and what of the event goes with it.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray, StructArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use volley_api::{Column, Error, Result};

use crate::columns::{Failure, Outcome, schema_builder_error, struct_field, top_level};
use crate::debezium::envelope::{no_struct, text_member};
use crate::debezium::events::with_value;
use crate::debezium::field_reference::{FieldReference, addable};

const DELETED: &str = "__deleted";

/// The states with `__deleted` behind their fields.
pub(super) fn with_deleted(states: &Column, deleted: StringArray, replaces_null: bool) -> Outcome<Column> {
    let structs = struct_of(states)?;
    let arrays = top_level(structs, replaces_null)?;
    let field = Field::new(DELETED, DataType::Utf8, true);
    extended(states, structs, arrays, vec![(field, Arc::new(deleted))])
}

/// The states with fields of their events behind theirs. `rows` are those that count.
pub(super) fn with_event_fields(
    states: &Column,
    events: &StructArray,
    references: &[FieldReference],
    rows: &[u32],
) -> Outcome<Column> {
    let structs = struct_of(states)?;
    text_member(events, "op")?.map_err(|error| Failure::of_values(states, &error))?;
    let mut added = Vec::with_capacity(references.len());
    for reference in references {
        let located = reference.locate(events)?.map_err(|error| Failure::of_values(states, &error))?;
        let Some(located) = located else { continue };
        let values = Arc::clone(&located.1);
        let (field, unfit) = addable(located);
        if let Some(error) = unfit {
            let failed: Vec<_> = with_value(rows, &values).filter(|row| structs.is_valid(*row)).collect();
            if !failed.is_empty() {
                return Err(Failure::Rows(failed.into_iter().map(|row| (row, error.clone())).collect()));
            }
        }
        added.push(field);
    }
    extended(states, structs, structs.columns().to_vec(), added)
}

fn struct_of(states: &Column) -> Outcome<&StructArray> {
    match states.field.data_type() {
        DataType::Struct(_) => Ok(states.array.as_struct()),
        _ => Err(Failure::of_values(states, &no_struct(states, "source field insertion"))),
    }
}

/// A struct with fields behind those that it has.
fn extended(
    states: &Column,
    structs: &StructArray,
    mut arrays: Vec<ArrayRef>,
    added: Vec<(Field, ArrayRef)>,
) -> Outcome<Column> {
    let mut fields: Vec<FieldRef> = structs.fields().iter().cloned().collect();
    for (field, values) in added {
        if let Some(error) = naming_error(&fields, field.name()) {
            return Err(Failure::of_values(states, &error));
        }
        fields.push(Arc::new(field));
        arrays.push(values);
    }
    let field = struct_field(&states.field, fields.clone().into());
    let array = StructArray::try_new_with_length(fields.into(), arrays, structs.nulls().cloned(), structs.len())?;
    Ok(Column::new(field, Arc::new(array)))
}

/// Why a field cannot be added.
fn naming_error(fields: &[FieldRef], name: &str) -> Option<Error> {
    if name.is_empty() {
        return Some(schema_builder_error("fieldName cannot be null.".to_owned()));
    }
    let is_known = fields.iter().any(|field| field.name() == name);
    is_known.then(|| schema_builder_error(format!("Cannot create field because of field name duplication {name}")))
}

/// The texts of a field of the states, which are the topics of their rows.
pub(super) fn routes(states: &Column, field: &str) -> Result<std::result::Result<ArrayRef, Error>> {
    match states.field.data_type() {
        DataType::Struct(_) => Ok(text_member(states.array.as_struct(), field)?.map(|column| column.array)),
        _ => Ok(Err(no_struct(states, "Read record to set topic routing for CREATE / UPDATE"))),
    }
}
