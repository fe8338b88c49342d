//! `TopicNameToField$Key` and `TopicNameToField$Value`: adds the topic as a field.
//!
//! ```text
//! transforms.topic.type=com.github.jcustenborder.kafka.connect.transform.common.TopicNameToField$Value
//! transforms.topic.field=topic
//! ```

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::{DataType, Field};
use volley_api::{
    ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, Plugin, Records, Result, Side, Transformation,
    Transformed, schema,
};

use crate::columns::{ColumnWise, Failure, Outcome, column_of, schema_builder_error, with_column, with_members};
use crate::jcustenborder::supported::{members, pair, require_fields};

const FIELD: &str = "field";
const CLASSES: [&str; 2] = [
    "com.github.jcustenborder.kafka.connect.transform.common.TopicNameToField$Key",
    "com.github.jcustenborder.kafka.connect.transform.common.TopicNameToField$Value",
];

/// Adds the topic.
#[derive(Debug)]
pub(in crate::jcustenborder) struct TopicNameToField {
    columns: ColumnWise,
    name: String,
}

impl TopicNameToField {
    pub(in crate::jcustenborder) fn config_def() -> ConfigDef {
        let field = "Field with the topic.";
        ConfigDef::new().key(ConfigKey::required(FIELD, ConfigType::String, Importance::High, field))
    }

    /// # Errors
    /// `Config` if no field is named.
    pub(in crate::jcustenborder) fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        let config = Self::config_def().parse(config)?;
        let name = config.string(FIELD).unwrap_or_default().to_owned();
        Ok(Self { columns: ColumnWise::new(side, CLASSES), name })
    }
}

impl Transformation for TopicNameToField {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let Self { columns, name } = self;
        let side = columns.side;
        columns.apply(records, |_| false, |records| inserted(records, side, name))
    }
}

fn inserted(records: &Records, side: Side, name: &str) -> Outcome<Records> {
    let column = column_of(records, side);
    let structs = require_fields(column)?;
    let has_schema = schema::has_schema(&column.field);
    let mut members = members(column, structs)?;
    let doc = has_schema.then(|| (schema::DOC.to_owned(), "Topic name".to_owned()));
    let field = Field::new(name, DataType::Utf8, !has_schema).with_metadata(doc.into_iter().collect());
    let topics: ArrayRef = Arc::new(StringArray::from(vec![&*records.topic; records.len()]));
    match members.iter().position(|(field, _)| field.name() == name) {
        Some(_) if has_schema => {
            let message = format!("Cannot create field because of field name duplication {name}");
            return Err(Failure::of_values(column, &schema_builder_error(message)));
        }
        Some(known) => members[known] = (Arc::new(field), topics),
        None => members.push((Arc::new(field), topics)),
    }
    Ok(with_column(records, side, with_members(column, structs, members)?))
}

pub(in crate::jcustenborder) fn plugins() -> [Plugin; 2] {
    pair(CLASSES, "Adds the topic to the {side} as a field.", TopicNameToField::config_def, TopicNameToField::new)
}
