//! Constraints that PostgreSQL looks at when a transaction is committed: the JDBC sink finds the records that they are against.

use crate::jdbc_sink_task::{EXACTLY_ONCE, TOLERANT, TOPIC, Task, UPSERT, orders};
use crate::jdbc_sink_worker::Target;
use crate::testbed::Postgres;

const ORDERS: i64 = 300;
/// Refer to an order that there is not; the first of them by one that is bad itself.
const BAD: [usize; 3] = [100, 200, 201];

/// The name of an order is the number of another one, which may come later.
fn name(id: i64) -> String {
    match id {
        100 | 201 => "none".to_owned(),
        id if id % 2 == 0 => (id + 1).to_string(),
        id => id.to_string(),
    }
}

fn table(target: &Target) {
    target.sql(&format!(
        "DROP TABLE IF EXISTS {TOPIC}, volley_offsets; \
         CREATE TABLE {TOPIC} (id BIGINT PRIMARY KEY, number TEXT GENERATED ALWAYS AS (id::text) STORED UNIQUE, \
         name TEXT REFERENCES {TOPIC} (number) DEFERRABLE INITIALLY DEFERRED)"
    ));
}

fn count(target: &Target) -> String {
    target.sql(&format!("SELECT count(*), count(*) FILTER (WHERE id IN (100, 200, 201)) FROM {TOPIC}"))
}

#[test]
fn records_that_only_the_commit_refuses_are_rejected_and_the_others_written_once() {
    let target = Target::Postgres(Postgres::shared().database("deferred"));
    let names: Vec<_> = (0..ORDERS).map(name).collect();
    let batch = orders((0..ORDERS).zip(names.iter().map(String::as_str)));
    for mode in [&[][..], &UPSERT] {
        table(&target);
        let mut task = Task::start(&target.url(), &[&[EXACTLY_ONCE, TOLERANT][..], mode].concat());
        assert_eq!(task.put_in_the_end(0, &batch), BAD);
        assert!(task.rejections.iter().all(|why| why.contains("foreign key constraint")), "{:?}", task.rejections);
        assert_eq!(count(&target), "297|0");
        // as after a restart before Kafka had the dead letters
        let mut other = Task::start(&target.url(), &[&[EXACTLY_ONCE, TOLERANT][..], mode].concat());
        assert_eq!(other.put_in_the_end(0, &batch), BAD);
        assert_eq!(count(&target), "297|0");
        other.committed(ORDERS);
        let good = orders((ORDERS..ORDERS + 10).map(|id| (id, "1")));
        assert!(other.put_in_the_end(ORDERS, &good).is_empty());
        assert_eq!(count(&target), "307|0");
    }
}

#[test]
fn without_tolerance_a_record_that_only_the_commit_refuses_is_named_and_nothing_is_written() {
    let target = Target::Postgres(Postgres::shared().database("deferred"));
    table(&target);
    let names: Vec<_> = (0..ORDERS).map(name).collect();
    let batch = orders((0..ORDERS).zip(names.iter().map(String::as_str)));
    let mut task = Task::start(&target.url(), &[EXACTLY_ONCE]);
    assert_eq!(task.put_in_the_end(0, &batch).first(), Some(&BAD[0]));
    assert_eq!(count(&target), "0|0");
}
