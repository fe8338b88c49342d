//! What is registered and written of Connect's schemas and values, key by key.

use serde_json::{Value, json};
use volley_api::{Converter as _, Unserialized};
use volley_registry::{Schema, SchemaKind};

use super::ProtobufConverter;
use super::converter_tests::{
    columns_of, converter, message, read_one, register, registered, registry, schema, settings, values, written,
};
use super::names::{ENUM, GENERAL_ENUM, GENERAL_UNION, TAG, UNION};

/// What a converter with these settings registers for a schema, without what every file begins with.
fn text_of(scope: &str, more: &[(&str, &str)], schema: &Value, payload: &Value) -> String {
    let config = settings(scope, more);
    written(&mut converter(&config), &columns_of(schema, std::slice::from_ref(payload)));
    let text = registered(&config);
    text.strip_prefix("syntax = \"proto3\";\n").unwrap().trim().to_owned()
}

fn struct_of(fields: Value) -> Value {
    json!({"type": "struct", "name": "R", "fields": fields})
}

fn refusal(converter: &mut ProtobufConverter, schema: &Value, payload: &Value) -> String {
    let column = columns_of(schema, std::slice::from_ref(payload));
    let serialized = converter.from_connect(&Unserialized::new("topic", &column)).unwrap();
    serialized.rejected.into_iter().next().unwrap().error.trace()
}

#[test]
fn a_struct_is_a_message_and_those_within_it_are_messages_within_that() {
    let inner = |field: &str| json!({"type": "struct", "name": "x.y.In", "fields": [{"type": "int8", "field": "n"}], "field": field, "optional": true});
    let schema = json!({"type": "struct", "name": "x.y.Out", "doc": "all", "version": 3, "fields": [
        inner("a"), {"type": "array", "items": inner("i"), "field": "b"},
        {"type": "map", "keys": {"type": "string"}, "values": {"type": "float"}, "field": "c_d"},
        {"type": "struct", "fields": [], "field": "e"},
        {"type": "int64", "name": "org.apache.kafka.connect.data.Timestamp", "version": 1, "field": "t"},
    ]});
    let payload = json!({"a": null, "b": [{"n": 1}], "c_d": {"k": 1.5}, "e": {}, "t": 0});
    let expected = r#"package x.y;

import "confluent/meta.proto";
import "google/protobuf/timestamp.proto";

message Out {
  option (confluent.message_meta) = { doc: "all", params: [{ key: "connect.version", value: "3" }] };
  In a = 1;
  repeated In b = 2;
  map<string, float> c_d = 3;
  ConnectDefault1 e = 4;
  google.protobuf.Timestamp t = 5;
  message In {
    int32 n = 1 [(confluent.field_meta) = { params: [{ key: "connect.type", value: "int8" }] }];
  }
  message ConnectDefault1 {
  }
}"#;
    assert_eq!(text_of("text", &[], &schema, &payload), expected);
}

#[test]
fn messages_are_written_as_all_libraries_write_them() {
    let config = settings("bytes", &[]);
    let schema = struct_of(json!([
        {"type": "int32", "field": "zero"}, {"type": "int32", "field": "n"}, {"type": "string", "field": "s", "optional": true},
        {"type": "array", "items": {"type": "int32"}, "field": "l"},
        {"type": "map", "keys": {"type": "string"}, "values": {"type": "int32"}, "field": "m"},
        {"type": "struct", "name": "I", "fields": [{"type": "boolean", "field": "b"}], "field": "i"},
    ]));
    let payload = json!({"zero": 0, "n": -1, "s": null, "l": [1, 300], "m": {"": 0}, "i": {"b": false}});
    let bytes = written(&mut converter(&config), &columns_of(&schema, &[payload]));
    let data = [
        &b"\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"[..],
        b"\x22\x03\x01\xac\x02",
        // the key and the value of an entry always stand there
        b"\x2a\x04\x0a\x00\x10\x00",
        b"\x32\x00",
    ];
    assert_eq!(bytes.value(0), message(1, &data.concat()));
}

#[test]
fn nulls_are_the_label_a_wrapper_or_nothing() {
    let schema = struct_of(json!([
        {"type": "int32", "field": "a", "optional": true}, {"type": "string", "field": "b"},
        {"type": "array", "items": {"type": "int32"}, "field": "c", "optional": true},
    ]));
    let payload = json!({"a": null, "b": "x", "c": null});
    let body = |scope: &str, more: &[(&str, &str)]| {
        let text = text_of(scope, more, &schema, &payload);
        text.lines().filter(|line| line.contains(" = ")).map(str::trim).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(body("nulls", &[]), "int32 a = 1; string b = 2; repeated int32 c = 3;");
    let optional = [("optional.for.nullables", "true")];
    assert_eq!(body("nulls-optional", &optional), "optional int32 a = 1; string b = 2; repeated int32 c = 3;");
    let wrapped = "google.protobuf.Int32Value a = 1; string b = 2; repeated int32 c = 3;";
    assert_eq!(body("nulls-wrapper", &[("wrapper.for.nullables", "true")]), wrapped);
}

#[test]
fn what_is_no_struct_is_written_as_a_wrapper() {
    let config = settings("raw", &[]);
    let mut converter = converter(&config);
    let bytes = written(&mut converter, &columns_of(&json!({"type": "string"}), &[json!("hi"), json!("")]));
    // StringValue is the eighth message of its file
    assert_eq!(bytes.value(0), b"\0\0\0\0\x01\x02\x0e\x0a\x02hi");
    assert!(registered(&config).contains("package google.protobuf;"));
    let column = read_one(&mut converter, bytes.value(1).to_vec());
    assert_eq!(values(&column), [json!("")]);

    let config = settings("raw-off", &[("wrapper.for.raw.primitives", "false")]);
    let mut converter = self::converter(&config);
    let bytes = written(&mut converter, &columns_of(&json!({"type": "int64"}), &[json!(5)]));
    assert_eq!(bytes.value(0), message(1, &[8, 5]));
    assert!(registered(&config).contains("message ConnectDefault1 {"));
    let text = "syntax = \"proto3\"; package google.protobuf; message StringValue { string value = 1; }";
    let column = read_one(&mut converter, message(register(&config, text), b"\x0a\x01x"));
    assert_eq!(values(&column), [json!({"value": "x"})]);
}

#[test]
fn enums_are_strings_or_integers_and_written_as_enums() {
    let text = "syntax = \"proto3\"; package p; message M { State s = 1; } enum State { OPEN = 0; DONE = 2; }";
    for (scope, more, kind, value, name) in [
        ("enum", &[][..], "string", json!("DONE"), "State"),
        ("enum-int", &[("int.for.enums", "true")], "int32", json!(2), "State"),
        ("enum-enhanced", &[("enhanced.protobuf.schema.support", "true")], "string", json!("DONE"), "p.State"),
    ] {
        let config = settings(scope, more);
        let mut converter = converter(&config);
        let column = read_one(&mut converter, message(register(&config, text), &[8, 2]));
        assert_eq!(values(&column), [json!({"s": value})]);
        let field = schema(&column)["fields"][0].clone();
        assert_eq!(field["type"], kind);
        let symbols = json!({
            ENUM: name, format!("{ENUM}.OPEN"): "0", format!("{ENUM}.DONE"): "2", TAG: "1",
        });
        assert_eq!(field["parameters"], symbols);
        let bytes = written(&mut converter, &column);
        assert_eq!(bytes.value(0)[6..], [8, 2]);
        assert!(
            registered(&config).contains("enum State {\n    OPEN = 0;\n    DONE = 2;\n  }"),
            "{}",
            registered(&config)
        );
    }
    let config = settings("enum-general", &[("generalized.sum.type.support", "true")]);
    let mut converter = converter(&config);
    let column = read_one(&mut converter, message(register(&config, text), &[8, 2]));
    assert_eq!(schema(&column)["fields"][0]["parameters"][GENERAL_ENUM], "State");
    written(&mut converter, &column);
    assert!(registered(&config).contains("State s = 1;"));
    let wrong = columns_of(&schema(&column), &[json!({"s": "LOST"})]);
    let serialized = converter.from_connect(&Unserialized::new("topic", &wrong)).unwrap();
    assert!(serialized.rejected[0].error.trace().contains("`LOST` is no symbol of the enum"));
}

#[test]
fn oneofs_are_structs_or_fields_and_written_as_oneofs() {
    let text = "syntax = \"proto3\"; message M { int32 n = 3; oneof pay { string card = 1; bool cash = 2; } }";
    let union = json!({"card": null, "cash": true});
    for (scope, more, value, name) in [
        ("oneof", &[][..], json!({"pay_0": union, "n": 0}), format!("{UNION}.pay")),
        (
            "oneof-bare",
            &[("generate.index.for.unions", "false")],
            json!({"pay": union, "n": 0}),
            format!("{UNION}.pay"),
        ),
        (
            "oneof-general",
            &[("generalized.sum.type.support", "true")],
            json!({"pay_0": union, "n": 0}),
            "pay".to_owned(),
        ),
    ] {
        let config = settings(scope, more);
        let mut converter = converter(&config);
        let column = read_one(&mut converter, message(register(&config, text), &[0x10, 1]));
        assert_eq!(values(&column), [value]);
        let field = schema(&column)["fields"][0].clone();
        assert_eq!(field["name"], json!(name));
        if scope == "oneof-general" {
            assert_eq!(field["parameters"][GENERAL_UNION], "pay");
        }
        let bytes = written(&mut converter, &column);
        assert_eq!(bytes.value(0)[6..], [0x10, 1]);
        let expected = "  oneof pay {\n    string card = 1;\n    bool cash = 2;\n  }\n  int32 n = 3;";
        assert!(registered(&config).contains(expected), "{}", registered(&config));
    }
    let config = settings("oneof-flat", &[("flatten.unions", "true")]);
    let mut converter = converter(&config);
    let id = register(&config, text);
    let column = read_one(&mut converter, message(id, &[0x0A, 1, b'x', 0x10, 1, 0x18, 7]));
    assert_eq!(values(&column), [json!({"card": null, "cash": true, "n": 7})]);
    let column = read_one(&mut converter, message(id, &[0x10, 1, 0x0A, 0]));
    assert_eq!(values(&column), [json!({"card": "", "cash": null, "n": 0})]);
}

#[test]
fn two_fields_of_a_oneof_with_a_value_are_refused() {
    let schema = struct_of(
        json!([{"type": "struct", "name": format!("{UNION}.u"), "field": "u_0", "optional": true, "fields": [
            {"type": "int32", "field": "a", "optional": true}, {"type": "int32", "field": "b", "optional": true},
        ]}]),
    );
    let mut converter = converter(&settings("oneof-two", &[]));
    let trace = refusal(&mut converter, &schema, &json!({"u_0": {"a": 1, "b": 0}}));
    assert!(trace.contains("`a` and `b` have a value"), "{trace}");
    let column = columns_of(&schema, &[json!({"u_0": {"a": null, "b": 0}}), json!({"u_0": null})]);
    let bytes = written(&mut converter, &column);
    assert_eq!((&bytes.value(0)[6..], &bytes.value(1)[6..]), (&[0x10, 0][..], &[][..]));
}

#[test]
fn a_message_that_is_not_there_is_null_or_a_struct_of_defaults() {
    let text = "syntax = \"proto3\"; message M { message N { int32 a = 1; N n = 2; repeated int32 l = 3; } N n = 1; }";
    for (scope, more, expected) in [
        ("absent", &[][..], json!(null)),
        ("absent-struct", &[("generate.struct.for.nulls", "true")], json!({"a": 0, "n": null, "l": []})),
        ("absent-required", &[("optional.for.nullables", "true")], json!({"a": 0, "n": "{}", "l": []})),
    ] {
        let config = settings(scope, more);
        let mut converter = converter(&config);
        let column = read_one(&mut converter, message(register(&config, text), &[]));
        assert_eq!(values(&column), [json!({"n": expected})], "{scope}");
    }
}

#[test]
fn names_that_protobuf_does_not_allow_are_refused_or_rewritten() {
    let schema = json!({"type": "struct", "name": "my-app.Ä", "fields": [{"type": "int32", "field": "a-b"}]});
    let trace = refusal(&mut converter(&settings("names", &[])), &schema, &json!({"a-b": 1}));
    assert!(trace.contains("is no name in Protobuf") && trace.contains("`scrub.invalid.names=true`"), "{trace}");
    let config = settings("names-scrubbed", &[("scrub.invalid.names", "true")]);
    let bytes = written(&mut converter(&config), &columns_of(&schema, &[json!({"a-b": 1})]));
    assert_eq!(bytes.value(0)[6..], [8, 1]);
    assert!(
        registered(&config).contains("package my_app;\n\nmessage _C3_84 {\n  int32 a_b = 1;"),
        "{}",
        registered(&config)
    );
    let twice = struct_of(json!([{"type": "int32", "field": "a-b"}, {"type": "int32", "field": "a_b"}]));
    let trace = refusal(&mut converter(&config), &twice, &json!({"a-b": 1, "a_b": 1}));
    assert!(trace.contains("a struct has two fields `a_b`"), "{trace}");
    // names that are the same in JSON
    let alike = struct_of(json!([{"type": "int32", "field": "a_b"}, {"type": "int32", "field": "aB"}]));
    let config = settings("names-alike", &[]);
    let mut converter = converter(&config);
    let bytes = written(&mut converter, &columns_of(&alike, &[json!({"a_b": 1, "aB": 2})]));
    assert_eq!(values(&read_one(&mut converter, bytes.value(0).to_vec())), [json!({"a_b": 1, "aB": 2})]);
}

#[test]
fn a_null_is_written_as_the_default_unless_it_is_to_stay() {
    let schema = struct_of(json!([
        {"type": "int32", "field": "a", "optional": true, "default": 7},
        {"type": "string", "field": "b", "optional": true},
    ]));
    for (scope, more, expected) in [
        ("default", &[("optional.for.nullables", "true")][..], &[8, 7][..]),
        ("default-null", &[("optional.for.nullables", "true"), ("ignore.default.for.nullables", "true")], &[]),
    ] {
        let config = settings(scope, more);
        let mut converter = converter(&config);
        let bytes = written(&mut converter, &columns_of(&schema, &[json!({"a": null, "b": null})]));
        assert_eq!(&bytes.value(0)[6..], expected);
        let back = read_one(&mut converter, bytes.value(0).to_vec());
        assert_eq!(self::schema(&back)["fields"][0]["default"], 7);
    }
}

#[test]
fn an_odd_value_is_rejected_alone() {
    let schema = struct_of(json!([
        {"type": "array", "items": {"type": "int32", "optional": true}, "field": "l"},
        {"type": "int32", "name": "org.apache.kafka.connect.data.Time", "version": 1, "field": "t"},
    ]));
    let payloads = [
        json!({"l": [1], "t": 0}),
        json!({"l": [1, null], "t": 0}),
        json!({"l": [], "t": 86_400_000}),
        json!({"l": [2], "t": 5}),
    ];
    let column = columns_of(&schema, &payloads);
    let mut converter = converter(&settings("odd", &[]));
    let serialized = converter.from_connect(&Unserialized::new("topic", &column)).unwrap();
    let rejected: Vec<_> = serialized.rejected.iter().map(|row| (row.row, row.error.trace())).collect();
    assert_eq!(rejected.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [1, 2]);
    assert!(rejected[0].1.contains("field `l`: an item of an array is null"), "{}", rejected[0].1);
    assert!(rejected[1].1.contains("field `t`: 86400000 ms since midnight"), "{}", rejected[1].1);
    // a slice of the column, too
    let slice = volley_api::Column::new(std::sync::Arc::clone(&column.field), column.array.slice(3, 1));
    assert_eq!(written(&mut converter, &slice).value(0)[6..], [0x0A, 1, 2, 0x12, 5, 0x20, 0xC0, 0x96, 0xB1, 2]);
}

#[test]
fn data_is_written_with_the_newest_schema_of_the_subject_if_wanted() {
    let more = [("auto.register.schemas", "false"), ("use.latest.version", "true")];
    let config = settings("latest", &more);
    let text = "syntax = \"proto3\"; package p; message Other { int32 x = 1; } message R { \
                oneof u { string s = 4; } uint32 n = 9; repeated int32 l = 3 [packed = false]; optional string absent = 1; }";
    let id = register(&config, text);
    let schema = json!({"type": "struct", "name": "p.R", "fields": [
        {"type": "int64", "field": "n"}, {"type": "array", "items": {"type": "int32"}, "field": "l"},
        {"type": "string", "field": "s", "optional": true}, {"type": "string", "field": "more"},
    ]});
    let payload = |n: i64| json!({"n": n, "l": [1, 2], "s": "x", "more": "left out"});
    let mut converter = converter(&config);
    let bytes = written(&mut converter, &columns_of(&schema, &[payload(5)]));
    let data = [0x18, 1, 0x18, 2, 0x48, 5, 0x22, 1, b'x'];
    let mut found = bytes.value(0)[7..].to_vec();
    let mut expected = data.to_vec();
    assert_eq!(bytes.value(0)[..7], [&[0], &id.to_be_bytes()[..], &[2, 2]].concat());
    // fields may stand in any order
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
    assert!(refusal(&mut converter, &schema, &payload(-1)).contains("field `n`: -1 is no integer of 32 bits"));
}

#[test]
fn imports_are_registered_under_their_own_subjects_if_wanted() {
    let schema = struct_of(json!([
        {"type": "int8", "field": "a"}, {"type": "int64", "name": "org.apache.kafka.connect.data.Timestamp", "version": 1, "field": "t"},
    ]));
    let references = |scope: &str, more: &[(&str, &str)]| {
        let config = settings(scope, more);
        let mut converter = converter(&config);
        let bytes = written(&mut converter, &columns_of(&schema, &[json!({"a": 1, "t": 5})]));
        assert_eq!(values(&read_one(&mut converter, bytes.value(0).to_vec())), [json!({"a": 1, "t": 5})]);
        let schema = registry(&config).latest("topic-value").unwrap().schema;
        schema
            .references
            .iter()
            .map(|reference| format!("{}@{}", reference.name, reference.subject))
            .collect::<Vec<_>>()
    };
    assert!(references("imports", &[]).is_empty());
    let mut found = references("imports-registered", &[("skip.known.types", "false")]);
    found.sort();
    let names = ["confluent/meta.proto", "google/protobuf/timestamp.proto"];
    assert_eq!(found, names.map(|name| format!("{name}@{name}")));
    let qualified = [
        ("skip.known.types", "false"),
        (
            "reference.subject.name.strategy",
            "io.confluent.kafka.serializers.subject.QualifiedReferenceSubjectNameStrategy",
        ),
    ];
    let found = references("imports-qualified", &qualified);
    assert!(found.contains(&"confluent/meta.proto@confluent.meta".to_owned()), "{found:?}");
}

#[test]
fn the_subject_may_be_named_after_the_message() {
    let strategy = [("value.subject.name.strategy", "RecordNameStrategy")];
    let config = settings("record-name", &strategy);
    let schema = json!({"type": "struct", "name": "x.R", "fields": [{"type": "int32", "field": "a"}]});
    written(&mut converter(&config), &columns_of(&schema, &[json!({"a": 1})]));
    assert_eq!(registry(&config).latest("x.R").unwrap().version, Some(1));
}

#[test]
fn data_without_a_schema_is_refused() {
    let plain = volley_api::ConfigMap::from([("schemas.enable".to_owned(), "false".to_owned())]);
    let batch = crate::rejections::raw_batch_of(&[Some(br#"{"a":1}"#)]);
    let mut json = crate::JsonConverter::new(&plain, volley_api::Side::Value).unwrap();
    let column = json.to_connect(&batch, volley_api::Side::Value).unwrap().runs.remove(0).column;
    let mut converter = converter(&settings("schemaless", &[]));
    let serialized = converter.from_connect(&Unserialized::new("topic", &column)).unwrap();
    assert!(serialized.rejected[0].error.trace().contains("the data has no schema, which Protobuf needs"));
}

#[test]
fn a_package_that_hides_googles_is_no_obstacle() {
    let schema = json!({"type": "struct", "name": "io.confluent.google.R", "fields": [
        {"type": "int64", "name": "org.apache.kafka.connect.data.Timestamp", "version": 1, "field": "google"},
        {"type": "int16", "field": "confluent"},
    ]});
    let config = settings("hidden", &[]);
    let mut converter = converter(&config);
    let payload = json!({"google": 5, "confluent": 1});
    let bytes = written(&mut converter, &columns_of(&schema, std::slice::from_ref(&payload)));
    assert_eq!(values(&read_one(&mut converter, bytes.value(0).to_vec())), [payload]);
}

#[test]
fn a_schema_that_must_be_there_and_is_not_is_the_fault_of_each_row() {
    let config = settings("absent-schema", &[("auto.register.schemas", "false")]);
    let trace =
        refusal(&mut converter(&config), &struct_of(json!([{"type": "int32", "field": "a"}])), &json!({"a": 1}));
    assert!(trace.contains("topic-value"), "{trace}");
    let other = Schema::new(SchemaKind::Avro, "\"string\"");
    let id = registry(&config).register("other", &other).unwrap().id;
    let read = super::converter_tests::read(&mut converter(&config), &[Some(message(id, &[]))]);
    assert!(read.rejected[0].error.trace().contains("it is a schema of AVRO"));
}

/// `testdata/check.py` has read the message with classes that Protobuf's own compiler made of the file.
#[test]
fn what_is_written_is_what_protobufs_own_classes_for_python_have_read() {
    let logical = |kind: &str, name: &str, field: &str| json!({"type": kind, "name": format!("org.apache.kafka.connect.data.{name}"), "version": 1, "field": field, "optional": true});
    let mut amount = logical("bytes", "Decimal", "amount");
    amount["parameters"] = json!({"scale": "2", "connect.decimal.precision": "9"});
    let line = json!({"type": "struct", "name": "shop.Line", "doc": "One \"line\"", "version": 2, "fields": [
        {"type": "string", "field": "article"}, {"type": "int16", "field": "count", "optional": true},
    ]});
    let mut lines = json!({"type": "array", "items": line, "field": "lines"});
    lines["doc"] = json!("Grüße");
    let state = json!({"type": "string", "field": "state", "parameters": {
        ENUM: "State", format!("{ENUM}.OPEN"): "0", format!("{ENUM}.DONE"): "7",
    }});
    let payment = json!({"type": "struct", "name": format!("{UNION}.payment"), "field": "payment_0", "optional": true, "fields": [
        {"type": "string", "field": "card", "optional": true}, {"type": "boolean", "field": "cash", "optional": true},
    ]});
    let map = |keys: &str, field: &str| json!({"type": "map", "keys": {"type": keys}, "values": {"type": "double"}, "field": field});
    let schema = json!({"type": "struct", "name": "shop.Order", "fields": [
        payment, {"type": "int64", "field": "id"}, {"type": "int32", "field": "none", "optional": true},
        {"type": "int32", "field": "zero", "optional": true}, {"type": "float", "field": "f"}, {"type": "bytes", "field": "raw"},
        lines, state, map("string", "by_name"), map("double", "by_number"), amount,
        logical("int64", "Timestamp", "at"), logical("int32", "Date", "day"), logical("int32", "Time", "time"),
        {"type": "array", "items": {"type": "array", "items": {"type": "int32"}}, "field": "matrix"},
    ]});
    let payload = json!({
        "payment_0": {"card": null, "cash": false}, "id": -5, "none": null, "zero": 0, "f": 1.5, "raw": "AP8=",
        "lines": [{"article": "pen", "count": -2}, {"article": "", "count": null}], "state": "DONE",
        "by_name": {"a": 0.5}, "by_number": [[0.25, 4.0]], "amount": "BNI=", "at": -1, "day": 19_000, "time": 3_723_004,
        "matrix": [[1, 2], [], [3]],
    });
    let config = settings("python-reads", &[("optional.for.nullables", "true")]);
    let bytes = written(&mut converter(&config), &columns_of(&schema, &[payload]));
    assert_eq!(registered(&config), include_str!("testdata/written.proto"));
    let hex: String = bytes.value(0)[6..].iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, include_str!("testdata/written.hex").trim());
}
