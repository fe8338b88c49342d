//! `CaseTransform$Key` and `CaseTransform$Value`: texts of fields in capitals, or in none.
//!
//! ```text
//! transforms.upper.type=io.aiven.kafka.connect.transforms.CaseTransform$Value
//! transforms.upper.field.names=country,currency
//! transforms.upper.case=upper
//! ```
//!
//! With a schema only texts change; without one, everything becomes a text.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use arrow::datatypes::{DataType, Field, FieldRef};
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, Error, Importance, Plugin, Records, Result, Side,
    Transformation, Transformed, Validator, schema,
};
use volley_java::ColumnText;

use super::concat_fields::require_members;
use super::plugins::pair;
use crate::columns::{ColumnWise, Outcome, field_column, top_level, with_members};

const NAMES: &str = "field.names";
const CASE: &str = "case";
const CLASSES: [&str; 2] =
    ["io.aiven.kafka.connect.transforms.CaseTransform$Key", "io.aiven.kafka.connect.transforms.CaseTransform$Value"];

/// Changes the case of fields.
#[derive(Debug)]
pub(super) struct CaseTransform {
    columns: ColumnWise,
    names: Vec<String>,
    is_upper: bool,
}

impl CaseTransform {
    pub(super) fn config_def() -> ConfigDef {
        let names = "Fields whose texts are changed.";
        let case = "The case: upper or lower.";
        ConfigDef::new()
            .key(ConfigKey::required(NAMES, ConfigType::List, Importance::High, names))
            .key(ConfigKey::required(CASE, ConfigType::String, Importance::High, case).validated(Validator::NonEmpty))
    }

    /// # Errors
    /// `Config` if the case is none that there is.
    pub(super) fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        let config = Self::config_def().parse(config)?;
        let is_upper = match config.string(CASE).unwrap_or_default() {
            "upper" => true,
            "lower" => false,
            other => {
                let message = format!("Unknown enum value {other}");
                return Err(Error::config(message).with_exception("java.lang.IllegalArgumentException"));
            }
        };
        Ok(Self { columns: ColumnWise::new(side, CLASSES), names: config.list(NAMES).to_vec(), is_upper })
    }
}

impl Transformation for CaseTransform {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let Self { columns, names, is_upper } = self;
        let side = columns.side;
        let is_named = |name: &str| names.iter().any(|named| named == name);
        columns.apply_to_column(records, is_named, |column| changed(column, side, is_named, *is_upper))
    }
}

fn changed(column: &Column, side: Side, is_named: impl Fn(&str) -> bool, is_upper: bool) -> Outcome<Column> {
    let structs = require_members(column, side)?;
    let has_schema = schema::has_schema(&column.field);
    let values = top_level(structs, has_schema)?;
    let mut members: Vec<(FieldRef, ArrayRef)> = structs.fields().iter().cloned().zip(values).collect();
    for (field, values) in members.iter_mut().filter(|(field, _)| is_named(field.name())) {
        let Some(named) = field_column(column, field.name())? else { continue };
        match named.field.data_type() {
            DataType::Null => {}
            DataType::Utf8 if has_schema || !schema::is_json_text(&named.field) => {
                *values = texts(&named, |row, text| text.push_str(named.array.as_string::<i32>().value(row)), is_upper);
                *field = Arc::new(Field::clone(field).with_data_type(DataType::Utf8));
            }
            _ if has_schema => {}
            _ => {
                let source = ColumnText::of(&named)?;
                let mut bytes = Vec::new();
                let write = |row: usize, text: &mut String| {
                    bytes.clear();
                    source.write(row, &mut bytes);
                    text.push_str(&String::from_utf8_lossy(&bytes));
                };
                *values = texts(&named, write, is_upper);
                *field = Arc::new(Field::new(field.name(), DataType::Utf8, true));
            }
        }
    }
    Ok(with_members(column, structs, members)?)
}

fn texts(values: &Column, mut write: impl FnMut(usize, &mut String), is_upper: bool) -> ArrayRef {
    let mut changed = StringBuilder::with_capacity(values.len(), values.len() * 8);
    let mut text = String::new();
    for row in 0..values.len() {
        if values.array.is_null(row) {
            changed.append_null();
            continue;
        }
        text.clear();
        write(row, &mut text);
        changed.append_value(if is_upper { text.to_uppercase() } else { text.to_lowercase() });
    }
    Arc::new(changed.finish())
}

pub(super) fn plugins() -> [Plugin; 2] {
    let what = "Puts texts of fields of the {side} into upper or lower case.";
    pair(CLASSES, what, CaseTransform::config_def, CaseTransform::new)
}
