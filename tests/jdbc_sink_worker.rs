//! A worker that writes topics into a database.

use std::time::Duration;

use serde_json::{Value, json};

use crate::jdbc_worker::SOON;
use crate::testbed::{Database, Kafka, MariaDatabase, MariaDb, MySql, Postgres};
use crate::worker_process::{Running, Volley};

pub(crate) const CLASS: &str = "io.confluent.connect.jdbc.JdbcSinkConnector";

/// A database of one test.
pub(crate) enum Target {
    Postgres(Database),
    Maria(MariaDatabase),
    MySql(MariaDatabase),
    Sqlite(tempfile::TempDir),
}

impl Target {
    /// One of each system that is installed.
    pub(crate) fn all(stem: &str) -> Vec<Self> {
        let mut all = vec![
            Self::Postgres(Postgres::shared().database(stem)),
            Self::Maria(MariaDb::shared().database(stem)),
            Self::Sqlite(tempfile::tempdir().unwrap()),
        ];
        all.extend(MySql::shared().map(|server| Self::MySql(server.database(stem))));
        all
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::Postgres(database) => database.url(),
            Self::Maria(database) | Self::MySql(database) => database.url(),
            Self::Sqlite(directory) => format!("jdbc:sqlite:{}", directory.path().join("shop.db").display()),
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Postgres(_) => "PostgreSQL",
            Self::Maria(_) => "MariaDB",
            Self::MySql(_) => "MySQL",
            Self::Sqlite(_) => "SQLite",
        }
    }

    /// A name in quotes.
    pub(crate) fn quoted(&self, name: &str) -> String {
        if let Self::Maria(_) | Self::MySql(_) = self { format!("`{name}`") } else { format!("\"{name}\"") }
    }

    /// Executes SQL; the values that it answers, a line for each row, with `|` between them and nothing for null.
    pub(crate) fn sql(&self, text: &str) -> String {
        match self {
            Self::Postgres(database) => database.sql(text),
            Self::Maria(database) | Self::MySql(database) => {
                let answer = database.sql(text);
                let line = |line: &str| {
                    let values = line.split('\t').map(|value| if value == "NULL" { "" } else { value });
                    values.collect::<Vec<_>>().join("|")
                };
                answer.lines().map(line).collect::<Vec<_>>().join("\n")
            }
            Self::Sqlite(directory) => sqlite(&directory.path().join("shop.db"), text),
        }
    }
}

fn sqlite(path: &std::path::Path, text: &str) -> String {
    use rusqlite::types::ValueRef;
    let file = rusqlite::Connection::open(path).unwrap();
    file.busy_timeout(SOON).unwrap();
    if !text.trim_start().to_uppercase().starts_with("SELECT") {
        file.execute_batch(text).unwrap();
        return String::new();
    }
    let mut statement = file.prepare(text).unwrap();
    let columns = statement.column_count();
    let mut rows = statement.query([]).unwrap();
    let mut lines = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        let value = |place| match row.get_ref(place).unwrap() {
            ValueRef::Null => String::new(),
            ValueRef::Integer(number) => number.to_string(),
            ValueRef::Real(number) => number.to_string(),
            ValueRef::Text(text) => String::from_utf8(text.to_vec()).unwrap(),
            ValueRef::Blob(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        };
        lines.push((0..columns).map(value).collect::<Vec<_>>().join("|"));
    }
    lines.join("\n")
}

/// A worker with one connector that writes topics into a database.
pub(crate) struct Sink {
    pub(crate) volley: Volley,
    pub(crate) name: String,
}

impl Sink {
    /// Not started yet. Of a key that is given twice the last counts.
    pub(crate) fn new(kafka: &Kafka, target: &Target, topics: &str, keys: &[(&str, &str)]) -> Self {
        Self::to(kafka, &target.url(), topics, keys)
    }

    pub(crate) fn to(kafka: &Kafka, url: &str, topics: &str, keys: &[(&str, &str)]) -> Self {
        let volley = Volley::new();
        volley.worker(&kafka.bootstrap_servers(), &[("offset.flush.interval.ms", "500")]);
        let name = kafka.unique("sink");
        let base = [
            ("name", name.as_str()),
            ("connector.class", CLASS),
            ("topics", topics),
            ("connection.url", url),
            ("connection.user", "volley"),
            ("connection.backoff.ms", "100"),
            ("retry.backoff.ms", "100"),
            ("max.retries", "600"),
            ("key.converter", "org.apache.kafka.connect.storage.StringConverter"),
            ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
            ("value.converter.schemas.enable", "true"),
        ];
        volley.file("sink.properties", &[&base, keys].concat());
        Self { volley, name }
    }

    /// Writes what is there; how that ended.
    pub(crate) fn try_run(&self) -> crate::worker_process::Ended {
        let arguments = ["standalone", "worker.properties", "sink.properties", "--until-done"];
        self.volley.run(Duration::from_secs(300), &arguments)
    }

    /// Writes all that is there.
    pub(crate) fn run(&self) {
        let end = self.try_run();
        assert!(end.status.success(), "{}", end.log);
    }

    pub(crate) fn start(&self) -> Running {
        self.volley.start(&["standalone", "worker.properties", "sink.properties"])
    }
}

/// Writes topics into a database, all that is there.
pub(crate) fn write(kafka: &Kafka, target: &Target, topics: &str, keys: &[(&str, &str)]) {
    Sink::new(kafka, target, topics, &[&[("volley.mode", "bounded")], keys].concat()).run();
}

/// A value with its schema, as JsonConverter has it. A field is a name, a type with `?` where it is optional, a value.
pub(crate) fn record(fields: &[(&str, &str, Value)]) -> String {
    let schema = fields.iter().map(|(name, declared, _)| {
        let (type_name, logical) = match declared.trim_end_matches('?') {
            "date" => ("int32", Some("Date")),
            "time" => ("int32", Some("Time")),
            "timestamp" => ("int64", Some("Timestamp")),
            other => (other, None),
        };
        let mut field = json!({"field": name, "type": type_name, "optional": declared.ends_with('?')});
        if let Some(logical) = logical {
            field["name"] = json!(format!("org.apache.kafka.connect.data.{logical}"));
            field["version"] = json!(1);
        }
        field
    });
    let payload = fields.iter().map(|(name, _, value)| ((*name).to_owned(), value.clone()));
    json!({
        "schema": {"type": "struct", "optional": true, "fields": schema.collect::<Vec<_>>()},
        "payload": payload.collect::<serde_json::Map<_, _>>(),
    })
    .to_string()
}

/// An order with a number and a name.
pub(crate) fn order(id: i64, name: &str) -> String {
    record(&[("id", "int64", json!(id)), ("name", "string?", json!(name))])
}
