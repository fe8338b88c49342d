//! What every sink has to do.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray, StructArray};
use arrow::datatypes::{DataType, Field};
use bytes::Bytes;
use volley_api::testing::{SinkUnderTest, column, commits_only_what_is_durable};
use volley_api::{Column, Result, SinkContext, SinkTask};

use super::config::SinkConfig;
use super::sink::ObjectStoreSinkTask;
use super::test_records::{read_rows, store_config};

/// A sink into a directory of its own, with files of a few rows.
struct Directory(tempfile::TempDir);

impl SinkUnderTest for Directory {
    fn start(&mut self, context: SinkContext) -> Result<Box<dyn SinkTask>> {
        let url = format!("file://{}", self.0.path().display());
        let config = store_config(&[("store.url", &url), ("flush.size", "15")]);
        Ok(Box::new(ObjectStoreSinkTask::start(context, SinkConfig::parse(&config)?)?))
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
