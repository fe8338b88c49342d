//! `JdbcSourceConnector`: keys of records, and several queries in one connector.

use std::sync::Arc;

use serde_json::{Value, json};
use volley_api::ErrorKind;

use crate::jdbc_drivers::Database;
use crate::jdbc_task::Connector;
use crate::jdbc_worker::Source;
use crate::testbed::{Kafka, Postgres};

#[test]
fn keys_are_those_of_the_table_or_the_columns_that_are_named() {
    let (kafka, database) = (Kafka::shared(), Postgres::shared().database("keys"));
    database.sql(
        "CREATE TABLE lines (note text, line smallint, \"order\" int, PRIMARY KEY (\"order\", line) INCLUDE (note));
         INSERT INTO lines VALUES ('a', 2, 7)",
    );
    let keys = [
        ("mode", "bulk"),
        ("poll.interval.ms", "3600000"),
        ("key.columns", "auto"),
        ("key.converter", "org.apache.kafka.connect.json.JsonConverter"),
        ("key.converter.schemas.enable", "true"),
        ("transforms", ""),
    ];
    let source = Source::started(kafka, &database.url(), &keys);
    source.await_messages("lines", 1);
    let messages = kafka.read_topic(&format!("{}lines", source.prefix));
    let key: Value = serde_json::from_slice(messages[0].key.as_ref().unwrap()).unwrap();
    let fields = json!([
        {"type": "int32", "optional": false, "field": "order"},
        {"type": "int16", "optional": false, "field": "line"},
    ]);
    assert_eq!(key["schema"], json!({"type": "struct", "fields": fields, "optional": false, "name": "lines.Key"}));
    assert_eq!(key["payload"], json!({"order": 7, "line": 2}));
}

#[test]
fn a_table_without_a_primary_key_has_no_keys_and_a_key_that_is_not_there_is_named() {
    let database = Postgres::shared().database("keyless");
    database.sql("CREATE TABLE t (id int, name text); INSERT INTO t VALUES (1, 'a'), (2, NULL)");
    let keys = |keys| {
        let config = [("mode", "bulk"), ("poll.interval.ms", "3600000"), ("key.columns", keys)];
        let mut connector = Connector::new(Arc::new(volley_postgres::Postgres), &database.url(), &config);
        connector.start(1);
        connector
    };
    let found = |name| keys(name).rows(2).into_iter().map(|row| row.key).collect::<Vec<_>>();
    assert_eq!(found("auto"), [None, None]);
    assert_eq!(found("none"), [None, None]);
    assert_eq!(found("name,id"), [Some("{name: a, id: 1}".to_owned()), Some("{name: , id: 2}".to_owned())]);
    let error = keys("id,nothing").poll(0).unwrap_err();
    let text = error.to_string();
    assert!(error.kind() == ErrorKind::Config && text.contains("`nothing`") && text.contains("key.columns"), "{text}");
}

#[test]
fn keys_follow_a_table_that_is_made_again_with_another_primary_key() {
    for database in [Database::maria("keys"), Database::sqlite()] {
        database.sql("CREATE TABLE t (a INTEGER, id INTEGER, PRIMARY KEY (id, a)); INSERT INTO t VALUES (1, 2)");
        let config = [("mode", "bulk"), ("key.columns", "auto")];
        let mut connector = Connector::new(database.driver(), &database.url(), &config);
        connector.start(1);
        let key = |connector: &mut Connector| connector.rows(1)[0].key.clone().unwrap();
        assert_eq!(key(&mut connector), "{id: 2, a: 1}");
        connector.await_end(0);
        database.sql("DROP TABLE t; CREATE TABLE t (b INTEGER PRIMARY KEY, id INTEGER); INSERT INTO t VALUES (5, 6)");
        assert_eq!(key(&mut connector), "{b: 5}");
    }
}

#[test]
fn several_queries_each_have_a_mode_a_topic_and_an_offset_of_their_own() {
    let database = Postgres::shared().database("queries");
    database.sql(
        "CREATE TABLE orders (id int, at timestamptz, country text);
         INSERT INTO orders VALUES (1, '2026-01-01', 'CH'), (2, '2026-01-02', 'DE'), (3, '2026-01-03', 'CH')",
    );
    let config = [
        ("mode", "incrementing"),
        ("incrementing.column.name", "id"),
        ("topic.prefix", "shop-"),
        ("queries", "swiss, late , query"),
        ("query.swiss", "SELECT * FROM (SELECT id FROM orders WHERE country = 'CH') AS q"),
        ("query.swiss.key.columns", "id"),
        ("query.late", "SELECT id AS number, at FROM orders"),
        ("query.late.topic", "late-orders"),
        ("query.late.mode", "timestamp"),
        ("query.late.timestamp.column.name", "at"),
        ("query.query", "SELECT * FROM orders"),
    ];
    let mut connector = Connector::new(Arc::new(volley_postgres::Postgres), &database.url(), &config);
    // what the only query of a Java connector has left is gone on from
    connector.offsets.put(r#"{"query":"query"}"#, r#"{"incrementing":2}"#);
    connector.start(2);
    assert_eq!(
        connector.task_configs.iter().map(|task| task["queries"].as_str()).collect::<Vec<_>>(),
        ["swiss,query", "late"]
    );
    let mut rows: Vec<_> =
        connector.rows(6).into_iter().map(|row| (row.topic, row.key, row.values[0].clone())).collect();
    rows.sort();
    let row = |topic: &str, key: Option<&str>, id: &str| (topic.to_owned(), key.map(str::to_owned), id.to_owned());
    let mut expected = vec![
        row("late-orders", None, "1"),
        row("late-orders", None, "2"),
        row("late-orders", None, "3"),
        row("shop-query", None, "3"),
        row("shop-swiss", Some("{id: 1}"), "1"),
        row("shop-swiss", Some("{id: 3}"), "3"),
    ];
    expected.sort();
    assert_eq!(rows, expected);
    let last = 1_767_398_400_000_i64;
    for (name, offset) in [
        ("swiss", json!({"incrementing": 3})),
        ("late", json!({"timestamp": last, "timestamp_nanos": 0})),
        ("query", json!({"incrementing": 3})),
    ] {
        assert_eq!(connector.offsets.get(&format!(r#"{{"query":"{name}"}}"#)), Some(offset), "{name}");
    }
    // all of them in one task, after a restart
    database.sql("INSERT INTO orders VALUES (4, '2026-01-04', 'CH')");
    connector.start(1);
    let mut topics: Vec<_> = connector.rows(3).into_iter().map(|row| row.topic).collect();
    topics.sort();
    assert_eq!(topics, ["late-orders", "shop-query", "shop-swiss"]);
}
