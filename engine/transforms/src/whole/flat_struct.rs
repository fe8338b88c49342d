//! Structs within structs as one, their fields under long names.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use serde_json::Value;
use volley_api::{Column, Error, schema};
use volley_java::sort_in_hash_order;

use crate::columns::{Failure, Outcome, child_values, defaulted, schema_builder_error, struct_field};
use crate::insert_field::replaced;

/// The field of a column once it is flat. What is within something optional is optional, and what is within a default has it.
pub(crate) fn layout(column: &Column, delimiter: &str) -> Outcome<FieldRef> {
    let mut flat = Vec::new();
    let DataType::Struct(fields) = column.field.data_type() else { return Ok(Arc::clone(&column.field)) };
    let outer = Outer { prefix: None, is_optional: column.field.is_nullable(), default: default_of(&column.field) };
    add_fields(fields, &outer, delimiter, &mut flat).map_err(|error| Failure::of_values(column, &error))?;
    let mut names = HashSet::new();
    if let Some(field) = flat.iter().find(|field| !names.insert(field.name().clone())) {
        let message = format!("Cannot create field because of field name duplication {}", field.name());
        return Err(Failure::of_values(column, &schema_builder_error(message)));
    }
    Ok(struct_field(&column.field, flat.into()))
}

/// What the fields of a struct get from it.
struct Outer {
    prefix: Option<String>,
    is_optional: bool,
    default: Option<Value>,
}

impl Outer {
    fn name(&self, name: &str, delimiter: &str) -> String {
        match &self.prefix {
            Some(prefix) if !prefix.is_empty() => format!("{prefix}{delimiter}{name}"),
            _ => name.to_owned(),
        }
    }
}

fn default_of(field: &Field) -> Option<Value> {
    serde_json::from_str(field.metadata().get(schema::DEFAULT)?).ok().filter(|default: &Value| !default.is_null())
}

fn add_fields(
    fields: &Fields,
    outer: &Outer,
    delimiter: &str,
    flat: &mut Vec<FieldRef>,
) -> std::result::Result<(), Error> {
    for field in fields {
        let name = outer.name(field.name(), delimiter);
        let within = outer.default.as_ref().and_then(|default| default.get(field.name())).cloned();
        let default = default_of(field).or(within.filter(|default| !default.is_null()));
        let is_optional = outer.is_optional || field.is_nullable();
        match field.data_type() {
            DataType::Struct(fields) => {
                add_fields(fields, &Outer { prefix: Some(name), is_optional, default }, delimiter, flat)?;
            }
            DataType::Map(..) => {
                return Err(Error::data(format!(
                    "Flatten transformation does not support MAP for record with schemas (for field {name})."
                )));
            }
            data_type => {
                let mut metadata = field.metadata().clone();
                if let Some(default) = default {
                    metadata.insert(schema::DEFAULT.to_owned(), default.to_string());
                }
                flat.push(Arc::new(Field::new(name, data_type.clone(), is_optional).with_metadata(metadata)));
            }
        }
    }
    Ok(())
}

/// The values of `structs`, flat. Nulls get the default that their own field had, not that of what they were in.
pub(crate) fn flat_struct(structs: &StructArray, layout: &FieldRef, fields: &Fields) -> Outcome<Column> {
    let mut arrays = Vec::with_capacity(fields.len());
    add_values(structs, None, &mut arrays)?;
    let array = StructArray::try_new_with_length(fields.clone(), arrays, structs.nulls().cloned(), structs.len())?;
    Ok(Column::new(Arc::clone(layout), Arc::new(array)))
}

fn add_values(structs: &StructArray, outer: Option<&NullBuffer>, arrays: &mut Vec<ArrayRef>) -> Outcome<()> {
    let nulls = NullBuffer::union(outer, structs.nulls());
    for (field, values) in structs.fields().iter().zip(structs.columns()) {
        match field.data_type() {
            DataType::Struct(_) => add_values(values.as_struct(), nulls.as_ref(), arrays)?,
            _ => {
                let masked = StructArray::try_new_with_length(Fields::empty(), vec![], nulls.clone(), structs.len())?;
                arrays.push(child_values(&masked, &defaulted(field, values)?)?);
            }
        }
    }
    Ok(())
}

/// A map, flat. Of entries that get the same name the last in the order of Java's map counts, where it is there.
pub(crate) fn flat_map(column: &Column, structs: &StructArray, delimiter: &str) -> Outcome<Column> {
    let flat = entries(structs, delimiter, false)?;
    let mut names = HashSet::new();
    let is_clear = flat.iter().all(|(field, _)| names.insert(field.name().clone()));
    let flat = if is_clear { flat } else { entries(structs, delimiter, true)? };
    let mut done: Vec<(FieldRef, ArrayRef)> = Vec::with_capacity(flat.len());
    for (field, values) in flat {
        match done.iter().position(|(known, _)| known.name() == field.name()) {
            Some(known) => done[known] = replaced(&done[known].0, &done[known].1, field, values)?,
            None => done.push((field, values)),
        }
    }
    let (fields, arrays): (Vec<_>, Vec<_>) = done.into_iter().unzip();
    let fields = Fields::from(fields);
    let field = struct_field(&column.field, fields.clone());
    let array = StructArray::try_new_with_length(fields, arrays, structs.nulls().cloned(), structs.len())?;
    Ok(Column::new(field, Arc::new(array)))
}

type Entry = (FieldRef, ArrayRef);

fn entries(structs: &StructArray, delimiter: &str, in_hash_order: bool) -> Outcome<Vec<Entry>> {
    let mut walk = Walk { delimiter, in_hash_order, flat: Vec::new() };
    walk.add(structs, &Outer { prefix: None, is_optional: true, default: None }, None)?;
    Ok(walk.flat)
}

/// A way through maps within maps.
struct Walk<'a> {
    delimiter: &'a str,
    in_hash_order: bool,
    flat: Vec<Entry>,
}

impl Walk<'_> {
    fn add(&mut self, structs: &StructArray, outer: &Outer, nulls: Option<&NullBuffer>) -> Outcome<()> {
        let nulls = NullBuffer::union(nulls, structs.nulls());
        let mut members: Vec<_> = structs.fields().iter().zip(structs.columns()).collect();
        if self.in_hash_order {
            sort_in_hash_order(&mut members, |(field, _)| field.name());
        }
        for (field, values) in members {
            let name = outer.name(field.name(), self.delimiter);
            if let DataType::Struct(_) = field.data_type() {
                let outer = Outer { prefix: Some(name), is_optional: true, default: None };
                self.add(values.as_struct(), &outer, nulls.as_ref())?;
                continue;
            }
            let masked = StructArray::try_new_with_length(Fields::empty(), vec![], nulls.clone(), structs.len())?;
            let field = Arc::new(Field::clone(field).with_name(name).with_nullable(true));
            self.flat.push((field, child_values(&masked, values)?));
        }
        Ok(())
    }
}
