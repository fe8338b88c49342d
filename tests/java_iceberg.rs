//! Apache Iceberg's sink, unmodified. It commits its offsets itself, in transactions of its own producers: rows are in the table
//! exactly once.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::rounds::kills;
use crate::testbed::{Kafka, Vendor, host_of, installed, java_properties, signal, wait_until};
use crate::worker_group::WorkerGroup;

/// What a process leaves behind that is killed, brokers keep for a while: its place in groups, and its transactions.
const SOON: Duration = Duration::from_secs(240);
const PARTITIONS: usize = 4;
/// Rows of each partition between two kills.
const PORTION: usize = 500;
const NAME: &str = "iceberg";

/// A table on local disk.
struct Table {
    directory: tempfile::TempDir,
}

impl Table {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("lake/db/rows")
    }

    /// The rows of its current snapshot, by that one's own account.
    fn total(&self) -> Option<usize> {
        let newest = |path: &PathBuf| file_name(path).strip_prefix('v')?.split('.').next()?.parse::<u32>().ok();
        let metadata = files(&self.path().join("metadata"));
        let metadata = metadata.into_iter().filter(|path| newest(path).is_some()).max_by_key(newest)?;
        let metadata: Value = serde_json::from_slice(&fs::read(metadata).ok()?).ok()?;
        let is_current = |snapshot: &&Value| snapshot["snapshot-id"] == metadata["current-snapshot-id"];
        let snapshot = metadata["snapshots"].as_array()?.iter().find(is_current)?;
        snapshot["summary"]["total-records"].as_str()?.parse().ok()
    }

    fn await_total(&self, rows: usize) {
        wait_until(SOON, &format!("{rows} rows"), || (self.total()? >= rows).then_some(()));
    }

    fn data_files(&self) -> usize {
        files(&self.path().join("data")).len()
    }

    /// How often each row is there, by Iceberg's own reader.
    fn rows(&self) -> BTreeMap<(i64, i64), usize> {
        let class_path = installed("iceberg").join("*");
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/java/IcebergRows.java");
        let output = Command::new("java").arg("-cp").arg(class_path).arg(program).arg(self.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let numbers = |line: &str| line.split(' ').map(|number| number.parse().unwrap()).collect::<Vec<i64>>();
        text.lines().map(numbers).map(|row| ((row[0], row[1]), row[2] as usize)).collect()
    }
}

fn file_name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

fn files(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// A worker with Iceberg's plug-in.
fn group(kafka: &Kafka, plugins: &Path) -> WorkerGroup {
    fs::create_dir(plugins).unwrap();
    std::os::unix::fs::symlink(installed("iceberg"), plugins.join("iceberg")).unwrap();
    let mut properties = java_properties(&[]);
    properties.retain(|(key, _)| *key != "plugin.path");
    properties.push(("plugin.path", plugins.display().to_string()));
    properties.push(("offset.flush.interval.ms", "500".to_owned()));
    let given: Vec<_> = properties.iter().map(|(key, value)| (*key, value.as_str())).collect();
    WorkerGroup::with(kafka, "java-iceberg", &given)
}

/// Without the brokers, which the sink takes from the worker's file.
fn sink(topic: &str, control: &str, table: &Table) -> Value {
    json!({
        "connector.class": "org.apache.iceberg.connect.IcebergSinkConnector",
        "tasks.max": "2",
        "topics": topic,
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": "false",
        "iceberg.tables": "db.rows",
        "iceberg.tables.auto-create-enabled": "true",
        "iceberg.catalog.type": "hadoop",
        "iceberg.catalog.warehouse": format!("file://{}", table.directory.path().join("lake").display()),
        "iceberg.control.topic": control,
        "iceberg.control.commit.interval-ms": "1000",
        "consumer.override.auto.offset.reset": "earliest",
        // an offset that a transaction commits counts from its end on, also for who comes in between
        "consumer.override.isolation.level": "read_committed",
        "consumer.override.session.timeout.ms": "6000",
        "iceberg.kafka.session.timeout.ms": "6000",
        "iceberg.kafka.transaction.timeout.ms": "10000",
    })
}

fn await_failed(group: &WorkerGroup, index: usize) {
    wait_until(SOON, "the tasks have failed", || {
        let status = group.ask(index, "GET", &format!("/connectors/{NAME}/status"), None);
        status["tasks"].as_array()?.iter().all(|task| task["state"] == "FAILED").then_some(())
    });
}

#[test]
fn rows_are_in_an_iceberg_table_exactly_once_though_host_and_worker_are_killed() {
    let (kafka, table) = (Kafka::shared(), Table::new());
    let mut group = group(kafka, &table.directory.path().join("plugins"));
    let index = group.add(&[Vendor::Volley])[0];
    let (topic, control) = (kafka.topic("iceberg-rows", PARTITIONS as i32), kafka.topic("iceberg-control", 1));
    let mut expected = BTreeMap::new();
    let mut write = |round: usize, rows: usize| {
        kafka.produce(&topic, rows, |number, _, value| {
            let (p, n) = (number % PARTITIONS, round * PORTION + number / PARTITIONS);
            value.extend_from_slice(format!(r#"{{"p":{p},"n":{n}}}"#).as_bytes());
            expected.insert((p as i64, n as i64), 1);
            p as i32
        });
        expected.len()
    };
    group.put(index, NAME, &sink(&topic, &control, &table));
    group.await_state(NAME, "RUNNING", 2);
    // whichever task gets it makes the table: two that do so at once are in each other's way
    table.await_total(write(0, 1));

    let kills = kills(2);
    for round in 0..kills {
        let before = table.data_files();
        write(1 + round, PORTION * PARTITIONS);
        wait_until(SOON, "it writes", || (table.data_files() > before).then_some(()));
        if round % 2 == 0 {
            signal(host_of(group.worker(index).pid(), NAME), "KILL");
            await_failed(&group, index);
            group.ask(index, "POST", &format!("/connectors/{NAME}/restart?includeTasks=true"), None);
        } else {
            group.kill(index);
            group.start_again(index);
        }
        group.await_state(NAME, "RUNNING", 2);
    }
    let rows = write(1 + kills, PORTION * PARTITIONS);
    table.await_total(rows);
    group.ask(index, "PUT", &format!("/connectors/{NAME}/stop"), None);
    group.await_state(NAME, "STOPPED", 0);
    assert_rows(&table.rows(), &expected);
}

fn assert_rows(found: &BTreeMap<(i64, i64), usize>, expected: &BTreeMap<(i64, i64), usize>) {
    let differs = |of: &BTreeMap<(i64, i64), usize>, from: &BTreeMap<(i64, i64), usize>| {
        of.iter()
            .filter(|(row, count)| from.get(row) != Some(count))
            .map(|(row, count)| (*row, *count))
            .collect::<Vec<_>>()
    };
    let (wrong, missing) = (differs(found, expected), differs(expected, found));
    assert!(
        wrong.is_empty() && missing.is_empty(),
        "of {} rows {} are wrong, such as {:?}, and {} not as they should be, such as {:?}",
        expected.len(),
        wrong.len(),
        wrong.iter().take(5).collect::<Vec<_>>(),
        missing.len(),
        missing.iter().take(5).collect::<Vec<_>>()
    );
}
