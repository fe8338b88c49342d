//! What every sink has to do.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray, StructArray};
use arrow::datatypes::{DataType, Field};
use bytes::Bytes;
use volley_api::testing::{SinkUnderTest, column, commits_only_what_is_durable};
use volley_api::{Column, Offsets, RejectedRow, Result, SinkBatch, SinkContext, SinkTask, TopicPartition};

use super::config::SinkConfig;
use super::sink::start_task;
use super::test_records::{read_rows, store_config};

/// A sink into a directory of its own, with files of a few rows.
struct Directory(tempfile::TempDir);

impl SinkUnderTest for Directory {
    fn start(&mut self, context: SinkContext) -> Result<Box<dyn SinkTask>> {
        let url = format!("file://{}", self.0.path().display());
        let config = store_config(&[("store.url", &url), ("flush.size", "15")]);
        start_task(context, SinkConfig::parse(&config)?)
    }

    fn values(&self, names: &[String]) -> Column {
        let names: ArrayRef = Arc::new(StringArray::from(names.to_vec()));
        column(StructArray::from(vec![(Arc::new(Field::new("name", DataType::Utf8, true)), names)]))
    }

    fn delivered(&mut self) -> Vec<String> {
        let names = |path: &PathBuf| -> Vec<String> {
            let rows = read_rows(Bytes::from(fs::read(path).unwrap()));
            rows.column(0).as_string::<i32>().iter().flatten().map(str::to_owned).collect()
        };
        files(self.0.path()).iter().flat_map(names).collect()
    }

    fn is_exactly_once(&self) -> bool {
        true
    }
}

/// All complete files.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let of = |path: PathBuf| if path.is_dir() { files(&path) } else { vec![path] };
    entries.flat_map(of).filter(|path| path.extension().is_some_and(|extension| extension == "parquet")).collect()
}

#[test]
fn rows_are_committed_only_once_they_are_in_complete_files_and_no_crash_doubles_them() {
    commits_only_what_is_durable(|| Directory(tempfile::tempdir().unwrap()));
}

/// The same with a file for each record: keys are the values.
struct Keys(tempfile::TempDir);

struct WithKeys(Box<dyn SinkTask>);

impl SinkUnderTest for Keys {
    fn start(&mut self, context: SinkContext) -> Result<Box<dyn SinkTask>> {
        let url = format!("file://{}", self.0.path().display());
        let template = ("file.name.template", "{{topic}}/{{partition}}/{{key}}");
        let config = store_config(&[("store.url", &url), ("format.class", "ByteArray"), template]);
        Ok(Box::new(WithKeys(start_task(context, SinkConfig::parse(&config)?)?)))
    }

    fn delivered(&mut self) -> Vec<String> {
        let directories = (0..2).map(|partition| self.0.path().join(format!("conformance/{partition}")));
        let entries = directories.filter_map(|directory| fs::read_dir(directory).ok()).flatten();
        entries.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap().trim_end().to_owned()).collect()
    }
}

impl SinkTask for WithKeys {
    fn put(&mut self, batch: &SinkBatch) -> Result<Vec<RejectedRow>> {
        let mut batch = batch.clone();
        assert!(batch.records.iter().all(|records| records.value.array.as_string_opt::<i32>().is_some()));
        batch.records.iter_mut().for_each(|records| records.key = records.value.clone());
        self.0.put(&batch)
    }

    fn pre_commit(&mut self, current: &Offsets) -> Result<Offsets> {
        self.0.pre_commit(current)
    }

    fn open(&mut self, partitions: &Offsets) -> Result<()> {
        self.0.open(partitions)
    }

    fn close(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        self.0.close(partitions)
    }

    fn flush(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        self.0.flush(partitions)
    }

    fn tick(&mut self) -> Result<()> {
        self.0.tick()
    }
}

#[test]
fn files_of_keys_are_committed_only_once_they_are_written() {
    commits_only_what_is_durable(|| Keys(tempfile::tempdir().unwrap()));
}
