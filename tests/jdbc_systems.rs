//! `JdbcSourceConnector` on MariaDB and SQLite: what each of them has for itself, beside what all databases have in
//! common.

use std::time::Duration;

use serde_json::{Value, json};

use crate::jdbc_drivers::Database;
use crate::testbed::{Kafka, MariaDb, wait_until};
use crate::worker_process::{Running, Volley, request};

const SOON: Duration = Duration::from_secs(90);
const CONNECTOR: &str = "shop";

/// A worker with one connector, which reads a database.
struct Source<'a> {
    kafka: &'a Kafka,
    volley: Volley,
    process: Option<Running>,
    rest: String,
    prefix: String,
}

impl<'a> Source<'a> {
    fn started(kafka: &'a Kafka, database: &Database, keys: &[(&str, &str)]) -> Self {
        let volley = Volley::new();
        volley.worker(&kafka.bootstrap_servers(), &[("value.converter.schemas.enable", "true")]);
        let prefix = format!("{}-", kafka.unique("systems"));
        let url = database.url();
        let base = [
            ("name", CONNECTOR),
            ("connector.class", "JdbcSourceConnector"),
            ("connection.url", &url),
            ("connection.user", "volley"),
            ("connection.backoff.ms", "100"),
            ("poll.interval.ms", "100"),
            ("topic.prefix", &prefix),
        ];
        volley.file("shop.properties", &[&base, keys].concat());
        let mut source = Self { kafka, volley, process: None, rest: String::new(), prefix };
        source.launch();
        source
    }

    fn launch(&mut self) {
        let mut process = self.volley.start(&["standalone", "worker.properties", "shop.properties"]);
        self.rest = process.rest();
        self.process = Some(process);
    }

    fn stop(&mut self) {
        let process = self.process.take().unwrap();
        process.terminate();
        assert!(process.ended(Duration::from_secs(30)).success());
    }

    fn get(&self, path: &str) -> Value {
        request(&self.rest, "GET", &format!("/connectors/{CONNECTOR}/{path}"), None).1
    }

    fn messages(&self, table: &str) -> Vec<Value> {
        let topic = format!("{}{table}", self.prefix);
        if self.kafka.admin().topic(&topic).unwrap().is_none() {
            return Vec::new();
        }
        let messages = self.kafka.read_topic(&topic).into_iter();
        messages.map(|message| serde_json::from_slice(&message.value.unwrap()).unwrap()).collect()
    }

    fn await_messages(&self, table: &str, count: usize) -> Vec<Value> {
        wait_until(SOON, &format!("{count} rows of {table}"), || {
            let status = self.get("status");
            let failed = status["tasks"].as_array().into_iter().flatten().chain([&status["connector"]]);
            let failed = failed.into_iter().find(|task| task["state"] == "FAILED");
            assert!(failed.is_none(), "{status:#}");
            let messages = self.messages(table);
            (messages.len() >= count).then_some(messages)
        })
    }

    /// The `id` of each record.
    fn await_ids(&self, table: &str, count: usize) -> Vec<i64> {
        let messages = self.await_messages(table, count);
        messages.iter().map(|message| message["payload"]["id"].as_i64().unwrap()).collect()
    }

    fn await_offset(&self, expected: &Value) {
        wait_until(SOON, &format!("the offset {expected}"), || {
            let offsets = self.get("offsets");
            (offsets["offsets"] == json!([expected])).then_some(())
        });
    }
}

#[test]
fn a_table_of_each_system_comes_whole() {
    let kafka = Kafka::shared();
    for (database, int) in [(Database::maria("bulk"), "int32"), (Database::sqlite(), "int64")] {
        database.sql(
            "CREATE TABLE things (
                id INT PRIMARY KEY NOT NULL, price DECIMAL(20,3), name VARCHAR(20), raw BLOB, day DATE, at DATETIME);
             INSERT INTO things VALUES (1, 12.345, 'né', x'00ff', '2026-02-28', '2026-01-02 03:04:05');
             INSERT INTO things (id) VALUES (2)",
        );
        let keys = [
            ("mode", "bulk"),
            ("poll.interval.ms", "3600000"),
            ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
            ("value.converter.decimal.format", "NUMERIC"),
        ];
        let source = Source::started(kafka, &database, &keys);
        let messages = source.await_messages("things", 2);
        assert_eq!(messages.len(), 2);
        let schema = &messages[0]["schema"];
        assert_eq!(schema["name"], "things");
        assert_eq!(schema["fields"][0], json!({"type": int, "optional": false, "field": "id"}));
        assert_eq!(schema["fields"][1]["parameters"], json!({"scale": "3", "connect.decimal.precision": "20"}));
        let row =
            json!({"id": 1, "price": 12.345, "name": "né", "raw": "AP8=", "day": 20_512, "at": 1_767_323_045_000_i64});
        assert_eq!(messages[0]["payload"], row);
        let nulls = json!({"id": 2, "price": null, "name": null, "raw": null, "day": null, "at": null});
        assert_eq!(messages[1]["payload"], nulls);
    }
}

#[test]
fn an_incrementing_source_of_each_system_goes_on_behind_its_last_row_after_a_restart() {
    let kafka = Kafka::shared();
    for database in [Database::maria("incrementing"), Database::sqlite()] {
        let (counted, numbers) = match &database {
            Database::Maria(_) => ("BIGINT AUTO_INCREMENT PRIMARY KEY", "SELECT seq FROM seq_1_to_20000"),
            Database::Sqlite { .. } => (
                "INTEGER PRIMARY KEY",
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT i FROM n",
            ),
        };
        database
            .sql(&format!("CREATE TABLE orders (id {counted}, name VARCHAR(9)); INSERT INTO orders (id) {numbers}"));
        // the name of the column is found by itself
        let keys = [("mode", "incrementing"), ("table.whitelist", "orders")];
        let mut source = Source::started(kafka, &database, &keys);
        assert!(source.await_ids("orders", 20_000).into_iter().eq(1..=20_000));
        let table = format!("{}orders", database.prefix());
        let at = |id: i64| json!({"partition": {"protocol": "1", "table": table}, "offset": {"incrementing": id}});
        source.await_offset(&at(20_000));
        source.stop();
        database.sql("INSERT INTO orders (name) VALUES ('b')");
        source.launch();
        assert!(source.await_ids("orders", 20_001).into_iter().eq(1..=20_001));
        source.await_offset(&at(20_001));
        source.stop();
    }
}

#[test]
fn times_and_numbers_of_each_system_say_what_is_new_whatever_the_zone() {
    let kafka = Kafka::shared();
    let cases = [
        (Database::maria("datetime"), "DATETIME(6)", "'2026-01-01 00:00:00.123456'", 1_767_207_600_123_456_i64),
        (Database::maria("timestamp"), "TIMESTAMP(6)", "'2026-01-01 00:00:00.123456'", 1_767_207_600_123_456),
        (Database::sqlite(), "TIMESTAMP", "1767225600123", 1_767_225_600_123_000),
        (Database::sqlite(), "DATETIME", "'2026-01-01 00:00:00'", 1_767_225_600_000_000),
    ];
    for (database, declared, first, micros) in cases {
        // a session of the test has the server's zone, which is that of `db.timezone`
        database.sql(&format!(
            "CREATE TABLE orders (id INTEGER PRIMARY KEY NOT NULL, at {declared} NOT NULL);
             INSERT INTO orders VALUES (2, {first}), (1, {first}), (3, {first})"
        ));
        let keys = [
            ("mode", "timestamp+incrementing"),
            ("timestamp.column.name", "at"),
            ("incrementing.column.name", "id"),
            ("db.timezone", "Asia/Karachi"),
            ("batch.max.rows", "2"),
        ];
        let mut source = Source::started(kafka, &database, &keys);
        assert_eq!(source.await_ids("orders", 3), [1, 2, 3], "{declared}");
        let offset =
            json!({"incrementing": 3, "timestamp": micros / 1_000, "timestamp_nanos": micros % 1_000_000 * 1_000});
        let table = format!("{}orders", database.prefix());
        source.await_offset(&json!({"partition": {"protocol": "1", "table": table}, "offset": offset}));
        source.stop();
        // the same time with a greater number is new, one with a smaller number is not
        database.sql(&format!("INSERT INTO orders VALUES (4, {first}), (0, {first})"));
        source.launch();
        assert_eq!(source.await_ids("orders", 4), [1, 2, 3, 4], "{declared}");
        source.stop();
        let now = match (&database, declared) {
            (Database::Maria(_), _) => "NOW(6)",
            (_, "TIMESTAMP") => "CAST(strftime('%s', 'now') AS INTEGER) * 1000",
            _ => "CURRENT_TIMESTAMP",
        };
        database.sql(&format!("UPDATE orders SET at = {now} WHERE id = 1"));
        source.launch();
        assert_eq!(source.await_ids("orders", 5), [1, 2, 3, 4, 1], "{declared}");
        source.stop();
    }
}

#[test]
fn a_mariadb_that_is_killed_in_the_middle_loses_no_row() {
    let kafka = Kafka::shared();
    let mut server = MariaDb::start();
    let database = Database::Maria(server.database("killed"));
    database.sql(
        "CREATE TABLE orders (id BIGINT PRIMARY KEY, name VARCHAR(200));
         INSERT INTO orders SELECT seq, REPEAT('x', 200) FROM seq_1_to_50000",
    );
    let keys = [("mode", "incrementing"), ("incrementing.column.name", "id"), ("batch.max.rows", "500")];
    let mut source = Source::started(kafka, &database, &keys);
    source.await_messages("orders", 1);
    server.kill();
    server.restart();
    database.sql("INSERT INTO orders VALUES (50001, 'last')");
    let ids = source.await_ids("orders", 50_001);
    assert!(ids.iter().copied().eq(1..=50_001), "{} rows, the last is {:?}", ids.len(), ids.last());
    source.stop();
}
