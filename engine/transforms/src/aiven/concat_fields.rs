//! `ConcatFields$Key` and `ConcatFields$Value`: a field of the texts of others.
//!
//! ```text
//! transforms.id.type=io.aiven.kafka.connect.transforms.ConcatFields$Value
//! transforms.id.field.names=country,number
//! transforms.id.output.field.name=id
//! transforms.id.delimiter=-
//! transforms.id.field.replace.missing=none
//! ```

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringBuilder, StructArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, Error, Importance, Plugin, Records, Result, Side,
    Transformation, Transformed, Validator, schema,
};
use volley_java::ColumnText;

use super::places::place;
use super::plugins::pair;
use crate::columns::{
    ColumnWise, Failure, Outcome, all_rows, field_column, of_members, schema_builder_error, top_level, with_members,
};

const NAMES: &str = "field.names";
const OUTPUT: &str = "output.field.name";
const REPLACE_MISSING: &str = "field.replace.missing";
const DELIMITER: &str = "delimiter";
const CLASSES: [&str; 2] =
    ["io.aiven.kafka.connect.transforms.ConcatFields$Key", "io.aiven.kafka.connect.transforms.ConcatFields$Value"];

/// Joins the texts of fields.
#[derive(Debug)]
pub(super) struct ConcatFields {
    columns: ColumnWise,
    join: Join,
}

#[derive(Debug)]
struct Join {
    names: Vec<String>,
    output: String,
    missing: String,
    delimiter: String,
}

impl ConcatFields {
    pub(super) fn config_def() -> ConfigDef {
        let names = "Fields whose texts are joined, in this order.";
        let output = "Field that they are joined in.";
        let missing = "Text in the place of fields that are missing or null.";
        let delimiter = "What stands between the texts.";
        let text = |name, doc| ConfigKey::with_default(name, ConfigType::String, "", Importance::High, doc);
        ConfigDef::new()
            .key(ConfigKey::required(NAMES, ConfigType::List, Importance::High, names))
            .key(
                ConfigKey::required(OUTPUT, ConfigType::String, Importance::High, output)
                    .validated(Validator::NonEmpty),
            )
            .key(text(REPLACE_MISSING, missing))
            .key(text(DELIMITER, delimiter))
    }

    /// # Errors
    /// `Config` if a key is missing.
    pub(super) fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        let config = Self::config_def().parse(config)?;
        let text = |key| config.string(key).unwrap_or_default().to_owned();
        let join = Join {
            names: config.list(NAMES).to_vec(),
            output: text(OUTPUT),
            missing: text(REPLACE_MISSING),
            delimiter: text(DELIMITER),
        };
        Ok(Self { columns: ColumnWise::new(side, CLASSES), join })
    }
}

impl Transformation for ConcatFields {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let Self { columns, join } = self;
        let side = columns.side;
        let is_named = |name: &str| join.names.iter().any(|named| named == name);
        columns.apply_to_column(records, is_named, |column| {
            let structs = require_members(column, side)?;
            match schema::has_schema(&column.field) {
                true => join.of_struct(column, structs),
                false => join.of_map(column, structs),
            }
        })
    }
}

impl Join {
    /// Java makes a schema of its own, without the name of the one that was.
    fn of_struct(&self, column: &Column, structs: &StructArray) -> Outcome<Column> {
        if structs.fields().find(&self.output).is_some() {
            let message = format!("Cannot create field because of field name duplication {}", self.output);
            return Err(Failure::of_values(column, &schema_builder_error(message)));
        }
        let values = top_level(structs, true)?;
        let mut members: Vec<(FieldRef, ArrayRef)> = structs.fields().iter().cloned().zip(values).collect();
        members.push((Arc::new(Field::new(&self.output, DataType::Utf8, true)), self.texts(column)?));
        let root = Field::new(column.field.name(), DataType::Null, false);
        Ok(of_members(Arc::new(root), structs, members)?)
    }

    fn of_map(&self, column: &Column, structs: &StructArray) -> Outcome<Column> {
        let mut members: Vec<(FieldRef, ArrayRef)> =
            structs.fields().iter().cloned().zip(structs.columns().iter().cloned()).collect();
        let joined = (Arc::new(Field::new(&self.output, DataType::Utf8, true)), self.texts(column)?);
        match structs.fields().find(&self.output) {
            Some((at, _)) => members[at] = joined,
            None => members.push(joined),
        }
        Ok(with_members(column, structs, members)?)
    }

    /// Row by row, since each is a text of its own.
    fn texts(&self, column: &Column) -> Result<ArrayRef> {
        let mut sources = Vec::with_capacity(self.names.len());
        for name in &self.names {
            sources.push(match field_column(column, name)? {
                Some(values) => Some((ColumnText::of(&values)?, values)),
                None => None,
            });
        }
        let mut joined = StringBuilder::with_capacity(column.len(), column.len() * 16);
        let mut text = Vec::new();
        for row in 0..column.len() {
            text.clear();
            for (at, source) in sources.iter().enumerate() {
                if at > 0 {
                    text.extend_from_slice(self.delimiter.as_bytes());
                }
                match source {
                    Some((texts, values)) if !values.is_null(row) => texts.write(row, &mut text),
                    _ => text.extend_from_slice(self.missing.as_bytes()),
                }
            }
            joined.append_value(String::from_utf8_lossy(&text));
        }
        Ok(Arc::new(joined.finish()))
    }
}

/// The struct or the map that the column is, without a null.
pub(super) fn require_members(column: &Column, side: Side) -> Outcome<&StructArray> {
    if column.array.logical_null_count() > 0 {
        let error = Error::data(format!("{} Value can't be null", place(side)));
        return Err(Failure::of_nulls(column, &error));
    }
    match column.field.data_type() {
        DataType::Struct(_) => Ok(arrow::array::AsArray::as_struct(&column.array)),
        DataType::Map(..) => Err(all_rows(column, &Error::data("Cannot list fields on non-struct type"))),
        _ => Err(all_rows(column, &Error::data("Value type must be STRUCT or MAP"))),
    }
}

pub(super) fn plugins() -> [Plugin; 2] {
    let what = "Joins the texts of fields of the {side} in another field.";
    pair(CLASSES, what, ConcatFields::config_def, ConcatFields::new)
}
