//! A table of PostgreSQL from snapshot to change.

use std::time::Duration;

use serde_json::{Value, json};

use super::capture::{Capture, SOON};
use super::rows::{Changes, Rows, table};
use crate::rounds::rounds;
use crate::testbed::{Database, Kafka, Postgres, send, wait_until};

const SLOT: &str = "volley_slot";

/// A table of a database of its own, from which Debezium reads.
pub(super) struct Items {
    pub(super) database: Database,
    pub(super) changes: Changes,
    pub(super) capture: Capture,
}

impl Items {
    /// With so many rows; `more` is for the connector.
    pub(super) fn new(server: &Postgres, rows: i64, more: &Value) -> Self {
        let database = server.database("items");
        database.sql("CREATE TABLE items (id bigint PRIMARY KEY, name text NOT NULL, amount bigint NOT NULL)");
        database.sql(&format!(
            "INSERT INTO items SELECT number, 'item ' || number, number * 7 FROM generate_series(1, {rows}) AS number"
        ));
        let prefix = Kafka::shared().unique("postgres");
        let mut config = json!({
            "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
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
        });
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let capture = Capture::start("debezium-connector-postgres", format!("{prefix}.public.items"), &config);
        Self { database, changes: Changes::new("items", rows), capture }
    }

    pub(super) fn change(&mut self) {
        self.database.sql(&self.changes.next(500));
    }

    pub(super) fn rows(&self) -> Rows {
        table(&self.database.sql("SELECT concat_ws('|', id, name, amount) FROM items"))
    }

    pub(super) fn await_equal(&self, what: &str) {
        self.capture.await_equal(what, &self.rows());
    }

    pub(super) fn await_free_slot(&self) {
        let query = format!("SELECT active FROM pg_replication_slots WHERE slot_name = '{SLOT}'");
        wait_until(Duration::from_secs(10), "the slot is free", || (self.database.sql(&query) != "t").then_some(()));
    }
}

#[test]
fn debezium_reads_a_table_and_all_its_changes_over_kills_of_host_worker_and_database_session() {
    let server = Postgres::start();
    let mut items = Items::new(&server, 2_000, &json!({}));
    items.await_equal("the snapshot");
    let lag = "debezium_postgres_connector_metrics_MilliSecondsBehindSource{process=\"connector:debezium\",connector=\"debezium\",";
    wait_until(SOON, "the lag behind the database is among the worker's metrics", || {
        let metrics = send(&items.capture.group.worker(0).address(), "GET", "/metrics", &[], None).ok()?.text();
        metrics.lines().any(|line| line.starts_with(lag) && line.contains("context=\"streaming\"")).then_some(())
    });
    for _ in 0..rounds(2) {
        items.change();
        items.capture.kill_host();
        items.await_free_slot();
        items.change();
        items.capture.restart_failed();
        items.await_equal("after the host was killed");

        items.change();
        items.capture.kill_worker();
        items.await_free_slot();
        items.change();
        items.capture.start_worker_again();
        items.await_equal("after the worker was killed");

        items.change();
        items.database.sql(&format!(
            "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '{SLOT}' AND active"
        ));
        items.change();
        items.await_equal("after the session of the database was ended");
    }
    let end = items.database.sql("SELECT pg_current_wal_lsn()");
    wait_until(SOON, "what was read is confirmed to the database", || {
        // it confirms a transaction when it has seen the next one
        items.database.sql("UPDATE items SET amount = amount + 1 WHERE id = (SELECT max(id) FROM items)");
        let query = format!(
            "SELECT confirmed_flush_lsn > '{}' FROM pg_replication_slots WHERE slot_name = '{SLOT}'",
            end.trim()
        );
        (items.database.sql(&query).trim() == "t").then_some(())
    });
    items.capture.group.stop_all();
    items.await_free_slot();
}
