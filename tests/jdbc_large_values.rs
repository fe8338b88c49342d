//! Values that are larger than what is on the other side of `JdbcSourceConnector` and `JdbcSinkConnector` takes: refused once, with
//! their size, and nothing else is held up.

use crate::jdbc_sink_task::{EXACTLY_ONCE, TOLERANT, TOPIC, Task, orders};
use crate::jdbc_sink_worker::Target;
use crate::jdbc_task::Connector;
use crate::jdbc_worker::{CONNECTOR, Source};
use crate::testbed::{Kafka, MariaDb, Postgres};
use crate::worker_process::failures;

const MIB: u64 = 1 << 20;

#[test]
fn a_value_that_is_larger_than_the_server_takes_is_a_bad_record_and_the_others_are_written() {
    let target = Target::Maria(MariaDb::shared().database("packet"));
    target.sql(&format!("CREATE TABLE {TOPIC} (id BIGINT, name LONGTEXT)"));
    let limit: usize = target.sql("SELECT @@max_allowed_packet").parse().unwrap();
    let mut task = Task::start(&target.url(), &[EXACTLY_ONCE, TOLERANT]);
    // whatever is left for the statement itself
    let names = [limit + 1_000, limit, limit - 60, limit - 500, limit - 2_000, 5].map(|length| "x".repeat(length));
    let batch = orders(names.iter().zip(0..).map(|(name, id)| (id, name.as_str())));
    let rejected = task.put_in_the_end(0, &batch);
    assert_eq!(rejected, [0, 1, 2, 3]);
    for part in [TOPIC, "column name", &format!("{}", limit + 1_000 + 16), "max_allowed_packet"] {
        assert!(task.rejections[0].contains(part), "`{part}` is missing: {}", task.rejections[0]);
    }
    assert_eq!(
        target.sql(&format!("SELECT id, LENGTH(name) FROM {TOPIC} ORDER BY id")),
        format!("4|{}\n5|5", limit - 2_000)
    );
    let mut strict = Task::start(&target.url(), &[]);
    assert_eq!(strict.put_in_the_end(0, &batch), [0]);
}

#[test]
fn a_text_of_300_megabytes_fails_the_task_with_its_size_or_is_skipped() {
    let (kafka, database) = (Kafka::shared(), Postgres::shared().database("huge"));
    database.sql(
        "CREATE TABLE t (id int PRIMARY KEY, name text); INSERT INTO t VALUES (1, 'a'), (2, repeat('x', 300000000)), (3, 'c')",
    );
    let keys = [("mode", "incrementing"), ("incrementing.column.name", "id")];
    let source = Source::started(kafka, &database.url(), &keys);
    let trace = failures(&source.rest, CONNECTOR, 1).remove(0);
    for part in [&format!("{}t", source.prefix), "300000", "max.request.size"] {
        assert!(trace.contains(part), "`{part}` is missing: {trace}");
    }
    // what one row takes on its way, a few times over
    let most = source.process.as_ref().unwrap().resident_bytes();
    assert!(most < 3_000 * MIB, "{} MiB", most / MIB);
    drop(source);
    let tolerant = [&keys[..], &[("errors.tolerance", "all")]].concat();
    let source = Source::started(kafka, &database.url(), &tolerant);
    assert_eq!(source.await_ids("t", 2), [1, 3]);
}

#[test]
fn a_row_that_is_larger_than_max_allowed_packet_is_read_all_the_same() {
    // whoever wrote it had a greater limit
    let server = MariaDb::start();
    let database = server.database("packet");
    database.sql("CREATE TABLE t (id INT PRIMARY KEY, name LONGTEXT); SET GLOBAL max_allowed_packet = 1 << 26");
    database.sql("INSERT INTO t VALUES (1, REPEAT('x', 18000000)); SET GLOBAL max_allowed_packet = 1 << 24");
    assert_eq!(database.sql("SELECT LENGTH(name) FROM t"), "18000000");
    let keys = [("mode", "incrementing"), ("incrementing.column.name", "id"), ("table.whitelist", "t")];
    let mut connector = Connector::new(std::sync::Arc::new(volley_mysql::MySql), &database.url(), &keys);
    connector.start(1);
    assert_eq!(connector.rows(1)[0].values[1].len(), 18_000_000);
}
