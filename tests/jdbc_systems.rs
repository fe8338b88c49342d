//! `JdbcSourceConnector` on MariaDB, MySQL and SQLite: what each of them has for itself, beside what all databases have in
//! common.

use serde_json::json;

use crate::jdbc_drivers::Database;
use crate::jdbc_worker::Source;
use crate::testbed::{Kafka, MariaDb};

#[test]
fn a_table_of_each_system_comes_whole() {
    let kafka = Kafka::shared();
    let mut databases = vec![(Database::maria("bulk"), "int32"), (Database::sqlite(), "int64")];
    databases.extend(Database::mysql("bulk").map(|database| (database, "int32")));
    for (database, int) in databases {
        database.sql(
            "CREATE TABLE things (
                id INT PRIMARY KEY NOT NULL, price DECIMAL(20,3), name VARCHAR(20), raw BLOB, day DATE, at DATETIME);
             INSERT INTO things VALUES (1, 12.345, 'né', x'00ff', '2026-02-28', '2026-01-02 03:04:05');
             INSERT INTO things (id) VALUES (2)",
        );
        let keys = [
            ("connector.class", "JdbcSourceConnector"),
            ("mode", "bulk"),
            ("poll.interval.ms", "3600000"),
            ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
            ("value.converter.decimal.format", "NUMERIC"),
        ];
        let source = Source::started(kafka, &database.url(), &keys);
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
    let databases = [Some(Database::maria("incrementing")), Some(Database::sqlite()), Database::mysql("incrementing")];
    for database in databases.into_iter().flatten() {
        let numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT i FROM n";
        let (counted, numbers) = match &database {
            Database::MySql(_) => ("BIGINT AUTO_INCREMENT PRIMARY KEY", numbers),
            Database::Maria(_) => ("BIGINT AUTO_INCREMENT PRIMARY KEY", "SELECT seq FROM seq_1_to_20000"),
            Database::Sqlite { .. } => ("INTEGER PRIMARY KEY", numbers),
        };
        let deep = if let Database::MySql(_) = database { "SET SESSION cte_max_recursion_depth = 20000;" } else { "" };
        database.sql(&format!(
            "CREATE TABLE orders (id {counted}, name VARCHAR(9)); {deep} INSERT INTO orders (id) {numbers}"
        ));
        // the name of the column is found by itself
        let keys = [("mode", "incrementing"), ("table.whitelist", "orders")];
        let mut source = Source::started(kafka, &database.url(), &keys);
        assert!(source.await_ids("orders", 20_000).into_iter().eq(1..=20_000));
        let table = format!("{}orders", database.prefix());
        let at = |id: i64| json!({"partition": {"protocol": "1", "table": table}, "offset": {"incrementing": id}});
        source.await_offsets(&json!([&at(20_000)]));
        source.stop();
        database.sql("INSERT INTO orders (name) VALUES ('b')");
        source.launch();
        assert!(source.await_ids("orders", 20_001).into_iter().eq(1..=20_001));
        source.await_offsets(&json!([&at(20_001)]));
        source.stop();
    }
}

#[test]
fn times_and_numbers_of_each_system_say_what_is_new_whatever_the_zone() {
    let kafka = Kafka::shared();
    let mut cases = vec![
        (Database::maria("datetime"), "DATETIME(6)", "'2026-01-01 00:00:00.123456'", 1_767_207_600_123_456_i64),
        (Database::maria("timestamp"), "TIMESTAMP(6)", "'2026-01-01 00:00:00.123456'", 1_767_207_600_123_456),
        (Database::sqlite(), "TIMESTAMP", "1767225600123", 1_767_225_600_123_000),
        (Database::sqlite(), "DATETIME", "'2026-01-01 00:00:00'", 1_767_225_600_000_000),
    ];
    for declared in ["DATETIME(6)", "TIMESTAMP(6)"] {
        let database = Database::mysql("times");
        cases.extend(
            database.map(|database| (database, declared, "'2026-01-01 00:00:00.123456'", 1_767_207_600_123_456)),
        );
    }
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
        let mut source = Source::started(kafka, &database.url(), &keys);
        assert_eq!(source.await_ids("orders", 3), [1, 2, 3], "{declared}");
        let offset =
            json!({"incrementing": 3, "timestamp": micros / 1_000, "timestamp_nanos": micros % 1_000_000 * 1_000});
        let table = format!("{}orders", database.prefix());
        source.await_offsets(&json!([{"partition": {"protocol": "1", "table": table}, "offset": offset}]));
        source.stop();
        // the same time with a greater number is new, one with a smaller number is not
        database.sql(&format!("INSERT INTO orders VALUES (4, {first}), (0, {first})"));
        source.launch();
        assert_eq!(source.await_ids("orders", 4), [1, 2, 3, 4], "{declared}");
        source.stop();
        let now = match (&database, declared) {
            (Database::Maria(_) | Database::MySql(_), _) => "NOW(6)",
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
    let mut source = Source::started(kafka, &database.url(), &keys);
    source.await_messages("orders", 1);
    server.kill();
    server.restart();
    database.sql("INSERT INTO orders VALUES (50001, 'last')");
    let ids = source.await_ids("orders", 50_001);
    assert!(ids.iter().copied().eq(1..=50_001), "{} rows, the last is {:?}", ids.len(), ids.last());
    source.stop();
}
