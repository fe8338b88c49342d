//! `InsertField$Key` and `InsertField$Value`: adds where a record comes from, or a constant, to its key or value.
//!
//! ```text
//! transforms.where.type=org.apache.kafka.connect.transforms.InsertField$Value
//! transforms.where.topic.field=topic
//! transforms.where.offset.field=offset!
//! ```
//!
//! | field | type | is null where |
//! |---|---|---|
//! | `topic.field` | STRING | |
//! | `partition.field` | INT32 | a source leaves the partition to the producer |
//! | `offset.field` | INT64 | never; in a source, rows are rejected |
//! | `timestamp.field` | Timestamp, without schema INT64 (ms) | the record has none |
//! | `static.field` | STRING | |
//!
//! A name may end in `!` (required) or `?` (optional, as without). Rows whose key or value is null pass unchanged. Whether the
//! root itself may be null is left as it is: a column may hold tombstones between its structs.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, Error, Importance, Plugin, Records, Result, Side,
    Transformation, Transformed, schema,
};
use volley_java::class_of;

use super::field_insertion::{Insertion, Source};
use super::struct_insertion::{insert_with_schema, insert_without_schema};
use super::text_insertion::insert_into_text;
use crate::columns::{column_of, plugin_pair, reject, reject_rows, replace_null_key, replaces_null, with_column};

const TOPIC_FIELD: &str = "topic.field";
const PARTITION_FIELD: &str = "partition.field";
const OFFSET_FIELD: &str = "offset.field";
const TIMESTAMP_FIELD: &str = "timestamp.field";
const STATIC_FIELD: &str = "static.field";
const STATIC_VALUE: &str = "static.value";

const KEY_CLASS: &str = "org.apache.kafka.connect.transforms.InsertField$Key";
const VALUE_CLASS: &str = "org.apache.kafka.connect.transforms.InsertField$Value";

/// Adds fields to the key or the value.
#[derive(Clone, Debug)]
pub struct InsertField {
    side: Side,
    insertions: Vec<Insertion>,
    replaces_null_with_default: bool,
    /// The last output schema and what it was made of, so that batches of one schema share one.
    layout: Option<(FieldRef, FieldRef)>,
}

impl InsertField {
    /// The keys of this transformation.
    pub fn config_def() -> ConfigDef {
        let field = |name: &str, what: &str| {
            let doc = format!(
                "Name of the field for {what}. With `!` at its end the field is required, with `?` or neither it is optional."
            );
            ConfigKey::optional(name, ConfigType::String, Importance::Medium, &doc)
        };
        ConfigDef::new()
            .key(field(TOPIC_FIELD, "the topic"))
            .key(field(PARTITION_FIELD, "the Kafka partition"))
            .key(field(OFFSET_FIELD, "the Kafka offset (sinks only)"))
            .key(field(TIMESTAMP_FIELD, "the timestamp of the record"))
            .key(field(STATIC_FIELD, "`static.value`"))
            .key(ConfigKey::optional(
                STATIC_VALUE,
                ConfigType::String,
                Importance::Medium,
                "Value of the static field, a text.",
            ))
            .key(replace_null_key())
    }

    /// From its configuration, prefix stripped.
    ///
    /// # Errors
    /// `Config` if no field is named, or the static one has no value.
    pub fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        let config = Self::config_def().parse(config)?;
        let insertion = |key, source| config.string(key).map(|spec| Insertion::parse(spec, source));
        let static_value = config.string(STATIC_VALUE);
        let mut insertions: Vec<Insertion> = [
            insertion(TOPIC_FIELD, Source::Topic),
            insertion(PARTITION_FIELD, Source::Partition),
            insertion(OFFSET_FIELD, Source::Offset),
            insertion(TIMESTAMP_FIELD, Source::Timestamp),
        ]
        .into_iter()
        .flatten()
        .collect();
        match (config.string(STATIC_FIELD), static_value) {
            (Some(spec), Some(text)) => insertions.push(Insertion::parse(spec, Source::Static(text.into()))),
            (Some(spec), None) => {
                return Err(Error::config(format!(
                    "Invalid value null for configuration {STATIC_VALUE}: No value specified for static field: {spec}"
                )));
            }
            (None, _) => {}
        }
        if insertions.is_empty() {
            return Err(Error::config("No field insertion configured"));
        }
        Ok(Self { side, insertions, replaces_null_with_default: replaces_null(&config), layout: None })
    }

    fn class(&self) -> &'static str {
        match self.side {
            Side::Key => KEY_CLASS,
            Side::Value => VALUE_CLASS,
        }
    }

    fn insert(&mut self, records: Records) -> Result<Transformed> {
        let column = column_of(&records, self.side).clone();
        if schema::has_schema(&column.field) {
            return self.insert_with_schema(records, &column);
        }
        let column = match column.field.data_type() {
            DataType::Struct(_) => insert_without_schema(&column, &records, &self.insertions)?,
            DataType::Utf8 if schema::is_json_text(&column.field) => {
                return self.insert_into_texts(records, &column);
            }
            other => {
                let found = class_of(other);
                let message =
                    format!("Only Map objects supported in absence of schema for [field insertion], found: {found}");
                return reject_rows(records, &column, self.class(), &Error::data(message), |_| true);
            }
        };
        Ok(Transformed::of(with_column(&records, self.side, column)))
    }

    fn insert_with_schema(&mut self, records: Records, column: &Column) -> Result<Transformed> {
        let DataType::Struct(fields) = column.field.data_type() else {
            let found = class_of(column.field.data_type());
            let error = Error::data(format!("Only Struct objects supported for [field insertion], found: {found}"));
            return reject_rows(records, column, self.class(), &error, |_| true);
        };
        if let Some(message) = naming_conflict(fields.iter().map(|field| field.name().as_str()), &self.insertions) {
            let error = Error::data(message).with_exception("org.apache.kafka.connect.errors.SchemaBuilderException");
            return reject_rows(records, column, self.class(), &error, |_| true);
        }
        for insertion in self.insertions.iter().filter(|insertion| !insertion.is_optional) {
            if (0..records.len()).any(|row| !column.is_null(row) && !insertion.is_present(&records, row)) {
                return self.without_missing(insertion.clone(), records, column);
            }
        }
        let layout = self.layout_of(&column.field, fields.iter().cloned());
        let column = insert_with_schema(column, &layout, &records, &self.insertions, self.replaces_null_with_default)?;
        Ok(Transformed::of(with_column(&records, self.side, column)))
    }

    /// Rejects the rows that lack what a required field needs, and goes on with the others.
    fn without_missing(&mut self, missing: Insertion, records: Records, column: &Column) -> Result<Transformed> {
        let error = Error::data(format!(
            "Invalid value: null used for required field: \"{}\", schema type: {}",
            missing.name,
            missing.schema_type()
        ));
        let lacks = |row: usize| !missing.is_present(&records, row);
        let mut outcome = reject_rows(records.clone(), column, self.class(), &error, lacks)?;
        let mut kept = Vec::new();
        for records in std::mem::take(&mut outcome.records) {
            let mut inserted = self.apply(records)?;
            kept.append(&mut inserted.records);
            outcome.rejected.append(&mut inserted.rejected);
        }
        outcome.records = kept;
        Ok(outcome)
    }

    fn insert_into_texts(&self, records: Records, column: &Column) -> Result<Transformed> {
        let (column, refused) = insert_into_text(column, &records, &self.insertions);
        let no_map = |class| {
            let purpose = "Only Map objects supported in absence of schema for [field insertion]";
            Error::data(format!("{purpose}, found: {class}"))
        };
        let refused = refused.into_iter().map(|(row, class)| (row, no_map(class))).collect();
        reject(with_column(&records, self.side, column), self.class(), refused)
    }

    fn layout_of(&mut self, root: &FieldRef, fields: impl Iterator<Item = FieldRef>) -> FieldRef {
        if let Some((input, output)) = &self.layout
            && (Arc::ptr_eq(input, root) || input == root)
        {
            return Arc::clone(output);
        }
        let fields = fields.chain(self.insertions.iter().map(|insertion| Arc::new(insertion.field(true))));
        let mut metadata = root.metadata().clone();
        metadata.remove(schema::DEFAULT);
        let output = Field::new(root.name(), DataType::Struct(fields.collect()), root.is_nullable());
        let output = Arc::new(output.with_metadata(metadata));
        self.layout = Some((Arc::clone(root), Arc::clone(&output)));
        output
    }
}

/// Why the fields cannot be added to a schema that has these already.
fn naming_conflict<'a>(existing: impl Iterator<Item = &'a str>, insertions: &'a [Insertion]) -> Option<String> {
    let mut names: Vec<&str> = existing.collect();
    for Insertion { name, .. } in insertions {
        if name.is_empty() {
            return Some("fieldName cannot be null.".to_owned());
        }
        if names.contains(&name.as_str()) {
            return Some(format!("Cannot create field because of field name duplication {name}"));
        }
        names.push(name);
    }
    None
}

impl Transformation for InsertField {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let column = column_of(&records, self.side);
        if (0..records.len()).all(|row| column.is_null(row)) {
            return Ok(Transformed::of(records));
        }
        let needs_offset = self.insertions.iter().any(|insertion| matches!(insertion.source, Source::Offset));
        let is_container =
            matches!(column.field.data_type(), DataType::Struct(_)) || schema::is_json_text(&column.field);
        if needs_offset && records.origin.is_none() && is_container {
            let message = "Only SinkRecord supported for [field insertion], found: \
                           org.apache.kafka.connect.source.SourceRecord";
            let column = column.clone();
            return reject_rows(records, &column, self.class(), &Error::data(message), |_| true);
        }
        self.insert(records)
    }
}

pub(crate) fn plugins() -> [Plugin; 2] {
    let what = "Adds topic, partition, offset, timestamp or a constant to the {side}.";
    plugin_pair([KEY_CLASS, VALUE_CLASS], what, InsertField::config_def, InsertField::new)
}
