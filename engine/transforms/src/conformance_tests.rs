//! What every transformation has to do.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray, StructArray};
use arrow::datatypes::{DataType, Field};
use volley_api::testing::{column, config_map, consumed, keeps_filters_or_rejects_every_row, texts};
use volley_api::{Column, ConfigMap, Header, Records, Result, Side, Transformation, Transformed, Value, schema};

use crate::columns::json_texts;
use crate::{
    Cast, DropHeaders, ExtractField, Filter, Flatten, HeaderFrom, HoistField, InsertField, InsertHeader, MaskField,
    RegexRouter, ReplaceField, SetSchemaMetadata, TimestampConverter, TimestampRouter, ValueToKey,
};

/// Orders, some of them null, with headers and timestamps.
pub(crate) fn orders() -> Records {
    let fields: Vec<(Arc<Field>, ArrayRef)> = vec![
        (Arc::new(Field::new("id", DataType::Int64, false)), Arc::new(Int64Array::from_iter_values(0..6))),
        (
            Arc::new(Field::new("name", DataType::Utf8, true)),
            Arc::new(StringArray::from(vec![Some("a"), None, Some("b"), Some("c"), None, Some("d")])),
        ),
    ];
    let (fields, arrays): (Vec<_>, Vec<_>) = fields.into_iter().unzip();
    let nulls = Some(vec![true, true, false, true, true, true].into());
    let values = StructArray::try_new(fields.into(), arrays, nulls).unwrap();
    let len = values.len() as i64;
    let headers = (0..len).map(|row| vec![Header::new("row", Value::Int64(row))]).collect();
    Records {
        key: texts([Some("k"), None, Some("l"), Some("m"), Some("n"), Some("o")]),
        timestamps: (0..len).map(|row| row - 1).collect(),
        headers: Some(Arc::new(headers)),
        ..consumed("orders", 3, 100, column(values))
    }
}

/// The same without a schema.
pub(crate) fn maps() -> Records {
    let orders = orders();
    let field = schema::without_schema(Field::clone(&orders.value.field));
    Records { value: Column::new(Arc::new(field), Arc::clone(&orders.value.array)), ..orders }
}

/// JSON of several types.
pub(crate) fn mixed() -> Records {
    let values = texts([
        Some(r#"{"id":1,"name":"7"}"#),
        Some(r#"{"id":"x","name":{"a":1}}"#),
        None,
        Some("[1]"),
        Some(r#"{"name":5}"#),
        Some(r#"{"id":null,"name":[1,"a"]}"#),
        Some("\"text\""),
    ]);
    let field = schema::without_schema(schema::mixed_field("value"));
    consumed("orders", 3, 100, Column::new(Arc::new(field), values.array))
}

fn batches() -> [Records; 4] {
    [orders(), maps(), mixed(), consumed("orders", 0, 0, texts([Some("a"), None, Some("b")]))]
}

/// A transformation whose schemaless values are shown as JSON without nulls: the inferred type of a column depends on all its
/// rows, and what it says of each does not.
struct AsJson<T>(T);

impl<T: Transformation> Transformation for AsJson<T> {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let mut transformed = self.0.apply(records)?;
        for records in &mut transformed.records {
            (records.key, records.value) = (as_json(&records.key)?, as_json(&records.value)?);
        }
        Ok(transformed)
    }
}

fn as_json(column: &Column) -> Result<Column> {
    if schema::has_schema(&column.field) {
        return Ok(column.clone());
    }
    let shown = |text: &str| without_nulls(serde_json::from_str(text).unwrap()).to_string();
    let texts = json_texts(column)?;
    let texts: StringArray = texts.as_string::<i32>().iter().map(|text| text.map(shown)).collect();
    Ok(Column::new(Arc::new(schema::without_schema(schema::json_text_field("value"))), Arc::new(texts)))
}

fn without_nulls(json: serde_json::Value) -> serde_json::Value {
    match json {
        serde_json::Value::Object(members) => members
            .into_iter()
            .filter(|(_, member)| !member.is_null())
            .map(|(name, member)| (name, without_nulls(member)))
            .collect(),
        other => other,
    }
}

/// Of the values, and of the keys that the values are made.
pub(crate) fn conforms<T: Transformation>(new: fn(&ConfigMap, Side) -> Result<T>, entries: &[(&str, &str)]) {
    let config = config_map(entries);
    keeps_filters_or_rejects_every_row(|| new(&config, Side::Value).map(AsJson), &batches());
    let keyed = batches().map(|records| Records { key: records.value.clone(), ..records });
    keeps_filters_or_rejects_every_row(|| new(&config, Side::Key).map(AsJson), &keyed);
}

#[test]
fn filter_treats_every_row_for_itself() {
    keeps_filters_or_rejects_every_row(|| Ok(Filter), &batches());
}

#[test]
fn regex_router_treats_every_row_for_itself() {
    for regex in ["ord(.*)", "ot(.*)her"] {
        let config = config_map(&[("regex", regex), ("replacement", "lake-$1")]);
        keeps_filters_or_rejects_every_row(|| RegexRouter::new(&config), &batches());
    }
}

#[test]
fn insert_field_treats_every_row_for_itself() {
    let all = config_map(&[
        ("topic.field", "t!"),
        ("partition.field", "p"),
        ("timestamp.field", "ts"),
        ("static.field", "s"),
        ("static.value", "v"),
    ]);
    for side in [Side::Value, Side::Key] {
        keeps_filters_or_rejects_every_row(|| InsertField::new(&all, side).map(AsJson), &batches());
    }
}

#[test]
fn transformations_of_fields_treat_every_row_for_itself() {
    conforms(ExtractField::new, &[("field", "name")]);
    conforms(ExtractField::new, &[("field", "name.a"), ("field.syntax.version", "V2")]);
    conforms(ReplaceField::new, &[("exclude", "id"), ("renames", "name:other")]);
    conforms(ReplaceField::new, &[("renames", "id:name")]);
    conforms(MaskField::new, &[("fields", "id,name")]);
    conforms(MaskField::new, &[("fields", "id,name"), ("replacement", "5")]);
    conforms(|config, _| ValueToKey::new(config), &[("fields", "name,id")]);
}

#[test]
fn transformations_of_types_treat_every_row_for_itself() {
    conforms(Cast::new, &[("spec", "id:string,name:int8")]);
    conforms(Cast::new, &[("spec", "string")]);
    let field = [("field", "name"), ("target.type", "unix"), ("format", "H")];
    conforms(TimestampConverter::new, &field);
    conforms(TimestampConverter::new, &field[1..]);
}

#[test]
fn transformations_of_the_whole_treat_every_row_for_itself() {
    conforms(Flatten::new, &[]);
    conforms(HoistField::new, &[("field", "line")]);
    conforms(SetSchemaMetadata::new, &[("schema.name", "n")]);
}

#[test]
fn transformations_of_headers_treat_every_row_for_itself() {
    for operation in ["move", "copy"] {
        conforms(HeaderFrom::new, &[("fields", "name,id"), ("headers", "a,b"), ("operation", operation)]);
    }
    conforms(|config, _| InsertHeader::new(config), &[("header", "h"), ("value.literal", "[1,2]")]);
    conforms(|config, _| DropHeaders::new(config), &[("headers", "row")]);
}

#[test]
fn timestamp_router_treats_every_row_for_itself() {
    conforms(|config, _| TimestampRouter::new(config), &[("timestamp.format", "SSS")]);
}
