//! Queries over consumed records.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray, StructArray};
use arrow::util::pretty::pretty_format_batches;
use volley_api::testing::{column, consumed};
use volley_api::{BoundedQuery, ErrorKind, QueryEngine, QuerySettings, Records, Result, TopicPartition};

use super::{SqlQueries, works_row_by_row};

const MEMORY: usize = 64 << 20;

fn settings(memory_bytes: usize) -> QuerySettings {
    QuerySettings { memory_bytes, directory: None }
}

/// Values of a topic's partition from an offset on.
fn values(topic: &str, partition: i32, first: i64, columns: Vec<(&str, ArrayRef)>) -> Records {
    let columns = columns.into_iter().map(|(name, array)| (name, array, true));
    let batch = arrow::array::RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    consumed(topic, partition, first, column(StructArray::from(batch)))
}

fn orders(partition: i32, first: i64, ids: &[i64]) -> Records {
    let countries = ids.iter().map(|id| ["CH", "DE", "FR"][usize::try_from(*id).unwrap() % 3]);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int64Array::from(ids.to_vec()))),
        ("country", Arc::new(StringArray::from_iter_values(countries))),
    ];
    values("orders", partition, first, columns)
}

fn staged(sql: &str, memory: usize, records: &[Records]) -> Box<dyn BoundedQuery> {
    let mut query = SqlQueries.open(sql, settings(memory)).unwrap();
    records.iter().for_each(|records| query.add(records).unwrap());
    query
}

fn result(query: &mut dyn BoundedQuery, topics: &[&str]) -> Result<Vec<String>> {
    let topics: Vec<String> = topics.iter().map(|topic| (*topic).to_owned()).collect();
    let mut result = query.ready(&topics)?.execute(&|| false)?;
    let (mut batches, mut rows) = (Vec::new(), 0);
    while let Some(batch) = result.next_batch()? {
        rows += batch.num_rows() as u64;
        batches.push(batch);
    }
    assert_eq!(result.rows(), rows);
    if batches.is_empty() {
        return Ok(Vec::new());
    }
    let text = pretty_format_batches(&batches)?.to_string();
    Ok(text.lines().filter(|line| line.starts_with("| ")).map(|line| line.split_whitespace().collect()).collect())
}

fn run(sql: &str, records: &[Records]) -> Result<Vec<String>> {
    let mut topics: Vec<&str> = records.iter().map(|records| &*records.topic).collect();
    topics.sort_unstable();
    topics.dedup();
    result(staged(sql, MEMORY, records).as_mut(), &topics)
}

#[test]
fn groups_are_over_all_partitions() {
    let records = [orders(0, 0, &[0, 1, 2, 3]), orders(1, 0, &[4, 5]), orders(0, 4, &[6])];
    let sql = "SELECT country, count(*) AS n, max(id) FROM records GROUP BY country ORDER BY country";
    assert_eq!(run(sql, &records).unwrap(), ["|country|n|max(id)|", "|CH|3|6|", "|DE|2|4|", "|FR|2|5|"]);
}

#[test]
fn topics_are_joined_whatever_their_names() {
    let users: Vec<(&str, ArrayRef)> =
        vec![("id", Arc::new(Int64Array::from(vec![1, 2]))), ("name", Arc::new(StringArray::from(vec!["Ann", "Bob"])))];
    let records = [orders(0, 0, &[1, 2, 3]), values("shop.users", 0, 0, users)];
    let sql = "SELECT o.id, u.name FROM orders o LEFT JOIN shop.users u ON o.id = u.id ORDER BY o.id DESC";
    assert_eq!(run(sql, &records).unwrap(), ["|id|name|", "|3||", "|2|Bob|", "|1|Ann|"]);
}

#[test]
fn the_last_record_of_each_key_is_found_by_its_offset() {
    let records = [orders(0, 10, &[1, 4]), orders(1, 5, &[2, 3])];
    let sql = "SELECT * FROM (
            SELECT *, row_number() OVER (PARTITION BY country ORDER BY _offset DESC) AS n FROM orders
        ) WHERE n = 1 ORDER BY id";
    assert_eq!(run(sql, &records).unwrap(), ["|id|country|n|", "|2|FR|1|", "|3|CH|1|", "|4|DE|1|"]);
}

#[test]
fn records_whose_schema_has_grown_are_one_table() {
    let grown: Vec<(&str, ArrayRef)> =
        vec![("id", Arc::new(Float64Array::from(vec![7.5]))), ("coupon", Arc::new(StringArray::from(vec!["X"])))];
    let records = [orders(0, 0, &[1]), values("orders", 0, 1, grown)];
    let sql = "SELECT id, country, coupon FROM orders ORDER BY id";
    assert_eq!(run(sql, &records).unwrap(), ["|id|country|coupon|", "|1.0|DE||", "|7.5||X|"]);
}

#[test]
fn records_of_which_no_field_is_needed_are_counted() {
    let records = [orders(0, 0, &[1, 2, 3]), orders(1, 0, &[4])];
    assert_eq!(run("SELECT count(*) AS n FROM orders", &records).unwrap(), ["|n|", "|4|"]);
    assert_eq!(run("SELECT 'x' AS x FROM orders WHERE _offset = 0", &records).unwrap(), ["|x|", "|x|", "|x|"]);
}

#[test]
fn partitions_that_are_forgotten_are_not_there_and_may_come_again() {
    let sql = "SELECT _partition, sum(id) AS s FROM orders GROUP BY _partition ORDER BY _partition";
    let mut query = staged(sql, MEMORY, &[orders(0, 0, &[1, 2]), orders(1, 0, &[4])]);
    query.forget(&TopicPartition::new("orders", 0));
    assert_eq!(result(query.as_mut(), &["orders"]).unwrap(), ["|_partition|s|", "|1|4|"]);
    query.add(&orders(0, 0, &[1, 2])).unwrap();
    assert_eq!(result(query.as_mut(), &["orders"]).unwrap(), ["|_partition|s|", "|0|3|", "|1|4|"]);
}

#[test]
fn a_topic_without_records_is_an_empty_table() {
    let mut query = staged("SELECT count(*) AS n, sum(amount) AS s FROM orders", MEMORY, &[]);
    assert_eq!(result(query.as_mut(), &["orders"]).unwrap(), ["|n|s|", "|0||"]);
    let sql = "SELECT o.id FROM orders o JOIN refunds r ON o.id = r.order_id WHERE r.amount > 3";
    let mut query = staged(sql, MEMORY, &[orders(0, 0, &[1])]);
    assert!(result(query.as_mut(), &["orders", "refunds"]).unwrap().is_empty());
}

#[test]
fn more_than_fits_into_memory_is_sorted_grouped_and_joined_on_disk() {
    let ids: Vec<i64> = (0..200_000).map(|row| row * 7919 % 200_003).collect();
    let records: Vec<Records> =
        ids.chunks(10_000).zip(0_i64..).map(|(ids, chunk)| orders(0, chunk * 10_000, ids)).collect();
    let directory = tempfile::tempdir().unwrap();
    for sql in [
        "SELECT id, repeat(country, 50) AS c FROM orders ORDER BY c, id",
        "SELECT id, repeat(country, 20) AS c FROM orders ORDER BY c DESC, country, id DESC",
        "SELECT id, count(*) AS n, max(country) AS c FROM orders GROUP BY id",
        "SELECT DISTINCT id, country FROM orders",
        "SELECT id, row_number() OVER (PARTITION BY country ORDER BY id) AS n FROM orders",
        "SELECT a.id, repeat(b.country, 50) AS c FROM orders a JOIN orders b ON a.id = b.id",
        "SELECT a.id, b.country FROM orders a LEFT JOIN orders b ON a.id = b.id ORDER BY b.country, a.id",
    ] {
        for memory_bytes in [16 << 20, 70 << 20] {
            let settings = QuerySettings { memory_bytes, directory: Some(directory.path().to_owned()) };
            let mut query = SqlQueries.open(sql, settings).unwrap();
            records.iter().for_each(|records| query.add(records).unwrap());
            let result = query.ready(&["orders".to_owned()]).unwrap().execute(&|| false);
            let rows = result.map(|result| result.rows()).map_err(|error| error.to_string());
            assert_eq!(rows, Ok(200_000), "{sql} in {memory_bytes} bytes");
        }
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "nothing is left");
}

#[test]
fn what_is_wrong_with_a_query_is_said() {
    let records = [orders(0, 0, &[1, 2])];
    let failed = |sql: &str| {
        let error = run(sql, &records).unwrap_err();
        (error.kind(), error.to_string())
    };
    let (kind, message) = failed("SELECT nothing FROM orders");
    assert!(kind == ErrorKind::Config && message.contains("nothing") && message.contains("volley.schema"), "{message}");
    assert!(failed("SELECT max(contry) AS c FROM orders").1.contains("did you mean `country`?"));
    let (kind, message) = failed("SELECT id FROM refunds");
    assert!(kind == ErrorKind::Config && message.contains("refunds"), "{message}");
    let (kind, message) = failed("SELECT a.id, b.id FROM orders a JOIN orders b ON a.id = b.id");
    assert!(kind == ErrorKind::Config && message.contains("`id`") && message.contains("AS"), "{message}");
    let (kind, message) = failed("SELECT id / (id - 1) AS q FROM orders");
    assert!(kind == ErrorKind::Data && message.to_lowercase().contains("divide"), "{message}");
    assert!(SqlQueries.open("SELECT", settings(MEMORY)).err().unwrap().to_string().contains("line 1"));
    assert_eq!(SqlQueries.tables("SELECT 1 FROM a, b JOIN a c ON true").unwrap(), ["a", "b"]);
}

#[test]
fn what_needs_all_records_is_told_from_what_needs_one() {
    for (query, expected) in [
        ("SELECT id, upper(name) AS n FROM records WHERE id > 3", true),
        ("SELECT count(*) FROM records", false),
        ("SELECT id FROM records ORDER BY id", false),
        ("SELECT id FROM orders", false),
        ("SELECT o.id FROM records o JOIN users u ON o.id = u.id", false),
    ] {
        assert_eq!(works_row_by_row(query), Ok(expected), "{query}");
    }
    assert!(works_row_by_row("SELECT uper(name) FROM records").is_err());
}

#[test]
fn a_query_that_is_no_longer_wanted_ends() {
    let records = [orders(0, 0, &(0..5_000).collect::<Vec<_>>())];
    let sql =
        "SELECT count(*) FROM orders a JOIN orders b ON a.country = b.country JOIN orders c ON b.country = c.country
        WHERE a.id + b.id < c.id";
    let (cancelled, started) = (AtomicBool::new(false), std::sync::mpsc::channel());
    let ready = staged(sql, MEMORY, &records).ready(&["orders".to_owned()]).unwrap();
    std::thread::scope(|scope| {
        let query = scope.spawn(|| {
            ready.execute(&|| {
                let _ = started.0.send(());
                cancelled.load(Ordering::Relaxed)
            })
        });
        started.1.recv().unwrap();
        cancelled.store(true, Ordering::Relaxed);
        assert!(query.join().unwrap().is_err());
    });
}
