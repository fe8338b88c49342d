//! Payloads that are JSON texts, as what they say.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Field, FieldRef};
use serde_json::Value;
use volley_api::Column;

use super::json_schema::json_schema;
use crate::columns::array_of;

/// What the payloads say, where they can be expanded, and under which schema.
#[derive(Debug, Default)]
pub(super) struct ExpandedPayloads {
    schemas: Vec<FieldRef>,
    /// The schema of each row with its value.
    values: Vec<Option<(usize, Value)>>,
}

impl ExpandedPayloads {
    /// Reads texts that are objects; of what comes behind nothing is read. All others stay as they are, and so do arrays, as
    /// Debezium makes records of them that no converter can write.
    pub(super) fn of(payloads: &Column, name: &str, keeps_nulls: bool) -> Self {
        let mut expanded = Self { schemas: Vec::new(), values: vec![None; payloads.len()] };
        if payloads.field.data_type() != &DataType::Utf8 {
            return expanded;
        }
        let mut places: HashMap<Field, usize> = HashMap::new();
        let texts = payloads.array.as_string::<i32>();
        for (row, text) in texts.iter().enumerate() {
            let Some(value) = text.filter(|text| text.starts_with('{')).and_then(first_value) else { continue };
            let Ok(field) = json_schema(name, &value, keeps_nulls) else { continue };
            let place = *places.entry(field).or_insert_with_key(|field| {
                expanded.schemas.push(Arc::new(field.clone()));
                expanded.schemas.len() - 1
            });
            expanded.values[row] = Some((place, value));
        }
        expanded
    }

    /// The schema of a row's value, if that is expanded.
    pub(super) fn schema(&self, row: usize) -> Option<usize> {
        self.values.get(row)?.as_ref().map(|(schema, _)| *schema)
    }

    /// The values of rows that have this schema; `None` if they do not fit it after all.
    pub(super) fn column(&self, schema: usize, rows: &[u32]) -> Option<Column> {
        let field = &self.schemas[schema];
        let values: Vec<&Value> = rows
            .iter()
            .map(|row| self.values[*row as usize].as_ref().map_or(&Value::Null, |(_, value)| value))
            .collect();
        array_of(field, &values).map(|array| Column::new(Arc::clone(field), array))
    }
}

fn first_value(text: &str) -> Option<Value> {
    serde_json::Deserializer::from_str(text).into_iter().next()?.ok()
}
