//! Batches of version 2: everything that was written is read.

use bytes::{Bytes, BytesMut};
use kafka_protocol::records::TimestampType as ProtocolTimestampType;
use kafka_protocol::records::{Compression, Record, RecordBatchEncoder, RecordEncodeOptions};
use proptest::prelude::*;

use super::codecs::{PACKINGS, Packing};
use super::*;
use crate::records::error::Fault;

pub(super) const EPOCH: i32 = 7;

/// Bytes of the header before the records.
const HEADER: usize = 61;

/// What a batch says of its producer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    pub(super) packing: Packing,
    pub(super) producer_id: i64,
    pub(super) transactional: bool,
    pub(super) control: bool,
}

pub(super) const PLAIN: Written =
    Written { packing: Packing::None, producer_id: -1, transactional: false, control: false };

/// One batch.
pub(super) fn batch(rows: &[Row], packing: Packing) -> Vec<u8> {
    batch_of(rows, Written { packing, ..PLAIN })
}

pub(super) fn batch_of(rows: &[Row], written: Written) -> Vec<u8> {
    let records: Vec<Record> = rows.iter().map(|row| record(row, written)).collect();
    let compression = match written.packing.number() {
        1 => Compression::Gzip,
        2 => Compression::Snappy,
        3 => Compression::Lz4,
        4 => Compression::Zstd,
        _ => Compression::None,
    };
    let mut bytes = BytesMut::new();
    let pack = |records: &mut BytesMut, out: &mut BytesMut, _| {
        out.extend_from_slice(&written.packing.pack(records));
        Ok(())
    };
    let options = RecordEncodeOptions { version: 2, compression };
    RecordBatchEncoder::encode_with_custom_compression(&mut bytes, &records, &options, Some(pack)).unwrap();
    bytes.to_vec()
}

fn record(row: &Row, written: Written) -> Record {
    let bytes = |bytes: &Option<Vec<u8>>| bytes.clone().map(Bytes::from);
    let headers = row.headers.iter().map(|(name, value)| (name.clone().into(), bytes(value)));
    Record {
        transactional: written.transactional,
        control: written.control,
        delete_horizon: false,
        partition_leader_epoch: EPOCH,
        producer_id: written.producer_id,
        producer_epoch: 0,
        timestamp_type: ProtocolTimestampType::Creation,
        offset: row.offset,
        sequence: row.offset as i32,
        timestamp: row.timestamp,
        key: bytes(&row.key),
        value: bytes(&row.value),
        headers: headers.collect(),
    }
}

/// Overwrites bytes of a batch, and makes its checksum right again.
pub(super) fn patch(batch: &mut [u8], at: usize, bytes: &[u8]) {
    batch[at..at + bytes.len()].copy_from_slice(bytes);
    let crc = crc32c::crc32c(&batch[21..]);
    batch[17..21].copy_from_slice(&crc.to_be_bytes());
}

/// Sets the bit of LogAppendTime, and the broker's time.
pub(super) fn append_at(batch: &mut [u8], timestamp: i64) {
    let low = batch[22] | 1 << 3;
    patch(batch, 22, &[low]);
    patch(batch, 35, &timestamp.to_be_bytes());
}

/// A batch of one record, of which all bytes are given.
fn batch_around(record: &[u8], count: i32) -> Vec<u8> {
    let mut bytes = batch(&plain_rows([0]), Packing::None);
    bytes.truncate(HEADER);
    bytes.extend(record);
    let length = i32::try_from(bytes.len() - 12).unwrap();
    patch(&mut bytes, 57, &count.to_be_bytes());
    patch(&mut bytes, 8, &length.to_be_bytes());
    bytes
}

fn any_row() -> impl Strategy<Value = Row> {
    let bytes = || prop::option::weighted(0.8, prop::collection::vec(any::<u8>(), 0..200));
    let headers = prop::collection::btree_map("[a-cé]{0,3}", bytes(), 0..3);
    let time = prop_oneof![Just(-1), 0..2_000_000_000_000_i64];
    (bytes(), bytes(), headers, time).prop_map(|(key, value, headers, timestamp)| Row {
        offset: 0,
        timestamp,
        timestamp_type: TimestampType::CreateTime,
        key,
        value,
        headers: headers.into_iter().collect(),
    })
}

proptest! {
    #[test]
    fn every_field_of_every_record_comes_back_in_all_codecs_and_whatever_the_limits(
        batches in prop::collection::vec((prop::collection::vec((any_row(), 1..4_i64), 1..12), 0..PACKINGS.len()), 1..5),
        max_rows in 1..9_usize,
        max_bytes in prop_oneof![1..500_usize, Just(usize::MAX)],
    ) {
        let (mut bytes, mut written, mut offset) = (Vec::new(), Vec::new(), 0);
        for (rows, packing) in batches {
            let rows: Vec<Row> = rows.into_iter().map(|(row, gap)| {
                offset += gap;
                Row { offset, ..row }
            }).collect();
            bytes.extend(batch(&rows, PACKINGS[packing]));
            written.extend(rows);
        }
        let limits = BatchLimits { max_rows, max_bytes };
        let reading = read_with(fetched(bytes), limits, &mut Decompressor::default());
        prop_assert_eq!(reading.ended, Ok(ReadEnd::Exhausted));
        prop_assert_eq!(reading.rows, written);
        prop_assert_eq!((reading.next_offset, reading.leader_epoch), (offset + 1, Some(EPOCH)));
        prop_assert!(reading.batches.iter().all(|rows| *rows <= max_rows));
    }

    #[test]
    fn a_reading_that_begins_anywhere_gives_what_is_from_there_on(from in 0..45_i64, packing in 0..PACKINGS.len()) {
        let bytes = [batch(&plain_rows(0..20), PACKINGS[packing]), batch(&plain_rows(20..40), Packing::None)].concat();
        let reading = read(Fetched { from, ..fetched(bytes) });
        prop_assert_eq!(reading.rows, plain_rows(from..40));
        prop_assert_eq!(reading.next_offset, from.max(40));
    }

    #[test]
    fn a_last_batch_that_is_cut_off_is_left_for_the_next_fetch(cut in 0..1000_usize) {
        let (first, second) = (batch(&plain_rows(0..3), Packing::None), batch(&plain_rows(3..9), Packing::Lz4));
        let bytes = [&first[..], &second[..]].concat();
        let cut = cut % bytes.len();
        let reading = read(fetched(bytes[..cut].to_vec()));
        let whole = if cut >= first.len() { 3 } else { 0 };
        let end = if cut > 0 && whole == 0 { ReadEnd::CutOff } else { ReadEnd::Exhausted };
        prop_assert_eq!((reading.rows.len(), reading.next_offset, reading.ended), (whole, whole as i64, Ok(end)));
    }
}

#[test]
fn batches_larger_than_the_blocks_of_their_codecs_come_back() {
    let long: Vec<u8> = (0..300_000_u32).flat_map(|number| (number / 5).to_be_bytes()).collect();
    let mut decompressor = Decompressor::default();
    for packing in PACKINGS {
        let rows = vec![row(0, None, Some(&long)), row(1, Some(&long[..70_000]), None), row(2, None, Some(&long))];
        let reading = read_with(fetched(batch(&rows, packing)), UNLIMITED, &mut decompressor);
        assert_eq!(reading.ended, Ok(ReadEnd::Exhausted), "{packing:?}");
        assert!(reading.rows == rows, "{packing:?}");
    }
}

#[test]
fn a_full_batch_is_read_on_without_decompressing_again() {
    let bytes = batch(&plain_rows(0..10), Packing::SizedZstd);
    let fetched_bytes = bytes.len();
    let (mut cursor, mut decompressor) = (RecordCursor::new(fetched(bytes)), Decompressor::default());
    let limits = BatchLimits { max_rows: 4, max_bytes: usize::MAX };
    let mut rows = Vec::new();
    for _ in 0..2 {
        let mut builder = BatchBuilder::new(BatchSize::default());
        assert_eq!(cursor.read_into(&mut builder, limits, &mut decompressor), Ok(ReadEnd::Full));
        assert!(cursor.held_bytes() > fetched_bytes);
        rows.push(builder.rows());
    }
    // another decompressor would have to begin anew
    let mut builder = BatchBuilder::new(BatchSize::default());
    assert_eq!(cursor.read_into(&mut builder, limits, &mut Decompressor::default()), Ok(ReadEnd::Exhausted));
    rows.push(builder.rows());
    assert_eq!((rows, cursor.held_bytes()), (vec![4, 4, 2], 0));
}

#[test]
fn a_builder_goes_on_from_the_fetch_before() {
    let mut builder = BatchBuilder::new(BatchSize::default());
    let limits = BatchLimits { max_rows: 5, max_bytes: usize::MAX };
    let read = |builder: &mut BatchBuilder, offsets| {
        let mut cursor = RecordCursor::new(fetched(batch(&plain_rows(offsets), Packing::None)));
        cursor.read_into(builder, limits, &mut Decompressor::default())
    };
    assert_eq!(read(&mut builder, 0..3), Ok(ReadEnd::Exhausted));
    assert_eq!(read(&mut builder, 0..3), Ok(ReadEnd::Misfit), "the log was truncated");
    assert_eq!(read(&mut builder, 3..9), Ok(ReadEnd::Full));
    assert_eq!((builder.rows(), read(&mut builder, 9..12)), (5, Ok(ReadEnd::Full)));
    assert_eq!(builder.rows(), 5);
}

#[test]
fn the_time_at_which_the_broker_took_a_batch_is_that_of_all_its_records() {
    let mut appended = batch(&plain_rows(3..6), Packing::Gzip);
    append_at(&mut appended, 99);
    let bytes = [batch(&plain_rows(0..3), Packing::None), appended].concat();
    let reading = read(fetched(bytes));
    assert_eq!(reading.batches, [3, 3], "a batch has timestamps of one type");
    assert!(reading.rows[3..].iter().all(|row| row.timestamp == 99));
    assert!(reading.rows[3..].iter().all(|row| row.timestamp_type == TimestampType::LogAppendTime));
}

#[test]
fn header_names_may_repeat_and_be_no_text() {
    // length, attributes, timestamp, offset, null key, null value, 3 headers: a=1, a=null, \xff=""
    let record = [30, 0, 0, 0, 1, 1, 6, 2, b'a', 2, b'1', 2, b'a', 1, 2, 0xff, 0];
    let mut record = record.to_vec();
    record[0] = (record.len() as u8 - 1) * 2;
    let reading = read(fetched(batch_around(&record, 1)));
    let headers = [("a", Some(b"1".to_vec())), ("a", None), ("\u{FFFD}", Some(Vec::new()))];
    assert_eq!(reading.rows[0].headers, headers.map(|(name, value)| (name.to_owned(), value)));
    assert_eq!((reading.rows[0].key.as_ref(), reading.rows[0].value.as_ref()), (None, None));
}

#[test]
fn what_is_wrong_in_a_record_is_named() {
    let fault = |record: &[u8], count| read(fetched(batch_around(record, count))).ended.unwrap_err().fault;
    assert_eq!(fault(&[12, 0, 0, 0, 1, 1, 0], 2), Fault::Broken(error::Part::Length));
    assert_eq!(fault(&[12, 0, 0, 0, 1, 1, 0, 9], 1), Fault::BytesLeft(1));
    assert_eq!(fault(&[14, 0, 0, 0, 1, 1, 0, 9], 1), Fault::BytesLeftInRecord(1));
    assert_eq!(fault(&[14, 0, 0, 0, 1, 1, 0], 1), Fault::RecordLength { length: 7, left: 6 });
    assert_eq!(fault(&[1, 0, 0, 0, 1, 1, 0], 1), Fault::RecordLength { length: -1, left: 6 });
    assert_eq!(fault(&[12, 0, 0, 2, 1, 1, 0], 1), Fault::OffsetDelta(1));
    assert_eq!(fault(&[12, 0, 0, 1, 1, 1, 0], 1), Fault::OffsetDelta(-1));
    assert_eq!(fault(&[12, 0, 0, 0, 1, 2, 0], 1), Fault::Broken(error::Part::Headers));
    assert_eq!(fault(&[12, 0, 0, 0, 1, 20, 0], 1), Fault::Broken(error::Part::Value));
    assert_eq!(fault(&[12, 0, 0, 0, 1, 1, 2], 1), Fault::HeaderCount(1));
    assert_eq!(fault(&[16, 0, 0, 0, 1, 1, 2, 1, 1], 1), Fault::Broken(error::Part::Headers));
    assert_eq!(fault(&[], 1), Fault::Broken(error::Part::Length));
}
