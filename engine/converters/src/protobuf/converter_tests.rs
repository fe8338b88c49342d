//! The converter with a registry inside the process.

use std::sync::Arc;

use arrow::array::BinaryArray;
use serde_json::{Value, json};
use volley_api::{Column, ConfigMap, Converted, Converter as _, RawHeader, Side, Unserialized};
use volley_registry::{Reference, RegistryClient, RegistryConfig, Schema, SchemaKind};

use super::ProtobufConverter;
use crate::JsonConverter;
use crate::rejections::raw_batch_of;

pub(super) fn settings(scope: &str, more: &[(&str, &str)]) -> ConfigMap {
    let url = format!("mock://protobuf-{scope}");
    let url = ("schema.registry.url", url.as_str());
    [url].iter().chain(more).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

pub(super) fn converter(config: &ConfigMap) -> ProtobufConverter {
    ProtobufConverter::new(config, Side::Value).unwrap()
}

pub(super) fn registry(config: &ConfigMap) -> Arc<RegistryClient> {
    RegistryClient::shared(&RegistryConfig::parse(config).unwrap()).unwrap()
}

pub(super) fn register(config: &ConfigMap, text: &str) -> i32 {
    registry(config).register("topic-value", &Schema::new(SchemaKind::Protobuf, text)).unwrap().id
}

/// A proto3 file of these messages.
fn proto3(body: &str) -> String {
    format!("syntax = \"proto3\";\n{body}")
}

/// A message of a schema, the first one of its file.
pub(super) fn message(id: i32, data: &[u8]) -> Vec<u8> {
    [&[0], &id.to_be_bytes()[..], &[0], data].concat()
}

pub(super) fn read(converter: &mut ProtobufConverter, messages: &[Option<Vec<u8>>]) -> Converted {
    let messages: Vec<_> = messages.iter().map(|message| message.as_deref()).collect();
    converter.to_connect(&raw_batch_of(&messages), Side::Value).unwrap()
}

/// The values of a column as JSON, a null as such.
pub(super) fn values(column: &Column) -> Vec<Value> {
    let plain = [("schemas.enable", "false"), ("replace.null.with.default", "false")];
    let plain: ConfigMap = plain.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let mut json = JsonConverter::new(&plain, Side::Value).unwrap();
    let serialized = json.from_connect(&Unserialized::new("topic", column)).unwrap();
    assert!(serialized.rejected.is_empty(), "{:?}", serialized.rejected);
    serialized.bytes.iter().map(|text| text.map_or(Value::Null, |text| serde_json::from_slice(text).unwrap())).collect()
}

/// The schema of a column, as in the envelopes of JsonConverter.
pub(super) fn schema(column: &Column) -> Value {
    crate::json::schema_of(&column.field).unwrap()
}

/// Columns of these values, each with its schema.
pub(super) fn columns_of(schema: &Value, payloads: &[Value]) -> Column {
    let config = ConfigMap::from([("replace.null.with.default".to_owned(), "false".to_owned())]);
    let texts: Vec<_> =
        payloads.iter().map(|payload| json!({"schema": schema, "payload": payload}).to_string().into_bytes()).collect();
    let messages: Vec<_> = texts.iter().map(|text| Some(text.as_slice())).collect();
    let converted = JsonConverter::new(&config, Side::Value).unwrap().to_connect(&raw_batch_of(&messages), Side::Value);
    let mut converted = converted.unwrap();
    assert!(converted.rejected.is_empty(), "{:?}", converted.rejected);
    converted.runs.remove(0).column
}

pub(super) fn written(converter: &mut ProtobufConverter, column: &Column) -> BinaryArray {
    let serialized = converter.from_connect(&Unserialized::new("topic", column)).unwrap();
    assert!(serialized.rejected.is_empty(), "{}", serialized.rejected[0].error.trace());
    serialized.bytes
}

pub(super) fn read_one(converter: &mut ProtobufConverter, message: Vec<u8>) -> Column {
    let mut converted = read(converter, &[Some(message)]);
    assert!(converted.rejected.is_empty(), "{}", converted.rejected[0].error.trace());
    converted.runs.remove(0).column
}

fn refusal(converter: &mut ProtobufConverter, message: Vec<u8>) -> String {
    read(converter, &[Some(message)]).rejected.remove(0).error.trace()
}

/// The text that was registered last.
pub(super) fn registered(config: &ConfigMap) -> String {
    registry(config).latest("topic-value").unwrap().schema.text.clone()
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
}

/// A message that Confluent's serializer for Python has written, in a registry that has its schema.
fn of_python(name: &str, config: &ConfigMap) -> Vec<u8> {
    let mut lines = include_str!("testdata/python.tsv").lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let case = lines.find(|case| case[0] == name).unwrap();
    let client = registry(config);
    let mut schema = Schema::new(SchemaKind::Protobuf, case[1]);
    let references: serde_json::Map<String, Value> = serde_json::from_str(case[2]).unwrap();
    for (name, text) in references {
        client.register(&name, &Schema::new(SchemaKind::Protobuf, text.as_str().unwrap())).unwrap();
        schema.references.push(Reference { subject: name.clone(), name, version: 1 });
    }
    let id = client.register("topic-value", &schema).unwrap().id;
    let bytes = hex(case[3]);
    [&[0], &id.to_be_bytes()[..], &bytes[5..]].concat()
}

#[test]
fn what_confluents_serializer_for_python_writes_is_read() {
    let config = settings("python", &[]);
    let mut converter = converter(&config);
    let mut value = |name: &str| values(&read_one(&mut converter, of_python(name, &config))).remove(0);
    assert_eq!(
        value("full"),
        json!({
            "payment_0": {"card": null, "cash": {"currency": "CHF", "cents": 1_000_000_000_000i64}, "free": null},
            "id": -5, "note": "Grüße", "state": "LOST",
            "lines": [
                {"article": "pen", "count": 2, "price": {"currency": "EUR", "cents": -150}},
                {"article": "", "count": 0, "price": null},
            ],
            "stock": {"a": 1, "b": 0},
            "places": [[7, {"article": "ink", "count": 1, "price": null}]],
            "at": 1_700_000_000_123i64, "coupon": {"value": "x"}, "deltas": [1, -1, 300],
            "large": -1, "fixed": 4_294_967_295i64, "raw": "AP8=", "weight": -0.1, "height": 1.5,
        })
    );
    let zeros = |payment: Value, note: Value, at: Value, coupon: Value| {
        json!({
            "payment_0": payment, "id": 0, "note": note, "state": "OPEN", "lines": [], "stock": {}, "places": [],
            "at": at, "coupon": coupon, "deltas": [], "large": 0, "fixed": 0, "raw": "", "weight": 0.0, "height": 0.0,
        })
    };
    assert_eq!(value("empty"), zeros(json!(null), json!(null), json!(null), json!(null)));
    let card = json!({"card": "", "cash": null, "free": null});
    assert_eq!(value("zeros"), zeros(card, json!(""), json!(0), json!({"value": ""})));
    assert_eq!(value("nested"), json!({"article": "pen", "count": 3, "price": null}));
    assert_eq!(value("tree"), json!({"value": 1, "children": [r#"{"value":2,"children":[{}]}"#, r#"{"value":3}"#]}));
    assert_eq!(
        value("legacy"),
        json!({"id": 1, "name": null, "colour": null, "loose": [1, -1], "packed": [3, 300], "detail": {"good": true}})
    );
    assert_eq!(
        value("bare"),
        json!({"id": 2, "name": null, "colour": null, "loose": [], "packed": [], "detail": null})
    );
}

#[test]
fn messages_of_one_file_in_turns_are_a_run_each() {
    let config = settings("turns", &[]);
    let id =
        register(&config, &proto3("message A { message B { string b = 1; } int32 a = 1; } message C { bool c = 1; }"));
    let with = |indexes: &[u8], data: &[u8]| Some([&[0], &id.to_be_bytes()[..], indexes, data].concat());
    // the first one in both ways that it is written, and a nested one without zig-zag too
    let messages = [
        with(&[0], &[8, 1]),
        with(&[4, 0, 0], b"\x0a\x01x"),
        with(&[2, 2], &[8, 1]),
        with(&[2, 0], &[8, 2]),
        with(&[2, 2], &[]),
    ];
    let converted = read(&mut converter(&config), &messages);
    assert!(converted.rejected.is_empty());
    let runs: Vec<_> = converted.runs.iter().map(|run| (run.rows.iter().collect(), values(&run.column))).collect();
    let expected: Vec<(Vec<usize>, Vec<Value>)> = vec![
        (vec![0, 3], vec![json!({"a": 1}), json!({"a": 2})]),
        (vec![1], vec![json!({"b": "x"})]),
        (vec![2, 4], vec![json!({"c": true}), json!({"c": false})]),
    ];
    assert_eq!(runs, expected);
    let trace = refusal(&mut converter(&config), with(&[2, 6], &[]).unwrap());
    assert!(trace.contains("it has no message with the indexes [3]"), "{trace}");
}

#[test]
fn one_bad_message_is_rejected_alone_whatever_is_wrong_with_it() {
    let config = settings("bad", &[]);
    let id = register(&config, &proto3("message M { string s = 1; int32 n = 2; M m = 3; map<string, int32> t = 4; }"));
    let broken = register(&config, "syntax = \"proto3\"; message M { Absent a = 1; }");
    let good = message(id, b"\x0a\x01x");
    let bad = [
        (b"{}".to_vec(), "Unknown magic byte!"),
        (message(id, b"\x0a\x05x"), "the message ends within a value"),
        (message(id, b"\x0a\x01\xff"), "a string is no UTF-8"),
        (message(id, &[0x10]), "the message ends within a value"),
        (message(id, &[0x07]), "a field is of the unknown kind 7"),
        (message(id, &[0x0C]), "group 1 ends and has not begun"),
        (message(id, &[0x00, 0x00]), "a field has the number 0"),
        (message(id, &[0x1A, 2, 0x0A, 9]), "it is no M"),
        (message(id, &[0x22, 2, 0x0A, 9]), "the message ends within a value"),
        (message(4711, &[]), "Error retrieving Protobuf value schema for id 4711"),
        (message(broken, &[]), "'Absent'"),
    ];
    let messages: Vec<_> =
        bad.iter().flat_map(|(message, _)| [Some(good.clone()), Some(message.clone()), Some(good.clone())]).collect();
    let converted = read(&mut converter(&config), &messages);
    let rejected: Vec<_> = converted.rejected.iter().map(|row| row.row).collect();
    assert_eq!(rejected, (0..bad.len()).map(|place| 3 * place + 1).collect::<Vec<_>>());
    for (row, (_, reason)) in converted.rejected.iter().zip(&bad) {
        assert_eq!(row.error.to_string(), "Failed to deserialize data for topic topic to Protobuf: ");
        assert!(row.error.trace().contains(reason), "{}: {}", reason, row.error.trace());
    }
    let read: Vec<Value> = converted.runs.iter().flat_map(|run| values(&run.column)).collect();
    assert_eq!(read, vec![json!({"s": "x", "n": 0, "m": null, "t": {}}); 2 * bad.len()]);
}

#[test]
fn the_id_of_the_schema_and_the_message_may_stand_in_a_header() {
    let config = settings("headers", &[]);
    let id = register(&config, &proto3("message A { int32 a = 1; } message B { int32 b = 1; }"));
    let mut batch = raw_batch_of(&[Some(&[8, 1])]);
    let header = [&[0], &id.to_be_bytes()[..], &[2, 2]].concat();
    batch.headers = Some(Arc::new(vec![vec![RawHeader { name: "__value_schema_id".into(), value: Some(header) }]]));
    let converted = converter(&config).to_connect(&batch, Side::Value).unwrap();
    assert_eq!(values(&converted.runs[0].column), [json!({"b": 1})]);
}

#[test]
fn the_last_of_a_scalar_counts_and_messages_that_are_there_twice_are_one() {
    let config = settings("merged", &[]);
    let id = register(
        &config,
        &proto3(
            "import \"google/protobuf/timestamp.proto\"; message M { message N { int32 a = 1; int32 b = 2; repeated int32 c = 3; \
             map<string, int32> d = 4; N n = 5; } int32 x = 1; N n = 2; google.protobuf.Timestamp t = 3; \
             oneof o { int32 p = 4; N q = 5; } map<int32, N> e = 6; repeated int32 r = 7; }",
        ),
    );
    let mut converter = converter(&config);
    let mut value = |data: &[u8]| values(&read_one(&mut converter, message(id, data))).remove(0);
    let n = |a: i32, b: i32, c: Value, d: Value| json!({"a": a, "b": b, "c": c, "d": d, "n": null});
    let m = |o: Value, x: i32, n: Value, t: Value, e: Value, r: Value| json!({"o_0": o, "x": x, "n": n, "t": t, "e": e, "r": r});
    let nothing = || m(json!(null), 0, json!(null), json!(null), json!([]), json!([]));
    assert_eq!(value(&[8, 1, 8, 2]), m(json!(null), 2, json!(null), json!(null), json!([]), json!([])));
    // n { a: 1 c: 1 d { "k": 1 } } n { b: 2 c: 2 d { "k": 2 } d { "l": 3 } }
    let twice = b"\x12\x0d\x08\x01\x18\x01\x22\x05\x0a\x01k\x10\x01\x10\x07\x12\x12\x10\x02\x18\x02\x22\x05\x0a\x01k\x10\x02\x22\x05\x0a\x01l\x10\x03";
    let merged = n(1, 2, json!([1, 2]), json!({"k": 2, "l": 3}));
    assert_eq!(value(twice)["n"], merged);
    // the fields of a timestamp apart
    assert_eq!(value(b"\x1a\x02\x08\x01\x1a\x04\x10\x80\x89\x7a")["t"], json!(1_002));
    // of a oneof the last one counts, and a message that is there twice is one
    assert_eq!(
        value(b"\x20\x05\x2a\x02\x08\x01\x2a\x02\x10\x02")["o_0"],
        json!({"p": null, "q": n(1, 2, json!([]), json!({}))})
    );
    assert_eq!(value(b"\x2a\x02\x08\x01\x20\x05")["o_0"], json!({"p": 5, "q": null}));
    assert_eq!(
        value(b"\x2a\x02\x08\x01\x20\x05\x2a\x00")["o_0"],
        json!({"p": null, "q": n(0, 0, json!([]), json!({}))})
    );
    // of equal keys the last one counts, with all that belongs to it
    let entries =
        b"\x32\x06\x08\x01\x12\x02\x08\x01\x32\x06\x08\x02\x12\x02\x08\x02\x32\x06\x08\x01\x12\x02\x18\x03\x32\x00";
    let expected = json!([
        [2, n(2, 0, json!([]), json!({}))],
        [1, n(0, 0, json!([3]), json!({}))],
        [0, n(0, 0, json!([]), json!({}))]
    ]);
    assert_eq!(value(entries)["e"], expected);
    // packed or not, and other fields between
    assert_eq!(value(&[0x38, 1, 8, 9, 0x3A, 2, 2, 3, 0x38, 4])["r"], json!([1, 2, 3, 4]));
    // unknown fields of all kinds, and a known one of another kind
    assert_eq!(
        value(&[0x78, 1, 0x79, 1, 2, 3, 4, 5, 6, 7, 8, 0x7A, 1, 0, 0x7B, 0x7C, 0x7D, 1, 2, 3, 4, 0x0A, 1, 9]),
        nothing()
    );
}

#[test]
fn numbers_that_an_enum_does_not_have_are_told_or_left_out_as_in_java() {
    let config = settings("symbols", &[]);
    let open = register(&config, &proto3("message M { enum E { A = 0; B = 2; } E e = 1; repeated E l = 2; }"));
    let closed = register(
        &config,
        "syntax = \"proto2\"; message M { enum E { A = 1; B = 2; } optional E e = 1; repeated E l = 2; }",
    );
    let data = [8, 2, 8, 7, 0x10, 2, 0x10, 7, 0x12, 2, 2, 9];
    let mut converter = converter(&config);
    let mut value = |id| values(&read_one(&mut converter, message(id, &data))).remove(0);
    let unknown = |number: i32| format!("UNKNOWN_ENUM_VALUE_E_{number}");
    assert_eq!(value(open), json!({"e": unknown(7), "l": ["B", unknown(7), "B", unknown(9)]}));
    assert_eq!(value(closed), json!({"e": "B", "l": ["B", "B"]}));
}

#[test]
fn annotations_are_read_even_if_nothing_imports_them() {
    let config = settings("annotations", &[]);
    // as Debezium's connector for SQL Server has been seen to register it
    let text = r#"syntax = "proto3";
        package test.dbo;
        import "confluent/type/decimal.proto";
        message Value {
          int32 time = 5 [(confluent.field_meta) = { params: [ { key: "connect.type", value: "int16" } ] }];
          confluent.type.Decimal amount = 6 [(confluent.field_meta) = {
            doc: "how much", params: [ { value: "38", key: "precision" }, { value: "2", key: "scale" } ]
          }];
        }"#;
    let id = register(&config, text);
    let mut converter = converter(&config);
    // 12.34, and 5 with no decimal places
    let column = read_one(&mut converter, message(id, b"\x28\x07\x32\x06\x0a\x02\x04\xd2\x18\x02"));
    let schema = schema(&column);
    assert_eq!((&schema["name"], &schema["fields"][0]["type"]), (&json!("Value"), &json!("int16")));
    let amount = &schema["fields"][1];
    assert_eq!(amount["name"], "org.apache.kafka.connect.data.Decimal");
    assert_eq!(
        amount["parameters"],
        json!({"scale": "2", "connect.decimal.precision": "38", "io.confluent.connect.protobuf.Tag": "6"})
    );
    assert_eq!((&amount["doc"], &schema["version"]), (&json!("how much"), &json!(1)));
    assert_eq!(values(&column), [json!({"time": 7, "amount": "BNI="})]);
    assert!(refusal(&mut converter, message(id, b"\x28\x80\x80\x04")).contains("65536 is no integer of 16 bits"));
    let trace = refusal(&mut converter, message(id, b"\x32\x05\x0a\x01\x05\x18\x03"));
    assert!(trace.contains("field `amount`: a decimal has scale 3"), "{trace}");
}

#[test]
fn a_message_within_itself_and_json_are_text() {
    let config = settings("recursion", &[]);
    let id = register(
        &config,
        &proto3(
            "import \"google/protobuf/struct.proto\"; message N { int64 v = 1; N next = 2; bytes b = 3; \
             google.protobuf.Struct j = 4; map<string, N> all = 5; }",
        ),
    );
    let mut converter = converter(&config);
    let data = b"\x08\x01\x12\x08\x08\x02\x1a\x01\xff\x12\x01\x08";
    assert!(refusal(&mut converter, message(id, data)).contains("it is no N"));
    let data = b"\x08\x01\x12\x09\x08\x02\x1a\x01\xff\x12\x02\x08\x03\x22\x0a\x0a\x08\x0a\x01k\x12\x03\x1a\x01x\x2a\x07\x0a\x01m\x12\x02\x08\x04";
    assert_eq!(
        values(&read_one(&mut converter, message(id, data))),
        [json!({
            "v": 1, "next": r#"{"v":2,"next":{"v":3},"b":"/w=="}"#, "b": "", "j": r#"{"k":"x"}"#, "all": {"m": r#"{"v":4}"#},
        })]
    );
    // twenty thousand messages within each other
    let mut endless = Vec::new();
    for _ in 0..20_000 {
        let mut outer = vec![0x12];
        super::values::wire::write_varint(&mut outer, endless.len() as u64);
        outer.extend_from_slice(&endless);
        endless = outer;
    }
    let trace = refusal(&mut converter, message(id, &endless));
    assert!(trace.contains("recursion limit"), "{trace}");
}

#[test]
fn names_that_differ_in_capitals_only_are_two_names() {
    let config = settings("alike", &[]);
    let fields = "int32 user_id = 1; int32 userid = 2; int32 userId = 3 [json_name = \"x\"];";
    let id = register(&config, &proto3(&format!("message M {{ {fields} }}")));
    let mut converter = converter(&config);
    let column = read_one(&mut converter, message(id, &[8, 1, 0x10, 2, 0x18, 3]));
    assert_eq!(values(&column), [json!({"user_id": 1, "userid": 2, "userId": 3})]);
}

#[test]
fn a_schema_that_grows_without_end_is_refused() {
    let config = settings("wide", &[]);
    let levels: String = (0..40).map(|n| format!("message M{n} {{ M{0} a = 1; M{0} b = 2; }} ", n + 1)).collect();
    let id = register(&config, &proto3(&format!("{levels} message M40 {{ int32 x = 1; }}")));
    assert!(refusal(&mut converter(&config), message(id, &[])).contains("more than 50000 fields"));
    let deep = format!("{}int32 x = 1;{}", "message M { ".repeat(5_000), "}".repeat(5_000));
    let id = register(&config, &proto3(&deep));
    assert!(refusal(&mut converter(&config), message(id, &[])).contains("nested deeper than"));
}

#[test]
fn fields_that_proto2_requires_must_be_there_and_its_defaults_are_known() {
    let text = "syntax = \"proto2\"; message M { required int32 id = 1; optional string s = 2 [default = \"d\"]; \
                optional sint32 n = 3 [default = -5]; optional bytes b = 4; }";
    for (scope, more, expected) in [
        ("proto2", &[][..], json!({"id": 1, "s": null, "n": null, "b": null})),
        ("proto2-defaults", &[("optional.for.proto2", "false")], json!({"id": 1, "s": "d", "n": -5, "b": ""})),
    ] {
        let config = settings(scope, more);
        let id = register(&config, text);
        let mut converter = converter(&config);
        let column = read_one(&mut converter, message(id, &[8, 1]));
        assert_eq!(values(&column), [expected]);
        let schema = schema(&column);
        assert_eq!((&schema["fields"][0]["optional"], &schema["fields"][1]["default"]), (&json!(false), &json!("d")));
        assert_eq!(schema["fields"][2]["default"], json!(-5));
        assert!(refusal(&mut converter, message(id, &[])).contains("field `id`: a required field is not there"));
        // what is no UTF-8 is replaced in proto2, as in Java
        let column = read_one(&mut converter, message(id, b"\x08\x01\x12\x01\xff"));
        assert_eq!(values(&column)[0]["s"], "\u{FFFD}");
    }
}
