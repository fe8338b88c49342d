//! Debezium's connector for PostgreSQL, unmodified: a snapshot, then every change, whatever is killed meanwhile.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::rounds::rounds;
use crate::testbed::{Database, Kafka, Message, Postgres, Vendor, host_of, java_properties, send, signal, wait_until};
use crate::worker_group::WorkerGroup;

const SOON: Duration = Duration::from_secs(180);
const CONNECTOR: &str = "debezium";
const SLOT: &str = "volley_slot";

/// Rows by id, as the table or the topic has them.
type Rows = BTreeMap<i64, (String, i64)>;

fn configuration(database: &Database, prefix: &str) -> Value {
    json!({
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "tasks.max": "1",
        "database.hostname": "127.0.0.1",
        "database.port": database.port().to_string(),
        "database.user": database.user(),
        "database.password": "unused",
        "database.dbname": database.name,
        "topic.prefix": prefix,
        "table.include.list": "public.items",
        "plugin.name": "pgoutput",
        "publication.autocreate.mode": "filtered",
        "slot.name": SLOT,
        "status.update.interval.ms": "500",
        "retriable.restart.connector.wait.ms": "500",
        "key.converter": "org.apache.kafka.connect.json.JsonConverter",
        "key.converter.schemas.enable": "false",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": "false",
    })
}

fn table(database: &Database) -> Rows {
    let rows = database.sql("SELECT id, name, amount FROM items");
    let row = |line: &str| {
        let mut fields = line.split('|');
        let mut next = || fields.next().unwrap().to_owned();
        (next().parse().unwrap(), (next(), next().parse().unwrap()))
    };
    rows.lines().filter(|line| !line.is_empty()).map(row).collect()
}

/// What is left of a table when all changes of the topic are made in order.
fn folded(messages: &[Message]) -> Rows {
    let mut rows = Rows::new();
    let json = |bytes: &Option<Vec<u8>>| bytes.as_ref().map(|bytes| serde_json::from_slice::<Value>(bytes).unwrap());
    for message in messages {
        let id = json(&message.key).unwrap()["id"].as_i64().unwrap();
        // a record without a value stands behind each deletion
        let Some(change) = json(&message.value) else { continue };
        match &change["after"] {
            Value::Null => rows.remove(&id),
            after => rows.insert(id, (after["name"].as_str().unwrap().to_owned(), after["amount"].as_i64().unwrap())),
        };
    }
    rows
}

struct Tour {
    kafka: &'static Kafka,
    database: Database,
    group: WorkerGroup,
    topic: String,
    next_id: i64,
}

impl Tour {
    fn new(server: &Postgres, stem: &str, rows: i64) -> Self {
        let kafka = Kafka::shared();
        let database = server.database(&stem.replace('-', "_"));
        database.sql("CREATE TABLE items (id bigint PRIMARY KEY, name text NOT NULL, amount bigint NOT NULL)");
        database.sql(&format!(
            "INSERT INTO items SELECT number, 'item ' || number, number * 7 FROM generate_series(1, {rows}) AS number"
        ));
        let properties = java_properties(&["debezium-connector-postgres"]);
        let given: Vec<_> = properties.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let mut group = WorkerGroup::with(kafka, stem, &given);
        group.add(&[Vendor::Volley]);
        let prefix = kafka.unique(stem);
        group.put(0, CONNECTOR, &configuration(&database, &prefix));
        Self { kafka, database, group, topic: format!("{prefix}.public.items"), next_id: rows + 1 }
    }

    fn change(&mut self, count: i64) {
        let first = self.next_id;
        self.next_id += count;
        self.database.sql(&format!(
            "INSERT INTO items SELECT number, 'new ' || number, 0 FROM generate_series({first}, {}) AS number; \
             UPDATE items SET amount = amount + 1, name = name || '!' WHERE id % 11 = {} AND id > {}; \
             DELETE FROM items WHERE id % 13 = {} AND id > {}",
            first + count - 1,
            first % 11,
            first - 3 * count,
            first % 13,
            first - 3 * count,
        ));
    }

    fn messages(&self) -> Vec<Message> {
        let exists = self.kafka.admin().topic(&self.topic).unwrap().is_some();
        if exists { self.kafka.read_topic(&self.topic) } else { Vec::new() }
    }

    fn await_equal(&self, what: &str) {
        let wanted = table(&self.database);
        let deadline = Instant::now() + SOON;
        let mut seen = Rows::new();
        while Instant::now() < deadline {
            seen = folded(&self.messages());
            if seen == wanted {
                return;
            }
            std::thread::sleep(Duration::from_millis(300));
        }
        let missing = wanted.iter().filter(|(id, row)| seen.get(id) != Some(row)).count();
        panic!("{what}: of {} rows of the table {missing} are not in the topic as they are", wanted.len());
    }

    fn slot(&self, column: &str) -> String {
        self.database.sql(&format!("SELECT {column} FROM pg_replication_slots WHERE slot_name = '{SLOT}'"))
    }

    fn host(&self) -> u32 {
        host_of(self.group.worker(0).pid(), CONNECTOR)
    }

    fn await_running(&self) {
        self.group.await_state(CONNECTOR, "RUNNING", 1);
    }

    fn await_free_slot(&self) {
        wait_until(Duration::from_secs(10), "the slot is free", || (self.slot("active").trim() != "t").then_some(()));
    }
}

#[test]
fn debezium_reads_a_table_and_all_its_changes_over_kills_of_host_worker_and_database_session() {
    let server = Postgres::start();
    let mut tour = Tour::new(&server, "debezium", 20_000 * rounds(1) as i64);
    tour.await_running();
    tour.await_equal("the snapshot");
    let lag = "debezium_postgres_connector_metrics_MilliSecondsBehindSource{process=\"connector:debezium\",connector=\"debezium\",";
    wait_until(SOON, "the lag behind the database is among the worker's metrics", || {
        let metrics = send(&tour.group.worker(0).address(), "GET", "/metrics", &[], None).ok()?.text();
        metrics.lines().any(|line| line.starts_with(lag) && line.contains("context=\"streaming\"")).then_some(())
    });
    for _ in 0..rounds(2) {
        tour.change(500);
        signal(tour.host(), "KILL");
        tour.await_free_slot();
        tour.change(500);
        wait_until(SOON, "the task has failed", || {
            let status = tour.group.ask(0, "GET", &format!("/connectors/{CONNECTOR}/status"), None);
            (status["tasks"][0]["state"] == "FAILED").then_some(())
        });
        tour.group.ask(0, "POST", &format!("/connectors/{CONNECTOR}/restart?includeTasks=true"), None);
        tour.await_running();
        tour.await_equal("after the host was killed");

        tour.change(500);
        tour.group.kill(0);
        tour.await_free_slot();
        tour.change(500);
        tour.group.start_again(0);
        tour.await_running();
        tour.await_equal("after the worker was killed");

        tour.change(500);
        tour.database.sql(&format!(
            "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '{SLOT}' AND active"
        ));
        tour.change(500);
        tour.await_equal("after the session of the database was ended");
    }
    let end = tour.database.sql("SELECT pg_current_wal_lsn()");
    wait_until(SOON, "what was read is confirmed to the database", || {
        // it confirms a transaction when it has seen the next one
        tour.database.sql("UPDATE items SET amount = amount + 1 WHERE id = (SELECT max(id) FROM items)");
        let query = format!(
            "SELECT confirmed_flush_lsn > '{}' FROM pg_replication_slots WHERE slot_name = '{SLOT}'",
            end.trim()
        );
        (tour.database.sql(&query).trim() == "t").then_some(())
    });
    tour.group.stop_all();
    tour.await_free_slot();
}
