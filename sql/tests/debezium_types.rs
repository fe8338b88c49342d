//! Debezium's semantic types: times for a query, and what they were where they are only passed on.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, Int32Array, Int64Array, StructArray};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Int64Type, TimestampMillisecondType};
use volley_api::schema::NAME;
use volley_api::{Column, Records, Transformation, testing};

use crate::fixtures::sql;

const AT: i64 = 1_700_000_000_000_001;

fn named(name: &str, data_type: DataType, schema: &str) -> FieldRef {
    Arc::new(Field::new(name, data_type, true).with_metadata([(NAME.to_owned(), schema.to_owned())].into()))
}

/// Two rows with a point in time, and a number with a scale of its own; in the second both are null.
fn changes() -> Records {
    let at: ArrayRef = Arc::new(Int64Array::from(vec![Some(AT), None]));
    let parts: Fields =
        vec![Field::new("scale", DataType::Int32, false), Field::new("value", DataType::Binary, false)].into();
    let scales: ArrayRef = Arc::new(Int32Array::from(vec![2, 0]));
    let values: ArrayRef = Arc::new(BinaryArray::from(vec![[0x30, 0x39].as_slice(), &[]]));
    let price = StructArray::new(parts, vec![scales, values], Some(vec![true, false].into()));
    let fields: Fields = vec![
        named("at", DataType::Int64, "io.debezium.time.MicroTimestamp"),
        named("price", price.data_type().clone(), "io.debezium.data.VariableScaleDecimal"),
    ]
    .into();
    let value = StructArray::new(fields, vec![at, Arc::new(price)], None);
    testing::records("changes", Column::new(named("value", value.data_type().clone(), "Envelope"), Arc::new(value)))
}

fn result(query: &str) -> Column {
    let transformed = sql(query).unwrap().apply(changes()).unwrap();
    assert!(transformed.rejected.is_empty(), "{:?}", transformed.rejected);
    transformed.records.into_iter().next().unwrap().value
}

#[test]
fn a_time_is_a_time_for_a_query() {
    let query = "SELECT date_part('year', at) AS year, at AS _timestamp, date_trunc('hour', at) AS hour, \
                 at < TIMESTAMP '2024-01-01' AS old FROM records";
    let transformed = sql(query).unwrap().apply(changes()).unwrap();
    let records = &transformed.records[0];
    assert_eq!(records.timestamps.to_vec(), [AT / 1000, -1]);
    let value = records.value.array.as_struct();
    assert_eq!(arrow::util::display::array_value_to_string(value.column(0), 0).unwrap(), "2023");
    assert_eq!(value.column(1).as_primitive::<TimestampMillisecondType>().value(0) % 3_600_000, 0);
    assert!(value.column(2).as_boolean().value(0));
}

#[test]
fn what_is_only_passed_on_is_what_it_was() {
    for query in ["SELECT * FROM records", "SELECT at, price FROM records"] {
        let (value, before) = (result(query), changes().value);
        assert_eq!(value.array.as_struct().fields(), before.array.as_struct().fields(), "{query}");
        assert_eq!(value.array.as_struct().column(0).as_primitive::<Int64Type>().value(0), AT);
        assert_eq!(value.array.as_struct().columns(), before.array.as_struct().columns(), "{query}");
    }
}

#[test]
fn a_number_with_a_scale_of_its_own_is_text_on_request() {
    let value =
        result("SELECT decimal_text(price) AS price, CAST(decimal_text(price) AS DECIMAL(20, 3)) AS d FROM records");
    let texts = value.array.as_struct().column(0).as_string::<i32>();
    assert_eq!(texts.iter().collect::<Vec<_>>(), [Some("123.45"), None]);
    assert_eq!(arrow::util::display::array_value_to_string(value.array.as_struct().column(1), 0).unwrap(), "123.450");
}
