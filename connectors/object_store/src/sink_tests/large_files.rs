//! Files that are larger than what a task may have in memory.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::StringArray;
use volley_api::SinkTask;

use super::started_task::{deliver, files, local_config, partition, put, started, struct_of};
use crate::test_records::batch;

const ROWS: i64 = 16_384;
const BATCHES: i64 = 20;

/// About 1.7 MB that are hard to make smaller.
fn long_texts(first: i64) -> arrow::array::ArrayRef {
    let text = |row: i64| {
        let noise = |word: i64| (row * 7 + word).wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64).rotate_left(29);
        format!("{row} {}", (0..6).map(|word| format!("{:016x}", noise(word))).collect::<String>())
    };
    struct_of(vec![("text", Arc::new(StringArray::from_iter_values((first..first + ROWS).map(text))))])
}

fn temporaries(root: &Path) -> usize {
    fs::read_dir(root.join(".volley-tmp")).map_or(0, Iterator::count)
}

#[test]
fn a_file_of_any_size_takes_a_few_megabytes_of_memory_and_is_seen_when_it_is_complete() {
    for entries in [
        &[("format.class", "Json")][..],
        &[("format.class", "Json"), ("file.compression.type", "gzip")],
        &[("format.class", "Parquet"), ("parquet.row.group.rows", "20000")],
        &[("format.class", "Avro")],
    ] {
        let root = tempfile::tempdir().unwrap();
        let mut task = started(&local_config(root.path(), entries), 0);
        let mut most = 0;
        for first in (0..BATCHES).map(|batch| batch * ROWS) {
            put(&mut task, &batch(&partition(), first, long_texts(first)));
            most = most.max(task.buffered_bytes());
        }
        assert!(most < 14 << 20, "{entries:?}: {most}");
        assert!(files(root.path()).is_empty() && temporaries(root.path()) == 1, "{entries:?}");
        deliver(&mut task, BATCHES * ROWS);
        let complete = files(root.path());
        assert_eq!(complete.len(), 1);
        assert!(fs::metadata(&complete[0]).unwrap().len() > 12 << 20, "{entries:?}");
        assert_eq!(temporaries(root.path()), 0);
        if entries.len() == 1 && entries[0].1 == "Json" {
            let text = fs::read_to_string(&complete[0]).unwrap();
            assert!(text.lines().zip(0..).all(|(line, row)| line.starts_with(&format!("{{\"text\":\"{row} "))));
            assert_eq!(text.lines().count() as i64, BATCHES * ROWS);
        }
    }
}

#[test]
fn of_a_large_file_that_was_not_completed_nothing_is_left_after_a_restart() {
    let root = tempfile::tempdir().unwrap();
    let config = local_config(root.path(), &[("format.class", "Json")]);
    let mut killed = started(&config, 0);
    for first in (0..4).map(|batch| batch * ROWS) {
        put(&mut killed, &batch(&partition(), first, long_texts(first)));
    }
    assert_eq!(temporaries(root.path()), 1);
    // as a process that ends leaves it
    std::mem::forget(killed);
    let mut task = started(&config, 0);
    put(&mut task, &batch(&partition(), 0, long_texts(0)));
    assert_eq!(temporaries(root.path()), 0);
    deliver(&mut task, ROWS);
    assert_eq!(files(root.path()).len(), 1);
}
