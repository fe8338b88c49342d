//! Documents within documents as one, their members under long names.

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, FieldRef};
use volley_api::Result;

use crate::columns::child_values;

/// The members of a struct, flat. A dot in a name is a delimiter, too. What is empty leaves nothing.
pub(super) fn flat(members: Vec<(FieldRef, ArrayRef)>, delimiter: &str) -> Result<Vec<(FieldRef, ArrayRef)>> {
    let mut done = Vec::with_capacity(members.len());
    for (field, values) in members {
        add(field, values, None, delimiter, &mut done)?;
    }
    Ok(done)
}

fn add(
    field: FieldRef,
    values: ArrayRef,
    prefix: Option<&str>,
    delimiter: &str,
    done: &mut Vec<(FieldRef, ArrayRef)>,
) -> Result<()> {
    let name = flat_name(field.name(), prefix, delimiter);
    let DataType::Struct(fields) = field.data_type() else {
        done.push((field.as_ref().clone().with_name(name).into(), values));
        return Ok(());
    };
    let structs = values.as_struct();
    for (field, values) in fields.iter().zip(structs.columns()) {
        add(FieldRef::clone(field), child_values(structs, values)?, Some(&name), delimiter, done)?;
    }
    Ok(())
}

/// The names that the members get.
pub(super) fn flat_names(fields: &[FieldRef], delimiter: &str) -> Vec<String> {
    fn add(fields: &[FieldRef], prefix: Option<&str>, delimiter: &str, done: &mut Vec<String>) {
        for field in fields {
            let name = flat_name(field.name(), prefix, delimiter);
            match field.data_type() {
                DataType::Struct(fields) => add(fields, Some(&name), delimiter, done),
                _ => done.push(name),
            }
        }
    }
    let mut done = Vec::with_capacity(fields.len());
    add(fields, None, delimiter, &mut done);
    done
}

fn flat_name(name: &str, prefix: Option<&str>, delimiter: &str) -> String {
    let name = name.replace('.', delimiter);
    prefix.map_or_else(|| name.clone(), |prefix| format!("{prefix}{delimiter}{name}"))
}
