//! What every transformation has to do.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, StringArray, StructArray};
use arrow::datatypes::{DataType, Field};
use volley_api::testing::{column, config_map, consumed, keeps_filters_or_rejects_every_row, texts};
use volley_api::{Header, Records, Value};

use crate::{Filter, InsertField, RegexRouter};

/// Orders, some of them null, with headers and timestamps.
fn orders() -> Records {
    let fields: Vec<(Arc<Field>, ArrayRef)> = vec![
        (Arc::new(Field::new("id", DataType::Int64, false)), Arc::new(Int64Array::from_iter_values(0..6))),
        (
            Arc::new(Field::new("name", DataType::Utf8, true)),
            Arc::new(StringArray::from(vec![Some("a"), None, Some("b"), Some("c"), None, Some("d")])),
        ),
    ];
    let (fields, arrays): (Vec<_>, Vec<_>) = fields.into_iter().unzip();
    let nulls = Some(vec![true, true, false, true, true, true].into());
    let values = StructArray::try_new(fields.into(), arrays, nulls).unwrap();
    let len = values.len() as i64;
    let headers = (0..len).map(|row| vec![Header::new("row", Value::Int64(row))]).collect();
    Records {
        key: texts([Some("k"), None, Some("l"), Some("m"), Some("n"), Some("o")]),
        timestamps: (0..len).map(|row| row - 1).collect(),
        headers: Some(Arc::new(headers)),
        ..consumed("orders", 3, 100, column(values))
    }
}

fn batches() -> [Records; 2] {
    [orders(), consumed("orders", 0, 0, texts([Some("a"), None, Some("b")]))]
}

#[test]
fn filter_treats_every_row_for_itself() {
    keeps_filters_or_rejects_every_row(|| Ok(Filter), &batches());
}

#[test]
fn regex_router_treats_every_row_for_itself() {
    for regex in ["ord(.*)", "ot(.*)her"] {
        let config = config_map(&[("regex", regex), ("replacement", "lake-$1")]);
        keeps_filters_or_rejects_every_row(|| RegexRouter::new(&config), &batches());
    }
}

#[test]
fn insert_field_treats_every_row_for_itself() {
    let all = config_map(&[
        ("topic.field", "t!"),
        ("partition.field", "p"),
        ("timestamp.field", "ts"),
        ("static.field", "s"),
        ("static.value", "v"),
    ]);
    for side in [volley_api::Side::Value, volley_api::Side::Key] {
        keeps_filters_or_rejects_every_row(|| InsertField::new(&all, side), &batches());
    }
}
