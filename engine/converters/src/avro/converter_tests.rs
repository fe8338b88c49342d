//! The converter with a registry inside the process.

use std::sync::Arc;

use arrow::array::{Array, AsArray, BinaryArray};
use arrow::datatypes::Int64Type;
use volley_api::{Column, ConfigMap, Converted, Converter as _, ErrorKind, RawHeader, RowIndex, Side, Unserialized};
use volley_registry::{RegistryClient, RegistryConfig, Schema, SchemaKind};

use super::AvroConverter;
use crate::JsonConverter;
use crate::rejections::raw_batch_of;

fn settings(scope: &str, more: &[(&str, &str)]) -> ConfigMap {
    let url = format!("mock://{scope}");
    let url = ("schema.registry.url", url.as_str());
    [url].iter().chain(more).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn converter(config: &ConfigMap) -> AvroConverter {
    AvroConverter::new(config, Side::Value).unwrap()
}

fn registry(config: &ConfigMap) -> Arc<RegistryClient> {
    RegistryClient::shared(&RegistryConfig::parse(config).unwrap()).unwrap()
}

fn register(config: &ConfigMap, subject: &str, text: &str) -> i32 {
    registry(config).register(subject, &Schema::new(SchemaKind::Avro, text)).unwrap().id
}

/// A message of a schema.
fn message(id: i32, data: &[u8]) -> Vec<u8> {
    [&[0], &id.to_be_bytes()[..], data].concat()
}

fn read(converter: &mut AvroConverter, messages: &[Option<Vec<u8>>]) -> Converted {
    let messages: Vec<_> = messages.iter().map(|message| message.as_deref()).collect();
    converter.to_connect(&raw_batch_of(&messages), Side::Value).unwrap()
}

fn columns_of(json: &[&str], plain: bool) -> Column {
    let config = ConfigMap::from([("schemas.enable".to_owned(), (!plain).to_string())]);
    let messages: Vec<_> = json.iter().map(|text| Some(text.as_bytes())).collect();
    let converted = JsonConverter::new(&config, Side::Value).unwrap().to_connect(&raw_batch_of(&messages), Side::Value);
    converted.unwrap().runs.remove(0).column
}

fn written(converter: &mut AvroConverter, column: &Column) -> BinaryArray {
    let serialized = converter.from_connect(&Unserialized::new("topic", column)).unwrap();
    assert!(serialized.rejected.is_empty(), "{:?}", serialized.rejected);
    serialized.bytes
}

#[test]
fn two_versions_in_turns_are_a_run_each() {
    let config = settings("turns", &[]);
    let first =
        register(&config, "topic-value", r#"{"type":"record","name":"R","fields":[{"name":"a","type":"long"}]}"#);
    let second = register(
        &config,
        "topic-value",
        r#"{"type":"record","name":"R","fields":[{"name":"a","type":"long"},{"name":"b","type":"string","default":""}]}"#,
    );
    let messages: Vec<_> = (0..100u8)
        .map(|row| Some(if row % 2 == 0 { message(first, &[row]) } else { message(second, &[row, 2, b'x']) }))
        .collect();
    let converted = read(&mut converter(&config), &messages);
    assert!(converted.rejected.is_empty());
    let [old, new] = &converted.runs[..] else { panic!("{:?}", converted.runs) };
    assert_eq!(old.rows.iter().collect::<Vec<_>>(), (0..100).step_by(2).collect::<Vec<_>>());
    assert_eq!((old.column.len(), new.column.len()), (50, 50));
    assert_eq!(new.column.array.as_struct().columns()[1].as_string::<i32>().value(49), "x");
    // the registry's version is the schema's, as in Java
    assert_eq!(old.column.field.metadata()[volley_api::schema::VERSION], "1");
    assert_eq!(new.column.field.metadata()[volley_api::schema::VERSION], "2");
}

#[test]
fn nulls_go_with_the_rows_around_them() {
    let config = settings("nulls", &[]);
    let id = register(&config, "topic-value", "\"long\"");
    let converted = read(&mut converter(&config), &[None, Some(message(id, &[2])), None]);
    let [run] = &converted.runs[..] else { panic!("{:?}", converted.runs) };
    assert!(matches!(run.rows, RowIndex::Contiguous { start: 0, len: 3 }));
    assert_eq!(run.column.array.as_primitive::<Int64Type>().iter().collect::<Vec<_>>(), [None, Some(1), None]);
    let converted = read(&mut converter(&config), &[None, None]);
    assert_eq!(converted.runs[0].column.len(), 2);
}

#[test]
fn one_bad_message_is_rejected_alone_whatever_is_wrong_with_it() {
    let config = settings("bad", &[]);
    let id =
        register(&config, "topic-value", r#"{"type":"record","name":"R","fields":[{"name":"a","type":"string"}]}"#);
    let broken = register(&config, "other", r#"{"type":"record","name":"R","fields":[{"name":"a","type":"null"}]}"#);
    let good = message(id, &[2, b'x']);
    let bad = [
        (b"{}".to_vec(), "Unknown magic byte!"),
        (message(id, &[4, b'x']), "the message ends within a value"),
        (message(id, &[2, b'x', 1]), "1 bytes follow the value"),
        (message(4711, &[2]), "Error retrieving Avro value schema for id 4711"),
        (message(broken, &[]), "a value that is always null has no type in Connect"),
    ];
    let messages: Vec<_> =
        bad.iter().flat_map(|(message, _)| [Some(good.clone()), Some(message.clone()), Some(good.clone())]).collect();
    let converted = read(&mut converter(&config), &messages);
    let rejected: Vec<_> = converted.rejected.iter().map(|row| row.row).collect();
    assert_eq!(rejected, (0..bad.len()).map(|place| 3 * place + 1).collect::<Vec<_>>());
    for (row, (_, reason)) in converted.rejected.iter().zip(&bad) {
        assert_eq!(row.error.to_string(), "Failed to deserialize data for topic topic to Avro: ");
        assert!(row.error.trace().contains(reason), "{}: {}", reason, row.error.trace());
    }
    assert_eq!(converted.runs.iter().map(|run| run.column.len()).sum::<usize>(), 2 * bad.len());
}

#[test]
fn what_is_no_text_in_a_string_is_replaced_as_in_java() {
    let config = settings("replaced", &[]);
    let id = register(&config, "topic-value", "\"string\"");
    let converted = read(&mut converter(&config), &[Some(message(id, &[6, b'a', 0xFF, b'b']))]);
    assert_eq!(converted.runs[0].column.array.as_string::<i32>().value(0), "a\u{FFFD}b");
}

#[test]
fn the_id_of_the_schema_may_stand_in_a_header() {
    let config = settings("headers", &[]);
    let id = register(&config, "topic-value", "\"long\"");
    let mut batch = raw_batch_of(&[Some(&[2])]);
    let header = RawHeader { name: "__value_schema_id".into(), value: Some(message(id, &[])) };
    batch.headers = Some(Arc::new(vec![vec![header]]));
    let converted = converter(&config).to_connect(&batch, Side::Value).unwrap();
    assert_eq!(converted.runs[0].column.array.as_primitive::<Int64Type>().value(0), 1);
}

#[test]
fn a_schema_is_registered_once_and_another_under_the_same_subject() {
    let config = settings("once", &[]);
    let mut converter = converter(&config);
    let number = columns_of(&[r#"{"schema":{"type":"int64"},"payload":1}"#], false);
    let text = columns_of(&[r#"{"schema":{"type":"string"},"payload":"x"}"#], false);
    let first = written(&mut converter, &number).value(0).to_vec();
    assert_eq!(written(&mut converter, &number).value(0), first);
    let other = written(&mut converter, &text).value(0).to_vec();
    assert_ne!(first[..5], other[..5]);
    let latest = registry(&config).latest("topic-value").unwrap();
    assert_eq!((latest.version, latest.schema.text.as_str()), (Some(2), "\"string\""));
}

#[test]
fn data_is_written_with_the_newest_schema_of_the_subject_if_wanted() {
    let more = [("auto.register.schemas", "false"), ("use.latest.version", "true")];
    let config = settings("latest", &more);
    let schema = r#"{"type":"record","name":"R","fields":[
        {"name":"new","type":"string","default":"d"},{"name":"a","type":["null","long"],"default":null}]}"#;
    let id = register(&config, "topic-value", schema);
    let text = r#"{"schema":{"type":"struct","name":"R","fields":[{"type":"int32","field":"a"}]},"payload":{"a":5}}"#;
    let bytes = written(&mut converter(&config), &columns_of(&[text], false));
    assert_eq!(bytes.value(0), message(id, &[2, b'd', 2, 10]));
}

#[test]
fn a_schema_that_must_be_there_and_is_not_is_the_fault_of_each_row() {
    let config = settings("absent", &[("auto.register.schemas", "false")]);
    let text = r#"{"schema":{"type":"int64"},"payload":1}"#;
    let column = columns_of(&[text, text], false);
    let serialized = converter(&config).from_connect(&Unserialized::new("topic", &column)).unwrap();
    assert_eq!(serialized.rejected.len(), 2);
    assert_eq!(serialized.rejected[0].error.kind(), ErrorKind::Data);
    assert!(serialized.rejected[0].error.trace().contains("topic-value"), "{}", serialized.rejected[0].error.trace());
}

#[test]
fn values_without_a_schema_come_back_without_one() {
    let config = settings("anything", &[]);
    let mut converter = converter(&config);
    let texts = [r#"{"a":1,"b":[true,"x"]}"#, r#"{"a":2,"c":{"d":1.5}}"#];
    let bytes = written(&mut converter, &columns_of(&texts, true));
    let messages: Vec<_> = bytes.iter().map(|message| message.map(<[u8]>::to_vec)).collect();
    let converted = read(&mut converter, &messages);
    let column = &converted.runs[0].column;
    assert!(!volley_api::schema::has_schema(&column.field));
    let config = ConfigMap::from([("schemas.enable".to_owned(), "false".to_owned())]);
    let mut json = JsonConverter::new(&config, Side::Value).unwrap();
    let back = json.from_connect(&Unserialized::new("topic", column)).unwrap().bytes;
    let same = |row: usize| {
        let parsed = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).unwrap();
        parsed(back.value(row)) == parsed(texts[row].as_bytes())
    };
    assert!(same(0) && same(1), "{back:?}");
}

#[test]
fn a_schema_may_refer_to_others() {
    let config = settings("references", &[]);
    let client = registry(&config);
    client
        .register("e", &Schema::new(SchemaKind::Avro, r#"{"type":"enum","name":"x.E","symbols":["A","B"]}"#))
        .unwrap();
    let mut schema =
        Schema::new(SchemaKind::Avro, r#"{"type":"record","name":"R","fields":[{"name":"e","type":"x.E"}]}"#);
    schema.references =
        vec![volley_registry::Reference { name: "x.E".to_owned(), subject: "e".to_owned(), version: 1 }];
    let id = client.register("topic-value", &schema).unwrap().id;
    let converted = read(&mut converter(&config), &[Some(message(id, &[2]))]);
    assert_eq!(converted.runs[0].column.array.as_struct().column(0).as_string::<i32>().value(0), "B");
}

#[test]
fn a_record_within_itself_is_json_text() {
    let config = settings("recursion", &[]);
    let schema =
        r#"{"type":"record","name":"N","fields":[{"name":"v","type":"int"},{"name":"next","type":["null","N"]}]}"#;
    let id = register(&config, "topic-value", schema);
    let converted =
        read(&mut converter(&config), &[Some(message(id, &[2, 2, 4, 2, 6, 0])), Some(message(id, &[2, 0]))]);
    let next = converted.runs[0].column.array.as_struct().column(1);
    assert_eq!(next.as_string::<i32>().value(0), r#"{"v":2,"next":{"v":3,"next":null}}"#);
    assert!(next.is_null(1));
    let endless = message(id, &[2, 2].repeat(5_000));
    let converted = read(&mut converter(&config), &[Some(endless)]);
    assert!(converted.rejected[0].error.trace().contains("nested deeper than 200 levels"));
}

#[test]
fn the_symbols_of_an_enum_keep_their_order() {
    let config = settings("symbols", &[("enhanced.avro.schema.support", "true")]);
    let id = register(&config, "other", r#"{"type":"enum","name":"x.E","symbols":["z","a","m"]}"#);
    let mut converter = converter(&config);
    let column = read(&mut converter, &[Some(message(id, &[2]))]).runs.remove(0).column;
    assert_eq!(column.array.as_string::<i32>().value(0), "a");
    let bytes = written(&mut converter, &column);
    assert_eq!(bytes.value(0)[5..], [2]);
    let latest = registry(&config).latest("topic-value").unwrap();
    assert!(latest.schema.text.contains(r#""symbols":["z","a","m"]"#), "{}", latest.schema.text);
}

#[test]
fn logical_types_that_connect_does_not_have_are_kept_if_wanted() {
    let config = settings("logical", &[("volley.logical.types", "debezium")]);
    let schema = r#"{"type":"record","name":"R","fields":[
        {"name":"at","type":{"type":"long","logicalType":"timestamp-micros"}},
        {"name":"id","type":["null",{"type":"string","logicalType":"uuid"}],"default":null}]}"#;
    let id = register(&config, "other", schema);
    let mut converter = converter(&config);
    let column = read(&mut converter, &[Some(message(id, &[2, 0]))]).runs.remove(0).column;
    let names: Vec<_> = match column.field.data_type() {
        arrow::datatypes::DataType::Struct(fields) => {
            fields.iter().map(|field| field.metadata()[volley_api::schema::NAME].clone()).collect()
        }
        other => panic!("{other}"),
    };
    assert_eq!(names, ["io.debezium.time.MicroTimestamp", "io.debezium.data.Uuid"]);
    let bytes = written(&mut converter, &column);
    assert_eq!(bytes.value(0)[5..], [2, 0]);
    let latest = registry(&config).latest("topic-value").unwrap().schema.text.clone();
    assert!(
        latest.contains(r#""logicalType":"timestamp-micros""#) && latest.contains(r#""logicalType":"uuid""#),
        "{latest}"
    );
}
