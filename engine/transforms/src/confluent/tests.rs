//! What Confluent's documentation says, and what holds for all transformations.

use std::sync::Arc;

use volley_api::testing::{config_map, keeps_filters_or_rejects_every_row};
use volley_api::{Column, Header, Records, Side, Value, schema};

use super::drop::Drop;
use super::extract_topic::ExtractTopic;
use super::filter::Filter;
use super::message_timestamp_router::MessageTimestampRouter;
use crate::test_records::{json_records, outcome, plain, rows, transformation};

const FILTER: &str = "io.confluent.connect.transforms.Filter$Value";
const EXTRACT_TOPIC: &str = "io.confluent.connect.transforms.ExtractTopic$Value";
const REPLACE_FIELD: &str = "io.confluent.connect.transforms.ReplaceField$Value";
const ROUTER: &str = "io.confluent.connect.transforms.MessageTimestampRouter";
const TOMBSTONES: &str = "io.confluent.connect.transforms.TombstoneHandler";

fn mixed() -> Records {
    plain(&[
        Some(r#"{"a":1,"b":"x"}"#),
        Some(r#"{"a":"1","b":["x","y"]}"#),
        None,
        Some("[1,2]"),
        Some(r#"{"a":null,"b":{"c":"x"}}"#),
        Some("\"text\""),
        Some(r#"{"a":[1,"x"]}"#),
        Some("7"),
        Some("{}"),
    ])
}

/// `{"key": {"nestedKey": …}}` with a schema, null where the text is.
fn nested(values: &[Option<&str>]) -> Vec<Records> {
    let schema = r#"{"type":"struct","optional":true,"fields":[{"field":"key","type":"struct","optional":true,"fields":[
        {"field":"nestedKey","type":"string","optional":true}]}]}"#;
    let envelope = |value: &str| format!(r#"{{"schema":{schema},"payload":{value}}}"#);
    let texts: Vec<Option<String>> = values.iter().map(|value| value.map(envelope)).collect();
    json_records(true, &texts.iter().map(Option::as_deref).collect::<Vec<_>>())
}

#[test]
fn a_filter_includes_or_excludes_the_records_that_match() {
    let values = [
        Some(r#"{"key":{"nestedKey":"value1"}}"#),
        Some(r#"{"key":{"nestedKey":"other"}}"#),
        Some(r#"{"key":{"nestedKey":"value2"}}"#),
    ];
    let condition = r#"$.key[?(@.nestedKey == "value1" || @.nestedKey == "value2")]"#;
    for records in [nested(&values), vec![plain(&values)]] {
        let filter = |filter_type| [("filter.condition", condition), ("filter.type", filter_type)];
        assert_eq!(rows(FILTER, &filter("include"), records.clone()), (vec![0, 2], vec![]));
        assert_eq!(rows(FILTER, &filter("exclude"), records), (vec![1], vec![]));
    }
}

#[test]
fn a_record_without_the_fields_of_a_path_fails_or_is_included_or_excluded() {
    let values =
        [Some(r#"{"key":{"nestedKey":"a"}}"#), Some(r#"{"key":null}"#), None, Some(r#"{"key":{"nestedKey":null}}"#)];
    let config = [("filter.condition", "$.key.nestedKey"), ("filter.type", "include")];
    for records in [nested(&values), vec![plain(&values)]] {
        for (behavior, expected) in [
            ("fail", (vec![0], vec![1, 2, 3])),
            ("include", (vec![0, 1, 2, 3], vec![])),
            ("exclude", (vec![0], vec![])),
        ] {
            let config = [&config[..], &[("missing.or.null.behavior", behavior)]].concat();
            assert_eq!(rows(FILTER, &config, records.clone()), expected, "{behavior}");
        }
        assert_eq!(rows(FILTER, &config, records), (vec![0], vec![1, 2, 3]));
    }
}

#[test]
fn what_a_condition_looks_for_may_be_missing_or_null_and_does_not_match_then() {
    let values = [Some(r#"{"a":1}"#), Some(r#"{"a":null}"#), Some("{}"), Some(r#"{"b":1}"#)];
    for behavior in ["fail", "include", "exclude"] {
        let config = |filter_type| {
            [
                ("filter.condition", "$[?(@.a == 1)]"),
                ("filter.type", filter_type),
                ("missing.or.null.behavior", behavior),
            ]
        };
        assert_eq!(rows(FILTER, &config("include"), vec![plain(&values)]), (vec![0], vec![]));
        assert_eq!(rows(FILTER, &config("exclude"), vec![plain(&values)]), (vec![1, 2, 3], vec![]));
    }
}

#[test]
fn each_value_is_compared_as_what_it_is() {
    let filter = |condition| {
        let config =
            [("filter.condition", condition), ("filter.type", "include"), ("missing.or.null.behavior", "exclude")];
        rows(FILTER, &config, vec![mixed()]).0
    };
    assert_eq!(filter("$[?(@.a == 1)]"), [0, 1]);
    assert_eq!(filter("$[?(@.a > 0)]"), [0]);
    assert_eq!(filter("$[?('x' in @.b)]"), [1]);
    assert_eq!(filter("$[?(@.b.c == 'x')]"), [4]);
    assert_eq!(filter("$[?(@ == 2)]"), [3]);
    assert_eq!(filter("$.a"), [0, 1, 6]);
}

#[test]
fn a_map_with_a_schema_has_its_entries_as_fields() {
    let schema = r#"{"type":"map","optional":true,"keys":{"type":"string"},"values":{"type":"int32","optional":true}}"#;
    let values = [r#"{"a":1}"#, r#"{"b":1,"a":2}"#, r#"{"a":null}"#, "{}", "null"];
    let texts = values.map(|value| format!(r#"{{"schema":{schema},"payload":{value}}}"#));
    let records = json_records(true, &texts.iter().map(|text| Some(text.as_str())).collect::<Vec<_>>());
    let filter = |condition| {
        let config =
            [("filter.condition", condition), ("filter.type", "include"), ("missing.or.null.behavior", "exclude")];
        rows(FILTER, &config, records.clone()).0
    };
    assert_eq!(filter("$.a"), [0, 1]);
    assert_eq!(filter("$[?(@.a >= 2)]"), [1]);
    assert_eq!(filter("$[*]"), [0, 1]);
}

#[test]
fn a_condition_that_is_not_accepted_is_refused_at_validation_with_its_place() {
    let error = transformation(FILTER, &[("filter.condition", "$..a"), ("filter.type", "include")]).err().unwrap();
    let expected = "Invalid value $..a for configuration filter.condition: `..` is not supported: name the fields on the way, at \
                    character 2 of `$..a`";
    assert_eq!(error.to_string(), expected);
    assert!(transformation(FILTER, &[("filter.condition", "$.a"), ("filter.type", "x")]).is_err());
    assert!(transformation(FILTER, &[("filter.condition", "$.a")]).is_err());
}

#[test]
fn a_topic_is_what_a_field_or_the_whole_says() {
    let values = [Some(r#"{"f2":"x","m":{"t":"y"}}"#), Some(r#"{"f2":"z","m":{"t":"y"}}"#), Some(r#"{"f2":"x"}"#)];
    let topics = |config: &[(&str, &str)], records| {
        outcome(EXTRACT_TOPIC, config, vec![records]).into_iter().map(|(_, topic, _)| topic).collect::<Vec<_>>()
    };
    assert_eq!(topics(&[("field", "f2")], plain(&values)), ["x", "z", "x"]);
    let path = [("field", r#"["m"]["t"]"#), ("field.format", "JSON_PATH"), ("skip.missing.or.null", "true")];
    assert_eq!(topics(&path, plain(&values)), ["y", "y", "t"]);
    assert_eq!(topics(&[], plain(&[Some("\"a\""), Some("\"b\"")])), ["a", "b"]);
}

#[test]
fn the_values_of_routed_records_are_as_before() {
    let values = [Some(r#"{"f":"x","n":1}"#), Some(r#"{"f":"y","n":"1"}"#), Some(r#"{"n":[1,"a"]}"#)];
    let config = [("field", "f"), ("skip.missing.or.null", "true")];
    let found = outcome(EXTRACT_TOPIC, &config, vec![plain(&values)]);
    let expected = [(0, "x", r#"{"f":"x","n":1}"#), (1, "y", r#"{"f":"y","n":"1"}"#), (2, "t", r#"{"n":[1,"a"]}"#)];
    for ((row, topic, value), (expected_row, expected_topic, expected_value)) in found.into_iter().zip(expected) {
        let mut value: serde_json::Value = serde_json::from_str(&value).unwrap();
        value.as_object_mut().unwrap().retain(|_, member| !member.is_null());
        let expected_value: serde_json::Value = serde_json::from_str(expected_value).unwrap();
        assert_eq!((row, topic.as_str(), value), (expected_row, expected_topic, expected_value));
    }
}

#[test]
fn a_record_that_names_no_topic_fails_unless_such_are_skipped() {
    let values =
        [Some(r#"{"f":"x"}"#), Some(r#"{"f":null}"#), Some("{}"), None, Some(r#"{"f":""}"#), Some(r#"{"f":5}"#)];
    assert_eq!(rows(EXTRACT_TOPIC, &[("field", "f")], vec![plain(&values)]), (vec![0], vec![1, 2, 3, 4, 5]));
    let skipping = [("field", "f"), ("skip.missing.or.null", "true")];
    let found = outcome(EXTRACT_TOPIC, &skipping, vec![plain(&values)]);
    let expected = [
        (0, "x", None),
        (1, "t", None),
        (2, "t", None),
        (3, "t", None),
        (4, "rejected", Some("the field `f` is empty: a topic needs a name")),
        (5, "rejected", Some("the field `f` is no text that could name a topic, but java.lang.Long")),
    ];
    assert_eq!(found.len(), expected.len());
    for ((row, topic, text), (expected_row, expected_topic, message)) in found.iter().zip(expected) {
        assert_eq!((*row, topic.as_str()), (expected_row, expected_topic), "{text}");
        assert!(message.is_none_or(|message| text == message), "{text}");
    }
}

#[test]
fn a_topic_is_what_a_header_says() {
    let header = |value| vec![Header::new("topic", Value::String("old".into())), Header::new("topic", value)];
    let numeric = Header { name: "topic".into(), value: Value::Int64(7), text: Some("007".into()) };
    let headers = vec![
        header(Value::String("x".into())),
        header(Value::Null),
        vec![],
        vec![numeric],
        header(Value::Boolean(true)),
    ];
    let records = Records { headers: Some(Arc::new(headers)), ..plain(&[Some("1"); 5]) };
    let class = "io.confluent.connect.transforms.ExtractTopic$Header";
    let topics = |config: &[(&str, &str)]| {
        outcome(class, config, vec![records.clone()]).into_iter().map(|(_, topic, _)| topic).collect::<Vec<_>>()
    };
    assert_eq!(topics(&[("field", "topic")]), ["x", "rejected", "rejected", "007", "rejected"]);
    assert_eq!(topics(&[("field", "topic"), ("skip.missing.or.null", "true")]), ["x", "t", "t", "007", "rejected"]);
    assert!(transformation(class, &[]).is_err());
}

#[test]
fn tombstones_are_dropped_or_fail() {
    let records = || vec![plain(&[Some(r#"{"a":1}"#), None, Some(r#"{"a":2}"#), None])];
    for config in [&[][..], &[("behavior", "warn")], &[("behavior", "ignore")]] {
        assert_eq!(rows(TOMBSTONES, config, records()), (vec![0, 2], vec![]));
    }
    assert_eq!(rows(TOMBSTONES, &[("behavior", "fail")], records()), (vec![0, 2], vec![1, 3]));
    assert_eq!(rows("io.confluent.transforms.NullFilter", &[], records()), (vec![0, 2], vec![]));
    assert!(transformation(TOMBSTONES, &[("behavior", "drop_silent")]).is_err());
}

#[test]
fn a_dropped_value_takes_its_schema_along_or_not() {
    let required = r#"{"schema":{"type":"int32","optional":false},"payload":1}"#;
    let optional = r#"{"schema":{"type":"int32","optional":true},"payload":1}"#;
    let dropped = |behavior, text| {
        let mut class = Drop::new(&config_map(&[("schema.behavior", behavior)]), Side::Value).unwrap();
        volley_api::Transformation::apply(&mut class, json_records(true, &[Some(text)]).remove(0)).unwrap()
    };
    for text in [required, optional] {
        let nullified = &dropped("nullify", text).records[0].value;
        assert!(nullified.is_null(0) && !schema::has_schema(&nullified.field));
        for behavior in ["retain", "force_optional"] {
            let kept = &dropped(behavior, text).records[0].value;
            assert!(kept.is_null(0) && kept.field.is_nullable() && schema::has_schema(&kept.field));
        }
    }
    assert_eq!(dropped("validate", optional).records.len(), 1);
    assert_eq!(dropped("validate", required).rejected.len(), 1);
    let mut class = Drop::new(&config_map(&[("schema.behavior", "validate")]), Side::Value).unwrap();
    let plain = volley_api::Transformation::apply(&mut class, plain(&[Some(r#"{"a":1}"#)])).unwrap();
    assert!(plain.records[0].value.is_null(0));
}

#[test]
fn nested_fields_are_renamed_by_their_old_paths() {
    let value = r#"{"abc":42,"etc":"etc","foo":{"a1":"k1","a2":{"b2":{"c1":"f4"},"b1":{"c1":"f4"}},
        "a3":{"b2":{"c1":"f4"},"b1":{"c1":"f4"}}},"dont":"whatever"}"#;
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let config = [("exclude", "dont"), ("renames", "foo.a2:xyz,foo:bar,foo.a3.b1:luck,foo.a3.b2.c1:happy")];
    let found = outcome(REPLACE_FIELD, &config, vec![plain(&[Some(value)])]);
    let expected = r#"{"etc":"etc","bar":{"a1":"k1","a3":{"b2":{"happy":"f4"},"luck":{"c1":"f4"}},
        "xyz":{"b2":{"c1":"f4"},"b1":{"c1":"f4"}}},"abc":42}"#;
    assert_eq!(json(&found[0].2), json(expected));
    let included = [&config[..], &[("include", "foo.a3")]].concat();
    let found = outcome(REPLACE_FIELD, &included, vec![plain(&[Some(value)])]);
    assert_eq!(json(&found[0].2), json(r#"{"bar":{"a3":{"b2":{"happy":"f4"},"luck":{"c1":"f4"}}}}"#));
}

#[test]
fn a_field_whose_own_name_has_dots_is_renamed_and_what_is_no_struct_fails() {
    let config = [("renames", "documentKey._id:_id"), ("exclude", "a.b")];
    let values = [Some(r#"{"documentKey._id":3,"a":{"b":1,"c":2}}"#), None, Some("5"), Some(r#"{"a":"x"}"#)];
    let (kept, rejected) = rows(REPLACE_FIELD, &config, vec![plain(&values)]);
    assert_eq!((kept, rejected), (vec![0, 1, 3], vec![2]));
    let found = outcome(REPLACE_FIELD, &config, vec![plain(&values[..1])]);
    assert_eq!(found[0].2, r#"{"_id":3,"a":{"c":2}}"#);
}

#[test]
fn nested_fields_with_a_schema_keep_their_nulls() {
    let values = [Some(r#"{"key":{"nestedKey":"a"}}"#), Some(r#"{"key":null}"#), None];
    let found = outcome(REPLACE_FIELD, &[("renames", "key.nestedKey:n,key:k")], nested(&values));
    let texts: Vec<&str> = found.iter().map(|(_, _, text)| text.as_str()).collect();
    assert_eq!(texts, [r#"{"k":{"n":"a"}}"#, "{}", "null"]);
}

#[test]
fn a_topic_has_the_time_of_the_first_field_that_there_is() {
    let config = [
        ("topic.format", "foo-${topic}-${timestamp}"),
        ("message.timestamp.format", "yyyy-MM-dd"),
        ("topic.timestamp.format", "yyyy.MM.dd"),
        ("message.timestamp.keys", "timestamp,time,ts"),
    ];
    let values = [
        Some(r#"{"ts":"2020-01-01","time":"2021-02-03"}"#),
        Some(r#"{"ts":"2020-01-01"}"#),
        Some(r#"{"ts":"x"}"#),
        Some(r#"{"a":1}"#),
        None,
        Some(r#"{"time":86400000}"#),
        Some(r#"{"time":[1]}"#),
    ];
    let topics: Vec<String> =
        outcome(ROUTER, &config, vec![plain(&values)]).into_iter().map(|(_, topic, _)| topic).collect();
    let expected =
        ["foo-t-2021.02.03", "foo-t-2020.01.01", "rejected", "rejected", "rejected", "foo-t-1970.01.02", "rejected"];
    assert_eq!(topics, expected);
    let millis = [("message.timestamp.keys", "ts"), ("message.timestamp.format", "")];
    let found = outcome(ROUTER, &millis, vec![plain(&[Some(r#"{"ts":1700000000000}"#)])]);
    assert_eq!(found[0].1, "t-20231114");
}

#[test]
fn every_row_is_treated_for_itself() {
    let batches = [mixed(), nested(&[Some(r#"{"key":{"nestedKey":"a"}}"#), None, Some(r#"{"key":null}"#)]).remove(0)];
    for condition in ["$[?(@.a == 1 || @.b == 'x')]", "$.a", "$.key[?(@.nestedKey == 'a')]", "$[?(@ > 1)]"] {
        for behavior in ["fail", "include", "exclude"] {
            let config = config_map(&[
                ("filter.condition", condition),
                ("filter.type", "include"),
                ("missing.or.null.behavior", behavior),
            ]);
            keeps_filters_or_rejects_every_row(|| Filter::new(&config, Side::Value), &batches);
        }
    }
    for field in ["b", "a", ""] {
        let config = config_map(&[("field", field)]);
        keeps_filters_or_rejects_every_row(|| ExtractTopic::new(&config, Side::Value), &batches);
    }
    let config = config_map(&[("message.timestamp.keys", "a,b")]);
    keeps_filters_or_rejects_every_row(|| MessageTimestampRouter::new(&config), &batches);
}

#[test]
fn sliced_columns_are_read_from_where_they_begin() {
    let values = [r#"{"a":["x"]}"#, r#"{"a":["y","x"]}"#, r#"{"a":[]}"#, r#"{"a":["z"]}"#].map(Some);
    let all = plain(&values);
    let column = Column::new(Arc::clone(&all.value.field), all.value.array.slice(1, 3));
    let records = Records { value: column, ..all.slice(1, 3) };
    let config = [("filter.condition", "$.a[?(@ == 'x')]"), ("filter.type", "include")];
    assert_eq!(rows(FILTER, &config, vec![records]), (vec![1], vec![]));
}
