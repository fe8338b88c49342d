//! Compares with what a Java implementation makes of the same schemas and values: `tests/java/AvroReference.java` wrote it down.

use serde_json::Value;
use volley_api::{Column, ConfigMap, Converter as _, Side, Unserialized};

use super::reader::AvroReader;
use crate::JsonConverter;
use crate::avro::mapping::from_connect_schema::from_connect_schema;
use crate::avro::mapping::settings::AvroSettings;
use crate::avro::schema::schema_parser::SchemaParser;
use crate::avro::schema::schema_text::schema_text;
use crate::avro::values::write::Writer;
use crate::json::schema_of;
use crate::registry::{RowWriter as _, SectionReader as _};
use crate::rejections::raw_batch_of;

const FROM_AVRO: &str = include_str!("testdata/from_avro.tsv");
pub(super) const FROM_CONNECT: &str = include_str!("testdata/from_connect.tsv");

fn settings(text: &str) -> AvroSettings {
    let mut settings = AvroSettings::default();
    for pair in text.split(',').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap();
        let value = value == "true";
        match key {
            "enhanced.avro.schema.support" => settings.enhanced = value,
            "connect.meta.data" => settings.meta_data = value,
            "scrub.invalid.names" => settings.scrub_names = value,
            "allow.optional.map.keys" => settings.optional_map_keys = value,
            other => panic!("{other}"),
        }
    }
    settings
}

pub(super) fn json_converter() -> JsonConverter {
    let config = ConfigMap::from([("replace.null.with.default".to_owned(), "false".to_owned())]);
    JsonConverter::new(&config, Side::Value).unwrap()
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
}

/// A value with its schema, as JsonConverter writes it.
pub(super) fn envelope(column: &Column) -> Value {
    let serialized = json_converter().from_connect(&Unserialized::new("topic", column)).unwrap();
    assert!(serialized.rejected.is_empty(), "{:?}", serialized.rejected);
    serde_json::from_slice(serialized.bytes.value(0)).unwrap()
}

/// Whether two JSON values are the same; 1 and 1.0 are.
pub(super) fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left == right || left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, value)| right.get(name).is_some_and(|other| same(value, other)))
        }
        _ => left == right,
    }
}

fn read(schema: &str, bytes: &[u8], settings: AvroSettings) -> Result<Option<Column>, String> {
    let parsed = SchemaParser::default().parse(schema);
    let mut reader = AvroReader::new(parsed.as_ref().map_err(Clone::clone), None, settings).unwrap();
    let mut failures = Vec::new();
    let parts = reader.read("topic", &[Some(bytes)], &mut |_, failure| failures.push(failure.to_string())).unwrap();
    let column = parts.into_iter().next().map(|(_, column)| column);
    match failures.pop() {
        Some(failure) => Err(failure),
        None => Ok(column),
    }
}

/// Lines of columns, without comments.
pub(super) fn cases(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(|line| line.split('\t').collect())
}

#[test]
fn values_and_schemas_are_read_as_java_reads_them() {
    let mut differing = Vec::new();
    for case in cases(FROM_AVRO) {
        let [options, schema, bytes, expected] = case[..] else { panic!("{case:?}") };
        let expected = expected.strip_prefix("ours ").unwrap_or(expected);
        let ours = read(schema, &hex(bytes), settings(options));
        let is_same = match &ours {
            Err(_) => expected.starts_with("refused"),
            Ok(None) => false,
            // Java has no schema for a null
            Ok(Some(column)) if column.is_null(0) => expected.starts_with("null"),
            Ok(Some(column)) => serde_json::from_str(expected).is_ok_and(|expected| same(&envelope(column), &expected)),
        };
        if !is_same {
            let ours = ours.map(|column| column.map(|column| envelope(&column).to_string()));
            differing.push(format!("[{options}] {schema} {bytes}\n java: {expected}\n ours: {ours:?}"));
        }
    }
    assert!(differing.is_empty(), "{} differ:\n{}", differing.len(), differing.join("\n"));
}

#[test]
fn values_and_schemas_are_written_as_java_writes_them_and_read_back() {
    let mut differing = Vec::new();
    for case in cases(FROM_CONNECT) {
        let [options, given, schema, bytes, back] = case[..] else { panic!("{case:?}") };
        let back = back.strip_prefix("ours ").unwrap_or(back);
        let ours = written(given, settings(options));
        let is_same = match &ours {
            Err(_) => back.starts_with("refused"),
            Ok((ours, written)) => {
                let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap_or(Value::from("no JSON"));
                same(&parsed(ours), &parsed(schema)) && *written == hex(bytes)
            }
        };
        let is_read = back.starts_with("refused")
            || read(schema, &hex(bytes), settings(options)).is_ok_and(|column| {
                column.is_some_and(|column| same(&envelope(&column), &serde_json::from_str(back).unwrap()))
            });
        if !is_same || !is_read {
            let ours = ours
                .map(|(schema, bytes)| (schema, bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()));
            let read = read(schema, &hex(bytes), settings(options));
            let read = read.map(|column| column.map(|column| envelope(&column).to_string()));
            differing.push(format!(
                "[{options}] {given}\n java: {schema} {bytes}\n ours: {ours:?}\n java back: {back}\n ours back: {read:?}"
            ));
        }
    }
    assert!(differing.is_empty(), "{} differ:\n{}", differing.len(), differing.join("\n"));
}

fn written(given: &str, settings: AvroSettings) -> Result<(String, Vec<u8>), String> {
    let mut converted = json_converter().to_connect(&raw_batch_of(&[Some(given.as_bytes())]), Side::Value).unwrap();
    if let Some(rejected) = converted.rejected.pop() {
        return Err(rejected.error.to_string());
    }
    let column = converted.runs.remove(0).column;
    let connect = schema_of(&column.field).map_err(|error| error.to_string())?;
    let schema = from_connect_schema(&connect, settings)?;
    let writer = Writer::new(&schema, &column.field, &column.array, settings).map_err(|error| error.to_string())?;
    let mut out = Vec::new();
    writer.write(0, &mut out)?;
    Ok((schema_text(&schema), out))
}
