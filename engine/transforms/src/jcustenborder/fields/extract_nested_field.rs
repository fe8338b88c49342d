//! `ExtractNestedField$Key` and `ExtractNestedField$Value`: copies a field of a nested struct into the struct that it is in.
//!
//! ```text
//! transforms.city.type=com.github.jcustenborder.kafka.connect.transform.common.ExtractNestedField$Value
//! transforms.city.input.outer.field.name=address
//! transforms.city.input.inner.field.name=city
//! transforms.city.output.field.name=city
//! ```

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, Error, Importance, Plugin, Records, Result, Side,
    Transformation, Transformed,
};

use crate::columns::{ColumnWise, Failure, Outcome, child_values, field_column, of_members, schema_builder_error};
use crate::jcustenborder::supported::{bare_root, members, pair, require_schema_struct};

const OUTER: &str = "input.outer.field.name";
const INNER: &str = "input.inner.field.name";
const OUTPUT: &str = "output.field.name";
const NULL_POINTER: &str = "java.lang.NullPointerException";
const CLASSES: [&str; 2] = [
    "com.github.jcustenborder.kafka.connect.transform.common.ExtractNestedField$Key",
    "com.github.jcustenborder.kafka.connect.transform.common.ExtractNestedField$Value",
];

/// Copies a field out of a nested struct.
#[derive(Debug)]
pub(in crate::jcustenborder) struct ExtractNestedField {
    columns: ColumnWise,
    outer: String,
    inner: String,
    output: String,
}

impl ExtractNestedField {
    pub(in crate::jcustenborder) fn config_def() -> ConfigDef {
        let key = |name, doc| ConfigKey::required(name, ConfigType::String, Importance::High, doc);
        ConfigDef::new()
            .key(key(OUTER, "Field with the nested struct."))
            .key(key(INNER, "Field of the nested struct to copy."))
            .key(key(OUTPUT, "Name of the copy."))
    }

    /// # Errors
    /// `Config` if a name is missing.
    pub(in crate::jcustenborder) fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        let config = Self::config_def().parse(config)?;
        let text = |key| config.string(key).unwrap_or_default().to_owned();
        Ok(Self {
            columns: ColumnWise::new(side, CLASSES),
            outer: text(OUTER),
            inner: text(INNER),
            output: text(OUTPUT),
        })
    }
}

impl Transformation for ExtractNestedField {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let Self { columns, outer, inner, output } = self;
        columns.apply_to_column(records, |_| false, |column| extracted(column, outer, inner, output))
    }
}

fn extracted(column: &Column, outer: &str, inner: &str, output: &str) -> Outcome<Column> {
    let structs = require_schema_struct(column)?;
    let fails = |error: Error| Err(Failure::of_values(column, &error));
    let Some((at, field)) = structs.fields().find(outer) else {
        return fails(Error::data(format!("{outer} is not a valid field name")));
    };
    let DataType::Struct(_) = field.data_type() else {
        return fails(Error::data(format!("Field '{outer}' is not of type STRUCT")));
    };
    let nested = Column::new(Arc::clone(field), child_values(structs, structs.column(at))?);
    let missing: Vec<(usize, Error)> = (0..column.len())
        .filter(|row| !column.is_null(*row) && nested.is_null(*row))
        .map(|row| (row, Error::data(format!("the field `{outer}` is null")).with_exception(NULL_POINTER)))
        .collect();
    if !missing.is_empty() {
        return Err(Failure::Rows(missing));
    }
    let Some(found) = field_column(&nested, inner)? else {
        return fails(Error::data(format!("there is no field `{inner}` in `{outer}`")).with_exception(NULL_POINTER));
    };
    if structs.fields().find(output).is_some() {
        return fails(schema_builder_error(format!("Cannot create field because of field name duplication {output}")));
    }
    let mut members = members(column, structs)?;
    // A null struct has a null there, whatever its schema says.
    let is_nullable = found.field.is_nullable() || column.array.null_count() > 0;
    let copy = Field::clone(&found.field).with_name(output).with_nullable(is_nullable);
    members.push((Arc::new(copy), found.array));
    Ok(of_members(bare_root(column), structs, members)?)
}

pub(in crate::jcustenborder) fn plugins() -> [Plugin; 2] {
    let what = "Copies a field of a nested struct of the {side} into the struct around it.";
    pair(CLASSES, what, ExtractNestedField::config_def, ExtractNestedField::new)
}
