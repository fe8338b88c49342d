//! `ExtractField$Key` and `ExtractField$Value`: one field takes the place of the whole key or value.
//!
//! ```text
//! transforms.id.type=org.apache.kafka.connect.transforms.ExtractField$Key
//! transforms.id.field=id
//! ```
//!
//! With `field.syntax.version=V2`, `a.b` is the field `b` in the field `a`. Without a schema a field that is missing is null.

use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, Error, Importance, Plugin, Records, Result, Side,
    Transformation, Transformed, Validator, schema,
};

use super::field_path::FieldPath;
use crate::columns::{
    ColumnWise, Failure, Outcome, child_values, defaulted, plugin_pair, replace_null_key, replaces_null, require_struct,
};

const FIELD: &str = "field";
const SYNTAX_VERSION: &str = "field.syntax.version";
const PURPOSE: &str = "field extraction";
const CLASSES: [&str; 2] =
    ["org.apache.kafka.connect.transforms.ExtractField$Key", "org.apache.kafka.connect.transforms.ExtractField$Value"];

/// Replaces the key or the value by one of its fields.
#[derive(Debug)]
pub struct ExtractField {
    columns: ColumnWise,
    path: FieldPath,
    written: String,
    replaces_null: bool,
}

impl ExtractField {
    /// The keys of this transformation.
    pub fn config_def() -> ConfigDef {
        let syntax = "How `field` is written. V1: the name of a field. V2: names with dots between them lead to a nested field; \
                      a name that has a dot in it stands in backticks.";
        ConfigDef::new()
            .key(ConfigKey::required(FIELD, ConfigType::String, Importance::Medium, "Field to extract."))
            .key(replace_null_key())
            .key(
                ConfigKey::with_default(SYNTAX_VERSION, ConfigType::String, "V1", Importance::High, syntax)
                    .validated(Validator::one_of_ignore_case(["V1", "V2"])),
            )
    }

    /// From its configuration, prefix stripped.
    ///
    /// # Errors
    /// `Config` if the field is missing or cannot be read.
    pub fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        let config = Self::config_def().parse(config)?;
        let written = config.string(FIELD).unwrap_or_default().to_owned();
        let is_v2 = config.string(SYNTAX_VERSION).is_some_and(|version| version.eq_ignore_ascii_case("V2"));
        let path = if is_v2 { FieldPath::dotted(&written)? } else { FieldPath::of_root(&written) };
        Ok(Self { columns: ColumnWise::new(side, CLASSES), path, written, replaces_null: replaces_null(&config) })
    }
}

impl Transformation for ExtractField {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let Self { columns, path, written, replaces_null } = self;
        let first = path.steps.first().map(String::as_str);
        let is_wanted = |name: &str| Some(name) == first && path.steps.len() > 1;
        columns.apply_to_column(records, is_wanted, |column| extracted(column, path, written, *replaces_null))
    }
}

fn extracted(column: &Column, path: &FieldPath, written: &str, replaces_null: bool) -> Outcome<Column> {
    let has_schema = schema::has_schema(&column.field);
    if path.steps.is_empty() {
        let error = Error::data("the path of the field is empty").with_exception("java.lang.IllegalArgumentException");
        return Err(Failure::of_values(column, &error));
    }
    let mut current = column.clone();
    for (depth, step) in path.steps.iter().enumerate() {
        let purpose = if depth == 0 { PURPOSE } else { "nested field access" };
        if has_schema && depth > 0 && !is_struct(&current) {
            return Err(Failure::of_values(column, &Error::data("Cannot look up fields on non-struct type")));
        }
        if depth > 0 && current.array.logical_null_count() == current.len() && !is_struct(&current) {
            return Ok(Column::nulls(column.len()));
        }
        require_struct(&current, purpose)?;
        current = match child(&current, step, has_schema && replaces_null)? {
            Some(child) => child,
            None if has_schema => return Err(Failure::of_values(column, &unknown_field(written))),
            None => return Ok(Column::nulls(column.len())),
        };
    }
    Ok(current)
}

fn is_struct(column: &Column) -> bool {
    matches!(column.field.data_type(), DataType::Struct(_))
}

/// A field of a struct, null where the struct is.
fn child(column: &Column, name: &str, replaces_null: bool) -> Outcome<Option<Column>> {
    let DataType::Struct(fields) = column.field.data_type() else { return Ok(None) };
    let Some((place, field)) = fields.find(name) else { return Ok(None) };
    let structs = column.array.as_struct();
    let values = structs.column(place);
    let values = if replaces_null { defaulted(field, values)? } else { Arc::clone(values) };
    let field = match schema::has_schema(&column.field) {
        true => nullable_within(field, &column.field),
        false => Arc::new(schema::without_schema(Field::clone(field))),
    };
    Ok(Some(Column::new(field, child_values(structs, &values)?)))
}

/// The field on its own: null where what it was in may be null, too.
fn nullable_within(field: &FieldRef, outer: &Field) -> FieldRef {
    match field.is_nullable() || !outer.is_nullable() {
        true => Arc::clone(field),
        false => Arc::new(field.as_ref().clone().with_nullable(true)),
    }
}

fn unknown_field(written: &str) -> Error {
    Error::data(format!("Unknown field: {written}")).with_exception("java.lang.IllegalArgumentException")
}

pub(crate) fn plugins() -> [Plugin; 2] {
    plugin_pair(CLASSES, "Replaces the {side} by one of its fields.", ExtractField::config_def, ExtractField::new)
}
