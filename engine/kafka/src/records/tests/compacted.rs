//! What compaction leaves.

use super::batches::{batch, patch};
use super::codecs::Packing;
use super::*;

const LAST_OFFSET_DELTA: usize = 23;

#[test]
fn the_next_offset_is_behind_the_last_records_that_compaction_removed() {
    let mut compacted = batch(&plain_rows([2, 5]), Packing::Lz4);
    patch(&mut compacted, LAST_OFFSET_DELTA, &7_i32.to_be_bytes());
    let reading = read(fetched(compacted));
    assert_eq!((offsets(&reading), reading.next_offset), (vec![2, 5], 10));
}

#[test]
fn a_batch_of_which_nothing_is_left_counts() {
    let mut empty = batch(&plain_rows([3]), Packing::None)[..61].to_vec();
    patch(&mut empty, 8, &49_i32.to_be_bytes());
    patch(&mut empty, 57, &0_i32.to_be_bytes());
    patch(&mut empty, LAST_OFFSET_DELTA, &4_i32.to_be_bytes());
    // the codec stays, but there is nothing to decompress
    patch(&mut empty, 22, &[4]);
    let bytes = [batch(&plain_rows(0..3), Packing::None), empty].concat();
    let reading = read(fetched(bytes));
    assert_eq!((offsets(&reading), reading.next_offset), (vec![0, 1, 2], 8));
}

#[test]
fn timestamps_count_from_the_delete_horizon_where_there_is_one() {
    let mut marked = batch(&plain_rows(0..3), Packing::None);
    let low = marked[22] | 1 << 6;
    patch(&mut marked, 22, &[low]);
    patch(&mut marked, 27, &5000_i64.to_be_bytes());
    let reading = read(fetched(marked));
    assert_eq!(reading.rows.iter().map(|row| row.timestamp).collect::<Vec<_>>(), [5000, 5001, 5002]);
}

#[test]
fn records_stay_in_one_batch_around_a_gap() {
    let bytes = [batch(&plain_rows([1, 2]), Packing::None), batch(&plain_rows([90]), Packing::Gzip)].concat();
    let reading = read(fetched(bytes));
    assert_eq!((reading.batches, reading.next_offset), (vec![3], 91));
}
