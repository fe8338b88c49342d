//! The tour of `docs/java-plugins.md`, with the configurations that stand there: from PostgreSQL by Debezium to Parquet.

use std::path::Path;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};

use super::capture::SOON;
use super::rows::{Changes, Row, Rows, table};
use crate::testbed::{Database, Kafka, Postgres, Vendor, java_properties, wait_until};
use crate::worker_group::WorkerGroup;
use crate::worker_process::parquet_files;

const TOUR: &str = include_str!("../../docs/java-plugins.md");

/// The configurations of the tour, in its order: of the source, of the sink, and what the source has more in the other way.
fn documented() -> [Value; 3] {
    let (_, tour) = TOUR.split_once("## A tour").expect("there is a tour");
    let (tour, _) = tour.split_once("\n## ").expect("there is more");
    let blocks =
        tour.split("```").skip(1).step_by(2).map(|block| &block[block.find('{').unwrap()..=block.rfind('}').unwrap()]);
    let configurations: Vec<_> = blocks.map(|block| serde_json::from_str(block).unwrap()).collect();
    configurations.try_into().expect("there are three")
}

fn with(config: &Value, more: &Value) -> Value {
    let mut whole = config.clone();
    whole.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    whole
}

/// What the tour does not know: where things are here, and that a test has no minute.
fn source_here(database: &Database, prefix: &str) -> Value {
    json!({
        "database.hostname": "127.0.0.1",
        "database.port": database.port().to_string(),
        "database.user": database.user(),
        "database.dbname": database.name,
        "topic.prefix": prefix,
        "slot.name": prefix.replace('-', "_"),
        "publication.name": prefix.replace('-', "_"),
    })
}

fn sink_here(directory: &Path, prefix: &str) -> Value {
    json!({
        "topics": format!("{prefix}.public.orders"),
        "store.url": format!("file://{}", directory.display()),
        "rotate.idle.ms": "1000",
    })
}

/// A change as it stands in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Change {
    id: i64,
    row: Row,
    lsn: i64,
    is_deleted: bool,
}

/// All changes, in the order of the files and their rows.
fn changes(directory: &Path) -> Vec<Change> {
    let mut changes = Vec::new();
    for file in parquet_files(directory) {
        let bytes = Bytes::from(std::fs::read(file).unwrap());
        let batches = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().build().unwrap();
        batches.for_each(|batch| changes.extend(changes_of(&batch.unwrap())));
    }
    changes
}

fn changes_of(batch: &RecordBatch) -> Vec<Change> {
    let as_text = |name: &str| -> ArrayRef { cast(batch.column_by_name(name).unwrap(), &DataType::Utf8).unwrap() };
    let columns = ["id", "name", "amount", "__lsn", "__deleted"].map(as_text);
    let change = |row: usize| {
        let text = |column: usize| columns[column].as_string::<i32>().value(row).to_owned();
        let row = Row { name: text(1), amount: text(2).parse().unwrap(), note: None };
        Change { id: text(0).parse().unwrap(), row, lsn: text(3).parse().unwrap(), is_deleted: text(4) == "true" }
    };
    (0..batch.num_rows()).map(change).collect()
}

fn folded(changes: &[Change]) -> Rows {
    let mut rows = Rows::new();
    for change in changes {
        match change.is_deleted {
            true => rows.remove(&change.id),
            false => rows.insert(change.id, change.row.clone()),
        };
    }
    rows
}

#[test]
fn the_documented_tour_from_postgresql_to_parquet_gives_the_table_whichever_side_takes_the_rows_out_of_the_changes() {
    let (kafka, server) = (Kafka::shared(), Postgres::start());
    let [source, sink, more] = documented();
    let database = server.database("shop");
    database.sql("CREATE TABLE orders (id bigint PRIMARY KEY, name text NOT NULL, amount bigint NOT NULL)");
    let mut statements = Changes::new("orders", 0);
    database.sql(&statements.insert(300));

    let mut properties = java_properties(&["debezium-connector-postgres"]);
    properties.retain(|(key, _)| *key != "volley.java");
    let given: Vec<_> = properties.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let mut group = WorkerGroup::with(kafka, "lake", &given);
    group.add(&[Vendor::Volley]);
    let without_transformation = {
        let mut sink = sink.clone();
        sink.as_object_mut().unwrap().retain(|key, _| !key.starts_with("transforms"));
        sink
    };
    let ways = [(source.clone(), sink), (with(&source, &more), without_transformation)];
    let lakes = ways.map(|(source, sink)| {
        let (prefix, lake) = (kafka.unique("shop"), tempfile::tempdir().unwrap());
        group.put(0, &prefix, &with(&source, &source_here(&database, &prefix)));
        group.await_state(&prefix, "RUNNING", 1);
        group.put(0, &format!("{prefix}-lake"), &with(&sink, &sink_here(lake.path(), &prefix)));
        lake
    });
    let await_equal = |what: &str| {
        let rows = table(&database.sql("SELECT concat_ws('|', id, name, amount) FROM orders"));
        for lake in &lakes {
            wait_until(SOON, what, || (folded(&changes(lake.path())) == rows).then_some(()));
        }
    };
    await_equal("the files have the snapshot");
    database.sql(&statements.next(200));
    database.sql(&statements.next(200));
    await_equal("the files have the changes");

    let [native, java] = lakes.each_ref().map(|lake| changes(lake.path()));
    assert!(native.iter().any(|change| change.is_deleted), "nothing was deleted");
    for change in &native {
        let of_row = native.iter().filter(|other| other.id == change.id);
        assert!(of_row.is_sorted_by_key(|change| change.lsn), "__lsn does not sort the changes of row {}", change.id);
    }
    // the snapshots were at two moments
    let behind = |changes: &[Change]| changes[300..].to_vec();
    assert_eq!(behind(&native), behind(&java));
    group.stop_all();
}
