//! A table of MySQL from snapshot to change, over changes of the table itself.

use serde_json::{Value, json};

use super::capture::{Capture, SOON};
use super::rows::{Changes, Rows, table};
use crate::rounds::rounds;
use crate::testbed::{Kafka, MariaDatabase, MariaDb, MySql, Vendor, java_properties, wait_until};
use crate::worker_group::WorkerGroup;

const ROWS: i64 = 2_000;

/// A table of a database of its own, from which Debezium reads.
struct Items {
    database: MariaDatabase,
    changes: Changes,
    capture: Capture,
    prefix: String,
    has_note: bool,
}

fn configuration(database: &MariaDatabase, prefix: &str) -> Value {
    json!({
        "connector.class": "io.debezium.connector.mysql.MySqlConnector",
        "database.hostname": "127.0.0.1",
        "database.port": database.port().to_string(),
        "database.user": database.user(),
        "database.password": "",
        "database.server.id": "4711",
        "database.include.list": database.name,
        "table.include.list": format!("{}.items", database.name),
        "topic.prefix": prefix,
        "schema.history.internal.kafka.bootstrap.servers": Kafka::shared().bootstrap_servers(),
        "schema.history.internal.kafka.topic": format!("{prefix}-history"),
        // how soon a lost session is noticed; rows are lost where the connector takes longer than this for an event
        "connect.keep.alive.interval.ms": "15000",
    })
}

impl Items {
    fn new(database: MariaDatabase) -> Self {
        database.sql(
            "CREATE TABLE items (id bigint PRIMARY KEY, name varchar(100) NOT NULL, amount bigint NOT NULL) \
             DEFAULT CHARACTER SET utf8mb4",
        );
        let mut changes = Changes::new("items", 0);
        database.sql(&changes.insert(ROWS));
        let prefix = Kafka::shared().unique("mysql");
        let topic = format!("{prefix}.{}.items", database.name);
        let capture = Capture::start("debezium-connector-mysql", topic, &configuration(&database, &prefix));
        Self { database, changes, capture, prefix, has_note: false }
    }

    fn change(&mut self) {
        self.database.sql(&self.changes.next(500));
        if self.has_note {
            self.database.sql("UPDATE items SET note = concat('of ', id) WHERE id % 5 = 1");
        }
    }

    fn rows(&self) -> Rows {
        let note = if self.has_note { ", note" } else { "" };
        table(&self.database.sql(&format!("SELECT concat_ws('|', id, name, amount{note}) FROM items")))
    }

    fn await_equal(&self, what: &str) {
        self.capture.await_equal(what, &self.rows());
    }

    /// Ends the session that reads the binlog.
    fn end_session(&self) {
        let query = "SELECT id FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%'";
        let session =
            wait_until(SOON, "the binlog is read", || Some(self.database.sql(query)).filter(|id| !id.is_empty()));
        session.lines().for_each(|id| assert_eq!(self.database.sql(&format!("KILL {id}")), ""));
    }

    /// What the connector has written of the table's definitions for itself.
    fn history(&self) -> String {
        let messages = self.capture.read(&format!("{}-history", self.prefix));
        let texts = messages.into_iter().map(|message| String::from_utf8(message.value.unwrap()).unwrap());
        texts.collect::<Vec<_>>().join("\n")
    }
}

fn follow_over_kills_and_alterations(database: MariaDatabase) {
    let mut items = Items::new(database);
    items.await_equal("the snapshot");
    for round in 0..rounds(1) {
        items.change();
        items.capture.kill_host();
        items.change();
        if !items.has_note {
            items.database.sql("ALTER TABLE items ADD COLUMN note varchar(50) NULL");
            items.has_note = true;
        }
        items.change();
        items.capture.restart_failed();
        items.await_equal("after the host was killed and the table got another column");

        // where a column is decides how the bytes of a row are read
        let place = ["AFTER id", "AFTER name"][round % 2];
        items.change();
        items.capture.kill_worker();
        items.change();
        items.database.sql(&format!("ALTER TABLE items MODIFY COLUMN amount bigint NOT NULL {place}"));
        items.change();
        items.capture.start_worker_again();
        items.await_equal("after the worker was killed and a column had another place");

        items.end_session();
        items.change();
        items.await_equal("after the session of the database was ended");
    }
    let history = items.history();
    for statement in ["ADD COLUMN note", "MODIFY COLUMN amount"] {
        assert!(history.contains(statement), "`{statement}` is missing in {history}");
    }
    items.capture.group.stop_all();
}

#[test]
fn debezium_follows_a_mysql_over_kills_and_changes_of_the_table() {
    let Some(server) = MySql::start_with_binlog() else { return };
    follow_over_kills_and_alterations(server.database("items"));
}

#[test]
fn debezium_s_mysql_connector_follows_a_mariadb_that_says_it_is_a_mysql() {
    let server = MariaDb::start_as_mysql();
    follow_over_kills_and_alterations(server.database("items"));
}

#[test]
fn debezium_s_mysql_connector_refuses_a_mariadb_in_its_own_words() {
    let database = MariaDb::shared().database("refused");
    let properties = java_properties(&["debezium-connector-mysql"]);
    let given: Vec<_> = properties.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let mut group = WorkerGroup::with(Kafka::shared(), "refused", &given);
    group.add(&[Vendor::Volley]);
    let config = configuration(&database, "refused");
    let (status, answer) = group.worker(0).ask("PUT", "/connectors/refused/config", Some(&config));
    let message = answer["message"].as_str().unwrap_or_default();
    assert!(status == 400 && message.contains("should support SHOW BINARY LOG STATUS"), "{status}: {answer}");
}
