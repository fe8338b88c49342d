//! Which directory a row goes to, and what a task that starts again knows of the directories.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, AsArray, Int64Array, StringArray, StructArray};
use arrow::datatypes::{DataType, Field, Int64Type};
use volley_api::schema::PARAMETER_PREFIX;
use volley_api::{Offsets, SinkContext, SinkTask};

use super::started_task::{deliver, local_config, partition, put, read, started, started_with, struct_of};
use crate::test_records::batch;

/// Orders of the countries DE, FR and the one in between, in turns.
fn orders(range: std::ops::Range<i64>) -> ArrayRef {
    let countries = range.clone().map(|id| ["DE", "FR", "a/b"][id as usize % 3]);
    struct_of(vec![
        ("id", Arc::new(Int64Array::from_iter_values(range))),
        ("country", Arc::new(StringArray::from_iter_values(countries))),
    ])
}

/// Paths below `topics/orders`, and the ids in each file.
fn found(root: &Path) -> Vec<(String, Vec<i64>)> {
    fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() { files(&path, found) } else { found.push(path) }
        }
    }
    let base = root.join("topics/orders");
    let mut paths = Vec::new();
    files(&base, &mut paths);
    paths.sort();
    let ids = |path: &Path| read(path).column_by_name("id").unwrap().as_primitive::<Int64Type>().values().to_vec();
    let name = |path: &Path| path.strip_prefix(&base).unwrap().to_str().unwrap().to_owned();
    paths.iter().map(|path| (name(path), ids(path))).collect()
}

fn every_third(from: i64, end: i64) -> Vec<i64> {
    (from..end).step_by(3).collect()
}

const BY_COUNTRY: [(&str, &str); 2] = [
    ("partitioner.class", "io.confluent.connect.storage.partitioner.FieldPartitioner"),
    ("partition.field.name", "country"),
];

#[test]
fn each_value_of_a_field_has_a_directory_with_a_chain_of_its_own() {
    let root = tempfile::tempdir().unwrap();
    let config = local_config(root.path(), &[BY_COUNTRY.as_slice(), &[("flush.size", "4")]].concat());
    let mut task = started(&config, 0);
    put(&mut task, &batch(&partition(), 0, orders(0..10)));
    put(&mut task, &batch(&partition(), 10, orders(10..21)));
    deliver(&mut task, 21);
    let expected = [
        ("country=DE/orders+2+0000000000.parquet", every_third(0, 12)),
        ("country=DE/orders+2+0000000012.parquet", every_third(12, 21)),
        ("country=FR/orders+2+0000000001.parquet", every_third(1, 12)),
        ("country=FR/orders+2+0000000013.parquet", every_third(13, 21)),
        ("country=a%2Fb/orders+2+0000000002.parquet", every_third(2, 12)),
        ("country=a%2Fb/orders+2+0000000014.parquet", every_third(14, 21)),
    ];
    assert_eq!(found(root.path()), expected.map(|(name, ids)| (name.to_owned(), ids)));
}

#[test]
fn a_row_without_a_directory_is_rejected_and_takes_no_other_row_along() {
    let root = tempfile::tempdir().unwrap();
    let config =
        local_config(root.path(), &[("partitioner.class", "FieldPartitioner"), ("partition.field.name", "city")]);
    let mut task = started(&config, 0);
    let rejected = task.put(&batch(&partition(), 0, orders(0..2))).unwrap();
    assert_eq!(rejected.iter().map(|row| row.row).collect::<Vec<_>>(), [0, 1]);
    assert!(rejected[0].error.to_string().contains("city"), "{:?}", rejected[0]);
    deliver(&mut task, 2);
}

#[test]
fn record_time_names_the_directory_and_late_rows_do_not_close_good_files() {
    let root = tempfile::tempdir().unwrap();
    let entries = [
        ("partitioner.class", "TimeBasedPartitioner"),
        ("path.format", "'second'=ss"),
        ("partition.duration.ms", "1000"),
        ("timestamp.extractor", "RecordField"),
        ("timestamp.field", "at"),
    ];
    let mut task = started(&local_config(root.path(), &entries), 0);
    let times = [5_000, 5_100, 6_000, 5_200, 6_100, 5_300];
    let value = struct_of(vec![
        ("id", Arc::new(Int64Array::from_iter_values(0..6))),
        ("at", Arc::new(Int64Array::from(times.to_vec()))),
    ]);
    put(&mut task, &batch(&partition(), 0, value));
    deliver(&mut task, 6);
    let expected = [
        ("second=05/orders+2+0000000000.parquet".to_owned(), vec![0, 1, 3, 5]),
        ("second=06/orders+2+0000000002.parquet".to_owned(), vec![2, 4]),
    ];
    assert_eq!(found(root.path()), expected);
}

#[test]
fn a_task_that_starts_at_a_checkpoint_adopts_what_it_names_and_lists_no_directory() {
    let root = tempfile::tempdir().unwrap();
    let config = local_config(root.path(), &[BY_COUNTRY.as_slice(), &[("flush.size", "3")]].concat());
    let mut task = started(&config, 0);
    // `a/b` waits for a third row: nothing from its first one on is committed
    put(&mut task, &batch(&partition(), 0, orders(0..8)));
    wait_for_commit(&mut task, 8, 2);
    task.close(&[partition()]).unwrap();
    task.stop();
    let checkpoint = root.path().join(".volley/orders-sink/orders+2.json");
    let text = fs::read_to_string(&checkpoint).unwrap();
    assert!(text.contains(r#""offset":2"#) && text.contains("country=DE"), "{text}");

    // a checkpoint that is not of the committed offset says nothing, and each directory is listed
    let others = [text.replace(r#""offset":2"#, r#""offset":1"#), String::from("{")];
    for (text, is_listed) in [(text, false)].into_iter().chain(others.map(|text| (text, true))) {
        let copy = tempfile::tempdir().unwrap();
        copy_tree(root.path(), copy.path());
        fs::write(copy.path().join(".volley/orders-sink/orders+2.json"), &text).unwrap();
        if !is_listed {
            fs::remove_file(copy.path().join("topics/orders/country=DE/orders+2+0000000000.parquet")).unwrap();
        }
        let config = local_config(copy.path(), &[BY_COUNTRY.as_slice(), &[("flush.size", "3")]].concat());
        let mut task = started(&config, 2);
        put(&mut task, &batch(&partition(), 2, orders(2..12)));
        deliver(&mut task, 12);
        let mut ids: Vec<_> = found(copy.path()).into_iter().flat_map(|(_, ids)| ids).collect();
        ids.sort_unstable();
        let expected = (0..12).filter(|id| is_listed || ![0, 3, 6].contains(id));
        assert_eq!(ids, expected.collect::<Vec<_>>(), "{text}");
    }
}

#[test]
fn a_row_that_cannot_be_written_leaves_the_others_in_the_directories_of_their_values() {
    let root = tempfile::tempdir().unwrap();
    let entries = [("format.class", "Avro"), ("format.output.fields", "offset,value")];
    let mut task = started(&local_config(root.path(), &[BY_COUNTRY.as_slice(), &entries].concat()), 0);
    // an enum of one symbol
    let parameters = [("io.confluent.connect.avro.Enum", "Unit"), ("io.confluent.connect.avro.Enum.KG", "KG")];
    let metadata = parameters.map(|(name, value)| (format!("{PARAMETER_PREFIX}{name}"), value.to_owned()));
    let unit = Field::new("unit", DataType::Utf8, false).with_metadata(metadata.into());
    let country = Field::new("country", DataType::Utf8, false);
    let texts = |texts: [&str; 3]| Arc::new(StringArray::from(texts.to_vec())) as ArrayRef;
    let value: ArrayRef = Arc::new(StructArray::from(vec![
        (Arc::new(unit), texts(["KG", "LB", "KG"])),
        (Arc::new(country), texts(["DE", "DE", "FR"])),
    ]));
    let rejected = task.put(&batch(&partition(), 0, value)).unwrap();
    assert_eq!(rejected.iter().map(|row| row.row).collect::<Vec<_>>(), [1], "{rejected:?}");
    deliver(&mut task, 3);
    let names = |country: &str| {
        let entries = fs::read_dir(root.path().join("topics/orders").join(country)).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(names("country=DE"), ["orders+2+0000000000.avro"]);
    assert_eq!(names("country=FR"), ["orders+2+0000000002.avro"]);
}

#[test]
fn many_files_behind_a_checkpoint_cost_one_lost_race() {
    let root = tempfile::tempdir().unwrap();
    let config = local_config(root.path(), &[BY_COUNTRY.as_slice(), &[("flush.size", "1")]].concat());
    let mut task = started(&config, 0);
    // the checkpoint of offset 0 says that there is nothing, and then come fifteen files
    task.put(&batch(&partition(), 0, orders(0..15))).unwrap();
    wait_for_commit(&mut task, 15, 15);
    task.stop();
    assert!(
        fs::read_to_string(root.path().join(".volley/orders-sink/orders+2.json")).unwrap().contains(r#""offset":0"#)
    );

    let context = SinkContext::new("orders-sink", 0);
    let mut task = started_with(context.clone(), &config, 0);
    put(&mut task, &batch(&partition(), 0, orders(0..15)));
    let deadline = Instant::now() + Duration::from_secs(90);
    let rewinds = loop {
        task.flush(&[partition()]).unwrap();
        let rewinds = context.requests().take_rewinds();
        if !rewinds.is_empty() {
            break rewinds;
        }
        assert!(Instant::now() < deadline);
        std::thread::yield_now();
    };
    assert_eq!(rewinds, [(partition(), 0)]);
    put(&mut task, &batch(&partition(), 0, orders(0..16)));
    deliver(&mut task, 16);
    assert!(context.requests().take_rewinds().is_empty());
    assert_eq!(found(root.path()).iter().map(|(_, ids)| ids.len()).collect::<Vec<_>>(), [1; 16]);
}

/// Asks for the committable offset, where everything before `end` was put, until it is `expected`.
fn wait_for_commit(task: &mut crate::sink::ObjectStoreSinkTask, end: i64, expected: i64) {
    let deadline = Instant::now() + Duration::from_secs(90);
    while task.pre_commit(&Offsets::from([(partition(), end)])).unwrap()[&partition()] != expected {
        assert!(Instant::now() < deadline);
        std::thread::yield_now();
    }
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_tree(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

#[test]
fn names_by_a_template_with_an_envelope_are_those_of_aiven_and_their_chain_goes_on() {
    let root = tempfile::tempdir().unwrap();
    let entries = [
        ("format.class", "JsonLines"),
        ("file.name.template", "{{topic}}/{{timestamp:unit=yyyy}}/{{topic}}-{{partition}}-{{start_offset}}"),
        ("timestamp.extractor", "Record"),
        ("format.output.fields", "offset,value"),
        ("flush.size", "2"),
    ];
    for end in [3, 5] {
        // nothing was committed
        let mut task = started(&local_config(root.path(), &entries), 0);
        put(&mut task, &batch(&partition(), 0, orders(0..end)));
        deliver(&mut task, end);
        task.close(&[partition()]).unwrap();
        task.stop();
    }
    let directory = root.path().join("orders/1970");
    let mut names: Vec<_> = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["orders-2-0", "orders-2-2", "orders-2-3"]);
    let text = fs::read_to_string(directory.join("orders-2-3")).unwrap();
    let expected = "{\"offset\":3,\"value\":{\"id\":3,\"country\":\"DE\"}}\n\
                    {\"offset\":4,\"value\":{\"id\":4,\"country\":\"FR\"}}\n";
    assert_eq!(text, expected);
}
