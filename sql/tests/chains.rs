//! SQL among other transformations: the records of one are those of the next, in any order.

use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Field};
use volley_api::schema::{NAME, has_schema};
use volley_api::{Column, Records, RejectedRow, Transformation};

use crate::fixtures::{batches, records, sql};

/// The records after all queries, one after the other, and all rejected rows.
fn through(queries: &[&str], input: Records) -> (Vec<Records>, Vec<RejectedRow>) {
    let (mut records, mut rejected) = (vec![input], Vec::new());
    for query in queries {
        let mut sql = sql(query).unwrap();
        let mut next = Vec::new();
        for part in records {
            let mut transformed = sql.apply(part).unwrap();
            next.append(&mut transformed.records);
            rejected.append(&mut transformed.rejected);
        }
        records = next;
    }
    (records, rejected)
}

fn offsets(records: &Records) -> Vec<i64> {
    (0..records.len()).map(|row| records.offset(row).unwrap()).collect()
}

#[test]
fn a_query_reads_the_topics_that_one_before_it_has_given() {
    let reroute = "SELECT *, 'orders-' || lower(country) AS _topic FROM records";
    let read = "SELECT id, _topic AS topic, country AS _key FROM records WHERE _topic <> 'orders-fr'";
    let (parts, rejected) = through(&[reroute, read], batches("orders").unwrap().remove(0));
    assert!(rejected.is_empty());
    let topics: Vec<&str> = parts.iter().map(|part| &*part.topic).collect();
    assert_eq!(topics, ["orders-de", "orders-es"]);
    for part in &parts {
        assert_eq!(part.value.array.as_struct().column(1).as_string::<i32>().value(0), &*part.topic);
    }
    assert_eq!(parts[1].key.array.as_string::<i32>().value(0), "ES");
    assert_eq!((offsets(&parts[0]), offsets(&parts[1])), (vec![100], vec![102]));
    assert_eq!(parts[0].value.field.metadata().get(NAME).map(String::as_str), Some("shop.Order"));
}

#[test]
fn records_of_several_rows_keep_their_offset_and_rejected_ones_name_the_row_of_the_first_input() {
    let unnest = "SELECT id, unnest(items) AS item FROM records";
    let divide = "SELECT id, item.n, 6 / (item.n - 2) AS q FROM records";
    let (parts, rejected) = through(&[unnest, divide], batches("orders").unwrap().remove(0));
    assert_eq!(offsets(&parts[0]), [100, 102]);
    assert_eq!(rejected.iter().map(|rejected| rejected.row).collect::<Vec<_>>(), [0]);
}

#[test]
fn a_tombstone_comes_through_all_of_them() {
    let queries = [
        "SELECT *, id AS _key FROM records",
        "SELECT cents(amount) AS cents, upper(country) AS country FROM records",
        "SELECT country, 'deleted' AS _topic FROM records WHERE country IS NULL",
    ];
    let (parts, rejected) = through(&queries, batches("orders").unwrap().remove(1));
    assert!(rejected.is_empty());
    assert_eq!((parts.len(), offsets(&parts[0]), &*parts[0].topic), (1, vec![201], "deleted"));
    assert!(parts[0].value.is_null(0));
    // and so does one of a batch that has nothing else
    let (parts, _) = through(&queries[..2], records("orders", 5, Column::nulls(2)));
    assert_eq!((parts.len(), offsets(&parts[0])), (1, vec![5, 6]));
    assert!(parts[0].value.is_null(0) && parts[0].value.is_null(1));
}

#[test]
fn what_another_transformation_makes_of_a_value_is_the_column_value() {
    let (parts, _) = through(&["SELECT id, userId FROM records"], batches("orders").unwrap().remove(0));
    // as by ExtractField
    let fields = parts[0].value.array.as_struct();
    let field = Arc::new(Field::new("value", DataType::Utf8, true));
    let texts = Records { value: Column::new(field, Arc::clone(fields.column(1))), ..parts[0].clone() };
    let (parts, rejected) = through(&["SELECT upper(value) AS u FROM records WHERE value <> 'bob'"], texts);
    assert!(rejected.is_empty() && has_schema(&parts[0].value.field));
    let upper = parts[0].value.array.as_struct().column(0).as_string::<i32>();
    assert_eq!((upper.value(0), upper.value(1), upper.len()), ("ANN", "CID", 2));
}
