//! Messages of version 0 and 1.

use proptest::prelude::*;

use super::batches::{EPOCH, batch};
use super::codecs::{PACKINGS, Packing};
use super::message_sets::{message, reseal, wrapper, wrapper_around};
use super::*;
use crate::records::error::Fault;

/// As version 0 keeps them: without timestamps.
fn timeless(rows: Vec<Row>) -> Vec<Row> {
    rows.into_iter().map(|row| Row { timestamp: -1, ..row }).collect()
}

fn as_version(magic: i8, rows: Vec<Row>) -> Vec<Row> {
    if magic == 0 { timeless(rows) } else { rows }
}

proptest! {
    #[test]
    fn messages_of_old_versions_come_back_in_all_codecs_and_whatever_the_limits(
        sets in prop::collection::vec((prop::collection::vec((any::<Option<Vec<u8>>>(), 1..4_i64), 1..6), 0..PACKINGS.len(), 0..2_i8), 1..6),
        max_rows in 1..5_usize,
    ) {
        let (mut bytes, mut written, mut offset) = (Vec::new(), Vec::new(), 0);
        for (values, packing, magic) in sets {
            let rows: Vec<Row> = values.into_iter().map(|(value, gap)| {
                offset += gap;
                row(offset, value.clone().map(|_| &b"key"[..]), value.as_deref())
            }).collect();
            if PACKINGS[packing] == Packing::None {
                bytes.extend(rows.iter().flat_map(|row| message(magic, row)));
            } else {
                bytes.extend(wrapper(magic, PACKINGS[packing], &rows));
            }
            written.extend(as_version(magic, rows));
        }
        let limits = BatchLimits { max_rows, max_bytes: usize::MAX };
        let reading = read_with(fetched(bytes), limits, &mut Decompressor::default());
        prop_assert_eq!(reading.ended, Ok(ReadEnd::Exhausted));
        prop_assert_eq!(reading.rows, written);
        prop_assert_eq!((reading.next_offset, reading.leader_epoch), (offset + 1, None));
    }
}

#[test]
fn a_reading_may_begin_within_a_compressed_message() {
    for magic in 0..2 {
        let bytes = [wrapper(magic, Packing::Gzip, &plain_rows(0..5)), message(magic, &plain_rows([5])[0])].concat();
        for from in 0..6 {
            let reading = read(Fetched { from, ..fetched(bytes.clone()) });
            assert_eq!(reading.rows, as_version(magic, plain_rows(from..6)), "version {magic}");
        }
    }
}

#[test]
fn relative_offsets_count_back_from_the_last_message_also_after_compaction() {
    // of 10 to 14, 11 and 13 are left, and the message around them has the offset of the last that was written
    let inside = [message(1, &plain_rows([1])[0]), message(1, &plain_rows([4])[0])].concat();
    let reading = read(fetched(wrapper_around(1, Packing::RawSnappy, &inside, &plain_rows([14])[0])));
    assert_eq!((offsets(&reading), reading.next_offset), (vec![11, 14], 15));
}

#[test]
fn the_time_at_which_the_broker_took_a_compressed_message_is_that_of_all_in_it() {
    let inside: Vec<u8> = plain_rows(0..3).iter().flat_map(|row| message(1, row)).collect();
    let last = Row { timestamp: 77, timestamp_type: TimestampType::LogAppendTime, ..plain_rows([2]).remove(0) };
    let bytes =
        [wrapper_around(1, Packing::Lz4, &inside, &last), message(1, &Row { offset: 3, ..last.clone() })].concat();
    let reading = read(fetched(bytes));
    assert_eq!(offsets(&reading), [0, 1, 2, 3]);
    assert!(reading.rows.iter().all(|row| (row.timestamp, row.timestamp_type) == (77, TimestampType::LogAppendTime)));
}

#[test]
fn a_topic_may_have_all_versions() {
    let bytes = [
        wrapper(0, Packing::XerialSnappy, &plain_rows(0..3)),
        wrapper(1, Packing::Gzip, &plain_rows(3..6)),
        batch(&plain_rows(6..9), Packing::StreamedZstd),
    ];
    let reading = read(fetched(bytes.concat()));
    assert_eq!(offsets(&reading), (0..9).collect::<Vec<_>>());
    assert_eq!((reading.batches, reading.leader_epoch), (vec![9], Some(EPOCH)));
}

#[test]
fn what_is_wrong_in_a_message_is_named() {
    let rows = plain_rows(0..2);
    let fault = |bytes: Vec<u8>| read(fetched(bytes)).ended.unwrap_err().fault;

    let mut changed = message(1, &rows[0]);
    *changed.last_mut().unwrap() ^= 1;
    assert!(matches!(fault(changed.clone()), Fault::Checksum { .. }));
    assert!(matches!(fault(wrapper_around(1, Packing::Gzip, &changed, &rows[0])), Fault::Checksum { .. }));

    let mut short = message(1, &rows[0]);
    short[29] = 100;
    reseal(&mut short);
    assert_eq!(fault(short), Fault::Broken(error::Part::Key));

    let nested = wrapper(1, Packing::Gzip, &rows);
    assert_eq!(fault(wrapper_around(1, Packing::Lz4, &nested, &rows[1])), Fault::NestedCompression);
    let other = message(0, &rows[0]);
    assert_eq!(fault(wrapper_around(1, Packing::Gzip, &other, &rows[0])), Fault::InnerMagic { outer: 1, inner: 0 });
    let cut = &message(0, &rows[0])[..20];
    assert_eq!(fault(wrapper_around(0, Packing::Gzip, cut, &rows[0])), Fault::InnerCutOff);
    assert_eq!(fault(wrapper_around(0, Packing::Gzip, &[], &rows[0])), Fault::EmptyMessage);
    let behind = message(0, &plain_rows([9])[0]);
    assert_eq!(fault(wrapper_around(0, Packing::Gzip, &behind, &rows[0])), Fault::InnerOffset(9));

    let mut nothing = wrapper(0, Packing::Gzip, &rows);
    nothing.truncate(26);
    nothing[8..12].copy_from_slice(&14_i32.to_be_bytes());
    nothing[22..26].copy_from_slice(&(-1_i32).to_be_bytes());
    reseal(&mut nothing);
    assert_eq!(fault(nothing), Fault::EmptyMessage);
}
