//! Directories by columns of SQL: of each row its own, whatever order the columns come in.

use std::sync::Arc;

use volley_api::testing::{column, config_map, consumed};
use volley_api::{QueryEngine, Records, RowIndex};

use super::Partitioner;
use crate::config::SinkConfig;
use crate::query::test_engine::TestEngine;

fn partitioner(entries: &[(&str, &str)]) -> volley_api::Result<Box<dyn Partitioner>> {
    let all = [("store.url", "file:///unused"), ("partitioner.class", "Sql"), ("partition.sql", "bucket")];
    let mut config = config_map(&all);
    config.extend(entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    let queries: Arc<dyn QueryEngine> = Arc::<TestEngine>::default();
    SinkConfig::parse(&config)?.with_queries(&queries).partitioner.partitioner()
}

fn records(first: i64, len: usize) -> Records {
    consumed("orders", 2, first, column(arrow::array::Int64Array::from(vec![0; len])))
}

fn shown(records: &Records, entries: &[(&str, &str)]) -> (Vec<(String, Vec<i64>)>, Vec<(i64, String)>) {
    let split = partitioner(entries).unwrap().split(records, 0).unwrap();
    let offset = |row: usize| records.offset(row).unwrap();
    let parts = split.parts.iter().map(|(directory, rows)| (directory.to_string(), rows.iter().map(offset).collect()));
    (parts.collect(), split.rejected.iter().map(|(row, reason)| (offset(*row), reason.clone())).collect())
}

#[test]
fn each_row_has_its_own_directory_in_the_order_of_first_rows_and_those_without_are_rejected() {
    let (parts, rejected) = shown(&records(4, 7), &[]);
    let expected = [("bucket=1", vec![4, 10]), ("bucket=2", vec![5]), ("bucket=0", vec![6]), ("bucket=null", vec![8])];
    assert_eq!(parts, expected.map(|(directory, offsets)| (directory.to_owned(), offsets)));
    assert_eq!(rejected.iter().map(|(offset, _)| *offset).collect::<Vec<_>>(), [7, 9]);
    assert!(rejected[0].1.contains("seven") && rejected[1].1.contains("leave this row out"), "{rejected:?}");
    let (parts, _) = shown(&records(4, 2), &[("partition.field.format.path", "false")]);
    assert_eq!(parts, [("1".to_owned(), vec![4]), ("2".to_owned(), vec![5])]);
}

#[test]
fn rows_that_are_left_of_a_batch_are_told_by_their_offsets() {
    let whole = records(0, 7);
    let mut left = whole.take(&vec![1, 2, 5].into()).unwrap();
    assert_eq!(shown(&left, &[]).0, [("bucket=1".to_owned(), vec![1]), ("bucket=2".to_owned(), vec![2, 5])]);
    // one record that UNNEST made two rows of
    left.rows = RowIndex::Selected(vec![1, 1, 3].into());
    assert_eq!(shown(&left, &[]).0, [("bucket=1".to_owned(), vec![1, 1]), ("bucket=0".to_owned(), vec![3])]);
}

#[test]
fn columns_that_are_none_are_refused() {
    let refused = |entries: &[(&str, &str)]| partitioner(entries).err().unwrap().to_string();
    assert!(refused(&[("partition.sql", "")]).contains("give the columns"));
    assert!(refused(&[("partition.sql", "nothing")]).contains("no such column"));
    let config = config_map(&[("store.url", "file:///x"), ("partitioner.class", "Sql"), ("partition.sql", "bucket")]);
    let without = SinkConfig::parse(&config).unwrap().partitioner.partitioner();
    assert!(without.err().unwrap().to_string().contains("ObjectStoreSink"));
}
