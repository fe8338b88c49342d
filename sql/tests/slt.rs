//! Runs the cases in `tests/slt`.
//!
//! `USE <fixture>` picks the records; every query is then run over both batches of it, one after the other with one
//! transformation. A row shows the fields of the value (`TOMBSTONE` for a null value); with `SET meta` before them topic,
//! partition, offset, key and timestamp. `REJECTED <offset> <reason>` stands for a rejected record.

use std::path::Path;

use arrow::array::{Array, AsArray};
use arrow::datatypes::DataType;
use arrow::util::display::array_value_to_string;
use sqllogictest::{DB, DBOutput, DefaultColumnType, Runner};
use volley_api::{Records, Result, Transformation};

use crate::fixtures::{batches, sql};

struct Cases {
    fixture: String,
    meta: bool,
}

impl DB for Cases {
    type Error = volley_api::Error;
    type ColumnType = DefaultColumnType;

    fn run(&mut self, text: &str) -> Result<DBOutput<DefaultColumnType>> {
        match text.split_whitespace().collect::<Vec<_>>().as_slice() {
            ["USE", fixture] => (*fixture).clone_into(&mut self.fixture),
            ["SET", "meta"] => self.meta = true,
            ["RESET", "meta"] => self.meta = false,
            _ => return Ok(DBOutput::Rows { types: vec![DefaultColumnType::Text], rows: self.query(text)? }),
        }
        Ok(DBOutput::StatementComplete(0))
    }
}

impl Cases {
    fn query(&self, text: &str) -> Result<Vec<Vec<String>>> {
        let mut sql = sql(text)?;
        let mut rows = Vec::new();
        for batch in batches(&self.fixture).unwrap() {
            let transformed = sql.apply(batch.clone())?;
            for records in &transformed.records {
                rows.extend((0..records.len()).map(|row| self.row(records, row)));
            }
            for rejected in &transformed.rejected {
                let offset = batch.offset(rejected.row).unwrap();
                rows.push(vec!["REJECTED".into(), offset.to_string(), rejected.error.to_string()]);
            }
        }
        Ok(rows)
    }

    fn row(&self, records: &Records, row: usize) -> Vec<String> {
        let mut cells = Vec::new();
        if self.meta {
            cells.push(records.topic.to_string());
            cells.push(records.kafka_partition.map_or("NULL".into(), |partition| partition.to_string()));
            cells.push(records.offset(row).map_or("NULL".into(), |offset| offset.to_string()));
            cells.push(cell(&records.key.array, row));
            cells.push(records.timestamps[row].to_string());
        }
        if records.value.is_null(row) {
            cells.push("TOMBSTONE".into());
        } else {
            cells.extend(records.value.array.as_struct().columns().iter().map(|column| cell(column, row)));
        }
        cells
    }
}

fn cell(array: &dyn Array, row: usize) -> String {
    match array.is_null(row) || array.data_type() == &DataType::Null {
        true => "NULL".into(),
        false => array_value_to_string(array, row).unwrap(),
    }
}

#[test]
fn every_slt_case_holds() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slt");
    let mut files: Vec<_> = directory.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 8, "cases are missing: {files:?}");
    let mut failures = Vec::new();
    for file in files {
        let mut runner = Runner::new(|| async { Ok(Cases { fixture: "orders".into(), meta: false }) });
        if let Err(failure) = runner.run_file(&file) {
            failures.push(failure.to_string());
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}
