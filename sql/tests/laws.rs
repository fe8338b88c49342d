//! What the SQL transformation promises beyond its results.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StructArray, UInt32Array};
use arrow::datatypes::{DataType, Field, Fields, Int64Type};
use proptest::prelude::*;
use volley_api::schema::{DECIMAL, HAS_SCHEMA, NAME, has_schema};
use volley_api::testing::keeps_filters_or_rejects_every_row;
use volley_api::{Column, ErrorKind, Records, RowIndex, Stage, Transformation};

use crate::fixtures::{apply, batches, records, sql, structs};

fn orders() -> Records {
    batches("orders").unwrap().remove(0)
}

fn numbers(values: Vec<Option<i64>>) -> Records {
    let array: ArrayRef = Arc::new(Int64Array::from(values));
    let fields = Fields::from(vec![Field::new("n", DataType::Int64, true)]);
    let field = Field::new("value", DataType::Struct(fields.clone()), false);
    records("numbers", 0, Column::new(Arc::new(field), Arc::new(StructArray::new(fields, vec![array], None))))
}

fn field<'r>(records: &'r Records, name: &str) -> &'r Field {
    let DataType::Struct(fields) = records.value.field.data_type() else { panic!("no struct") };
    fields.find(name).unwrap().1
}

#[test]
fn columns_that_nothing_happens_to_are_shared_not_copied() {
    let input = orders();
    let output = apply("SELECT * FROM records", input.clone()).remove(0);
    assert_eq!(output.value.field, input.value.field);
    assert_eq!(output.rows, RowIndex::all(3));
    let (before, after) = (input.value.array.as_struct(), output.value.array.as_struct());
    for (before, after) in before.columns().iter().zip(after.columns()) {
        assert!(before.to_data().ptr_eq(&after.to_data()));
    }
    assert!(input.key.array.to_data().ptr_eq(&output.key.array.to_data()));
    assert!(Arc::ptr_eq(input.headers.as_ref().unwrap(), output.headers.as_ref().unwrap()));
}

#[test]
fn rows_keep_the_origin_of_the_pipelines_input_through_two_queries() {
    let input = orders();
    let first = apply("SELECT * FROM records WHERE id > 1", input).remove(0);
    assert_eq!(first.rows, RowIndex::Selected(UInt32Array::from(vec![1, 2])));
    let second = apply("SELECT id, _offset AS o FROM records WHERE id > 2", first).remove(0);
    assert_eq!(second.rows, RowIndex::Selected(UInt32Array::from(vec![2])));
    assert_eq!(second.offset(0), Some(102));
    assert_eq!(second.value.array.as_struct().column(1).as_primitive::<Int64Type>().value(0), 102);
    assert_eq!(second.headers.unwrap()[0][0].name.as_ref(), "trace");
}

#[test]
fn rejected_rows_name_the_row_of_the_pipelines_input() {
    let filtered = apply("SELECT * FROM records WHERE id > 1", orders()).remove(0);
    let transformed = sql("SELECT CAST(qty AS INT) AS qty FROM records").unwrap().apply(filtered).unwrap();
    let rejected = &transformed.rejected[0];
    assert_eq!((rejected.row, rejected.stage, rejected.class.as_str()), (1, Stage::Transformation, "Sql"));
    assert_eq!(rejected.error.exception(), "org.apache.kafka.connect.errors.DataException");
    assert_eq!(transformed.records[0].rows, RowIndex::Selected(UInt32Array::from(vec![2])));
}

#[test]
fn schemas_keep_their_names_and_required_fields() {
    let output = apply("SELECT id, price, CAST(price AS DOUBLE) AS p, id + 1 AS next FROM records", orders()).remove(0);
    assert_eq!(output.value.field.metadata().get(NAME).map(String::as_str), Some("shop.Order"));
    assert!(!field(&output, "id").is_nullable());
    assert_eq!(field(&output, "price").metadata().get(NAME).map(String::as_str), Some(DECIMAL));
    assert!(field(&output, "p").metadata().is_empty());
    assert!(field(&output, "next").is_nullable());
}

#[test]
fn schemaless_values_stay_schemaless_and_so_does_a_key_taken_from_them() {
    let input = batches("events").unwrap().remove(0);
    let output = apply("SELECT n + 1 AS n, eventType AS _key FROM records", input).remove(0);
    assert_eq!(output.value.field.metadata().get(HAS_SCHEMA).map(String::as_str), Some("false"));
    assert!(!has_schema(&output.key.field));
    let output = apply("SELECT id AS _key, * FROM records", orders()).remove(0);
    assert!(has_schema(&output.value.field) && has_schema(&output.key.field));
}

#[test]
fn a_plan_is_made_for_each_schema_and_found_again() {
    let mut sql = sql("SELECT n FROM records WHERE n > 1").unwrap();
    let small = || {
        let fields = Fields::from(vec![Field::new("n", DataType::Int32, true)]);
        let field = Arc::new(Field::new("value", DataType::Struct(fields), true));
        records("numbers", 0, structs("{\"n\":1}\n{\"n\":2}", &field))
    };
    for _ in 0..3 {
        let wide = sql.apply(numbers(vec![Some(1), Some(5), Some(6)])).unwrap().records.remove(0);
        assert_eq!((wide.len(), field(&wide, "n").data_type()), (2, &DataType::Int64));
        let narrow = sql.apply(small()).unwrap().records.remove(0);
        assert_eq!((narrow.len(), field(&narrow, "n").data_type()), (1, &DataType::Int32));
    }
    assert!(format!("{sql:?}").contains("plans: 2"), "{sql:?}");
}

#[test]
fn tombstones_without_schema_are_judged_like_nulls() {
    let untyped = || records("orders", 0, Column::nulls(2));
    let kept = apply("SELECT id, id + 1 AS next FROM records", untyped());
    assert_eq!((kept[0].len(), kept[0].value.field.data_type()), (2, &DataType::Null));
    assert!(apply("SELECT id FROM records WHERE id > 3", untyped()).is_empty());
    let mut after_others = sql("SELECT address.city FROM records WHERE address.city IS NULL").unwrap();
    after_others.apply(orders()).unwrap();
    assert_eq!(after_others.apply(untyped()).unwrap().records[0].len(), 2);
}

#[test]
fn refusals_are_config_errors() {
    for query in ["SELECT", "SELECT count(*) FROM records", "SELECT a FROM records JOIN nowhere ON a = b"] {
        let error = sql(query).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert!(error.to_string().contains("line 1, column "), "{error}");
    }
    let plugin = volley_sql::plugins().remove(0);
    let config = [("query".to_owned(), "SELECT sum(a) FROM records".to_owned())].into_iter().collect();
    let (_, issues) = plugin.config_def.validate(&config);
    assert_eq!(issues[0].key, "query");
    assert!(issues[0].message.contains("for configuration query: line 1, column 8: the aggregate"), "{issues:?}");
}

#[test]
fn a_schema_that_does_not_fit_is_a_config_error_and_the_next_that_fits_works() {
    let mut sql = sql("SELECT id FROM records").unwrap();
    assert_eq!(sql.apply(numbers(vec![Some(1)])).unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(sql.apply(orders()).unwrap().records[0].len(), 3);
}

#[test]
fn long_conditions_are_executed_without_overflowing_the_stack() {
    let terms: Vec<String> = (0..350).map(|n| format!("n = {n} + n % 2")).collect();
    let query = format!("SELECT n FROM records WHERE {}", terms.join(" OR "));
    assert_eq!(apply(&query, numbers(vec![Some(4), Some(1_000)]))[0].len(), 1);
    let sum = vec!["n"; 350].join(" + ");
    assert_eq!(apply(&format!("SELECT {sum} AS s FROM records"), numbers(vec![Some(1)]))[0].len(), 1);
}

#[test]
fn now_is_the_time_of_each_batch() {
    let mut sql = sql("SELECT now() AS at, current_date AS today FROM records").unwrap();
    let mut at = || {
        let output = sql.apply(numbers(vec![Some(1)])).unwrap().records.remove(0);
        output.value.array.as_struct().column(0).to_data().buffers()[0].typed_data::<i64>()[0]
    };
    let first = at();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while at() == first {
        assert!(std::time::Instant::now() < deadline, "the time stood still");
    }
}

#[test]
fn ten_thousand_columns_are_no_problem() {
    let fields: Fields = (0..10_000).map(|n| Field::new(format!("c{n}"), DataType::Int64, true)).collect();
    let field = Arc::new(Field::new("value", DataType::Struct(fields), true));
    let input = records("wide", 0, structs("{\"c5\":7}", &field));
    let output = apply("SELECT c5 FROM records WHERE c5 = 7", input.clone()).remove(0);
    assert_eq!(output.len(), 1);
    let error = sql("SELECT nothing FROM records").unwrap().apply(input).unwrap_err();
    assert!(error.to_string().len() < 1_000, "{error}");
}

#[test]
fn objects_without_fields_stay_records() {
    let field = Arc::new(Field::new("value", DataType::Struct(Fields::empty()), true));
    let value = Column::new(field, Arc::new(StructArray::new_empty_fields(2, None)));
    let output = apply("SELECT * FROM records WHERE _offset = 1", records("empty", 0, value)).remove(0);
    assert_eq!((output.len(), output.value.len(), output.offset(0)), (1, 1, Some(1)));
}

#[test]
fn a_field_with_the_name_of_the_hidden_column_does_no_harm() {
    let fields = Fields::from(vec![Field::new("__volley_row", DataType::Int64, true)]);
    let field = Arc::new(Field::new("value", DataType::Struct(fields), true));
    let input = records("t", 0, structs("{\"__volley_row\":7}\n{\"__volley_row\":0}", &field));
    let output = apply("SELECT * FROM records", input.clone()).remove(0);
    assert_eq!(output.value.array.as_ref(), input.value.array.as_ref());
    assert_eq!(output.rows, RowIndex::all(2));
}

#[test]
fn all_rows_of_a_large_batch_with_bad_ones_come_through_in_order() {
    let values = (0..20_000).map(|n| Some(if n % 1_000 == 17 { 0 } else { n + 1 })).collect();
    let transformed = sql("SELECT n, 1000000 / n AS q FROM records").unwrap().apply(numbers(values)).unwrap();
    assert_eq!(transformed.rejected.len(), 20);
    assert!(transformed.rejected.iter().all(|rejected| rejected.row % 1_000 == 17));
    let rows: Vec<usize> = transformed.records[0].rows.iter().collect();
    assert_eq!(rows.len(), 19_980);
    assert!(rows.is_sorted());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Filter, cast and division against the same in Rust: what is kept, filtered and rejected adds up, row by row.
    #[test]
    fn every_row_is_kept_filtered_or_rejected(
        first in prop::collection::vec(prop::option::of(-3_i64..4), 1..40),
        second in prop::collection::vec(prop::option::of(-3_i64..4), 1..40),
    ) {
        let mut sql = sql("SELECT n, 12 / n AS q FROM records WHERE n > -2").unwrap();
        for values in [first, second] {
            let transformed = sql.apply(numbers(values.clone())).unwrap();
            let rejected: Vec<usize> = transformed.rejected.iter().map(|rejected| rejected.row).collect();
            let bad: Vec<usize> = (0..values.len()).filter(|row| values[*row] == Some(0)).collect();
            prop_assert_eq!(rejected, bad);
            let mut kept = Vec::new();
            for records in &transformed.records {
                let q = records.value.array.as_struct().column(1).as_primitive::<Int64Type>().clone();
                kept.extend(records.rows.iter().zip(q.values().to_vec()));
            }
            let good: Vec<(usize, i64)> = values.iter().enumerate()
                .filter_map(|(row, n)| n.filter(|n| *n > -2 && *n != 0).map(|n| (row, 12 / n)))
                .collect();
            prop_assert_eq!(kept, good);
        }
    }
}

#[test]
fn a_query_treats_every_row_for_itself() {
    for query in [
        "SELECT * FROM records",
        "SELECT id, CAST(qty AS INT) AS qty FROM records WHERE id <> 3",
        "SELECT id, unnest(tags) AS tag FROM records",
    ] {
        keeps_filters_or_rejects_every_row(|| sql(query), &batches("orders").unwrap());
    }
    keeps_filters_or_rejects_every_row(|| sql("SELECT value || '!' FROM records"), &batches("texts").unwrap());
}
