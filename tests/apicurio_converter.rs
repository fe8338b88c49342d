//! Apicurio's converters beside their Java originals (`tests/java/ApicurioConverter.java`), with a real registry: what either
//! writes the other reads.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use volley_api::testing::raw_batch;
use volley_api::{Column, ConfigMap, Converter, RawBatch, RawHeader, Side, Unserialized};
use volley_converters::{ApicurioAvroConverter, ExtJsonConverter, JsonConverter};

use crate::testbed::{Kafka, Registry, installed, wait_until};
use crate::worker_process::{Volley, request};

/// Envelopes of JsonConverter: schemas and values.
fn envelopes() -> Vec<Value> {
    let field = |name: &str, kind: &str| json!({"field": name, "type": kind, "optional": false});
    let optional = |name: &str, kind: &str| json!({"field": name, "type": kind, "optional": true});
    let logical = |name: &str, kind: &str, logical: &str| {
        let name_of = format!("org.apache.kafka.connect.data.{logical}");
        json!({"field": name, "type": kind, "optional": true, "name": name_of, "version": 1})
    };
    let decimal = json!({"field": "price", "type": "bytes", "optional": true,
        "name": "org.apache.kafka.connect.data.Decimal", "version": 1, "parameters": {"scale": "2"}});
    let line = json!({"type": "struct", "optional": false, "name": "shop.Line", "fields": [
        field("sku", "string"), optional("weight", "double"),
    ]});
    let order = json!({"type": "struct", "optional": false, "name": "shop.Order", "fields": [
        field("id", "int64"), optional("note", "string"), field("small", "int8"), optional("flag", "boolean"),
        optional("ratio", "float"), optional("raw", "bytes"), decimal, logical("day", "int32", "Date"),
        logical("at", "int64", "Timestamp"),
        {"field": "lines", "type": "array", "optional": false, "items": line},
        {"field": "tags", "type": "map", "optional": true, "keys": {"type": "string", "optional": false},
         "values": {"type": "int32", "optional": false}},
        {"field": "places", "type": "map", "optional": false, "keys": {"type": "int32", "optional": false},
         "values": {"type": "string", "optional": true}},
    ]});
    let full = json!({"id": 1, "note": "Grüße", "small": -7, "flag": true, "ratio": 0.5, "raw": "AAH/", "price": "BQ==",
        "day": 19000, "at": 1_700_000_000_123_i64, "lines": [{"sku": "a", "weight": 1.5}, {"sku": "", "weight": null}],
        "tags": {"x": 1}, "places": [[7, "here"]]});
    let empty = json!({"id": i64::MIN, "note": null, "small": 0, "flag": null, "ratio": null, "raw": null, "price": null,
        "day": null, "at": null, "lines": [], "tags": null, "places": [[8, null]]});
    // the registry takes a schema that can read what was written with the one before
    let mut wider = order.clone();
    wider["fields"].as_array_mut().unwrap().push(optional("more", "string"));
    let mut more = full.clone();
    more["more"] = "b".into();
    vec![
        json!({"schema": order, "payload": full}),
        json!({"schema": order, "payload": empty}),
        json!({"schema": wider, "payload": more}),
    ]
}

/// A message as Java's program shows it.
struct Message {
    value: Vec<u8>,
    headers: Vec<RawHeader>,
}

impl Message {
    fn parse(line: &str) -> Self {
        let (value, headers) = line.split_once('\t').unwrap();
        let headers = headers.split_whitespace().map(|header| {
            let (name, value) = header.split_once('=').unwrap();
            RawHeader { name: name.into(), value: Some(hex(value)) }
        });
        Self { value: hex(value), headers: headers.collect() }
    }

    fn line(&self) -> String {
        let headers = self.headers.iter();
        let headers = headers.map(|header| format!("{}={}", header.name, shown(header.value.as_ref().unwrap())));
        format!("{}\t{}", shown(&self.value), headers.collect::<Vec<_>>().join(" "))
    }
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
}

fn shown(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Runs Java's converter on lines; what it prints.
fn java(action: &str, kind: &str, topic: &str, settings: &[(String, String)], lines: &[String]) -> Vec<String> {
    let class_path = installed("converters").join("*");
    let mut process = Command::new("java")
        .args(["-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp"])
        .arg(class_path)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/java/ApicurioConverter.java"))
        .args([action, kind, topic])
        .args(settings.iter().map(|(key, value)| format!("{key}={value}")))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // far less than a pipe holds
    process.stdin.take().unwrap().write_all((lines.join("\n") + "\n").as_bytes()).unwrap();
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success(), "{action} {kind}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn converter(kind: &str, settings: &ConfigMap) -> Box<dyn Converter> {
    match kind {
        "avro" => Box::new(ApicurioAvroConverter::new(settings, Side::Value).unwrap()),
        _ => Box::new(ExtJsonConverter::new(settings, Side::Value).unwrap()),
    }
}

fn json_converter() -> JsonConverter {
    let keeping_nulls = ConfigMap::from([("replace.null.with.default".to_owned(), "false".to_owned())]);
    JsonConverter::new(&keeping_nulls, Side::Value).unwrap()
}

/// What messages are in our eyes, as envelopes.
fn read(kind: &str, settings: &ConfigMap, topic: &str, messages: &[Message]) -> Vec<Value> {
    let values: Vec<_> = messages.iter().map(|message| Some(message.value.as_slice())).collect();
    let headers = messages.iter().map(|message| message.headers.clone()).collect();
    let batch = RawBatch { headers: Some(Arc::new(headers)), ..raw_batch(topic, 0, 0, values) };
    let converted = converter(kind, settings).to_connect(&batch, Side::Value).unwrap();
    assert!(converted.rejected.is_empty(), "{:?}", converted.rejected);
    let mut envelopes = vec![Value::Null; messages.len()];
    for run in converted.runs {
        let texts = json_converter().from_connect(&Unserialized::new(topic, &run.column)).unwrap().bytes;
        for (place, row) in run.rows.iter().enumerate() {
            envelopes[row] = serde_json::from_slice(texts.value(place)).unwrap();
        }
    }
    envelopes
}

/// What we write for envelopes.
fn write(kind: &str, settings: &ConfigMap, topic: &str, envelopes: &[Value]) -> Vec<Message> {
    let mut converter = converter(kind, settings);
    let column = |envelope: &Value| -> Column {
        let text = envelope.to_string();
        let batch = raw_batch(topic, 0, 0, [Some(text.as_bytes())]);
        json_converter().to_connect(&batch, Side::Value).unwrap().runs.remove(0).column
    };
    let written = envelopes.iter().map(|envelope| {
        let serialized = converter.from_connect(&Unserialized::new(topic, &column(envelope))).unwrap();
        assert!(serialized.rejected.is_empty(), "{:?}", serialized.rejected);
        let headers = serialized.headers.map(|mut headers| headers.remove(0)).unwrap_or_default();
        Message { value: serialized.bytes.value(0).to_vec(), headers }
    });
    written.collect()
}

#[test]
fn what_java_s_converters_write_is_read_alike_and_what_is_written_they_read_alike() {
    let registry = Registry::shared();
    let off = ("apicurio.registry.headers.enabled", "false");
    let cases: [(&str, &[(&str, &str)]); 5] = [
        ("avro", &[]),
        ("avro", &[off]),
        ("avro", &[off, ("apicurio.registry.as-confluent", "true"), ("apicurio.registry.use-id", "contentId")]),
        ("avro", &[("apicurio.registry.avro.encoding", "JSON")]),
        ("json", &[]),
    ];
    for (number, (kind, more)) in cases.into_iter().enumerate() {
        let usual =
            [("apicurio.registry.url", registry.core_url()), ("apicurio.registry.auto-register", "true".to_owned())];
        let more = more.iter().map(|(key, value)| (*key, (*value).to_owned()));
        let pairs: Vec<_> = usual.into_iter().chain(more).map(|(key, value)| (key.to_owned(), value)).collect();
        let settings: ConfigMap = pairs.iter().cloned().collect();
        let given = envelopes();
        let lines: Vec<_> = given.iter().map(Value::to_string).collect();

        let (theirs, ours) = (format!("theirs-{number}"), format!("ours-{number}"));
        let messages: Vec<_> =
            java("write", kind, &theirs, &pairs, &lines).iter().map(|line| Message::parse(line)).collect();
        assert_eq!(read(kind, &settings, &theirs, &messages), given, "{kind} {pairs:?}");

        let written = write(kind, &settings, &ours, &given);
        let lines: Vec<_> = written.iter().map(Message::line).collect();
        let back: Vec<Value> =
            java("read", kind, &ours, &pairs, &lines).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(back, given, "{kind} {pairs:?}");
    }
}

#[test]
fn a_source_writes_with_ids_in_headers_and_a_sink_reads_it() {
    let (kafka, registry) = (Kafka::shared(), Registry::shared());
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[("offset.flush.interval.ms", "200")]);
    let mut process = volley.start(&["standalone", "worker.properties"]);
    let rest = process.rest();
    let topic = kafka.topic("apicurio", 1);
    let create = |name: &str, config: Value| {
        let mut config = config;
        let members = config.as_object_mut().unwrap();
        let class = "io.apicurio.registry.utils.converter.AvroConverter";
        members.insert("value.converter".to_owned(), class.into());
        members.insert("value.converter.apicurio.registry.url".to_owned(), registry.core_url().into());
        members.insert("value.converter.apicurio.registry.auto-register".to_owned(), "true".into());
        let (status, body) = request(&rest, "PUT", &format!("/connectors/{name}/config"), Some(&config));
        assert_eq!(status, 201, "{name}: {body}");
    };
    create(
        "apicurio-source",
        json!({
            "connector.class": "Datagen", "topic": topic, "rows": "3", "fields": "n, word",
            "fields.n.generator": "sequence", "fields.word.generator": "choice", "fields.word.values": "x",
        }),
    );
    let file = volley.path("apicurio-sink");
    create("apicurio-sink", json!({"connector.class": "FileStreamSink", "topics": topic, "file": file}));
    let lines = wait_until(Duration::from_secs(60), "all rows", || {
        let lines: Vec<_> = fs::read_to_string(&file).ok()?.lines().map(str::to_owned).collect();
        (lines.len() == 3).then_some(lines)
    });
    assert_eq!(lines, ["Struct{n=0,word=x}", "Struct{n=1,word=x}", "Struct{n=2,word=x}"]);
}
