//! Keys and events under the schemas of another table.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray, StructArray, new_null_array};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use volley_api::{Column, Error, schema};
use volley_java::class_of;

use crate::columns::{Failure, Outcome, schema_builder_error, top_level};
use crate::debezium::envelope::{member, no_struct, no_such_field, null_pointer};

const PURPOSE: &str = "Updating schema";

/// The keys under another schema name, with a field that tells the tables apart, if that is wanted: its name and value.
pub(super) fn renamed_key(keys: &Column, name: &str, table: Option<(&str, &str)>) -> Outcome<Column> {
    if !schema::has_schema(&keys.field) {
        return Err(without_schema(keys));
    }
    let DataType::Struct(fields) = keys.field.data_type() else {
        return Err(Failure::of_values(keys, &no_struct(keys, PURPOSE)));
    };
    let structs = keys.array.as_struct();
    let mut fields: Vec<FieldRef> = fields.iter().cloned().collect();
    let mut arrays = top_level(structs, true)?;
    if let Some((field, value)) = table {
        let message = match fields.iter().any(|known| known.name() == field) {
            _ if field.is_empty() => Some("fieldName cannot be null.".to_owned()),
            true => Some(format!("Cannot create field because of field name duplication {field}")),
            false => None,
        };
        if let Some(message) = message {
            return Err(Failure::of_values(keys, &schema_builder_error(message)));
        }
        fields.push(Arc::new(Field::new(field, DataType::Utf8, false)));
        arrays.push(Arc::new(StringArray::from_iter_values((0..keys.len()).map(|_| value))));
    }
    let fields = Fields::from(fields);
    let array = StructArray::try_new_with_length(fields.clone(), arrays, structs.nulls().cloned(), structs.len())?;
    Ok(Column::new(renamed(&keys.field, fields, name), Arc::new(array)))
}

/// Every key fails; JSON texts are named after what they say.
fn without_schema(keys: &Column) -> Failure {
    let is_text = schema::is_json_text(&keys.field);
    let found = |row: usize| match keys.field.data_type() {
        DataType::Struct(_) => "java.util.HashMap",
        DataType::Utf8 if is_text && keys.array.as_string::<i32>().value(row).starts_with('{') => "java.util.HashMap",
        other => class_of(other),
    };
    let rows = (0..keys.len()).filter(|row| !keys.is_null(*row));
    let error = |found| Error::data(format!("Only Struct objects supported for [{PURPOSE}], found: {found}"));
    Failure::Rows(rows.map(|row| (row, error(found(row)))).collect())
}

/// The events under another schema name. The states before and after get that of the state before, under `value_name`.
pub(super) fn renamed_events(events: &Column, name: &str, value_name: &str) -> Outcome<Column> {
    let DataType::Struct(_) = events.field.data_type() else {
        return Err(Failure::of_values(events, &no_struct(events, PURPOSE)));
    };
    let structs = events.array.as_struct();
    let Some(before) = member(structs, "before", false)? else {
        return Err(Failure::of_values(events, &null_pointer("the event has no field `before`".to_owned())));
    };
    let DataType::Struct(states) = before.field.data_type() else {
        return Err(Failure::of_values(events, &Error::data("Cannot list fields on non-struct type")));
    };
    let mut fields: Vec<FieldRef> = Vec::with_capacity(structs.num_columns());
    let mut arrays = Vec::with_capacity(structs.num_columns());
    for (field, values) in structs.fields().iter().zip(top_level(structs, true)?) {
        if field.name() != "before" && field.name() != "after" {
            fields.push(Arc::clone(field));
            arrays.push(values);
            continue;
        }
        let values = match field.name() == "before" {
            true => Arc::clone(&before.array),
            false => member(structs, "after", false)?.map_or(values, |after| after.array),
        };
        arrays.push(in_schema(&Column::new(plain(field, &values), values), states)?);
        let is_optional = structs.fields().find("before").is_some_and(|(_, before)| before.is_nullable());
        let state = renamed(&before.field, states.clone(), value_name);
        fields.push(Arc::new(Field::clone(&state).with_name(field.name()).with_nullable(is_optional)));
    }
    let fields = Fields::from(fields);
    let array = StructArray::try_new_with_length(fields.clone(), arrays, structs.nulls().cloned(), structs.len())?;
    Ok(Column::new(renamed(&events.field, fields, name), Arc::new(array)))
}

fn plain(field: &Field, values: &ArrayRef) -> FieldRef {
    Arc::new(Field::new(field.name(), values.data_type().clone(), true))
}

/// The states with the fields of a schema, nulls replaced by their defaults. Rows whose fields do not fit it fail.
fn in_schema(states: &Column, wanted: &Fields) -> Outcome<ArrayRef> {
    let DataType::Struct(given) = states.field.data_type() else {
        return Err(Failure::of_values(states, &no_struct(states, PURPOSE)));
    };
    if let Some(unknown) = given.iter().find(|field| wanted.find(field.name()).is_none()) {
        return Err(Failure::of_values(states, &no_such_field(unknown.name())));
    }
    let structs = states.array.as_struct();
    let values = top_level(structs, true)?;
    let mut arrays = Vec::with_capacity(wanted.len());
    for field in wanted {
        let array = match given.find(field.name()) {
            Some((place, found)) if found.data_type() == field.data_type() => Arc::clone(&values[place]),
            None if field.is_nullable() => new_null_array(field.data_type(), structs.len()),
            _ => {
                let message = format!("the value of field `{}` does not fit its schema", field.name());
                return Err(Failure::of_values(states, &Error::data(message)));
            }
        };
        if !field.is_nullable() && array.null_count() > structs.null_count() {
            return Err(Failure::of_values(states, &Error::data(format!("field `{}` is required", field.name()))));
        }
        arrays.push(array);
    }
    let nulls = structs.nulls().cloned();
    Ok(Arc::new(StructArray::try_new_with_length(wanted.clone(), arrays, nulls, structs.len())?))
}

/// A struct's field with other fields and another schema name.
fn renamed(root: &Field, fields: Fields, name: &str) -> FieldRef {
    let mut metadata: HashMap<String, String> = root.metadata().clone();
    metadata.remove(schema::DEFAULT);
    metadata.insert(schema::NAME.to_owned(), name.to_owned());
    Arc::new(Field::new(root.name(), DataType::Struct(fields), root.is_nullable()).with_metadata(metadata))
}
