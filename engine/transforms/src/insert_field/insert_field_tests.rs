//! InsertField, compared with Kafka's and with a naive reference that works row by row.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field};
use arrow::util::display::array_value_to_string;
use proptest::prelude::*;
use volley_api::{
    Column, ErrorKind, OffsetRange, Origin, Records, RowIndex, Side, TimestampType, TopicPartition, Transformation,
    Transformed, schema,
};

use crate::InsertField;
use volley_api::testing::{config_map, records, texts};

const ALL: [(&str, &str); 6] = [
    ("topic.field", "t!"),
    ("partition.field", "p"),
    ("offset.field", "o?"),
    ("timestamp.field", "ts!"),
    ("static.field", "s"),
    ("static.value", "v"),
];

/// A batch: for each row whether the value is a struct at all, and its field `b`.
#[derive(Clone, Debug)]
struct Batch {
    rows: Vec<(bool, Option<String>)>,
    timestamps: Vec<i64>,
    partition: Option<i32>,
    is_sink: bool,
    has_schema: bool,
}

impl Batch {
    fn of(rows: &[Option<&str>]) -> Self {
        Self {
            rows: rows.iter().map(|b| (true, b.map(str::to_owned))).collect(),
            timestamps: vec![1_700_000_000_000; rows.len()],
            partition: Some(7),
            is_sink: true,
            has_schema: true,
        }
    }

    fn records(&self) -> Records {
        let len = self.rows.len();
        let default = HashMap::from([(schema::DEFAULT.to_owned(), "\"dd\"".to_owned())]);
        let fields = vec![
            Field::new("a", DataType::Int64, !self.has_schema),
            Field::new("b", DataType::Utf8, true).with_metadata(if self.has_schema { default } else { HashMap::new() }),
        ];
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from_iter_values(0..len as i64)),
            Arc::new(self.rows.iter().map(|(_, b)| b.clone()).collect::<StringArray>()),
        ];
        let nulls: NullBuffer = self.rows.iter().map(|(is_struct, _)| *is_struct).collect();
        let array = StructArray::new(fields.clone().into(), columns, Some(nulls));
        let name = HashMap::from([(schema::NAME.to_owned(), "n".to_owned())]);
        let field = Field::new("value", DataType::Struct(fields.into()), true);
        let field = if self.has_schema { field.with_metadata(name) } else { schema::without_schema(field) };
        let origin = Origin {
            partition: TopicPartition::new("t", 7),
            range: OffsetRange { first: 100, end: 100 + len as i64 },
            offsets: (100..100 + len as i64).collect(),
            timestamp_type: TimestampType::CreateTime,
            timestamps: vec![-1; len].into(),
        };
        Records {
            topic: "top".into(),
            kafka_partition: self.partition,
            key: Column::nulls(len),
            value: Column::new(Arc::new(field), Arc::new(array)),
            timestamps: self.timestamps.clone().into(),
            headers: None,
            rows: RowIndex::all(len),
            origin: self.is_sink.then(|| Arc::new(origin)),
        }
    }
}

fn insert(entries: &[(&str, &str)], batch: &Batch) -> Transformed {
    InsertField::new(&config_map(entries), Side::Value).unwrap().apply(batch.records()).unwrap()
}

/// A row as `{name: value}` without nulls; `None` for a null.
fn shown(records: &Records, row: usize) -> Option<BTreeMap<String, String>> {
    let structs = records.value.array.as_struct();
    if structs.is_null(row) {
        return None;
    }
    let members = structs.fields().iter().zip(structs.columns()).filter(|(_, column)| column.is_valid(row));
    Some(members.map(|(field, column)| (field.name().clone(), array_value_to_string(column, row).unwrap())).collect())
}

fn types(records: &Records) -> Vec<String> {
    let DataType::Struct(fields) = records.value.field.data_type() else { panic!("no struct") };
    let optional = |field: &Field| if field.is_nullable() { "?" } else { "" };
    fields.iter().map(|field| format!("{}:{}{}", field.name(), field.data_type(), optional(field))).collect()
}

#[test]
fn fields_are_added_behind_the_others_with_kafka_s_types() {
    let batch = Batch::of(&[Some("x"), None]);
    let outcome = insert(&ALL, &batch);
    let records = &outcome.records[0];
    assert_eq!(
        types(records),
        ["a:Int64", "b:Utf8?", "t:Utf8", "p:Int32?", "o:Int64?", "ts:Timestamp(ms, \"UTC\")", "s:Utf8?"]
    );
    let row = shown(records, 1).unwrap();
    assert_eq!((row["b"].as_str(), row["t"].as_str(), row["p"].as_str()), ("dd", "top", "7"));
    assert_eq!((row["o"].as_str(), row["ts"].as_str(), row["s"].as_str()), ("101", "2023-11-14T22:13:20Z", "v"));
    assert_eq!(records.value.field.metadata()[schema::NAME], "n");
    let batch = Batch { has_schema: false, ..batch };
    let outcome = insert(&ALL, &batch);
    assert_eq!(types(&outcome.records[0])[2..], ["t:Utf8?", "p:Int64?", "o:Int64?", "ts:Int64?", "s:Utf8?"]);
    assert_eq!(shown(&outcome.records[0], 1).unwrap()["ts"], "1700000000000");
    assert!(!schema::has_schema(&outcome.records[0].value.field));
}

#[test]
fn nulls_stay_nulls_where_their_default_is_not_wanted() {
    let entries = [("topic.field", "t"), ("replace.null.with.default", "false")];
    let outcome = insert(&entries, &Batch::of(&[None]));
    assert!(!shown(&outcome.records[0], 0).unwrap().contains_key("b"));
}

#[test]
fn a_name_ends_in_one_mark_at_most() {
    for (spec, field) in [("x!!", "x!:Utf8"), ("x?!", "x?:Utf8"), ("x!?", "x!:Utf8?"), ("y !", "y :Utf8")] {
        let outcome = insert(&[("topic.field", spec)], &Batch::of(&[None]));
        assert_eq!(types(&outcome.records[0])[2], field, "{spec}");
    }
}

#[test]
fn a_schema_has_no_two_fields_of_a_name_but_a_map_s_entry_is_replaced() {
    for (spec, message) in [
        ("a", "Cannot create field because of field name duplication a"),
        ("", "fieldName cannot be null."),
        ("!", "fieldName cannot be null."),
    ] {
        let outcome = insert(&[("topic.field", spec)], &Batch::of(&[Some("x")]));
        assert!(outcome.records.is_empty());
        let error = &outcome.rejected[0].error;
        assert_eq!((error.to_string().as_str(), error.kind()), (message, ErrorKind::Data));
        assert_eq!(error.exception(), "org.apache.kafka.connect.errors.SchemaBuilderException");
    }
    let schemaless = Batch { has_schema: false, ..Batch::of(&[Some("x")]) };
    let outcome = insert(&[("topic.field", "a")], &schemaless);
    assert_eq!(shown(&outcome.records[0], 0).unwrap()["a"], "top");
}

#[test]
fn entries_of_a_map_stay_where_there_is_nothing_to_replace_them() {
    let batch = Batch { has_schema: false, timestamps: vec![-1, 5], ..Batch::of(&[Some("x"), Some("y")]) };
    let outcome = insert(&[("timestamp.field", "a")], &batch);
    let values = |row| shown(&outcome.records[0], row).unwrap()["a"].clone();
    assert_eq!((values(0), values(1)), ("0".to_owned(), "5".to_owned()));
    let outcome = insert(&[("timestamp.field", "b")], &batch);
    let values = |row| shown(&outcome.records[0], row).unwrap()["b"].clone();
    assert_eq!((values(0), values(1)), ("\"x\"".to_owned(), "5".to_owned()));
}

#[test]
fn only_structs_and_maps_take_fields() {
    for (has_schema, expected) in [
        (true, "Only Struct objects supported for [field insertion], found: java.lang.String"),
        (false, "Only Map objects supported in absence of schema for [field insertion], found: java.lang.String"),
    ] {
        let mut records = records("t", texts([Some("x"), None]));
        if !has_schema {
            let field = schema::without_schema(records.value.field.as_ref().clone());
            records.value = Column::new(Arc::new(field), Arc::clone(&records.value.array));
        }
        let outcome = InsertField::new(&config_map(&ALL), Side::Value).unwrap().apply(records).unwrap();
        assert_eq!(outcome.rejected[0].error.to_string(), expected);
        assert_eq!((outcome.rejected[0].row, outcome.records[0].len()), (0, 1), "the tombstone passes");
    }
}

#[test]
fn json_texts_take_fields_one_by_one() {
    let mut records = records("t", texts([Some("{\"a\":1}"), Some("[1]"), None]));
    let field = schema::without_schema(schema::json_text_field("value"));
    records.value = Column::new(Arc::new(field), Arc::clone(&records.value.array));
    let entries = [("topic.field", "t")];
    let outcome = InsertField::new(&config_map(&entries), Side::Value).unwrap().apply(records).unwrap();
    let texts: Vec<_> = outcome.records[0].value.array.as_string::<i32>().iter().collect();
    assert_eq!(texts, [Some("{\"a\":1,\"t\":\"t\"}"), None]);
    assert_eq!(outcome.rejected[0].row, 1);
}

#[test]
fn the_key_has_a_transformation_of_its_own() {
    let batch = Batch::of(&[Some("x")]);
    let mut records = batch.records();
    std::mem::swap(&mut records.key, &mut records.value);
    let mut transformation = InsertField::new(&config_map(&[("topic.field", "t")]), Side::Key).unwrap();
    let outcome = transformation.apply(records).unwrap();
    assert_eq!(outcome.records[0].key.array.as_struct().column_names(), ["a", "b", "t"]);
}

#[test]
fn configurations_that_insert_nothing_are_refused() {
    let refused =
        |entries: &[(&str, &str)]| InsertField::new(&config_map(entries), Side::Value).unwrap_err().to_string();
    assert_eq!(refused(&[]), "No field insertion configured");
    assert_eq!(refused(&[("static.value", "v")]), "No field insertion configured");
    let missing = "Invalid value null for configuration static.value: No value specified for static field: s!";
    assert_eq!(refused(&[("static.field", "s!")]), missing);
}

#[test]
fn batches_of_one_schema_share_the_output_schema() {
    let mut transformation = InsertField::new(&config_map(&ALL), Side::Value).unwrap();
    let batch = Batch::of(&[Some("x")]);
    let mut field = || Arc::clone(&transformation.apply(batch.records()).unwrap().records[0].value.field);
    assert!(Arc::ptr_eq(&field(), &field()));
}

/// What Kafka does with one record: `Err` is a rejected one, `Ok(None)` a null.
fn reference(
    entries: &HashMap<&str, String>,
    batch: &Batch,
    row: usize,
) -> Result<Option<BTreeMap<String, String>>, ()> {
    let (is_struct, b) = &batch.rows[row];
    if !is_struct {
        return Ok(None);
    }
    let mut members = BTreeMap::from([("a".to_owned(), row.to_string())]);
    let default = entries.get("replace.null.with.default").is_none_or(|flag| flag == "true") && batch.has_schema;
    if let Some(b) = b.clone().or(default.then(|| "dd".to_owned())) {
        members.insert("b".to_owned(), b);
    }
    let time = batch.timestamps[row];
    let time = (time != -1).then(|| match batch.has_schema {
        true => format!("1970-01-01T00:00:{:02}Z", time / 1000),
        false => time.to_string(),
    });
    let offset = batch.is_sink.then(|| (100 + row).to_string());
    let mut names = vec!["a".to_owned(), "b".to_owned()];
    for (key, value) in [
        ("topic.field", Some("top".to_owned())),
        ("partition.field", batch.partition.map(|partition| partition.to_string())),
        ("offset.field", offset),
        ("timestamp.field", time),
        ("static.field", Some("v".to_owned())),
    ] {
        let Some(spec) = entries.get(key) else { continue };
        let name = spec.trim_end_matches(['!', '?']).to_owned();
        if batch.has_schema && names.contains(&name) || key == "offset.field" && value.is_none() {
            return Err(());
        }
        names.push(name.clone());
        match value {
            Some(value) => drop(members.insert(name, value)),
            None if batch.has_schema && spec.ends_with('!') => return Err(()),
            None => {}
        }
    }
    Ok(Some(members))
}

fn any_batch() -> impl Strategy<Value = Batch> {
    let row = (any::<bool>(), prop::option::of("[xyz]"), prop_oneof![Just(-1i64), (0i64..60).prop_map(|s| s * 1000)]);
    (prop::collection::vec(row, 1..12), prop::option::of(0i32..4), any::<bool>(), any::<bool>()).prop_map(
        |(rows, partition, is_sink, has_schema)| Batch {
            timestamps: rows.iter().map(|row| row.2).collect(),
            rows: rows.into_iter().map(|(is_struct, b, _)| (is_struct, b)).collect(),
            partition,
            is_sink,
            has_schema,
        },
    )
}

fn any_entries() -> impl Strategy<Value = HashMap<&'static str, String>> {
    let keys = ["topic.field", "partition.field", "offset.field", "timestamp.field", "static.field"];
    let spec = prop::option::of(("[acdef]", prop_oneof![Just(""), Just("!"), Just("?")]));
    (prop::collection::vec(spec, 5), prop::option::of(any::<bool>())).prop_filter_map(
        "no field",
        move |(specs, flag)| {
            let named = keys.into_iter().zip(specs);
            let mut entries: HashMap<&str, String> =
                named.filter_map(|(key, spec)| spec.map(|(name, mark)| (key, format!("{name}{mark}")))).collect();
            if entries.is_empty() {
                return None;
            }
            entries.insert("static.value", "v".to_owned());
            flag.map(|flag| entries.insert("replace.null.with.default", flag.to_string()));
            Some(entries)
        },
    )
}

proptest! {
    #[test]
    fn columns_give_what_rows_would(entries in any_entries(), batch in any_batch()) {
        let given: Vec<_> = entries.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let outcome = insert(&given, &batch);
        let mut found: BTreeMap<usize, Result<Option<BTreeMap<String, String>>, ()>> = BTreeMap::new();
        for rejected in &outcome.rejected {
            prop_assert!(found.insert(rejected.row, Err(())).is_none());
        }
        for records in &outcome.records {
            for row in 0..records.len() {
                let unquoted = shown(records, row).map(|members| {
                    members.into_iter().map(|(name, value)| (name, value.trim_matches('"').to_owned())).collect()
                });
                prop_assert!(found.insert(records.rows.input_row(row), Ok(unquoted)).is_none());
            }
        }
        for row in 0..batch.rows.len() {
            prop_assert_eq!(&found[&row], &reference(&entries, &batch, row), "row {}", row);
        }
        prop_assert_eq!(found.len(), batch.rows.len());
    }
}
