//! Transactions, committed and aborted.

use super::batches::{PLAIN, Written, batch, batch_of};
use super::codecs::Packing;
use super::*;
use crate::records::error::Fault;

fn in_transaction(producer_id: i64, offsets: std::ops::Range<i64>) -> Vec<u8> {
    batch_of(&plain_rows(offsets), Written { producer_id, transactional: true, packing: Packing::Lz4, ..PLAIN })
}

fn control(producer_id: i64, offset: i64, key: &[u8]) -> Vec<u8> {
    let written = Written { producer_id, transactional: true, control: true, ..PLAIN };
    batch_of(&[row(offset, Some(key), Some(&[0; 6]))], written)
}

fn abort(producer_id: i64, offset: i64) -> Vec<u8> {
    control(producer_id, offset, &[0, 0, 0, 0])
}

fn commit(producer_id: i64, offset: i64) -> Vec<u8> {
    control(producer_id, offset, &[0, 0, 0, 1])
}

fn committed(records: Vec<u8>, aborted: &[(i64, i64)]) -> Fetched {
    let aborted = aborted.iter().map(|&(producer_id, first_offset)| AbortedTransaction { producer_id, first_offset });
    Fetched { isolation: Isolation::ReadCommitted { aborted: aborted.collect() }, ..fetched(records) }
}

/// Two producers at once: 1 aborts and then commits, 2 commits; between them is one without transactions.
fn interleaved() -> Vec<u8> {
    [
        in_transaction(1, 0..2),
        in_transaction(2, 2..4),
        batch(&plain_rows(4..6), Packing::None),
        in_transaction(1, 6..8),
        abort(1, 8),
        in_transaction(1, 9..11),
        commit(2, 11),
        commit(1, 12),
    ]
    .concat()
}

#[test]
fn aborted_records_and_markers_are_hidden() {
    let reading = read(committed(interleaved(), &[(1, 0)]));
    assert_eq!((offsets(&reading), reading.next_offset), (vec![2, 3, 4, 5, 9, 10], 13));
    assert_eq!(reading.batches, [6], "a marker ends no batch");
}

#[test]
fn uncommitted_reading_hides_nothing_but_markers() {
    let reading = read(fetched(interleaved()));
    assert_eq!((offsets(&reading), reading.next_offset), (vec![0, 1, 2, 3, 4, 5, 6, 7, 9, 10], 13));
}

#[test]
fn a_producer_may_abort_again_and_again() {
    let records = [
        in_transaction(1, 0..2),
        abort(1, 2),
        in_transaction(1, 3..5),
        commit(1, 5),
        in_transaction(1, 6..8),
        in_transaction(2, 8..9),
        abort(1, 9),
        abort(2, 10),
        in_transaction(1, 11..12),
    ];
    // not in order
    let reading = read(committed(records.concat(), &[(2, 8), (1, 6), (1, 0)]));
    assert_eq!((offsets(&reading), reading.next_offset), (vec![3, 4, 11], 12));
}

#[test]
fn a_transaction_that_began_before_the_fetched_records_is_hidden_to_its_marker() {
    let records = [in_transaction(1, 10..12), abort(1, 12), in_transaction(1, 13..14)].concat();
    let reading = read(Fetched { from: 10, ..committed(records, &[(1, 3)]) });
    assert_eq!((offsets(&reading), reading.next_offset), (vec![13], 14));
}

#[test]
fn records_of_an_aborting_producer_outside_of_transactions_are_seen() {
    let outside = batch_of(&plain_rows(2..3), Written { producer_id: 1, ..PLAIN });
    let reading = read(committed([in_transaction(1, 0..2), outside, abort(1, 3)].concat(), &[(1, 0)]));
    assert_eq!(offsets(&reading), [2]);
}

#[test]
fn a_control_record_of_an_unknown_type_is_passed_and_one_without_a_type_is_an_error() {
    let unknown = control(1, 2, &[0, 0, 0, 77]);
    let reading = read(committed([in_transaction(1, 0..2), unknown].concat(), &[(1, 0)]));
    assert_eq!((offsets(&reading), reading.next_offset), (vec![], 3));

    let typeless = control(1, 2, &[0, 0]);
    let reading = read(committed(typeless.clone(), &[]));
    assert_eq!(reading.ended, Err(RecordsError { offset: 2, fault: Fault::Marker }));
    assert_eq!(read(fetched(typeless)).ended, Ok(ReadEnd::Exhausted));
}
