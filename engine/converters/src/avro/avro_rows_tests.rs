//! What columns become in files.

use std::sync::Arc;

use arrow::array::{Array as _, Int64Array};
use arrow::datatypes::{DataType, Field};
use volley_api::{Column, ConfigMap, Converter as _, ErrorKind, Side, Unserialized};
use volley_registry::{RegistryClient, RegistryConfig};

use super::{AvroConverter, AvroRows, AvroValues};
use crate::JsonConverter;
use crate::rejections::raw_batch_of;

fn rows(settings: &[(&str, &str)]) -> AvroRows {
    AvroRows::new(&settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()).unwrap()
}

/// A column of payloads of one schema.
fn typed(schema: &str, payloads: &[&str]) -> Column {
    let texts: Vec<_> =
        payloads.iter().map(|payload| format!(r#"{{"schema":{schema},"payload":{payload}}}"#)).collect();
    column(&texts.iter().map(String::as_str).collect::<Vec<_>>(), "true")
}

fn column(texts: &[&str], schemas: &str) -> Column {
    let config = ConfigMap::from([("schemas.enable".to_owned(), schemas.to_owned())]);
    let messages: Vec<_> = texts.iter().map(|text| Some(text.as_bytes())).collect();
    let converted = JsonConverter::new(&config, Side::Value).unwrap().to_connect(&raw_batch_of(&messages), Side::Value);
    let mut converted = converted.unwrap();
    assert!(converted.rejected.is_empty(), "{:?}", converted.rejected);
    converted.runs.remove(0).column
}

fn bytes(written: &AvroValues) -> Vec<Option<&[u8]>> {
    written.values.iter().collect()
}

const ORDER: &str = r#"{"type":"struct","name":"shop.Order","version":3,"optional":true,"fields":[
    {"type":"string","field":"id"},
    {"type":"struct","name":"io.confluent.connect.avro.Union","optional":true,"field":"u","fields":[
        {"type":"int64","optional":true,"field":"long"},{"type":"string","optional":true,"field":"string"}]}]}"#;

#[test]
fn schema_and_values_are_those_of_the_converter_without_a_frame() {
    let settings = [("schema.registry.url", "mock://avro-rows"), ("enhanced.avro.schema.support", "true")];
    let config: ConfigMap = settings.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let column = typed(ORDER, &[r#"{"id":"a","u":{"long":-7,"string":null}}"#, r#"{"id":"ä","u":null}"#]);
    let converted = AvroConverter::new(&config, Side::Value).unwrap();
    let messages = { converted }.from_connect(&Unserialized::new("topic", &column)).unwrap().bytes;
    let registry = RegistryClient::shared(&RegistryConfig::parse(&config).unwrap()).unwrap();
    let written = rows(&[]).write(&column).unwrap();
    assert_eq!(*written.schema, *registry.latest("topic-value").unwrap().schema.text);
    let data: Vec<_> = messages.iter().map(|message| message.map(|message| &message[5..])).collect();
    assert_eq!(bytes(&written), data);
}

#[test]
fn a_row_that_cannot_be_written_leaves_nothing_behind_and_takes_no_other_along() {
    let good = r#"{"id":"a","u":{"long":1,"string":null}}"#;
    let column = typed(ORDER, &[good, r#"{"id":"b","u":{"long":1,"string":"x"}}"#, good]);
    let written = rows(&[]).write(&column).unwrap();
    let [(1, error)] = &written.rejected[..] else { panic!("{:?}", written.rejected) };
    assert_eq!(error.kind(), ErrorKind::Data);
    assert!(error.to_string().contains("two fields of a union have a value"), "{error}");
    // not null, the text, the branch of the union, the number
    let value = [2, 2, b'a', 2, 2];
    assert_eq!(bytes(&written), [Some(&value[..]), None, Some(&value[..])]);
}

#[test]
fn a_null_has_a_value_where_the_schema_allows_it() {
    let schema = r#"{"type":"int64","optional":true}"#;
    let column = typed(schema, &["1", "null", "-1"]);
    let written = rows(&[]).write(&column).unwrap();
    assert_eq!(&*written.schema, r#"["null","long"]"#);
    assert_eq!(bytes(&written), [Some(&[2, 2][..]), Some(&[0]), Some(&[2, 1])]);
    let field = Field::new("value", DataType::Int64, false);
    let required = Column::new(Arc::new(field), Arc::new(Int64Array::from(vec![Some(1), None, Some(-1)])));
    let written = rows(&[]).write(&required).unwrap();
    assert_eq!(&*written.schema, r#""long""#);
    assert_eq!(bytes(&written), [Some(&[2][..]), None, Some(&[1])]);
    assert_eq!(written.rejected[0].0, 1);
    let without_schema = rows(&[]).write(&Column::nulls(2)).unwrap();
    assert_eq!(bytes(&without_schema), [Some(&[0; 9][..]); 2]);
}

#[test]
fn a_part_of_a_column_is_written_as_the_whole() {
    let payloads: Vec<_> = (0..10).map(|number| format!(r#"{{"id":"{number}","u":null}}"#)).collect();
    let column = typed(ORDER, &payloads.iter().map(String::as_str).collect::<Vec<_>>());
    let (whole, part) = (rows(&[]).write(&column).unwrap(), rows(&[]).write(&column.slice(3, 4)).unwrap());
    assert_eq!(bytes(&whole)[3..7], bytes(&part));
    let empty = rows(&[]).write(&column.slice(5, 0)).unwrap();
    assert_eq!((empty.schema, empty.values.len()), (whole.schema, 0));
}

#[test]
fn values_without_a_schema_are_of_the_schema_of_anything() {
    let written = rows(&[]).write(&column(&[r#"{"a":1}"#, "null", r#"{"b":[true]}"#], "false")).unwrap();
    assert!(
        written.schema.contains(r#""name":"Anything","namespace":"io.confluent.connect.avro""#),
        "{}",
        written.schema
    );
    assert!(written.rejected.is_empty(), "{:?}", written.rejected);
    assert_eq!(written.values.value(1), [0; 9]);
}

#[test]
fn columns_of_one_schema_share_its_text() {
    let mut rows = rows(&[]);
    let numbers = |name: &str, optional: bool| {
        Column::new(Arc::new(Field::new(name, DataType::Int64, optional)), Arc::new(Int64Array::from(vec![1])))
    };
    let first = rows.write(&numbers("value", true)).unwrap().schema;
    assert!(Arc::ptr_eq(&first, &rows.write(&numbers("value", true)).unwrap().schema));
    assert!(Arc::ptr_eq(&first, &rows.write(&numbers("other", true)).unwrap().schema));
    assert_ne!(first, rows.write(&numbers("value", false)).unwrap().schema);
    let one = ("schemas.cache.config", "1");
    let mut rows = self::rows(&[one]);
    for _ in 0..2 {
        assert_eq!(*rows.write(&numbers("value", true)).unwrap().schema, *first);
        assert_eq!(&*rows.write(&numbers("value", false)).unwrap().schema, r#""long""#);
    }
}

#[test]
fn what_avro_cannot_express_is_the_fault_of_each_row() {
    let column = typed(r#"{"type":"struct","fields":[{"type":"int64","field":"a-b"}]}"#, &[r#"{"a-b":1}"#]);
    let error = rows(&[]).write(&column).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
    assert!(error.to_string().contains("`a-b` is no name in Avro"), "{error}");
    let scrubbed = rows(&[("scrub.invalid.names", "true")]).write(&column).unwrap();
    assert!(scrubbed.schema.contains(r#""name":"a_b""#), "{}", scrubbed.schema);
}

#[test]
fn enums_are_enums_and_connects_own_words_are_kept_unless_the_user_says_otherwise() {
    let schema = r#"{"type":"string","parameters":{"io.confluent.connect.avro.Enum":"x.E","io.confluent.connect.avro.Enum.A":"A"},
        "doc":"d"}"#;
    let column = typed(schema, &["\"A\""]);
    let of = |settings| rows(settings).write(&column).unwrap().schema;
    let usual = of(&[]);
    assert!(usual.contains(r#""type":"enum""#) && usual.contains(r#""connect.doc":"d""#), "{usual}");
    let bare = of(&[("enhanced.avro.schema.support", "false"), ("connect.meta.data", "false")]);
    assert_eq!(&*bare, r#""string""#);
}
