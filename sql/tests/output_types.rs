//! The types of a query's results, told before there are records.

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use volley_api::{ErrorKind, RecordFields, Transformation};

use crate::fixtures::{batches, sql};

fn input(fixture: &str) -> RecordFields {
    let records = batches(fixture).unwrap().remove(0);
    RecordFields { key: records.key.field, value: records.value.field }
}

fn told(query: &str) -> RecordFields {
    sql(query).unwrap().output_fields("orders", &input("orders")).unwrap().unwrap()
}

#[test]
fn names_types_and_whether_a_field_is_required_are_told_as_they_come() {
    let fields = told(
        "SELECT id, price, amount * 2 AS twice, at, items[1].sku, userId ->> 'x' AS x, '{}' -> 'y' AS y, c.rate \
         FROM records LEFT JOIN countries c ON country = code",
    );
    let DataType::Struct(children) = fields.value.data_type() else { panic!("{fields:?}") };
    let shown: Vec<_> =
        children.iter().map(|field| (field.name().as_str(), field.data_type().clone(), field.is_nullable())).collect();
    let timestamp = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
    assert_eq!(
        shown,
        [
            ("id", DataType::Int64, false),
            ("price", DataType::Decimal128(38, 2), true),
            ("twice", DataType::Int64, true),
            ("at", timestamp, true),
            ("sku", DataType::Utf8, true),
            ("x", DataType::Utf8, true),
            ("y", DataType::Utf8, true),
            ("rate", DataType::Int64, true),
        ]
    );
}

#[test]
fn what_is_told_is_what_records_get() {
    for query in [
        "SELECT * FROM records",
        "SELECT id, unnest(items) AS item, country AS _key FROM records",
        "SELECT id AS _key, to_timezone(at, 'UTC') AS t, at AS _timestamp, 'x' AS _topic FROM records",
        "SELECT mask(userId) AS m, json_object_keys(userId) AS k, named_struct('a', id) AS s FROM records",
    ] {
        let records = sql(query).unwrap().apply(batches("orders").unwrap().remove(0)).unwrap().records.remove(0);
        let got = RecordFields { key: Arc::clone(&records.key.field), value: Arc::clone(&records.value.field) };
        assert_eq!(told(query), got, "{query}");
    }
}

#[test]
fn a_query_that_does_not_fit_is_said_so_with_its_place() {
    for (query, expected) in [
        (
            "SELECT nothing FROM records",
            "`query`, line 1, column 8: the records of topic `orders` have no column `nothing`",
        ),
        ("SELECT userId * 2 AS x FROM records", "Cannot coerce"),
    ] {
        let error = sql(query).unwrap().output_fields("orders", &input("orders")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(expected), "{error}");
    }
    // without a schema a field may be missing
    let told = sql("SELECT n, nothing FROM records").unwrap().output_fields("events", &input("events")).unwrap();
    let DataType::Struct(children) = told.unwrap().value.data_type().clone() else { panic!("no struct") };
    assert_eq!(children.len(), 2);
}
