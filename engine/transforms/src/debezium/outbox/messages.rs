//! Rows that become messages of one topic, partition and schema.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, StructArray, UInt32Array};
use arrow::datatypes::{DataType, Field, FieldRef};
use volley_api::{Column, Error, Result, schema};

use super::expanded_payloads::ExpandedPayloads;

/// What the messages of a batch have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Destination {
    /// What the topic is made of.
    pub(super) route: String,
    pub(super) partition: Option<i32>,
    pub(super) version: Option<i32>,
    pub(super) shape: Shape,
}

/// What the value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Shape {
    Tombstone,
    Plain,
    /// With the schema of an expanded payload.
    Expanded(usize),
}

/// What tells where rows go.
pub(super) struct Destinations<'a> {
    pub(super) routes: &'a ArrayRef,
    pub(super) partitions: Option<&'a Int32Array>,
    pub(super) versions: Option<&'a Int32Array>,
    pub(super) payloads: &'a Column,
    pub(super) expanded: &'a ExpandedPayloads,
    pub(super) makes_tombstones: bool,
}

impl Destinations<'_> {
    /// The rows by where they go.
    pub(super) fn group(&self, rows: &[u32]) -> Vec<(Destination, Vec<u32>)> {
        let mut places: HashMap<Destination, usize> = HashMap::new();
        let mut groups: Vec<(Destination, Vec<u32>)> = Vec::new();
        for row in rows {
            let destination = self.of(*row as usize);
            let place = *places.entry(destination).or_insert_with_key(|destination| {
                groups.push((destination.clone(), Vec::new()));
                groups.len() - 1
            });
            groups[place].1.push(*row);
        }
        groups
    }

    fn of(&self, row: usize) -> Destination {
        let number = |numbers: Option<&Int32Array>| {
            numbers.filter(|numbers| numbers.is_valid(row)).map(|numbers| numbers.value(row))
        };
        let shape = match self.expanded.schema(row) {
            _ if self.makes_tombstones && is_blank(self.payloads, row) => Shape::Tombstone,
            Some(schema) => Shape::Expanded(schema),
            None => Shape::Plain,
        };
        let route = self.routes.as_string::<i32>().value(row).to_owned();
        Destination { route, partition: number(self.partitions), version: number(self.versions), shape }
    }
}

fn is_blank(payloads: &Column, row: usize) -> bool {
    let text = || payloads.array.as_string::<i32>().value(row).trim().is_empty();
    payloads.is_null(row) || (payloads.field.data_type() == &DataType::Utf8 && text())
}

/// A struct of a payload and of columns beside it, whose schema's name has the route in it.
pub(super) fn enveloped(
    payload: Column,
    beside: &[Column],
    state_name: Option<&str>,
    destination: &Destination,
) -> Result<std::result::Result<Column, Error>> {
    let mut fields: Vec<FieldRef> = vec![Arc::new(Field::clone(&payload.field).with_name("payload"))];
    fields.extend(beside.iter().map(|column| Arc::clone(&column.field)));
    for (place, field) in fields.iter().enumerate() {
        if fields[..place].iter().any(|known| known.name() == field.name()) {
            return Ok(Err(crate::columns::schema_builder_error(format!(
                "Cannot create field because of field name duplication {}",
                field.name()
            ))));
        }
    }
    let mut metadata = HashMap::from([(schema::NAME.to_owned(), schema_name(state_name, &destination.route))]);
    metadata.extend(destination.version.map(|version| (schema::VERSION.to_owned(), version.to_string())));
    let len = payload.len();
    let mut arrays = vec![payload.array];
    arrays.extend(beside.iter().map(|column| Arc::clone(&column.array)));
    let array = StructArray::try_new_with_length(fields.clone().into(), arrays, None, len)?;
    let field = Field::new("value", DataType::Struct(fields.into()), false).with_metadata(metadata);
    Ok(Ok(Column::new(Arc::new(field), Arc::new(array))))
}

/// The name of the row's schema with the route before its last part.
fn schema_name(state_name: Option<&str>, route: &str) -> String {
    match state_name.map(|name| name.rsplit_once('.').ok_or(name)) {
        None => route.to_owned(),
        Some(Ok((front, last))) => format!("{front}.{route}.{last}"),
        Some(Err(name)) => format!("{route}.{name}"),
    }
}

/// The values at these rows.
pub(super) fn column_at(column: &Column, rows: &[u32]) -> Result<Column> {
    match rows.len() == column.len() {
        true => Ok(column.clone()),
        false => column.take(&UInt32Array::from(rows.to_vec())),
    }
}
