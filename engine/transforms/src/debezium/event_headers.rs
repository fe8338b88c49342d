//! Headers with fields of change events.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StructArray};
use arrow::datatypes::{DataType, Field};
use volley_api::{Error, Header, Headers, Records, Result};

use super::field_reference::{FieldReference, Located};
use crate::columns::{defaulted, value_at};

/// The headers of the records with those that the references ask for behind them; tombstones get none.
///
/// # Errors
/// What all events of this schema fail with.
pub(super) fn with_event_headers(
    records: &Records,
    references: &[FieldReference],
    events: &StructArray,
) -> Result<std::result::Result<Headers, Error>> {
    let mut added: Vec<Located> = Vec::with_capacity(references.len());
    for reference in references {
        match reference.locate(events)? {
            Ok(located) => added.extend(located),
            Err(error) => return Ok(Err(error)),
        }
    }
    let mut headers = headers_of(records);
    for (field, values) in added {
        add_header(&mut headers, &field, &values, |row| events.is_valid(row))?;
    }
    Ok(Ok(headers))
}

/// The headers of each row, to add to.
pub(super) fn headers_of(records: &Records) -> Headers {
    match &records.headers {
        Some(headers) => headers.as_ref().clone(),
        None => vec![Vec::new(); records.len()],
    }
}

/// Adds a header of the field's name with the value of the row, where that is wanted.
pub(super) fn add_header(
    headers: &mut Headers,
    field: &Field,
    values: &ArrayRef,
    is_wanted: impl Fn(usize) -> bool,
) -> Result<()> {
    let name: Arc<str> = field.name().as_str().into();
    let values = with_inner_defaults(field, values)?;
    for (row, headers) in headers.iter_mut().enumerate().filter(|(row, _)| is_wanted(*row)) {
        headers.push(Header::new(Arc::clone(&name), value_at(field, &values, row, true)?));
    }
    Ok(())
}

/// The values with defaults within structs, which a header shows, as it has no schema to find them in.
fn with_inner_defaults(field: &Field, values: &ArrayRef) -> Result<ArrayRef> {
    let DataType::Struct(fields) = field.data_type() else { return Ok(Arc::clone(values)) };
    let structs = values.as_struct();
    let columns = fields.iter().zip(structs.columns());
    let columns = columns.map(|(field, values)| with_inner_defaults(field, &defaulted(field, values)?));
    let columns = columns.collect::<Result<Vec<_>>>()?;
    let nulls = structs.nulls().cloned();
    Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), columns, nulls, structs.len())?))
}
