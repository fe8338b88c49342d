//! `ToLong$Key` and `ToLong$Value`: numbers of fields as INT64.
//!
//! ```text
//! transforms.long.type=com.github.jcustenborder.kafka.connect.transform.common.ToLong$Value
//! transforms.long.fields=amount
//! ```

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, Error, Importance, Plugin, Records, Result, Side,
    Transformation, Transformed,
};
use volley_java::class_of;

use crate::cast::{CastType, cast_values};
use crate::columns::{ColumnWise, Failure, Outcome, child_values, of_members};
use crate::jcustenborder::supported::{bare_root, members, pair, require_schema_struct};

const FIELDS: &str = "fields";
const CLASSES: [&str; 2] = [
    "com.github.jcustenborder.kafka.connect.transform.common.ToLong$Key",
    "com.github.jcustenborder.kafka.connect.transform.common.ToLong$Value",
];

/// Makes numbers INT64.
#[derive(Debug)]
pub(in crate::jcustenborder) struct ToLong {
    columns: ColumnWise,
    names: Vec<String>,
}

impl ToLong {
    pub(in crate::jcustenborder) fn config_def() -> ConfigDef {
        let fields = "Fields whose numbers become INT64.";
        ConfigDef::new().key(ConfigKey::with_default(FIELDS, ConfigType::List, "", Importance::High, fields))
    }

    /// # Errors
    /// None.
    pub(in crate::jcustenborder) fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        let config = Self::config_def().parse(config)?;
        Ok(Self { columns: ColumnWise::new(side, CLASSES), names: config.list(FIELDS).to_vec() })
    }
}

impl Transformation for ToLong {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let Self { columns, names } = self;
        columns.apply_to_column(records, |_| false, |column| converted(column, names))
    }
}

fn converted(column: &Column, names: &[String]) -> Outcome<Column> {
    let structs = require_schema_struct(column)?;
    let mut members = members(column, structs)?;
    for (field, values) in members.iter_mut().filter(|(field, _)| names.contains(field.name())) {
        let named = Column::new(Arc::clone(field), child_values(structs, values)?);
        if !field.data_type().is_numeric() {
            let class = class_of(field.data_type());
            let class = class.rsplit('.').next().unwrap_or(class).replace("[B", "byte[]");
            let error = Error::data(format!("Field '{}' is not a number. {class}", field.name()));
            let failed = Failure::of_values(&named, &error);
            match &failed {
                Failure::Rows(rows) if rows.is_empty() => {}
                _ => return Err(failed),
            }
        }
        *values = if field.data_type().is_numeric() {
            cast_values(&named, CastType::Int64)?
        } else {
            arrow::array::new_null_array(&DataType::Int64, column.len())
        };
        *field = Arc::new(Field::new(field.name(), DataType::Int64, field.is_nullable()));
    }
    Ok(of_members(bare_root(column), structs, members)?)
}

pub(in crate::jcustenborder) fn plugins() -> [Plugin; 2] {
    pair(CLASSES, "Makes numbers of fields of the {side} INT64.", ToLong::config_def, ToLong::new)
}
