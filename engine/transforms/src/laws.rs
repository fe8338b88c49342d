//! What holds for transformations of columns, beyond what Java says.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, MapBuilder, StringArray, StringBuilder, StructArray, UInt32Array};
use arrow::datatypes::{DataType, Field, Int64Type};
use proptest::prelude::*;
use volley_api::testing::{column, config_map, consumed, records, texts};
use volley_api::{Column, PluginFactory, Records, Side, Transformation, TransformationContext, Transformed, schema};

use crate::conformance_tests::{maps, orders};
use crate::{Cast, ExtractField, MaskField, ReplaceField, TimestampRouter, plugins};

/// Transformations of values, with a configuration that does something.
const ALL: [(&str, &[(&str, &str)]); 10] = [
    ("Cast$Value", &[("spec", "id:string")]),
    ("ExtractField$Value", &[("field", "name")]),
    ("Flatten$Value", &[]),
    ("HeaderFrom$Value", &[("fields", "id"), ("headers", "h"), ("operation", "move")]),
    ("HoistField$Value", &[("field", "f")]),
    ("MaskField$Value", &[("fields", "name")]),
    ("ReplaceField$Value", &[("exclude", "id")]),
    ("SetSchemaMetadata$Value", &[("schema.name", "n")]),
    ("TimestampConverter$Value", &[("field", "id"), ("target.type", "Timestamp")]),
    ("ValueToKey", &[("fields", "id")]),
];

fn transformation(name: &str, entries: &[(&str, &str)]) -> Box<dyn Transformation> {
    let class = format!("org.apache.kafka.connect.transforms.{name}");
    let plugin = plugins().into_iter().find(|plugin| plugin.class == class).unwrap();
    match &plugin.factory {
        PluginFactory::Transformation(new) => new(TransformationContext::default(), &config_map(entries)).unwrap(),
        _ => panic!("{class} is no transformation"),
    }
}

fn without_schema(column: &Column) -> Column {
    let field = schema::without_schema(Field::clone(&column.field));
    Column::new(Arc::new(field), Arc::clone(&column.array))
}

#[test]
fn batches_of_one_schema_share_the_output_schema() {
    for (name, entries) in ALL {
        let mut transformation = transformation(name, entries);
        for batch in [orders(), maps()] {
            let mut fields = || {
                let records = transformation.apply(batch.clone()).unwrap().records;
                records.into_iter().map(|records| (records.key.field, records.value.field)).collect::<Vec<_>>()
            };
            for ((key, value), (key_again, value_again)) in fields().into_iter().zip(fields()) {
                assert!(Arc::ptr_eq(&value, &value_again), "{name}: {value}");
                assert!(name != "ValueToKey" || Arc::ptr_eq(&key, &key_again), "{name}: {key}");
            }
        }
    }
}

#[test]
fn a_null_between_structs_passes_or_is_the_only_one_rejected() {
    for (name, entries) in ALL {
        let Transformed { records, rejected } = transformation(name, entries).apply(orders()).unwrap();
        let rejected: Vec<usize> = rejected.iter().map(|rejected| rejected.row).collect();
        let rows: Vec<usize> = records.iter().flat_map(|records| records.rows.iter()).collect();
        match name {
            "HeaderFrom$Value" | "MaskField$Value" | "ValueToKey" => {
                assert_eq!((rows, rejected), (vec![0, 1, 3, 4, 5], vec![2]), "{name}");
            }
            _ => assert_eq!((rows, rejected), (vec![0, 1, 2, 3, 4, 5], vec![]), "{name}"),
        }
    }
}

#[test]
fn a_row_that_fails_is_rejected_and_the_others_go_on() {
    let names = StringArray::from(vec![Some("1"), Some("x"), None, Some("300"), Some("-7")]);
    let fields = vec![Field::new("n", DataType::Utf8, true)];
    let values = StructArray::new(fields.into(), vec![Arc::new(names) as ArrayRef], None);
    let batch = consumed("t", 0, 0, column(values));
    let mut cast = Cast::new(&config_map(&[("spec", "n:int8")]), Side::Value).unwrap();
    let Transformed { records, rejected } = cast.apply(batch).unwrap();
    let numbers = arrow::compute::cast(records[0].value.array.as_struct().column(0), &DataType::Int64).unwrap();
    assert_eq!(numbers.as_primitive::<Int64Type>().iter().collect::<Vec<_>>(), [Some(1), None, Some(-7)]);
    let rejected: Vec<_> = rejected.iter().map(|rejected| (rejected.row, rejected.error.to_string())).collect();
    let out_of_range = |text| format!("Value ({text}) was out of range for requested data type");
    assert_eq!(rejected, [(1, out_of_range("x")), (3, out_of_range("300"))]);
}

#[test]
fn a_default_that_cannot_be_cast_fails_with_every_record() {
    let default = [(schema::DEFAULT.to_owned(), "\"x\"".to_owned())].into_iter().collect();
    let values = texts([Some("1"), None, Some("2")]);
    let field = Arc::new(Field::clone(&values.field).with_metadata(default));
    let whole = Column::new(Arc::clone(&field), Arc::clone(&values.array));
    let structs = StructArray::new(vec![field].into(), vec![values.array], None);
    for (spec, values, expected) in [("int8", whole, vec![0, 2]), ("value:int8", column(structs), vec![0, 1, 2])] {
        let mut cast = Cast::new(&config_map(&[("spec", spec)]), Side::Value).unwrap();
        let rejected = cast.apply(records("t", values)).unwrap().rejected;
        assert_eq!(rejected.iter().map(|rejected| rejected.row).collect::<Vec<_>>(), expected, "{spec}");
    }
}

#[test]
fn json_texts_that_the_user_wants_stay_json_texts() {
    let texts = texts([Some(r#"{"a":"x","b":1}"#), Some(r#"{"a":5}"#), None]);
    let field = schema::without_schema(schema::json_text_field("value"));
    let batch = records("t", Column::new(Arc::new(field), texts.array));
    let mut mask = MaskField::new(&config_map(&[("fields", "a")]), Side::Value).unwrap();
    let Transformed { records, rejected } = mask.apply(batch).unwrap();
    assert_eq!(rejected.iter().map(|rejected| rejected.row).collect::<Vec<_>>(), [2]);
    for records in records {
        assert!(schema::is_json_text(&records.value.field) && !schema::is_mixed(&records.value.field));
        for (row, text) in records.rows.iter().zip(records.value.array.as_string::<i32>()) {
            let json: serde_json::Value = serde_json::from_str(text.unwrap()).unwrap();
            assert_eq!(json["a"], [serde_json::json!(""), serde_json::json!(0)][row]);
        }
    }
}

#[test]
fn a_field_of_json_text_can_be_looked_into() {
    let docs: ArrayRef = Arc::new(StringArray::from(vec![Some(r#"{"a":7}"#), Some(r#"{"b":1}"#), None]));
    let fields = vec![Arc::new(schema::json_text_field("doc"))];
    let values = without_schema(&column(StructArray::new(fields.into(), vec![docs], None)));
    let entries = [("field", "doc.a"), ("field.syntax.version", "V2")];
    let mut extract = ExtractField::new(&config_map(&entries), Side::Value).unwrap();
    let Transformed { records, rejected } = extract.apply(records("t", values)).unwrap();
    assert!(rejected.is_empty());
    let found = records.iter().flat_map(|records| {
        records.rows.iter().zip((0..records.len()).map(|row| !records.value.is_null(row)).collect::<Vec<_>>())
    });
    assert_eq!(found.filter(|(_, is_there)| *is_there).map(|(row, _)| row).collect::<Vec<_>>(), [0]);
}

#[test]
fn a_map_without_a_schema_has_its_entries_as_fields() {
    let mut maps = MapBuilder::new(None, StringBuilder::new(), Int64Array::builder(2));
    maps.keys().append_value("a");
    maps.values().append_value(7);
    maps.append(true).unwrap();
    let batch = records("t", without_schema(&column(maps.finish())));
    let mut extract = ExtractField::new(&config_map(&[("field", "a")]), Side::Value).unwrap();
    let found = extract.apply(batch).unwrap().records;
    assert_eq!(found[0].value.array.as_primitive::<Int64Type>().values(), &[7]);
}

#[test]
fn a_text_stays_a_text_beside_mixed_values_of_the_same_new_name() {
    let mixed = texts([Some("true"), None]).array;
    let plain: ArrayRef = Arc::new(StringArray::from(vec![None, Some("true")]));
    let fields = vec![Arc::new(schema::mixed_field("d")), Arc::new(Field::new("b", DataType::Utf8, true))];
    let values = without_schema(&column(StructArray::new(fields.into(), vec![mixed, plain], None)));
    let mut rename = ReplaceField::new(&config_map(&[("renames", "d:b")]), Side::Value).unwrap();
    let value = rename.apply(records("t", values)).unwrap().records.remove(0).value;
    let texts = value.array.as_struct().column_by_name("b").unwrap();
    assert_eq!(texts.as_string::<i32>().iter().collect::<Vec<_>>(), [Some("true"), Some("\"true\"")]);
}

#[test]
fn a_column_of_mixed_types_is_cast_type_by_type() {
    let numbers = texts([Some("5"), Some("\"7\""), Some("true"), Some("\"x\""), None, Some("[1]")]);
    let fields = vec![Arc::new(schema::mixed_field("n"))];
    let values = without_schema(&column(StructArray::new(fields.into(), vec![numbers.array], None)));
    let mut cast = Cast::new(&config_map(&[("spec", "n:int64")]), Side::Value).unwrap();
    let Transformed { records, rejected } = cast.apply(records("t", values)).unwrap();
    assert_eq!(rejected.iter().map(|rejected| rejected.row).collect::<Vec<_>>(), [3, 5]);
    let mut found: Vec<(usize, Option<i64>)> = Vec::new();
    for records in &records {
        let numbers = records.value.array.as_struct().column(0).as_primitive::<Int64Type>();
        found.extend(records.rows.iter().zip(numbers));
    }
    found.sort();
    assert_eq!(found, [(0, Some(5)), (1, Some(7)), (2, Some(1)), (4, None)]);
}

proptest! {
    #[test]
    fn timestamp_router_gives_each_topic_its_rows_in_order(times in prop::collection::vec(-1i64..40, 1..60)) {
        let values = texts(times.iter().map(|_| "v"));
        let batch = Records { timestamps: times.clone().into(), ..consumed("t", 0, 0, values) };
        let config = config_map(&[("topic.format", "${timestamp}"), ("timestamp.format", "S")]);
        let Transformed { records, rejected } = TimestampRouter::new(&config).unwrap().apply(batch).unwrap();
        let mut seen = rejected.len();
        for rejected in rejected {
            prop_assert_eq!(times[rejected.row], -1);
        }
        for records in records {
            let rows: Vec<usize> = records.rows.iter().collect();
            prop_assert!(rows.is_sorted());
            seen += rows.len();
            for row in rows {
                prop_assert_eq!(times[row].to_string(), &*records.topic);
            }
        }
        prop_assert_eq!(seen, times.len());
    }

    #[test]
    fn names_that_are_exchanged_twice_are_as_before(rows in prop::collection::vec((any::<i64>(), "[a-z]{0,3}"), 1..20)) {
        let (ids, names): (Vec<i64>, Vec<String>) = rows.into_iter().unzip();
        let fields = vec![Field::new("a", DataType::Int64, false), Field::new("b", DataType::Utf8, false)];
        let arrays: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(ids)), Arc::new(StringArray::from(names))];
        let values = column(StructArray::new(fields.into(), arrays, None));
        for values in [without_schema(&values), values] {
            let mut exchange = ReplaceField::new(&config_map(&[("renames", "a:b,b:a")]), Side::Value).unwrap();
            let once = exchange.apply(records("t", values.clone())).unwrap().records.remove(0);
            let twice = exchange.apply(once.clone()).unwrap().records.remove(0);
            prop_assert_eq!(&twice.value.field, &values.field);
            prop_assert_eq!(&twice.value.array, &values.array);
            let part = once.value.take(&UInt32Array::from(vec![0])).unwrap();
            prop_assert_eq!(part.array.as_struct().column_names(), ["b", "a"]);
        }
    }
}
