//! Large rows, and many files.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use volley_api::{Polled, SourceTask};

use super::reading::{Stored, config, started, write};

const MEGABYTE: usize = 1 << 20;

/// How many rows each poll gives.
fn rows_of_polls(root: &std::path::Path) -> Vec<usize> {
    let mut task = started(&config(root, &[]), &Stored::new());
    let mut polls = Vec::new();
    while let Polled::Batches(batches) = task.poll(Duration::ZERO).unwrap() {
        polls.push(batches.iter().map(|batch| batch.records.len()).sum());
    }
    polls
}

#[test]
fn a_poll_gives_few_rows_where_they_are_large() {
    let texts: Vec<String> = (0..30).map(|row| format!("{row}{}", " ".repeat(MEGABYTE))).collect();
    let names: ArrayRef = Arc::new(StringArray::from_iter_values(&texts));
    let batch = RecordBatch::try_from_iter([("name", names)]).unwrap();
    let mut parquet = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    parquet.write(&batch).unwrap();
    let files = [
        ("x.json", texts.iter().map(|text| format!("\"{text}\"\n")).collect::<String>().into_bytes()),
        ("x.csv", format!("name\n{}\n", texts.join("\n")).into_bytes()),
        ("x.parquet", parquet.into_inner().unwrap()),
    ];
    for (name, contents) in files {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), name, contents);
        let polls = rows_of_polls(root.path());
        assert_eq!(polls.iter().sum::<usize>(), 30, "{name}");
        assert!(polls.iter().all(|rows| *rows <= 10), "{name}: {polls:?}");
    }
}
