//! Results of queries in files, whatever interrupts them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{AsArray, Int64Array, StructArray};
use arrow::datatypes::{Field, Int64Type};
use bytes::Bytes;
use serde_json::Value;
use volley_api::{ConfigMap, Error, Offsets, PluginFactory, QueryEngine, SinkContext, SinkTask, TopicPartition};

use super::test_engine::{FAILING, TestEngine};
use crate::connector::sink_plugin;
use crate::test_records::{batch, read_rows, store_config};

fn partition(number: i32) -> TopicPartition {
    TopicPartition::new("orders", number)
}

fn config(root: &Path, entries: &[(&str, &str)]) -> ConfigMap {
    let mut config =
        store_config(&[("volley.mode", "bounded"), ("query", "SELECT * FROM orders"), ("flush.size", "20")]);
    config.insert("store.url".into(), format!("file://{}", root.display()));
    config.extend(entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    config
}

struct Started {
    task: Box<dyn SinkTask>,
    ends: Offsets,
}

impl Started {
    /// A task whose two partitions begin at these offsets.
    fn new(engine: &Arc<TestEngine>, config: &ConfigMap, starts: [i64; 2]) -> Self {
        let engine: Arc<dyn QueryEngine> = Arc::clone(engine) as _;
        let PluginFactory::Sink { task, .. } = sink_plugin(engine).factory else { panic!("not a sink") };
        let mut task = task(SinkContext::new("sums", 0), config).unwrap();
        let starts = Offsets::from([(partition(0), starts[0]), (partition(1), starts[1])]);
        task.open(&starts).unwrap();
        Self { task, ends: starts }
    }

    /// Puts rows of a partition; each has its offset as its `id`, a thousand more in the second partition.
    fn try_put(&mut self, number: i32, rows: i64) -> Result<(), Error> {
        let first = self.ends[&partition(number)];
        let ids: Int64Array = (first..first + rows).map(|id| id + i64::from(number) * 1000).collect();
        let field = Arc::new(Field::new("id", arrow::datatypes::DataType::Int64, true));
        let values = StructArray::from(vec![(field, Arc::new(ids) as _)]);
        self.task.put(&batch(&partition(number), first, Arc::new(values)))?;
        self.ends.insert(partition(number), first + rows);
        Ok(())
    }

    fn put(&mut self, number: i32, rows: i64) {
        self.try_put(number, rows).unwrap();
    }

    /// What the worker does at the end of a run, once; whether everything is delivered then.
    fn deliver_once(&mut self) -> Result<bool, Error> {
        match self.task.end_of_input() {
            Err(error) if !error.is_retriable() => return Err(error),
            Err(_) | Ok(false) => return Ok(false),
            Ok(true) => {}
        }
        self.task.flush(&[partition(0), partition(1)])?;
        assert_eq!(self.task.pre_commit(&self.ends)?, self.ends);
        Ok(true)
    }

    fn deliver(&mut self) -> Result<(), Error> {
        let deadline = Instant::now() + Duration::from_secs(90);
        while !self.deliver_once()? {
            assert!(Instant::now() < deadline, "never delivered");
            std::thread::yield_now();
        }
        Ok(())
    }
}

fn files(root: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(root.join("topics/sums")).into_iter().flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "parquet"));
    files.sort();
    files
}

fn ids(root: &Path) -> Vec<i64> {
    let of_file = |path: &PathBuf| {
        let rows = read_rows(Bytes::from(fs::read(path).unwrap()));
        rows.column_by_name("id").unwrap().as_primitive::<Int64Type>().values().to_vec()
    };
    let mut ids: Vec<i64> = files(root).iter().flat_map(of_file).collect();
    ids.sort_unstable();
    ids
}

fn success(root: &Path) -> Value {
    serde_json::from_slice(&fs::read(root.join("topics/sums/_SUCCESS")).unwrap()).unwrap()
}

fn all(rows: [i64; 2]) -> Vec<i64> {
    (0..rows[0]).chain(1000..1000 + rows[1]).collect()
}

#[test]
fn nothing_is_committed_before_the_whole_result_is_there_and_said_to_be() {
    let root = tempfile::tempdir().unwrap();
    let engine = Arc::default();
    let mut run = Started::new(&engine, &config(root.path(), &[]), [0, 5]);
    run.put(0, 30);
    run.task.flush(&[partition(0), partition(1)]).unwrap();
    let starts = Offsets::from([(partition(0), 0), (partition(1), 5)]);
    assert_eq!(run.task.pre_commit(&run.ends).unwrap(), starts, "a stop in the middle");
    run.put(1, 3);
    run.deliver().unwrap();
    assert_eq!(ids(root.path()), (0..30).chain(1005..1008).collect::<Vec<_>>());
    let success = success(root.path());
    assert_eq!((success["rows"].as_u64(), success["files"].as_array().map(Vec::len)), (Some(33), Some(2)));
    assert_eq!(success["input"][1]["start"], 5);
    let named = success["files"][0]["path"].as_str().unwrap();
    assert!(root.path().join(named).exists(), "{named}");
}

#[test]
fn an_attempt_that_was_interrupted_leaves_nothing_behind_the_next_one() {
    let root = tempfile::tempdir().unwrap();
    let engine = Arc::default();
    // killed with some of its files in the store
    let mut first = Started::new(&engine, &config(root.path(), &[]), [0, 0]);
    first.put(0, 90);
    first.put(1, 40);
    let deadline = Instant::now() + Duration::from_secs(90);
    while files(root.path()).len() < 3 {
        assert!(Instant::now() < deadline, "too few files");
        if first.deliver_once().unwrap() {
            break;
        }
    }
    let left = files(root.path());
    drop(first);
    let _ = fs::remove_file(root.path().join("topics/sums/_SUCCESS"));
    // another order of rows, and files that are cut differently
    let mut second = Started::new(&engine, &config(root.path(), &[("flush.size", "30")]), [0, 0]);
    second.put(1, 40);
    second.put(0, 90);
    second.deliver().unwrap();
    assert_eq!(ids(root.path()), all([90, 40]));
    assert!(left.iter().all(|path| !path.exists()));
}

#[test]
fn a_result_that_is_there_is_committed_and_not_made_again() {
    let root = tempfile::tempdir().unwrap();
    let engine: Arc<TestEngine> = Arc::default();
    for round in 0..2 {
        if round == 1 {
            // the first one was killed before it had removed these, and before its commit
            let left = format!("sums+0+0000000000-{}.parquet", "0".repeat(32));
            fs::write(root.path().join("topics/sums").join(left), "x").unwrap();
        }
        let mut run = Started::new(&engine, &config(root.path(), &[]), [0, 0]);
        run.put(0, 25);
        run.deliver().unwrap();
    }
    assert_eq!(engine.executions(), 1);
    assert_eq!(ids(root.path()), all([25, 0]));
}

#[test]
fn a_place_with_the_result_of_another_run_is_refused_before_anything_is_read() {
    let root = tempfile::tempdir().unwrap();
    let engine = Arc::default();
    let mut run = Started::new(&engine, &config(root.path(), &[]), [0, 0]);
    run.put(0, 25);
    run.deliver().unwrap();
    let mut later = Started::new(&engine, &config(root.path(), &[]), [25, 0]);
    let error = later.try_put(0, 5).unwrap_err();
    assert!(error.to_string().contains("topics/sums") && error.to_string().contains("query.name"), "{error}");
    // another query
    let mut other = Started::new(&engine, &config(root.path(), &[("query", "SELECT id FROM orders")]), [25, 0]);
    assert!(other.deliver().unwrap_err().to_string().contains("earlier run"));
    // more records since, which is told at the end only
    let mut longer = Started::new(&engine, &config(root.path(), &[]), [0, 0]);
    longer.put(0, 26);
    assert!(longer.deliver().unwrap_err().to_string().contains("earlier run"));
    let mut elsewhere = Started::new(&engine, &config(root.path(), &[("query.name", "more")]), [25, 0]);
    elsewhere.put(0, 5);
    elsewhere.deliver().unwrap();
    assert!(root.path().join("topics/more/_SUCCESS").exists());
}

#[test]
fn where_no_record_has_come_since_there_is_nothing_to_do() {
    let root = tempfile::tempdir().unwrap();
    let engine: Arc<TestEngine> = Arc::default();
    let mut run = Started::new(&engine, &config(root.path(), &[]), [0, 3]);
    run.put(0, 25);
    run.deliver().unwrap();
    // a rebalance after the commit, and the same run once more
    run.task.close(&[partition(0), partition(1)]).unwrap();
    run.task.open(&run.ends).unwrap();
    run.deliver().unwrap();
    Started::new(&engine, &config(root.path(), &[]), [25, 3]).deliver().unwrap();
    assert_eq!((engine.executions(), ids(root.path())), (1, all([25, 0])));
}

#[test]
fn of_two_attempts_at_a_time_one_counts_and_their_files_do_not_mix() {
    let root = tempfile::tempdir().unwrap();
    let engine = Arc::default();
    let mut runs = [(); 2].map(|()| Started::new(&engine, &config(root.path(), &[]), [0, 0]));
    for run in &mut runs {
        run.put(0, 65);
    }
    let deadline = Instant::now() + Duration::from_secs(90);
    let (mut done, mut refused) = (0, 0);
    while done + refused < 2 {
        for run in &mut runs {
            match run.deliver_once() {
                Ok(false) => {}
                Ok(true) => done += 1,
                Err(error) => {
                    assert!(error.to_string().contains("earlier run"), "{error}");
                    refused += 1;
                }
            }
        }
        assert!(Instant::now() < deadline, "{done} done, {refused} refused");
    }
    let named: Vec<_> = success(root.path())["files"].as_array().unwrap().clone();
    let rows: u64 = named.iter().map(|file| file["rows"].as_u64().unwrap()).sum();
    assert_eq!(rows, 65);
    if done == 1 {
        assert_eq!(files(root.path()).len(), named.len(), "the other one's are removed");
    }
    assert!(named.iter().all(|file| root.path().join(file["path"].as_str().unwrap()).exists()));
}

#[test]
fn records_that_come_late_are_in_the_result_too() {
    let root = tempfile::tempdir().unwrap();
    let engine: Arc<TestEngine> = Arc::default();
    let mut run = Started::new(&engine, &config(root.path(), &[]), [0, 0]);
    run.put(0, 30);
    run.task.end_of_input().unwrap();
    // a rebalance takes a partition away, and gives it back
    run.task.close(&[partition(0)]).unwrap();
    run.task.open(&Offsets::from([(partition(0), 0)])).unwrap();
    run.ends.insert(partition(0), 0);
    run.put(0, 35);
    run.put(1, 2);
    run.deliver().unwrap();
    assert_eq!(ids(root.path()), all([35, 2]));
}

#[test]
fn a_query_that_fails_fails_the_task() {
    let root = tempfile::tempdir().unwrap();
    let mut run = Started::new(&Arc::default(), &config(root.path(), &[("query", FAILING)]), [0, 0]);
    run.put(0, 3);
    assert_eq!(run.deliver().unwrap_err().to_string(), "division by zero");
    assert!(!root.path().join("topics/sums/_SUCCESS").exists());
}

#[test]
fn an_empty_result_is_a_result() {
    let root = tempfile::tempdir().unwrap();
    let mut run = Started::new(&Arc::default(), &config(root.path(), &[]), [7, 7]);
    run.deliver().unwrap();
    assert_eq!((success(root.path())["rows"].as_u64(), files(root.path()).len()), (Some(0), 0));
}

#[test]
fn what_is_wrong_with_a_query_is_told_at_validation() {
    let root = tempfile::tempdir().unwrap();
    let PluginFactory::Sink { connector, .. } = sink_plugin(Arc::<TestEngine>::default()).factory else {
        panic!("not a sink")
    };
    let cases: [(&[(&str, &str)], &str, &str); 9] = [
        (&[("volley.mode", "continuous")], "query", "volley.mode=bounded"),
        (&[("query", "SELECT")], "query", "line 1"),
        (&[("topics", "users,refunds")], "query", "`orders`, which is none of the topics"),
        (&[("name", "sums of orders")], "query.name", "cannot be the name"),
        (&[("query.memory.bytes", "1000")], "", ""),
        (
            &[("file.name.template", "{{topic}}-{{partition}}-{{start_offset}}.parquet")],
            "file.name.template",
            "not possible",
        ),
        (&[("format.output.fields", "key,value")], "format.output.fields", "value only"),
        (&[("store.kafka.keys", "true")], "store.kafka.keys", "no keys and headers"),
        (&[("partitioner.class", "Daily"), ("timestamp.extractor", "Record")], "timestamp.extractor", "RecordField"),
    ];
    for (entries, key, message) in cases {
        let mut config = config(root.path(), &[("name", "sums"), ("topics", "orders,users")]);
        config.extend(entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        let issues = connector.validate(&config);
        match key {
            // the worker reports what is wrong with a single key
            "" => assert!(issues.is_empty(), "{issues:?}"),
            key => assert!(
                issues.len() == 1 && issues[0].key == key && issues[0].message.contains(message),
                "{entries:?}: {issues:?}"
            ),
        }
    }
}
