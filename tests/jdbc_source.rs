//! `JdbcSourceConnector` on a real PostgreSQL: tables into topics, offsets as Java's connector stores them.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::AsArray;
use serde_json::json;
use volley_api::testing::{config_map, resumes_from_every_offset};
use volley_api::{PluginFactory, Polled, Result, SourceTask};
use volley_java::{parse_properties, write_hash_map};
use volley_jdbc::{ConnectionSettings, Driver, Fetched, Isolation, JdbcUrl, Parameters, Query};

use crate::jdbc_worker::{CONNECTOR, SOON, Source, ids};
use crate::testbed::{Kafka, Postgres, wait_until};
use crate::worker_process::request;

const MIB: u64 = 1024 * 1024;

/// A task of the plug-in.
struct Task(Box<dyn SourceTask>);

impl SourceTask for Task {
    fn poll(&mut self, max_wait: Duration) -> Result<Polled> {
        self.0.poll(max_wait)
    }

    fn stop(&mut self) {
        self.0.stop();
    }
}

#[test]
fn a_table_comes_whole_with_the_types_of_java_and_what_java_leaves_out() {
    let (kafka, database) = (Kafka::shared(), Postgres::shared().database("types"));
    database.sql(
        "CREATE TYPE mood AS ENUM ('sad', 'happy');
         CREATE TABLE things (
            id int PRIMARY KEY, small smallint NOT NULL, big bigint, ok boolean, r real, d double precision,
            price numeric(10,2), huge numeric(50,3), free numeric, name varchar(20), code char(3), raw bytea,
            day date, at time, stamp timestamp, stamped timestamptz, doc json, docb jsonb, u uuid,
            tags text[], numbers int[], address inet, span interval, feeling mood, period int4range, flag bit(1),
            flags bit(3));
         INSERT INTO things VALUES
            (1, -2, 3, true, 1.5, 2.25, 12.34, 12345678901234567890123456789012345678901234567.891, 0.1,
             'né', 'ab', '\\x00ff',
             '2026-02-28', '12:34:56.789', '2026-01-02 03:04:05.678901', '2026-01-02 03:04:05.678901+01',
             '{\"a\": 1}', '{\"a\": 1}',
             'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{a,NULL,\"b,c\"}', '{1,2}',
             '10.0.0.1/8', '1 day 02:00', 'happy', '[1,5)', B'1', B'101');
         INSERT INTO things (id, small) VALUES (2, 0)",
    );
    let keys = [
        ("mode", "bulk"),
        ("poll.interval.ms", "3600000"),
        ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
        ("value.converter.decimal.format", "NUMERIC"),
    ];
    let source = Source::started(kafka, &database.url(), &keys);
    let messages = source.await_messages("things", 2);
    assert_eq!(messages.len(), 2);
    let schema = &messages[0]["schema"];
    assert_eq!((&schema["name"], &schema["optional"]), (&json!("things"), &json!(false)));
    let field =
        |name: &str| schema["fields"].as_array().unwrap().iter().find(|field| field["field"] == name).unwrap().clone();
    assert_eq!(field("id"), json!({"type": "int32", "optional": false, "field": "id"}));
    assert_eq!(field("small"), json!({"type": "int16", "optional": false, "field": "small"}));
    let price = field("price");
    assert_eq!(price["name"], "org.apache.kafka.connect.data.Decimal");
    assert_eq!(price["parameters"], json!({"scale": "2", "connect.decimal.precision": "10"}));
    assert_eq!(field("stamp")["name"], "org.apache.kafka.connect.data.Timestamp");
    assert_eq!((&field("tags")["type"], &field("tags")["items"]["type"]), (&json!("array"), &json!("string")));
    let row = &messages[0]["payload"];
    let stamp = 1_767_323_045_678_i64;
    for (name, expected) in [
        ("small", json!(-2)),
        ("big", json!(3)),
        ("ok", json!(true)),
        ("r", json!(1.5)),
        ("d", json!(2.25)),
        ("price", json!(12.34)),
        ("free", json!("0.1")),
        ("name", json!("né")),
        ("code", json!("ab ")),
        ("raw", json!("AP8=")),
        ("day", json!(20_512)),
        ("at", json!(45_296_789)),
        ("stamp", json!(stamp)),
        ("stamped", json!(stamp - 3_600_000)),
        ("doc", json!("{\"a\": 1}")),
        ("docb", json!("{\"a\": 1}")),
        ("u", json!("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")),
        ("tags", json!(["a", null, "b,c"])),
        ("numbers", json!([1, 2])),
        ("address", json!("10.0.0.1/8")),
        ("span", json!("1 day 02:00:00")),
        ("feeling", json!("happy")),
        ("period", json!("[1,5)")),
        ("flag", json!(true)),
        ("flags", json!(5)),
    ] {
        assert_eq!(row[name], expected, "{name}");
    }
    let nulls = messages[1]["payload"].as_object().unwrap();
    let set: Vec<_> = nulls.iter().filter(|(_, value)| !value.is_null()).map(|(name, _)| name.as_str()).collect();
    assert_eq!(set, ["id", "small"]);
}

#[test]
fn an_incrementing_source_goes_on_behind_its_last_row_after_a_restart() {
    let (kafka, database) = (Kafka::shared(), Postgres::shared().database("incrementing"));
    database.sql(
        "CREATE TABLE orders (id bigserial PRIMARY KEY, name text);
         INSERT INTO orders (name) SELECT 'a' FROM generate_series(1, 20000)",
    );
    let keys = [("mode", "incrementing"), ("table.whitelist", "orders")];
    let mut source = Source::started(kafka, &database.url(), &keys);
    assert!(source.await_ids("orders", 20_000).into_iter().eq(1..=20_000));
    let table = format!("{}.public.orders", database.name);
    let at = |id: i64| json!([{"partition": {"protocol": "1", "table": table}, "offset": {"incrementing": id}}]);
    source.await_offsets(&at(20_000));
    database.sql("INSERT INTO orders (name) VALUES ('b')");
    assert_eq!(source.await_ids("orders", 20_001).last(), Some(&20_001));
    source.await_offsets(&at(20_001));
    source.stop();
    database.sql("INSERT INTO orders (name) VALUES ('c')");
    source.launch();
    assert!(source.await_ids("orders", 20_002).into_iter().eq(1..=20_002));
}

#[test]
fn times_and_numbers_say_what_is_new_and_updates_come_again() {
    let (kafka, database) = (Kafka::shared(), Postgres::shared().database("timestamps"));
    database.sql(
        "CREATE TABLE a (id int PRIMARY KEY, created timestamp NOT NULL, updated timestamp);
         CREATE TABLE b (id int PRIMARY KEY, created timestamptz NOT NULL, updated timestamptz);
         INSERT INTO a SELECT i, '2026-01-01 00:00:00.123456'::timestamp + i / 3 * interval '1 microsecond'
         FROM generate_series(1, 1000) i;
         INSERT INTO b SELECT * FROM a",
    );
    let keys = |mode| {
        [
            ("mode", mode),
            ("timestamp.column.name", "updated,created"),
            ("incrementing.column.name", "id"),
            ("batch.max.rows", "100"),
        ]
    };
    // the time of the last rows that have it, in microseconds
    let last = 1_767_225_600_123_456_i64 + 333;
    for mode in ["timestamp", "timestamp+incrementing"] {
        let mut source = Source::started(kafka, &database.url(), &keys(mode));
        for table in ["a", "b"] {
            let mut ids = source.await_ids(table, 1_000);
            if mode == "timestamp" {
                // rows of one time have no order
                ids.sort_unstable();
            }
            assert_eq!(ids, (1..=1_000).collect::<Vec<_>>(), "{mode}");
        }
        let offsets: Vec<_> = ["a", "b"]
            .map(|table| {
                let mut offset = json!({"timestamp": last / 1_000, "timestamp_nanos": last % 1_000_000 * 1_000});
                if mode != "timestamp" {
                    offset["incrementing"] = json!(1_000);
                }
                let table = format!("{}.public.{table}", database.name);
                json!({"partition": {"protocol": "1", "table": table}, "offset": offset})
            })
            .to_vec();
        wait_until(SOON, "both offsets are stored", || {
            let mut found = source.get("offsets")["offsets"].as_array()?.clone();
            found.sort_by_key(|entry| entry["partition"]["table"].to_string());
            (found == offsets).then_some(())
        });
        source.stop();
        database.sql("UPDATE a SET updated = clock_timestamp() WHERE id = 7");
        source.launch();
        assert_eq!(source.await_ids("a", 1_001)[1_000..], [7], "{mode}");
        assert_eq!(source.messages("b").len(), 1_000, "{mode}");
        database.sql("UPDATE a SET updated = NULL");
    }
}

#[test]
fn a_task_goes_on_from_every_offset_that_one_has_given() {
    let database = Postgres::shared().database("resumed");
    database.sql(
        "CREATE TABLE rows (id int PRIMARY KEY, at timestamptz NOT NULL);
         INSERT INTO rows SELECT i, '2026-01-01'::timestamptz + i * interval '1 microsecond'
         FROM generate_series(1, 200) i",
    );
    let plugins = volley_jdbc::plugins(&[Arc::new(volley_postgres::Postgres)]);
    let PluginFactory::Source { task, .. } = &plugins[0].factory else { panic!("a source") };
    for mode in ["incrementing", "timestamp", "timestamp+incrementing"] {
        let config = config_map(&[
            ("connection.url", &database.url()),
            ("connection.user", database.user()),
            ("mode", mode),
            ("incrementing.column.name", "id"),
            ("timestamp.column.name", "at"),
            ("batch.max.rows", "40"),
            ("topic.prefix", ""),
            ("tables", "\"public\".\"rows\""),
        ]);
        resumes_from_every_offset(200, |context| Ok(Task(task(context, &config)?)));
    }
}

#[test]
fn offsets_of_a_java_worker_are_gone_on_from_without_a_gap_or_a_repeat() {
    let (kafka, database) = (Kafka::shared(), Postgres::shared().database("takeover"));
    database.sql(
        "CREATE TABLE one (id int PRIMARY KEY, at timestamp NOT NULL);
         INSERT INTO one SELECT i, '2026-01-01 00:00:00.000100'::timestamp + i / 10 * interval '1 microsecond'
         FROM generate_series(1, 100) i;
         CREATE TABLE two (LIKE one INCLUDING ALL); INSERT INTO two SELECT * FROM one;
         CREATE TABLE three (LIKE one INCLUDING ALL); INSERT INTO three SELECT * FROM one",
    );
    // rows up to 52, of which 50 to 59 have the same time
    let offset = r#"{"timestamp_nanos":105000,"incrementing":52,"timestamp":1767225600000}"#;
    let partitions = [
        format!(r#"{{"protocol":"1","table":"{}.public.one"}}"#, database.name),
        r#"{"protocol":"1","table":"public.two"}"#.to_owned(),
        r#"{"table":"three"}"#.to_owned(),
    ];
    let stored = partitions
        .iter()
        .map(|partition| (format!(r#"["{CONNECTOR}",{partition}]"#).into_bytes(), offset.as_bytes().to_vec()));
    let keys = [
        ("mode", "timestamp+incrementing"),
        ("timestamp.column.name", "at"),
        ("incrementing.column.name", "id"),
        ("tasks.max", "2"),
    ];
    let mut source = Source::new(kafka, &database.url(), &keys);
    fs::write(source.volley.path("connect.offsets"), write_hash_map(&stored.collect())).unwrap();
    source.launch();
    for table in ["one", "two", "three"] {
        assert_eq!(source.await_ids(table, 48), (53..=100).collect::<Vec<_>>(), "{table}");
    }
    // what was stored without a catalog is stored so again: whoever has written it finds it
    wait_until(SOON, "the offsets have moved", || {
        let offsets = source.get("offsets")["offsets"].as_array()?.clone();
        let moved: Vec<_> = offsets
            .iter()
            .filter(|entry| entry["offset"]["incrementing"] == 100)
            .map(|entry| entry["partition"]["table"].clone())
            .collect();
        let expected = [
            format!("{}.public.one", database.name),
            "public.two".to_owned(),
            format!("{}.public.three", database.name),
        ];
        expected.iter().all(|table| moved.contains(&json!(table))).then_some(())
    });
    source.stop();
}

#[test]
fn a_query_is_read_with_the_conditions_of_its_mode() {
    let (kafka, database) = (Kafka::shared(), Postgres::shared().database("query"));
    database
        .sql("CREATE TABLE orders (id int, country text); INSERT INTO orders VALUES (1, 'CH'), (2, 'DE'), (3, 'CH')");
    let keys = [
        ("mode", "incrementing"),
        ("incrementing.column.name", "id"),
        (
            "query",
            "SELECT * FROM (SELECT id, ARRAY[id] AS list, '10.0.0.1'::inet FROM orders WHERE country = 'CH') AS q;",
        ),
        ("topic.prefix", ""),
    ];
    let topic = kafka.unique("query");
    let mut keys = keys.to_vec();
    keys[3].1 = &topic;
    let mut source = Source::started(kafka, &database.url(), &keys);
    source.prefix = topic.clone();
    assert_eq!(source.await_ids("", 2), [1, 3]);
    source.await_offsets(&json!([{"partition": {"query": "query"}, "offset": {"incrementing": 3}}]));
    database.sql("INSERT INTO orders VALUES (4, 'DE'), (5, 'CH')");
    assert_eq!(source.await_ids("", 3), [1, 3, 5]);
}

#[test]
fn a_table_that_comes_later_is_read_and_a_column_that_comes_later_too() {
    let (kafka, database) = (Kafka::shared(), Postgres::shared().database("later"));
    database.sql("CREATE TABLE first (id serial PRIMARY KEY); INSERT INTO first DEFAULT VALUES");
    let keys = [("mode", "incrementing"), ("table.poll.interval.ms", "200"), ("tasks.max", "3")];
    let source = Source::started(kafka, &database.url(), &keys);
    assert_eq!(source.await_ids("first", 1), [1]);
    database.sql("CREATE TABLE second (id serial PRIMARY KEY); INSERT INTO second DEFAULT VALUES");
    assert_eq!(source.await_ids("second", 1), [1]);
    database.sql("ALTER TABLE first ADD note text; INSERT INTO first (note) VALUES ('new')");
    let messages = source.await_messages("first", 2);
    assert_eq!((ids(&messages), &messages[1]["payload"]["note"]), (vec![1, 2], &json!("new")));
}

#[test]
fn a_database_that_is_killed_in_the_middle_loses_no_row() {
    let kafka = Kafka::shared();
    let mut server = Postgres::start();
    let database = server.database("killed");
    database.sql(
        "CREATE TABLE orders (id bigserial PRIMARY KEY, name text);
         INSERT INTO orders (name) SELECT repeat('x', 200) FROM generate_series(1, 50000)",
    );
    let mut source = Source::started(kafka, &database.url(), &[("mode", "incrementing"), ("batch.max.rows", "500")]);
    source.await_messages("orders", 1);
    server.kill();
    server.restart();
    database.sql("INSERT INTO orders VALUES (50001, 'last')");
    let ids = source.await_ids("orders", 50_001);
    assert!(ids.iter().copied().eq(1..=50_001), "{} rows, the last is {:?}", ids.len(), ids.last());
    source.stop();
}

#[test]
fn a_bounded_source_reads_what_is_there_and_is_done() {
    let (kafka, database) = (Kafka::shared(), Postgres::shared().database("bounded"));
    database.sql("CREATE TABLE a (id serial PRIMARY KEY); CREATE TABLE b (id serial PRIMARY KEY)");
    let keys = [
        ("connector.class", "io.aiven.connect.jdbc.JdbcSourceConnector"),
        ("mode", "incrementing"),
        ("volley.mode", "bounded"),
    ];
    let source = Source::new(kafka, &database.url(), &keys);
    for round in 1..=2 {
        database.sql("INSERT INTO a DEFAULT VALUES; INSERT INTO b DEFAULT VALUES");
        let end = source.volley.run(SOON, &["standalone", "worker.properties", "shop.properties", "--until-done"]);
        assert!(end.status.success(), "{}", end.log);
        for table in ["a", "b"] {
            assert_eq!(ids(&source.messages(table)), (1..=round).collect::<Vec<_>>(), "{table}");
        }
    }
}

#[test]
fn memory_does_not_depend_on_the_size_of_a_table() {
    const ROWS: u64 = 150_000;
    let (kafka, database) = (Kafka::shared(), Postgres::shared().database("large"));
    // all of it would be 300 MiB
    let query = format!("SELECT i AS id, repeat(md5(i::text), 60) AS filler FROM generate_series(1, {ROWS}) i");
    let keys = [("mode", "bulk"), ("poll.interval.ms", "3600000"), ("query", query.as_str())];
    let mut source = Source::new(kafka, &database.url(), &keys);
    source.launch();
    let mut most = 0;
    wait_until(2 * SOON, "all rows are written", || {
        most = most.max(source.process.as_ref().unwrap().resident_bytes());
        let (_, progress) = request(&source.rest, "GET", &format!("/volley/connectors/{CONNECTOR}/progress"), None);
        (progress["total"]["rows_out"].as_u64()? >= ROWS).then_some(())
    });
    assert!(most < 260 * MIB, "{} MiB", most / MIB);
}

#[test]
fn what_is_wrong_is_said_at_validation() {
    let (kafka, database) = (Kafka::shared(), Postgres::shared().database("validation"));
    let source = Source::started(kafka, &database.url(), &[("mode", "bulk")]);
    let bytes = fs::read(source.volley.path("shop.properties")).unwrap();
    let base = json!(parse_properties(&bytes, "shop").unwrap().into_iter().collect::<BTreeMap<_, _>>());
    for (key, value, expected) in [
        ("connection.url", "jdbc:oracle:thin:@db:1521/shop".to_owned(), "no driver for `jdbc:oracle`"),
        ("connection.url", format!("{}?sslmode=verify-full", database.url()), "does not support TLS"),
        ("connection.url", database.url().replace(&database.name, "nowhere"), "nowhere"),
        ("mode", "timestamp".to_owned(), "needs a column"),
    ] {
        let mut config = base.clone();
        config[key] = json!(value);
        let path = "/connector-plugins/io.confluent.connect.jdbc.JdbcSourceConnector/config/validate";
        let (status, body) = request(&source.rest, "PUT", path, Some(&config));
        assert_eq!(status, 200, "{body}");
        let errors: Vec<_> = body["configs"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|config| config["value"]["errors"].as_array().unwrap())
            .collect();
        assert!(errors.iter().any(|error| error.as_str().unwrap().contains(expected)), "{value}: {errors:?}");
    }
    let url = format!("{}?loggerLevel=DEBUG&fantasy=1", database.url());
    let entries = base.as_object().unwrap().iter().map(|(key, value)| (key.as_str(), value.as_str().unwrap()));
    let entries: Vec<_> =
        entries.map(|(key, value)| (key, if key == "connection.url" { &url } else { value })).collect();
    source.volley.file("parameters.properties", &entries);
    let end = source.volley.run(SOON, &["validate", "parameters.properties"]);
    let note = "note: these parameters of the Java driver have no effect here: fantasy\n";
    assert!(end.stdout.contains(note), "{}\n{}", end.stdout, end.log);
}

/// Whether a connection by this URL is encrypted, by the server's own account.
fn is_encrypted(url: &str) -> Result<bool> {
    let settings = ConnectionSettings {
        url: JdbcUrl::parse(url).unwrap(),
        user: Some("volley".to_owned()),
        password: None,
        properties: Parameters::default(),
    };
    let mut connection = volley_postgres::Postgres.connect(&settings)?;
    connection.query(&Query {
        text: "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()".to_owned(),
        batch_rows: 10,
        batch_bytes: 1_000,
        isolation: Isolation::Default,
    })?;
    match connection.next(SOON)? {
        Fetched::Rows(rows) => Ok(rows.column(0).as_boolean().value(0)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn connections_are_encrypted_and_servers_checked_as_sslmode_says() {
    let server = Postgres::start_with_tls();
    let url = server.database("tls").url();
    let certificate = server.certificate();
    assert!(!is_encrypted(&format!("{url}?sslmode=disable")).unwrap());
    for parameters in
        ["sslmode=prefer", "sslmode=require", "ssl=true&sslfactory=org.postgresql.ssl.NonValidatingFactory"]
    {
        assert!(is_encrypted(&format!("{url}?{parameters}")).unwrap(), "{parameters}");
    }
    assert!(is_encrypted(&url).unwrap(), "by itself where the server offers it");
    for mode in ["verify-ca", "verify-full"] {
        assert!(is_encrypted(&format!("{url}?sslmode={mode}&sslrootcert={certificate}")).unwrap(), "{mode}");
        let error = is_encrypted(&format!("{url}?sslmode={mode}")).unwrap_err();
        assert!(!error.is_retriable() && format!("{error:#}").contains("certificate"), "{mode}: {error:#}");
    }
    // a name that is not the certificate's
    let named = url.replace("127.0.0.1", "localhost");
    assert!(is_encrypted(&format!("{named}?sslmode=verify-ca&sslrootcert={certificate}")).unwrap());
    assert!(is_encrypted(&format!("{named}?sslmode=verify-full&sslrootcert={certificate}")).is_err());
}
