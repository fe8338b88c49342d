//! The converter with Apicurio's keys, with a registry inside the process.

use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use volley_api::{Column, ConfigMap, Converter as _, ErrorKind, RawBatch, RawHeader, Serialized, Side, Unserialized};
use volley_registry::{DataEncoding, RegistryClient, RegistryConfig, Schema, SchemaKind};

use super::ApicurioAvroConverter;
use crate::JsonConverter;
use crate::rejections::raw_batch_of;

fn settings(scope: &str, more: &[(&str, &str)]) -> ConfigMap {
    let url = format!("mock://apicurio-{scope}");
    let usual = [("apicurio.registry.url", url.as_str()), ("apicurio.registry.auto-register", "true")];
    usual.iter().chain(more).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn converter(config: &ConfigMap) -> ApicurioAvroConverter {
    ApicurioAvroConverter::new(config, Side::Value).unwrap()
}

fn registry(config: &ConfigMap) -> Arc<RegistryClient> {
    let config =
        RegistryConfig::parse_apicurio(config, Side::Value, SchemaKind::Avro, DataEncoding::Binary, &[]).unwrap();
    RegistryClient::shared(&config).unwrap()
}

fn orders() -> Column {
    let schema = r#"{"type":"struct","name":"shop.Order","fields":[{"type":"int64","field":"id"},
        {"type":"string","optional":true,"field":"note"}]}"#;
    let messages: Vec<_> = [r#"{"id":1,"note":"x"}"#, r#"{"id":2,"note":null}"#]
        .map(|payload| format!(r#"{{"schema":{schema},"payload":{payload}}}"#))
        .into();
    let messages: Vec<_> = messages.iter().map(|message| Some(message.as_bytes())).collect();
    let converted = JsonConverter::new(&ConfigMap::new(), Side::Value)
        .unwrap()
        .to_connect(&raw_batch_of(&messages), Side::Value)
        .unwrap();
    converted.runs.into_iter().next().unwrap().column
}

fn written(config: &ConfigMap, column: &Column) -> Serialized {
    let serialized = converter(config).from_connect(&Unserialized::new("topic", column)).unwrap();
    assert!(serialized.rejected.is_empty(), "{:?}", serialized.rejected);
    serialized
}

/// The messages of a serialized column.
fn batch(serialized: &Serialized) -> RawBatch {
    let messages: Vec<_> = serialized.bytes.iter().collect();
    RawBatch { headers: serialized.headers.clone().map(Arc::new), ..raw_batch_of(&messages) }
}

#[test]
fn what_is_written_in_any_frame_and_encoding_is_read() {
    let off = ("apicurio.registry.headers.enabled", "false");
    let four = ("apicurio.registry.as-confluent", "true");
    let content = ("apicurio.registry.use-id", "contentId");
    let json = ("apicurio.registry.avro.encoding", "JSON");
    for (more, head, data) in [
        (&[][..], &[][..], &[2_u8, 2, 2, b'x'][..]),
        (&[off], &[0, 0, 0, 0, 0, 0, 0, 0, 1], &[2, 2, 2, b'x']),
        (&[off, four, content], &[0, 0, 0, 0, 1], &[2, 2, 2, b'x']),
        (&[off, json], &[0, 0, 0, 0, 0, 0, 0, 0, 1], br#"{"id":1,"note":{"string":"x"}}"#),
        (&[json], &[], br#"{"id":1,"note":{"string":"x"}}"#),
    ] {
        let config = settings("frames", more);
        let serialized = written(&config, &orders());
        assert_eq!(serialized.bytes.value(0), [head, data].concat(), "{more:?}");
        assert_eq!(serialized.headers.is_some(), head.is_empty());
        let converted = converter(&config).to_connect(&batch(&serialized), Side::Value).unwrap();
        assert!(converted.rejected.is_empty(), "{:?}", converted.rejected);
        let order = converted.runs[0].column.array.as_struct();
        assert_eq!(order.column(0).as_primitive::<Int64Type>().values(), &[1, 2]);
        assert!(order.column(1).is_null(1));
        let metadata = converted.runs[0].column.field.metadata();
        assert_eq!(metadata[volley_api::schema::NAME], "shop.Order");
        // as in Java, the registry's version is not the schema's
        assert!(!metadata.contains_key(volley_api::schema::VERSION));
    }
}

#[test]
fn headers_say_which_schema_and_encoding_and_a_null_has_none() {
    let config = settings("headers", &[]);
    let schema = r#"{"schema":{"type":"int64","optional":true},"payload":5}"#;
    let column = JsonConverter::new(&ConfigMap::new(), Side::Value)
        .unwrap()
        .to_connect(&raw_batch_of(&[Some(schema.as_bytes()), None]), Side::Value)
        .unwrap()
        .runs
        .remove(0)
        .column;
    let serialized = written(&config, &column);
    let headers = serialized.headers.as_ref().unwrap();
    let names: Vec<_> = headers[0].iter().map(|header| (&*header.name, header.value.clone().unwrap())).collect();
    let id = 1_i64.to_be_bytes().to_vec();
    assert_eq!(names, [("apicurio.value.globalId", id), ("apicurio.value.encoding", b"BINARY".to_vec())]);
    assert!(headers[1].is_empty() && serialized.bytes.is_null(1));
}

#[test]
fn messages_in_both_encodings_are_a_run_each_and_a_bad_one_is_rejected_alone() {
    let config = settings("encodings", &[]);
    let id = written(&config, &orders()).headers.unwrap()[0][0].clone();
    let encoding = |word: &[u8]| RawHeader { name: "apicurio.value.encoding".into(), value: Some(word.to_vec()) };
    let json = br#"{"note":null,"id":7}"#;
    let mut batch = raw_batch_of(&[Some(json), Some(&[4, 0]), Some(b"{}"), Some(json), Some(&[4, 0]), Some(b"x")]);
    let headers = [&b"JSON"[..], b"BINARY", b"JSON", b"JSON", b"BINARY", b"XML"];
    batch.headers = Some(Arc::new(headers.map(|word| vec![id.clone(), encoding(word)]).into()));
    let converted = converter(&config).to_connect(&batch, Side::Value).unwrap();
    assert_eq!(converted.rejected.iter().map(|row| row.row).collect::<Vec<_>>(), [2, 5]);
    let runs: Vec<_> = converted.runs.iter().map(|run| run.rows.iter().collect::<Vec<_>>()).collect();
    assert_eq!(runs, [vec![0, 3], vec![1, 4]]);
}

#[test]
fn the_artifact_is_called_as_the_strategy_says() {
    let strategy = "io.apicurio.registry.serde.avro.strategy.RecordIdStrategy";
    let config = settings("strategy", &[("apicurio.registry.artifact-resolver-strategy", strategy)]);
    written(&config, &orders());
    assert!(registry(&config).latest("shop/Order").unwrap().schema.text.contains("\"Order\""));
}

#[test]
fn data_is_written_with_the_newest_schema_if_wanted_and_must_be_there_otherwise() {
    let config = |more| {
        let mut config = settings("latest", more);
        config.insert("apicurio.registry.auto-register".to_owned(), "false".to_owned());
        config
    };
    let latest = config(&[("apicurio.registry.find-latest", "true"), ("apicurio.registry.headers.enabled", "false")]);
    let missing = converter(&config(&[])).from_connect(&Unserialized::new("topic", &orders())).unwrap();
    assert_eq!(missing.rejected.len(), 2);
    assert_eq!(missing.rejected[0].error.kind(), ErrorKind::Data);
    let text = r#"{"type":"record","name":"Order","namespace":"shop","fields":[
        {"name":"new","type":"string","default":"d"},{"name":"id","type":"long"}]}"#;
    registry(&latest).register("default/topic-value", &Schema::new(SchemaKind::Avro, text)).unwrap();
    let bytes = written(&latest, &orders()).bytes;
    assert_eq!(bytes.value(0), [0, 0, 0, 0, 0, 0, 0, 0, 1, 2, b'd', 2]);
}

#[test]
fn java_s_own_classes_are_accepted_and_others_refused() {
    let package = "io.apicurio.registry.serde.avro.";
    let with = |class: &str| {
        let class = format!("{package}{class}");
        ApicurioAvroConverter::new(
            &settings("classes", &[("apicurio.registry.converter.serializer", &class)]),
            Side::Key,
        )
    };
    assert!(with("AvroKafkaSerializer").is_ok());
    let error = with("OwnSerializer").unwrap_err();
    assert!(error.kind() == ErrorKind::Config && error.to_string().contains("AvroKafkaSerializer"), "{error}");
}
