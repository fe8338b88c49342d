//! `JdbcSinkConnector` where something goes wrong: bad records, databases and workers that are killed, tables and permissions
//! that are gone.

use serde_json::json;

use crate::jdbc_sink_worker::{Sink, Target, order, record, write};
use crate::jdbc_worker::SOON;
use crate::testbed::{Kafka, MariaDb, Postgres, wait_until};
use crate::worker_process::request;

const RECORDS: usize = 1_000;
const BAD: usize = 457;

/// A topic with orders, numbered from 0, over some partitions.
fn orders(kafka: &Kafka, stem: &str, partitions: usize, count: usize) -> String {
    let topic = kafka.topic(stem, partitions as i32);
    kafka.produce(&topic, count, |number, _, value| {
        value.extend_from_slice(order(number as i64, "x").as_bytes());
        (number % partitions) as i32
    });
    topic
}

fn count(target: &Target, table: &str) -> String {
    target.sql(&format!("SELECT count(*), count(DISTINCT id), min(id), max(id) FROM {table}"))
}

#[test]
fn one_bad_record_in_a_thousand_goes_to_the_dead_letter_topic_and_the_others_into_the_table() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("bad-rows", 1);
    kafka.produce(&topic, RECORDS, |number, _, value| {
        let name = if number == BAD { "much too long for it" } else { "short" };
        value.extend_from_slice(order(number as i64, name).as_bytes());
        0
    });
    for target in Target::all("bad") {
        let (table, dead) = (target.quoted(&topic), kafka.unique("dead"));
        target.sql(&format!(
            "CREATE TABLE {table} (id BIGINT PRIMARY KEY NOT NULL, name VARCHAR(9) CHECK (LENGTH(name) < 9))"
        ));
        for mode in [
            &[("insert.mode", "insert")][..],
            &[("insert.mode", "upsert"), ("pk.mode", "record_value"), ("pk.fields", "id")],
        ] {
            let keys = [
                ("errors.tolerance", "all"),
                ("errors.deadletterqueue.topic.name", dead.as_str()),
                ("errors.deadletterqueue.topic.replication.factor", "1"),
                ("errors.deadletterqueue.context.headers.enable", "true"),
            ];
            write(kafka, &target, &topic, &[&keys, mode].concat());
            assert_eq!(count(&target, &table), "999|999|0|999", "{}", target.name());
            target.sql(&format!("DELETE FROM {table}"));
        }
        let letters = kafka.read_topic(&dead);
        let bad = order(BAD as i64, "much too long for it");
        for letter in &letters {
            assert_eq!(letter.value.as_deref(), Some(bad.as_bytes()), "{}", target.name());
            let stage = letter.headers.iter().find(|(name, _)| name == "__connect.errors.stage");
            assert_eq!(stage.unwrap().1.as_deref(), Some(&b"TASK_PUT"[..]));
        }
        assert_eq!(letters.len(), 2, "{}", target.name());
    }
}

#[test]
fn without_tolerance_a_bad_record_fails_the_task_and_nothing_of_its_batch_is_there() {
    let kafka = Kafka::shared();
    let topic = orders(kafka, "intolerant", 1, 100);
    for target in Target::all("intolerant") {
        let table = target.quoted(&topic);
        target.sql(&format!(
            "CREATE TABLE {table} (id BIGINT PRIMARY KEY NOT NULL, name VARCHAR(9)); INSERT INTO {table} VALUES (60, 'y')"
        ));
        let sink = Sink::new(kafka, &target, &topic, &[("volley.mode", "bounded")]);
        let end = sink.try_run();
        assert_eq!(end.status.code(), Some(3), "{}", end.log);
        assert!(end.log.contains(&format!("offset 60 of partition {topic}-0")), "{}", end.log);
        assert!(end.log.contains(&topic), "{}", end.log);
        assert_eq!(count(&target, &table), "1|1|60|60", "{}", target.name());
    }
}

#[test]
fn a_database_that_is_killed_in_the_middle_has_every_record_in_the_end() {
    let kafka = Kafka::shared();
    let topic = orders(kafka, "killed", 2, 60_000);
    let (mut postgres, mut maria) = (Postgres::start(), MariaDb::start());
    let targets = [Target::Postgres(postgres.database("killed")), Target::Maria(maria.database("killed"))];
    for target in targets {
        let table = target.quoted(&topic);
        target.sql(&format!("CREATE TABLE {table} (id BIGINT PRIMARY KEY NOT NULL, name VARCHAR(9))"));
        let keys = [
            ("insert.mode", "upsert"),
            ("pk.mode", "record_value"),
            ("pk.fields", "id"),
            ("consumer.override.max.poll.records", "500"),
        ];
        let sink = Sink::new(kafka, &target, &topic, &keys);
        let process = sink.start();
        let first = |target: &Target| target.sql(&format!("SELECT count(*) FROM {table}")).parse::<u32>().unwrap();
        wait_until(SOON, "the first rows", || (first(&target) > 0).then_some(()));
        match target {
            Target::Postgres(_) => {
                postgres.kill();
                postgres.restart();
            }
            _ => {
                maria.kill();
                maria.restart();
            }
        }
        wait_until(SOON, "all rows", || (count(&target, &table) == "60000|60000|0|59999").then_some(()));
        process.stop(SOON);
    }
}

#[test]
fn a_worker_that_is_killed_inserts_every_record_once_where_offsets_are_in_the_database() {
    let kafka = Kafka::shared();
    let topic = orders(kafka, "once", 2, 60_000);
    for target in Target::all("once") {
        let table = target.quoted(&topic);
        // nothing in it refuses a row that comes twice
        target.sql(&format!("CREATE TABLE {table} (id BIGINT, name VARCHAR(9))"));
        let keys = [("volley.exactly.once", "true"), ("consumer.override.max.poll.records", "500")];
        let sink = Sink::new(kafka, &target, &topic, &keys);
        let rows = || target.sql(&format!("SELECT count(*) FROM {table}")).parse::<u32>().unwrap();
        for part in 1..4 {
            let process = sink.start();
            wait_until(SOON, "some more rows", || (rows() >= part * 10_000).then_some(()));
            process.kill();
        }
        let process = sink.start();
        wait_until(SOON, "all rows", || (rows() >= 60_000).then_some(()));
        process.stop(SOON);
        assert_eq!(count(&target, &table), "60000|60000|0|59999", "{}", target.name());
        let stored = "SELECT kafka_partition, next_offset FROM volley_offsets ORDER BY kafka_partition";
        assert_eq!(target.sql(stored), "0|30000\n1|30000", "{}", target.name());
    }
}

#[test]
fn a_table_that_is_dropped_or_closed_is_named_with_the_cause() {
    let kafka = Kafka::shared();
    let topic = orders(kafka, "gone", 1, 10);
    for target in Target::all("gone") {
        let table = target.quoted(&topic);
        let sink = Sink::new(kafka, &target, &topic, &[("volley.mode", "bounded")]);
        let end = sink.try_run();
        assert_eq!(end.status.code(), Some(3), "{}", end.log);
        assert!(end.log.contains(&format!("table {topic} is missing, and `auto.create` is false")), "{}", end.log);
        target.sql(&format!("CREATE TABLE {table} (id BIGINT)"));
        let end = sink.try_run();
        assert!(end.log.contains(&format!("table {topic} has no column name")), "{}", end.log);
    }
    let database = Postgres::shared().database("closed");
    database.sql(&format!(
        "CREATE TABLE \"{topic}\" (id BIGINT, name TEXT); CREATE ROLE {0} LOGIN; GRANT SELECT ON \"{topic}\" TO {0}",
        database.name
    ));
    let keys = [("volley.mode", "bounded"), ("connection.user", database.name.as_str())];
    let end = Sink::to(kafka, &database.url(), &topic, &keys).try_run();
    assert_eq!(end.status.code(), Some(3), "{}", end.log);
    assert!(end.log.contains("permission denied for table") && end.log.contains("42501"), "{}", end.log);
}

#[test]
fn a_table_that_is_dropped_while_the_sink_runs_is_created_again() {
    let kafka = Kafka::shared();
    let topic = orders(kafka, "dropped", 1, 10);
    let target = Target::Postgres(Postgres::shared().database("dropped"));
    let table = target.quoted(&topic);
    let sink = Sink::new(kafka, &target, &topic, &[("auto.create", "true")]);
    let mut process = sink.start();
    let rest = process.rest();
    let rows = || target.sql(&format!("SELECT count(*) FROM pg_class WHERE relname = '{topic}'")) == "1";
    wait_until(SOON, "the table", || (rows() && count(&target, &table).starts_with("10|")).then_some(()));
    target.sql(&format!("DROP TABLE {table}"));
    let more = record(&[("id", "int64", json!(77)), ("other", "string", json!("y"))]);
    kafka.produce_pairs(&topic, &[("a", Some(&more))]);
    wait_until(SOON, "the new table", || {
        let (_, status) = request(&rest, "GET", &format!("/connectors/{}/status", sink.name), None);
        assert_ne!(status["tasks"][0]["state"], "FAILED", "{status:#}");
        rows().then_some(())
    });
    wait_until(SOON, "the row", || (target.sql(&format!("SELECT id, other FROM {table}")) == "77|y").then_some(()));
    process.stop(SOON);
}
