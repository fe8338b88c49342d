//! `JdbcSinkConnector` on real databases: topics into tables, in each mode.

use std::sync::Arc;

use serde_json::json;
use volley_api::testing::{SinkUnderTest, commits_only_what_is_durable, config_map};
use volley_api::{PluginFactory, Result, SinkContext, SinkTask};
use volley_jdbc::Driver;

use crate::jdbc_sink_worker::{CLASS, Target, order, record, write};
use crate::testbed::{Kafka, Postgres};

const CREATES: (&str, &str) = ("auto.create", "true");

#[test]
fn records_are_rows_of_a_table_that_is_created() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("created", 1);
    let fields = |id: i64, text: serde_json::Value| {
        record(&[
            ("id", "int64", json!(id)),
            ("tiny", "int8", json!(-128)),
            ("small", "int16", json!(32767)),
            ("int", "int32", json!(-5)),
            ("ok", "boolean", json!(true)),
            ("real", "float", json!(1.5)),
            ("double", "double", json!(-2.25)),
            ("text", "string?", text),
            ("raw", "bytes", json!("AP8=")),
            ("day", "date", json!(20_512)),
            ("at", "timestamp", json!(1_767_323_045_678_i64)),
        ])
    };
    kafka.produce_pairs(
        &topic,
        &[("a", Some(&fields(1, json!("né 'x' \\ \"y\"")))), ("b", Some(&fields(2, json!(null))))],
    );
    for target in Target::all("created") {
        write(kafka, &target, &topic, &[CREATES]);
        let table = target.quoted(&topic);
        let raw = if let Target::Postgres(_) = target { "encode(raw, 'hex')" } else { "hex(raw)" };
        let day = if let Target::Sqlite(_) = target { "day / 86400000" } else { "day" };
        let names = ["id", "tiny", "small", "int", "ok", "real", "double"].map(|name| target.quoted(name)).join(", ");
        let rows = target.sql(&format!("SELECT {names}, text, {raw}, {day}, at FROM {table} ORDER BY id"));
        let (truth, day, at) = match target {
            Target::Postgres(_) => ("t", "2026-02-28", "2026-01-02 03:04:05.678"),
            Target::Maria(_) | Target::MySql(_) => ("1", "2026-02-28", "2026-01-02 03:04:05.678000"),
            Target::Sqlite(_) => ("1", "20512", "1767323045678"),
        };
        let text =
            if let Target::Maria(_) | Target::MySql(_) = target { "né 'x' \\\\ \"y\"" } else { "né 'x' \\ \"y\"" };
        let row = |id, text| format!("{id}|-128|32767|-5|{truth}|1.5|-2.25|{text}|00FF|{day}|{at}");
        let expected = format!("{}\n{}", row(1, text), row(2, ""));
        assert_eq!(rows.to_uppercase(), expected.to_uppercase(), "{}", target.name());
    }
}

#[test]
fn a_key_has_its_last_record_and_a_null_removes_its_row() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("upserts", 1);
    let pairs = [
        ("1", Some(order(1, "one"))),
        ("2", Some(order(2, "two"))),
        ("1", Some(order(1, "uno"))),
        ("2", None),
        ("3", Some(order(3, "three"))),
        ("3", None),
        ("3", Some(order(3, "tres"))),
        ("4", None),
    ];
    let pairs: Vec<_> = pairs.iter().map(|(key, value)| (*key, value.as_deref())).collect();
    kafka.produce_pairs(&topic, &pairs);
    for target in Target::all("upserts") {
        let keys = [
            CREATES,
            ("insert.mode", "upsert"),
            ("pk.mode", "record_key"),
            ("pk.fields", "k"),
            ("delete.enabled", "true"),
        ];
        let table = target.quoted(&topic);
        for _ in 0..2 {
            write(kafka, &target, &topic, &keys);
            let rows = target.sql(&format!("SELECT k, id, name FROM {table} ORDER BY k"));
            assert_eq!(rows, "1|1|uno\n3|3|tres", "{}", target.name());
        }
    }
}

#[test]
fn updates_change_rows_that_are_there_and_only_chosen_fields() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("updates", 1);
    let change =
        |id: i64| record(&[("id", "int64", json!(id)), ("name", "string", json!("new")), ("n", "int32", json!(7))]);
    kafka.produce_pairs(&topic, &[("a", Some(&change(1))), ("b", Some(&change(9)))]);
    for target in Target::all("updates") {
        let table = target.quoted(&topic);
        target.sql(&format!(
            "CREATE TABLE {table} (id BIGINT PRIMARY KEY NOT NULL, name VARCHAR(9), n INT, kept INT);
             INSERT INTO {table} VALUES (1, 'old', 1, 5), (2, 'old', 1, 5)"
        ));
        let keys =
            [("insert.mode", "update"), ("pk.mode", "record_value"), ("pk.fields", "id"), ("fields.whitelist", "name")];
        write(kafka, &target, &topic, &keys);
        let rows = target.sql(&format!("SELECT id, name, n, kept FROM {table} ORDER BY id"));
        assert_eq!(rows, "1|new|1|5\n2|old|1|5", "{}", target.name());
    }
}

#[test]
fn kafka_s_coordinates_are_a_key_that_takes_no_record_twice() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("coordinates", 2);
    kafka.produce(&topic, 10, |number, _, value| {
        value.extend_from_slice(order(number as i64, "x").as_bytes());
        (number % 2) as i32
    });
    for target in Target::all("coordinates") {
        let keys = [
            CREATES,
            ("insert.mode", "upsert"),
            ("pk.mode", "kafka"),
            ("table.name.format", "all_${topic}"),
            ("pk.fields", "t,p,o"),
        ];
        for _ in 0..2 {
            write(kafka, &target, &topic, &keys);
        }
        let table = target.quoted(&format!("all_{topic}"));
        let rows = target.sql(&format!("SELECT p, o, id FROM {table} WHERE t = '{topic}' ORDER BY p, o"));
        let expected: Vec<_> =
            (0..10).map(|place| format!("{}|{}|{}", place / 5, place % 5, place % 5 * 2 + place / 5)).collect();
        assert_eq!(rows, expected.join("\n"), "{}", target.name());
    }
}

#[test]
fn a_table_grows_with_its_records() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("evolved", 1);
    let first = record(&[("id", "int32", json!(1))]);
    let second = record(&[
        ("ID", "int64", json!(5_000_000_000_i64)),
        ("Name", "string?", json!("new")),
        ("n", "float?", json!(null)),
    ]);
    kafka.produce_pairs(&topic, &[("a", Some(&first)), ("b", Some(&second))]);
    for target in Target::all("evolved") {
        write(kafka, &target, &topic, &[CREATES, ("auto.evolve", "true")]);
        let (table, name) = (target.quoted(&topic), target.quoted("Name"));
        let rows = target.sql(&format!("SELECT id, {name}, n FROM {table} ORDER BY id"));
        assert_eq!(rows, "1||\n5000000000|new|", "{}", target.name());
    }
}

/// A database, and the keys of a sink that writes to it.
struct Table {
    target: Target,
    keys: Vec<(&'static str, String)>,
    is_exactly_once: bool,
}

impl SinkUnderTest for Table {
    fn start(&mut self, context: SinkContext) -> Result<Box<dyn SinkTask>> {
        let drivers: [Arc<dyn Driver>; 2] = [Arc::new(volley_postgres::Postgres), Arc::new(volley_sqlite::Sqlite)];
        let plugin = volley_jdbc::plugins(&drivers).into_iter().find(|plugin| plugin.class == CLASS).unwrap();
        let PluginFactory::Sink { task, .. } = plugin.factory else { panic!("a sink") };
        let keys: Vec<_> = self.keys.iter().map(|(name, value)| (*name, value.as_str())).collect();
        task(context, &config_map(&keys))
    }

    fn delivered(&mut self) -> Vec<String> {
        let exists = match &self.target {
            Target::Sqlite(_) => "SELECT count(*) FROM sqlite_master WHERE name = 'rows'",
            _ => "SELECT count(*) FROM pg_class WHERE relname = 'rows'",
        };
        if self.target.sql(exists) == "0" {
            return Vec::new();
        }
        self.target.sql("SELECT record_value FROM rows").lines().map(str::to_owned).collect()
    }

    fn is_exactly_once(&self) -> bool {
        self.is_exactly_once
    }
}

#[test]
fn offsets_are_vouched_for_once_their_rows_are_committed() {
    for is_exactly_once in [false, true] {
        let table = |target: Target| {
            let keys = vec![
                ("connection.url", target.url()),
                ("connection.user", "volley".to_owned()),
                ("table.name.format", "rows".to_owned()),
                ("auto.create", "true".to_owned()),
                ("volley.exactly.once", is_exactly_once.to_string()),
            ];
            Table { target, keys, is_exactly_once }
        };
        commits_only_what_is_durable(|| table(Target::Sqlite(tempfile::tempdir().unwrap())));
        let database = Postgres::shared().database("conformance");
        commits_only_what_is_durable(|| {
            database.sql("DROP TABLE IF EXISTS rows; DROP TABLE IF EXISTS volley_offsets");
            table(Target::Postgres(database.again()))
        });
    }
}
