//! `table.splits`: one table by several tasks. Every row comes once, whatever its key is like, whoever restarts when,
//! and whatever comes meanwhile.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};
use volley_jdbc::Driver;

use crate::jdbc_drivers;
use crate::jdbc_task::{Connector, Row, sorted_ids};
use crate::jdbc_worker::{SOON, Source, ids};
use crate::testbed::{Database, Kafka, MariaDb, Postgres, wait_until};

/// A database of one test.
enum Server {
    Postgres(Database),
    Other(jdbc_drivers::Database),
}

impl Server {
    fn both(stem: &str) -> [Self; 2] {
        [
            Self::Postgres(Postgres::shared().database(stem)),
            Self::Other(jdbc_drivers::Database::Maria(MariaDb::shared().database(stem))),
        ]
    }

    fn sql(&self, text: &str) {
        match self {
            Self::Postgres(database) => drop(database.sql(text)),
            Self::Other(database) => database.sql(text),
        }
    }

    fn url(&self) -> String {
        match self {
            Self::Postgres(database) => database.url(),
            Self::Other(database) => database.url(),
        }
    }

    fn driver(&self) -> Arc<dyn Driver> {
        match self {
            Self::Postgres(_) => Arc::new(volley_postgres::Postgres),
            Self::Other(database) => database.driver(),
        }
    }

    /// The source partition of a table.
    fn partition(&self, table: &str) -> String {
        let table = match self {
            Self::Postgres(database) => format!("{}.public.{table}", database.name),
            Self::Other(database) => format!("{}{table}", database.prefix()),
        };
        json!({"protocol": "1", "table": table}).to_string()
    }

    fn connector(&self, keys: &[(&str, &str)]) -> Connector {
        let base = [("table.whitelist", "t"), ("batch.max.rows", "50"), ("poll.interval.ms", "20")];
        Connector::new(self.driver(), &self.url(), &[&base, keys].concat())
    }

    /// `count` rows of `columns`, each an expression of SQL that may name the number `i`.
    fn fill(&self, columns: &str, count: usize, values: &str) {
        let rows = match self {
            Self::Postgres(_) => format!("generate_series(1, {count}) AS rows(i)"),
            Self::Other(_) => format!(
                "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) SELECT i FROM n) AS n"
            ),
        };
        let longer = match self {
            Self::Other(jdbc_drivers::Database::Maria(_)) => "SET max_recursive_iterations = 1000000;",
            _ => "",
        };
        self.sql(&format!("{longer} INSERT INTO t ({columns}) SELECT {values} FROM {rows}"));
    }
}

/// Polls all tasks in turn and starts anew every now and then, each time with other tasks, until so many rows have come;
/// then until each task is done.
fn rows_with_restarts(connector: &mut Connector, every: usize, count: usize) -> Vec<Row> {
    let (mut rows, mut tasks) = (Vec::new(), 1);
    connector.start(3);
    while rows.len() < count {
        tasks = tasks % 4 + 1;
        connector.start(tasks);
        for _ in 0..every {
            for task in 0..connector.tasks.len() {
                rows.extend(connector.poll(task).unwrap().unwrap_or_default());
            }
        }
    }
    rows.extend(connector.rows_until_done());
    rows
}

const BULK: [(&str, &str); 3] = [("mode", "bulk"), ("volley.mode", "bounded"), ("table.splits", "4")];

/// Tables: columns, how many rows, and how they are filled; whether a restart goes on behind the very last row.
type Shape<'a> = (&'a str, usize, &'a str, bool);

fn assert_each_row_once(server: &Server, shapes: &[Shape<'_>]) {
    for (columns, count, values, is_told) in shapes {
        server.sql(&format!("DROP TABLE IF EXISTS t; CREATE TABLE t ({columns})"));
        if *count > 0 {
            server.fill("k, id", *count, values);
        }
        let expected: Vec<i64> = (1..=*count as i64).collect();
        let mut connector = server.connector(&BULK);
        connector.start(3);
        let is_divided = connector.task_configs.iter().any(|task| task.contains_key("splits"));
        assert_eq!(is_divided, *count > 1, "{columns}");
        assert_eq!(sorted_ids(&connector.rows_until_done()), expected, "{columns}");
        // all of it again, as another run
        connector.start(2);
        assert_eq!(sorted_ids(&connector.rows_until_done()), expected, "{columns}");
        let found = sorted_ids(&rows_with_restarts(&mut server.connector(&BULK), 3, *count));
        if *is_told {
            assert_eq!(found, expected, "{columns}");
        } else {
            assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected.into_iter().collect(), "{columns}");
        }
    }
}

#[test]
fn every_row_comes_once_whatever_its_key_is_like_on_postgresql() {
    let server = &Server::both("shapes")[0];
    server.sql(
        "CREATE TYPE mood AS ENUM ('z', 'a', 'm'); CREATE DOMAIN code AS varchar(20) NOT NULL;
         CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
         CREATE COLLATION german (provider = icu, locale = 'de')",
    );
    let text = "chr(65 + i % 20) || '''\"\\ä ' || i, i";
    assert_each_row_once(
        server,
        &[
            ("k int PRIMARY KEY, id int", 1_000, "i, i", true),
            ("k bigint PRIMARY KEY, id int", 300, "i::bigint * i * i * i * 1000000000 - 4000000000000000000, i", true),
            ("k smallint PRIMARY KEY, id int", 900, "i - 450, i", true),
            ("k numeric(30,4) PRIMARY KEY, id int", 500, "i / 7.0 - 30, i", true),
            ("k numeric PRIMARY KEY, id int", 500, "i / 7.0 - 30, i", true),
            ("k text PRIMARY KEY, id int", 700, text, true),
            ("k text COLLATE german PRIMARY KEY, id int", 700, text, true),
            ("k text COLLATE blind PRIMARY KEY, id int", 700, text, true),
            ("k char(12) PRIMARY KEY, id int", 700, "lpad(i::text, i % 5 + 4, ' '), i", true),
            ("k code PRIMARY KEY, id int", 700, text, true),
            ("k uuid PRIMARY KEY, id int", 700, "md5(i::text)::uuid, i", true),
            ("k bytea PRIMARY KEY, id int", 700, "decode(md5(i::text), 'hex'), i", true),
            ("k inet PRIMARY KEY, id int", 400, "'10.0.0.0'::inet + i * 300, i", true),
            ("k date PRIMARY KEY, id int", 300, "'0044-03-15 BC'::date + i * 3000, i", false),
            ("k timestamptz PRIMARY KEY, id int", 300, "'2026-03-29'::timestamptz + i * interval '1 min', i", false),
            // not unique
            ("k int, id int, PRIMARY KEY (k, id)", 1_000, "i % 7, i", false),
            ("k int, id int, PRIMARY KEY (k, id)", 500, "7, i", false),
            ("k text, id int, PRIMARY KEY (k, id)", 600, "'k' || i % 9, i", false),
            ("k mood, id int, PRIMARY KEY (k, id)", 600, "(ARRAY['z','a','m'])[i % 3 + 1]::mood, i", false),
            ("k int, id int, PRIMARY KEY (k, id)", 0, "", true),
            ("k int PRIMARY KEY, id int", 1, "7, i", true),
        ],
    );
}

#[test]
fn every_row_comes_once_whatever_its_key_is_like_on_mariadb() {
    let server = &Server::both("shapes")[1];
    let text = "CONCAT(CHAR(65 + i % 20), '''\"\\\\ä ', i), i";
    assert_each_row_once(
        server,
        &[
            ("k INT PRIMARY KEY, id INT", 1_000, "i, i", true),
            ("k BIGINT UNSIGNED PRIMARY KEY, id INT", 300, "18446744073709551615 - i * i, i", true),
            ("k BIGINT PRIMARY KEY, id INT", 300, "9007199254740992 + i - 150, i", true),
            ("k DECIMAL(30,4) PRIMARY KEY, id INT", 500, "i / 7 - 30, i", true),
            ("k VARCHAR(40) PRIMARY KEY, id INT", 700, text, true),
            ("k VARCHAR(40) COLLATE utf8mb4_bin PRIMARY KEY, id INT", 700, text, true),
            ("k VARCHAR(40) CHARACTER SET latin1 PRIMARY KEY, id INT", 700, text, true),
            ("k CHAR(36) PRIMARY KEY, id INT", 700, "MD5(i), i", true),
            (
                "k UUID PRIMARY KEY, id INT",
                700,
                "CONCAT(LEFT(MD5(i), 8), '-0000-1000-8000-', LPAD(HEX(i), 12, '0')), i",
                true,
            ),
            ("k BINARY(16) PRIMARY KEY, id INT", 700, "UNHEX(MD5(i)), i", true),
            ("k DATE PRIMARY KEY, id INT", 300, "DATE_ADD('1000-01-01', INTERVAL i * 3000 DAY), i", false),
            ("k INT, id INT, PRIMARY KEY (k, id)", 1_000, "i % 7, i", false),
            ("k INT, id INT, PRIMARY KEY (k, id)", 500, "7, i", false),
            // letters that the collation takes for equal
            ("k VARCHAR(9), id INT, PRIMARY KEY (k, id)", 600, "CHAR(IF(i % 2, 65, 97) + i % 9), i", false),
            ("k INT, id INT, PRIMARY KEY (k, id)", 0, "", true),
            ("k INT PRIMARY KEY, id INT", 1, "7, i", true),
        ],
    );
}

#[test]
fn what_cannot_be_divided_is_read_as_a_whole() {
    let sqlite = Server::Other(jdbc_drivers::Database::sqlite());
    sqlite.sql("CREATE TABLE t (k INTEGER PRIMARY KEY, id INTEGER)");
    sqlite.fill("k, id", 300, "i, i");
    let postgres = Server::Postgres(Postgres::shared().database("whole"));
    postgres.sql("CREATE TABLE t (k float8 PRIMARY KEY, id int)");
    postgres.fill("k, id", 300, "i, i");
    let keyless = Server::Postgres(Postgres::shared().database("whole"));
    keyless.sql("CREATE TABLE t (id int)");
    keyless.fill("id", 300, "i");
    for server in [&sqlite, &postgres, &keyless] {
        let mut connector = server.connector(&BULK);
        connector.start(3);
        assert_eq!(connector.tasks.len(), 1);
        assert_eq!(sorted_ids(&connector.rows_until_done()), (1..=300).collect::<Vec<_>>());
    }
    // a small table
    postgres.sql("DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY)");
    postgres.fill("id", 300, "i");
    let mut connector = postgres.connector(&[("mode", "bulk"), ("volley.mode", "bounded"), ("table.splits", "auto")]);
    connector.start(3);
    assert_eq!(connector.tasks.len(), 1);
}

/// A table for all modes, and what to insert into it.
fn table_with_times(server: &Server) {
    server.sql("CREATE TABLE t (id BIGINT PRIMARY KEY, at TIMESTAMP(6) NOT NULL)");
    let at = match server {
        Server::Postgres(_) => "'2026-01-01'::timestamp + i % 400 * interval '1 second'",
        Server::Other(_) => "DATE_ADD('2026-01-01', INTERVAL i % 400 SECOND)",
    };
    server.fill("id, at", 1_000, &format!("i, {at}"));
}

const MODES: [&str; 3] = ["incrementing", "timestamp", "timestamp+incrementing"];

fn mode_keys(mode: &str) -> [(&str, &str); 3] {
    [("mode", mode), ("incrementing.column.name", "id"), ("timestamp.column.name", "at")]
}

#[test]
fn behind_its_ranges_a_table_is_read_on_as_by_java_and_nothing_comes_twice() {
    for mode in MODES {
        for server in Server::both("modes") {
            table_with_times(&server);
            let splits =
                [&mode_keys(mode)[..], &[("table.splits", "4"), ("timestamp.delay.interval.ms", "0")]].concat();
            let mut connector = server.connector(&splits);
            connector.start(3);
            assert_eq!(connector.tasks.len(), 3, "{mode}");
            // some of the snapshot, then rows that come meanwhile
            let mut rows = connector.rows(200);
            server.sql("INSERT INTO t VALUES (1001, '2026-02-01 00:00:00'), (1002, '2026-02-01 00:00:00.5')");
            connector.start(2);
            rows.extend(connector.rows(1_002 - rows.len()));
            assert_eq!(sorted_ids(&rows), (1..=1_002).collect::<Vec<_>>(), "{mode}");
            // the offset is the one that Java has behind the same rows
            let partition = server.partition("t");
            let offset = connector.offsets.get(&partition).unwrap_or_else(|| panic!("no offset: {mode}"));
            assert!(offset.as_object().unwrap().keys().all(|key| key.starts_with("incr") || key.starts_with("time")));
            server.sql("INSERT INTO t VALUES (1003, '2026-02-02 00:00:00')");
            let mut whole = server.connector(&mode_keys(mode));
            whole.offsets.put(&partition, &offset.to_string());
            whole.start(3);
            assert_eq!(whole.tasks.len(), 1);
            assert_eq!(sorted_ids(&whole.rows(1)), [1_003], "{mode}");
            // and with ranges nothing is divided any more
            connector.start(3);
            assert!(connector.task_configs.iter().all(|task| !task.contains_key("splits")), "{mode}");
            assert_eq!(sorted_ids(&connector.rows(1)), [1_003], "{mode}");
        }
    }
}

#[test]
fn the_snapshot_of_each_mode_comes_once_whoever_restarts_when() {
    for mode in MODES {
        for server in Server::both("restarts") {
            table_with_times(&server);
            let keys =
                [&mode_keys(mode)[..], &[("table.splits", "5"), ("volley.mode", "bounded"), ("batch.max.rows", "5")]]
                    .concat();
            let mut connector = server.connector(&keys);
            // the task of the first range looks every second whether the others are stored
            let rows = rows_with_restarts(&mut connector, 40, 1_000);
            assert_eq!(sorted_ids(&rows), (1..=1_000).collect::<Vec<_>>(), "{mode}");
            assert!(connector.offsets.get(&server.partition("t")).is_some(), "{mode}");
        }
    }
}

#[test]
fn the_ranges_that_were_begun_are_gone_on_with_whatever_is_configured_next() {
    let server = &Server::both("begun")[0];
    table_with_times(server);
    let keys =
        |splits| [&mode_keys("incrementing")[..], &[("table.splits", splits), ("volley.mode", "bounded")]].concat();
    let mut connector = server.connector(&keys("4"));
    connector.start(2);
    let mut rows = connector.rows(150);
    for splits in ["7", "off"] {
        let offsets = connector.offsets.clone();
        connector = server.connector(&keys(splits));
        connector.offsets = offsets;
        connector.start(3);
        let plan = connector.task_configs[0]["splits"].clone();
        let plan: Value = serde_json::from_str(&plan).unwrap();
        let plan: Value = serde_json::from_str(plan["tables"][0]["plan"].as_str().unwrap()).unwrap();
        assert_eq!(plan["borders"], json!(["250", "500", "750"]), "{splits}");
        rows.extend(connector.rows(150));
    }
    rows.extend(connector.rows_until_done());
    assert_eq!(sorted_ids(&rows), (1..=1_000).collect::<Vec<_>>());
}

#[test]
fn with_auto_the_size_that_the_database_knows_says_whether_a_table_is_divided() {
    for server in Server::both("auto") {
        for (count, ranges) in [(1_600_000, 2..=4), (600_000, 0..=0)] {
            let (numbers, analyze) = match &server {
                Server::Postgres(_) => (format!("generate_series(1, {count})"), "ANALYZE t"),
                Server::Other(_) => (format!("seq_1_to_{count}"), "ANALYZE TABLE t"),
            };
            let column = if let Server::Postgres(_) = server { "generate_series" } else { "seq" };
            server.sql(&format!(
                "DROP TABLE IF EXISTS t; CREATE TABLE t (id BIGINT PRIMARY KEY); \
                 INSERT INTO t SELECT {column} FROM {numbers}; {analyze}"
            ));
            let keys = [("mode", "bulk"), ("volley.mode", "bounded"), ("table.splits", "auto")];
            let mut connector = server.connector(&[&keys[..], &[("batch.max.rows", "20000")]].concat());
            connector.start(3);
            let divided = connector.task_configs.iter().filter(|task| task.contains_key("splits")).count();
            assert_eq!(divided > 0, *ranges.start() > 0, "{count} rows");
            let ids = connector.ids_until_done();
            assert!(ids.iter().copied().eq(1..=count), "{} of {count} ids", ids.len());
            let found = connector.offsets.ranges();
            assert!(ranges.contains(&found), "{found} ranges for {count} rows");
        }
    }
}

#[test]
fn a_table_with_an_offset_of_java_is_not_divided() {
    let server = &Server::both("taken")[0];
    table_with_times(server);
    let keys = [&mode_keys("incrementing")[..], &[("table.splits", "4")]].concat();
    let mut connector = server.connector(&keys);
    connector.offsets.put(&server.partition("t"), r#"{"incrementing":997}"#);
    connector.start(4);
    assert_eq!(connector.tasks.len(), 1);
    assert_eq!(sorted_ids(&connector.rows(3)), [998, 999, 1_000]);
}

#[test]
fn a_table_whose_rows_go_away_meanwhile_is_read_to_its_end() {
    for mode in MODES {
        let server = &Server::both("emptied")[0];
        table_with_times(server);
        let keys = [&mode_keys(mode)[..], &[("table.splits", "4"), ("volley.mode", "bounded")]].concat();
        let mut connector = server.connector(&keys);
        connector.start(3);
        server.sql("DELETE FROM t WHERE id <= 600");
        assert_eq!(sorted_ids(&connector.rows_until_done()), (601..=1_000).collect::<Vec<_>>(), "{mode}");
        let mut connector = server.connector(&keys);
        connector.start(3);
        server.sql("DELETE FROM t");
        assert!(connector.rows_until_done().is_empty(), "{mode}");
    }
}

#[test]
fn with_wait_no_row_of_the_snapshot_is_lost_whose_transaction_commits_late() {
    for server in Server::both("late") {
        let mut connector = server
            .connector(&[&mode_keys("incrementing")[..], &[("table.splits", "3"), ("late.commits", "wait")]].concat());
        table_with_times(&server);
        server.sql("DELETE FROM t WHERE id = 500");
        let mut late = match &server {
            Server::Postgres(database) => database.session(),
            Server::Other(jdbc_drivers::Database::Maria(database)) => database.session(),
            Server::Other(_) => unreachable!(),
        };
        late.sql("BEGIN; INSERT INTO t VALUES (500, '2026-01-01');");
        connector.start(2);
        for _ in 0..40 {
            for task in 0..2 {
                assert_eq!(connector.poll(task).unwrap(), Some(Vec::new()));
            }
        }
        late.sql("COMMIT;");
        assert_eq!(sorted_ids(&connector.rows(1_000)), (1..=1_000).collect::<Vec<_>>());
    }
}

#[test]
fn what_does_not_go_together_with_ranges_is_refused_with_the_reason() {
    let server = &Server::both("refused")[0];
    let source = Source::new(Kafka::shared(), &server.url(), &[]);
    for (keys, expected) in [
        (&[("mode", "bulk")][..], "volley.mode=bounded"),
        (
            &[("mode", "incrementing"), ("incrementing.column.name", "id"), ("query", "SELECT 1 AS id")],
            "a query cannot be divided",
        ),
        (&[("mode", "incrementing"), ("query.suffix", "LIMIT 5")], "query.suffix"),
        (&[("mode", "incrementing"), ("lookback.rows", "5")], "late.commits=wait"),
        (&[("mode", "incrementing"), ("table.splits", "many")], "from 1 to 64"),
    ] {
        let url = server.url();
        let base = [
            ("name", "shop"),
            ("connector.class", "io.confluent.connect.jdbc.JdbcSourceConnector"),
            ("connection.url", url.as_str()),
            ("connection.user", "volley"),
            ("topic.prefix", "refused"),
            ("table.splits", "4"),
        ];
        source.volley.file("refused.properties", &[&base, keys].concat());
        let end = source.volley.run(SOON, &["validate", "refused.properties"]);
        let said = format!("{}{}", end.stdout, end.log);
        assert!(said.contains("table.splits") && said.contains(expected), "{expected}: {said}");
    }
}

#[test]
fn a_worker_that_is_killed_in_the_middle_of_a_divided_table_loses_no_row() {
    let (kafka, server) = (Kafka::shared(), &Server::both("killed")[0]);
    server.sql("CREATE TABLE orders (id bigserial PRIMARY KEY, name text)");
    server.sql("INSERT INTO orders (name) SELECT repeat('x', 300) FROM generate_series(1, 60000)");
    let keys = |tasks| {
        [
            ("mode", "incrementing"),
            ("table.whitelist", "orders"),
            ("table.splits", "6"),
            ("batch.max.rows", "200"),
            ("tasks.max", tasks),
        ]
    };
    let mut source = Source::new(kafka, &server.url(), &keys("4"));
    source.volley.worker(
        &kafka.bootstrap_servers(),
        &[("value.converter.schemas.enable", "true"), ("offset.flush.interval.ms", "50")],
    );
    for (least, tasks) in [(2_000, "2"), (20_000, "3")] {
        source.launch();
        wait_until(SOON, "some rows are there", || (source.messages("orders").len() >= least).then_some(()));
        source.process.take().unwrap().kill();
        server.sql("INSERT INTO orders (name) VALUES ('meanwhile')");
        source.configure(&server.url(), &keys(tasks));
    }
    source.launch();
    let partition: Value = serde_json::from_str(&server.partition("orders")).unwrap();
    wait_until(SOON, "the snapshot has ended", || {
        let offsets = source.get("offsets")["offsets"].as_array()?.clone();
        offsets
            .iter()
            .find(|entry| entry["partition"] == partition && entry["offset"]["incrementing"] == json!(60_002))
            .map(drop)
    });
    let found: BTreeSet<i64> = ids(&source.messages("orders")).into_iter().collect();
    assert!(found.into_iter().eq(1..=60_002));
}
