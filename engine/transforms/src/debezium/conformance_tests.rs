//! Batches of change events of all kinds.

use std::sync::Arc;

use arrow::array::BinaryArray;
use volley_api::testing::{config_map, consumed, keeps_filters_or_rejects_every_row, origin, row_text};
use volley_api::{ConfigMap, Converter, Header, RawBatch, Records, Result, Side, Transformation, Value};
use volley_converters::JsonConverter;

use super::documents::ExtractNewDocumentState;
use super::{
    ByLogicalTableRouter, EventRouter, ExtractChangedRecordState, ExtractNewRecordState, HeaderToValue,
    TimezoneConverter,
};

const ROW: &str = r#"{"type":"struct","optional":true,"name":"v","field":"NAME","fields":[
    {"type":"int32","optional":false,"field":"id"},
    {"type":"string","optional":true,"default":"none","field":"name"}]}"#;

/// Events with a schema, and `None` for tombstones.
pub(super) fn events(payloads: &[Option<&str>]) -> Records {
    let source = r#"{"type":"struct","optional":false,"field":"source","fields":[
        {"type":"string","optional":true,"field":"table"},
        {"type":"struct","optional":true,"field":"inner","fields":[{"type":"int8","optional":true,"field":"x"}]}]}"#;
    let op = r#"{"type":"string","optional":false,"field":"op"}"#;
    let fields = [&ROW.replace("NAME", "before"), &ROW.replace("NAME", "after"), source, op].join(",");
    let schema = format!(r#"{{"type":"struct","optional":false,"name":"s.t.Envelope","fields":[{fields}]}}"#);
    read(&schema, payloads)
}

fn read(schema: &str, payloads: &[Option<&str>]) -> Records {
    let text = |payload: &str| format!(r#"{{"schema":{schema},"payload":{payload}}}"#).into_bytes();
    let values: BinaryArray = payloads.iter().map(|payload| payload.map(text)).collect();
    let raw = RawBatch {
        origin: origin("t", 0, 0, payloads.len()),
        keys: BinaryArray::new_null(payloads.len()),
        values,
        headers: None,
    };
    let config = config_map(&[("schemas.enable", "true"), ("replace.null.with.default", "false")]);
    let converted = JsonConverter::new(&config, Side::Value).unwrap().to_connect(&raw, Side::Value).unwrap();
    let run = converted.runs.into_iter().next().expect("one run of all rows");
    assert_eq!(run.column.len(), payloads.len());
    consumed("t", 0, 0, run.column)
}

fn all_kinds() -> Records {
    let records = events(&[
        Some(r#"{"before":null,"after":{"id":1,"name":"a"},"source":{"table":"x","inner":null},"op":"c"}"#),
        Some(
            r#"{"before":{"id":1,"name":"a"},"after":{"id":1,"name":null},"source":{"table":"x","inner":{"x":1}},"op":"u"}"#,
        ),
        Some(r#"{"before":{"id":1,"name":"b"},"after":null,"source":{"table":null,"inner":null},"op":"d"}"#),
        None,
        Some(r#"{"before":null,"after":null,"source":{"table":"x","inner":null},"op":"t"}"#),
        Some(r#"{"before":{"id":2,"name":" "},"after":null,"source":{"table":"x","inner":null},"op":"d"}"#),
        None,
        Some(r#"{"before":null,"after":{"id":1,"name":"b"},"source":{"table":"y","inner":null},"op":"r"}"#),
    ]);
    let list = |names: &[&str]| Value::Array(names.iter().map(|name| Value::String((*name).to_owned())).collect());
    let header = |value| vec![Header::new("drop", value)];
    let headers = vec![
        header(list(&["name"])),
        header(list(&["id", "name"])),
        header(list(&["name", "__deleted", "__op"])),
        vec![],
        vec![],
        header(Value::Boolean(true)),
        header(list(&["name"])),
        vec![],
    ];
    Records { headers: Some(Arc::new(headers)), ..records }
}

fn conforms<T: Transformation>(new: fn(&ConfigMap) -> Result<T>, entries: &[(&str, &str)]) {
    let config = config_map(entries);
    keeps_filters_or_rejects_every_row(|| new(&config), &[all_kinds()]);
}

#[test]
fn extract_new_record_state_treats_every_row_for_itself() {
    for mode in ["drop", "tombstone", "rewrite", "rewrite-with-tombstone", "delete-to-tombstone"] {
        let mode = ("delete.tombstone.handling.mode", mode);
        conforms(ExtractNewRecordState::new, &[mode]);
        conforms(ExtractNewRecordState::new, &[mode, ("add.fields", "op,table,inner"), ("add.headers", "op,inner")]);
        conforms(ExtractNewRecordState::new, &[mode, ("route.by.field", "name"), ("add.fields", "op")]);
        conforms(ExtractNewRecordState::new, &[mode, ("route.by.field", "id")]);
        conforms(ExtractNewRecordState::new, &[mode, ("drop.fields.header.name", "drop"), ("add.fields", "op")]);
        conforms(
            ExtractNewRecordState::new,
            &[
                mode,
                ("drop.fields.header.name", "drop"),
                ("drop.fields.keep.schema.compatible", "false"),
                ("route.by.field", "name"),
            ],
        );
    }
}

#[test]
fn by_logical_table_router_treats_every_row_for_itself() {
    conforms(ByLogicalTableRouter::new, &[("topic.regex", "(.*)"), ("topic.replacement", "all.$1")]);
    conforms(ByLogicalTableRouter::new, &[("topic.regex", "x"), ("topic.replacement", "y")]);
}

#[test]
fn extract_changed_record_state_treats_every_row_for_itself() {
    conforms(ExtractChangedRecordState::new, &[("header.changed.name", "c"), ("header.unchanged.name", "u")]);
}

#[test]
fn header_to_value_treats_every_row_for_itself() {
    for operation in ["copy", "move"] {
        for field in ["f", "after.f", "source.inner.f", "op", "op.f", "nope.f"] {
            conforms(HeaderToValue::new, &[("headers", "drop"), ("fields", field), ("operation", operation)]);
        }
    }
}

#[test]
fn timezone_converter_treats_every_row_for_itself() {
    let zone = ("converted.timezone", "Europe/Berlin");
    conforms(TimezoneConverter::new, &[zone]);
    conforms(TimezoneConverter::new, &[zone, ("include.list", "source:x")]);
    let row = |table: &str, at: &str, time: &str| {
        format!(r#"{{"source":{{"table":{table}}},"after":{{"at":{at},"time":{time}}},"op":"c"}}"#)
    };
    let rows = [
        row("\"a\"", "1577879730123456", "\"2020-01-01T11:55:30Z\""),
        row("\"b\"", "1577879730123456", "\"x\""),
        row("null", "-9223372036854775807", "null"),
        row("\"a\"", "null", "\"\""),
    ];
    let fields = r#"{"type":"int64","optional":true,"field":"at","name":"io.debezium.time.MicroTimestamp"},
        {"type":"string","optional":true,"field":"time","name":"io.debezium.time.ZonedTimestamp"}"#;
    let schema = format!(
        r#"{{"type":"struct","optional":false,"name":"a.Envelope","fields":[
        {{"type":"struct","field":"source","optional":false,"fields":[{{"type":"string","optional":true,"field":"table"}}]}},
        {{"type":"struct","field":"after","optional":true,"fields":[{fields}]}},
        {{"type":"string","field":"op","optional":true}}]}}"#
    );
    let mut payloads: Vec<Option<&str>> = rows.iter().map(|row| Some(row.as_str())).collect();
    payloads.push(None);
    let batch = read(&schema, &payloads);
    for list in [("include.list", "a:at"), ("include.list", "source:a"), ("exclude.list", "source:b"), zone] {
        let config = config_map(&[zone, list]);
        keeps_filters_or_rejects_every_row(|| TimezoneConverter::new(&config), std::slice::from_ref(&batch));
    }
}

#[test]
fn event_router_treats_every_row_for_itself() {
    let columns =
        [("table.field.event.id", "id"), ("table.field.event.key", "id"), ("table.field.event.payload", "name")];
    let route = [("route.by.field", "name"), ("table.field.event.timestamp", "id")];
    conforms(EventRouter::new, &columns);
    conforms(EventRouter::new, &[&columns[..], &route[..1]].concat());
    conforms(EventRouter::new, &[&columns[..], &route[..]].concat());
}

#[test]
fn messages_of_an_outbox_go_where_each_says() {
    let batch = outbox(&[
        r#"{"id":"1","to":"a","key":"k","payload":"{\"x\":1}","part":1}"#,
        r#"{"id":"2","to":"b","key":"k","payload":"{\"x\":2}","part":1}"#,
        r#"{"id":"3","to":"a","key":"k","payload":"{\"x\":\"s\"}","part":1}"#,
        r#"{"id":"4","to":"a","key":"k","payload":" ","part":1}"#,
        r#"{"id":"5","to":null,"key":"k","payload":"p","part":1}"#,
        r#"{"id":"6","to":"a","key":"k","payload":"{\"x\":3}","part":null}"#,
        r#"{"id":"7","to":"a","key":null,"payload":"{\"x\":4}","part":1}"#,
    ]);
    let config = [
        ("route.by.field", "to"),
        ("table.field.event.key", "key"),
        ("table.expand.json.payload", "true"),
        ("route.tombstone.on.empty.payload", "true"),
        ("table.fields.additional.placement", "part:partition"),
    ];
    let transformed = EventRouter::new(&config_map(&config)).unwrap().apply(batch.clone()).unwrap();
    let found: Vec<_> = transformed
        .records
        .iter()
        .map(|records| (records.topic.to_string(), records.rows.iter().collect::<Vec<_>>()))
        .collect();
    let expected = [("a", vec![0, 6]), ("b", vec![1]), ("a", vec![2]), ("a", vec![3]), ("a", vec![5])];
    assert_eq!(found, expected.map(|(topic, rows)| (format!("outbox.event.{topic}"), rows)));
    assert_eq!(transformed.rejected.iter().map(|rejected| rejected.row).collect::<Vec<_>>(), [4]);
    let config = config_map(&config);
    keeps_filters_or_rejects_every_row(|| EventRouter::new(&config), &[batch]);
}

/// Inserts into an outbox.
fn outbox(rows: &[&str]) -> Records {
    let texts = ["id", "to", "key", "payload"];
    let texts = texts.map(|name| format!(r#"{{"type":"string","optional":true,"field":"{name}"}}"#)).join(",");
    let row = format!(
        r#"{{"type":"struct","optional":true,"name":"o.Value","field":"after","fields":[{texts},{}]}}"#,
        r#"{"type":"int32","optional":true,"field":"part"}"#
    );
    let op = r#"{"type":"string","optional":false,"field":"op"},{"type":"int64","optional":true,"field":"ts_ms"}"#;
    let schema = format!(r#"{{"type":"struct","optional":false,"name":"o.Envelope","fields":[{row},{op}]}}"#);
    let payload = |row: &&str| format!(r#"{{"after":{row},"op":"c","ts_ms":5}}"#);
    let payloads: Vec<String> = rows.iter().map(payload).collect();
    read(&schema, &payloads.iter().map(|payload| Some(payload.as_str())).collect::<Vec<_>>())
}

#[test]
fn documents_are_extracted_each_for_itself() {
    let text = |name: &str| format!(r#"{{"type":"string","optional":true,"field":"{name}"}}"#);
    let fields = ["before", "after", "op"].map(text).join(",");
    let schema = format!(r#"{{"type":"struct","optional":false,"name":"d.c.Envelope","fields":[{fields}]}}"#);
    let event = |after: &str, op: &str| serde_json::json!({"after": after, "op": op}).to_string();
    let payloads = [
        event(r#"{"_id": 1, "a": "x"}"#, "c"),
        event(r#"{"_id": 2, "a": {"b": [1, 2]}}"#, "c"),
        event(r#"{"_id": 3, "a": [1, "x"]}"#, "u"),
        event("{", "u"),
        serde_json::json!({"op": "d"}).to_string(),
        event(r#"{"_id": 4, "a": "y"}"#, "r"),
        event("{}", "c"),
    ];
    let mut payloads: Vec<Option<&str>> = payloads.iter().map(|payload| Some(payload.as_str())).collect();
    payloads.push(None);
    let records = read(&schema, &payloads);
    let key_schema = r#"{"type":"struct","optional":false,"name":"d.c.Key","fields":[{"type":"string","optional":true,"field":"id"}]}"#;
    let keys: Vec<String> =
        (0..records.len()).map(|row| format!(r#"{{"id":"{}"}}"#, if row == 5 { "x" } else { "7" })).collect();
    let keys = read(key_schema, &keys.iter().map(|key| Some(key.as_str())).collect::<Vec<_>>());
    let batch = Records { key: keys.value, ..records };
    for mode in ["drop", "tombstone", "rewrite", "rewrite-with-tombstone"] {
        for more in
            [("flatten.struct", "true"), ("array.encoding", "document"), ("add.headers", "op"), ("add.fields", "op")]
        {
            let config = config_map(&[("delete.tombstone.handling.mode", mode), more]);
            keeps_filters_or_rejects_every_row(|| ExtractNewDocumentState::new(&config), std::slice::from_ref(&batch));
        }
    }
    let transformed = ExtractNewDocumentState::new(&config_map(&[])).unwrap().apply(batch).unwrap();
    assert_eq!(transformed.rejected.iter().map(|rejected| rejected.row).collect::<Vec<_>>(), [2, 3, 5]);
}

#[test]
fn batches_of_one_schema_share_the_output_schema() {
    let unwrap = config_map(&[("delete.tombstone.handling.mode", "rewrite"), ("add.fields", "op")]);
    let route = config_map(&[("topic.regex", ".*"), ("topic.replacement", "x")]);
    let transformations: [Box<dyn Transformation>; 2] =
        [Box::new(ExtractNewRecordState::new(&unwrap).unwrap()), Box::new(ByLogicalTableRouter::new(&route).unwrap())];
    for mut transformation in transformations {
        let mut field = || Arc::clone(&transformation.apply(all_kinds()).unwrap().records[0].value.field);
        assert!(Arc::ptr_eq(&field(), &field()));
    }
}

#[test]
fn deletes_stay_among_the_states_that_have_their_schema() {
    let config = config_map(&[("delete.tombstone.handling.mode", "rewrite-with-tombstone")]);
    let transformed = ExtractNewRecordState::new(&config).unwrap().apply(all_kinds()).unwrap();
    let [records] = transformed.records.as_slice() else { panic!("{} parts", transformed.records.len()) };
    assert_eq!(records.rows.iter().collect::<Vec<_>>(), [0, 1, 2, 3, 5, 6, 7]);
    assert!(row_text(&records.value, 2).contains("true"), "{}", row_text(&records.value, 2));
    assert!(records.value.is_null(3));
}

#[test]
fn states_are_the_column_that_the_batch_has() {
    let batch =
        events(&[Some(r#"{"before":null,"after":{"id":1,"name":"a"},"source":{"table":"x","inner":null},"op":"c"}"#)]);
    let after = arrow::array::AsArray::as_struct(&batch.value.array).column_by_name("after").unwrap().to_data();
    let transformed = ExtractNewRecordState::new(&ConfigMap::new()).unwrap().apply(batch).unwrap();
    assert!(transformed.records[0].value.array.to_data().child_data()[0].ptr_eq(&after.child_data()[0]));
}
