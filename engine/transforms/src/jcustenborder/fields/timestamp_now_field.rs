//! `TimestampNowField$Key` and `TimestampNowField$Value`: adds fields with the time at which a record passes.
//!
//! ```text
//! transforms.now.type=com.github.jcustenborder.kafka.connect.transform.common.TimestampNowField$Value
//! transforms.now.fields=seen_at
//! ```

use std::sync::Arc;

use arrow::array::{ArrayRef, TimestampMillisecondArray};
use arrow::datatypes::{DataType, Field};
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, Plugin, Records, Result, Side, Transformation,
    Transformed, schema,
};

use crate::clock::now_ms;
use crate::columns::{ColumnWise, Outcome, with_members};
use crate::jcustenborder::supported::{members, pair, require_fields};

const FIELDS: &str = "fields";
const CLASSES: [&str; 2] = [
    "com.github.jcustenborder.kafka.connect.transform.common.TimestampNowField$Key",
    "com.github.jcustenborder.kafka.connect.transform.common.TimestampNowField$Value",
];

/// Adds the time of the clock.
#[derive(Debug)]
pub(in crate::jcustenborder) struct TimestampNowField {
    columns: ColumnWise,
    names: Vec<String>,
}

impl TimestampNowField {
    pub(in crate::jcustenborder) fn config_def() -> ConfigDef {
        let fields = "Fields that get the time at which the record passes, as a Timestamp.";
        ConfigDef::new().key(ConfigKey::required(FIELDS, ConfigType::List, Importance::High, fields))
    }

    /// # Errors
    /// `Config` if no field is named.
    pub(in crate::jcustenborder) fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        let config = Self::config_def().parse(config)?;
        let mut names: Vec<String> = Vec::new();
        for name in config.list(FIELDS) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        Ok(Self { columns: ColumnWise::new(side, CLASSES), names })
    }
}

impl Transformation for TimestampNowField {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let Self { columns, names } = self;
        let now = now_ms();
        columns.apply_to_column(records, |_| false, |column| inserted(column, names, now))
    }
}

/// With a schema, a field that is there already stays where it is if it is a Timestamp. All others are behind.
fn inserted(column: &Column, names: &[String], now: i64) -> Outcome<Column> {
    let structs = require_fields(column)?;
    let has_schema = schema::has_schema(&column.field);
    let mut members = members(column, structs)?;
    let is_time = |data_type: &DataType| matches!(data_type, DataType::Timestamp(..));
    if has_schema {
        members.retain(|(field, _)| !names.contains(field.name()) || is_time(field.data_type()));
    }
    for name in names {
        let times = TimestampMillisecondArray::from(vec![now; column.len()]).with_timezone("UTC");
        let times: ArrayRef = Arc::new(times);
        match members.iter_mut().find(|(field, _)| field.name() == name) {
            Some((field, values)) => {
                *field = Arc::new(Field::clone(field).with_data_type(schema::timestamp_type()));
                *values = times;
            }
            None => members.push((Arc::new(Field::new(name, schema::timestamp_type(), !has_schema)), times)),
        }
    }
    Ok(with_members(column, structs, members)?)
}

pub(in crate::jcustenborder) fn plugins() -> [Plugin; 2] {
    let what = "Adds fields with the time at which a record passes to the {side}.";
    pair(CLASSES, what, TimestampNowField::config_def, TimestampNowField::new)
}
