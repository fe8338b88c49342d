//! Bytes that no broker sends: an error or records, no panic, and no memory beyond what the bytes can fill.

use proptest::prelude::*;

use super::batches::{PLAIN, Written, batch, batch_of, patch};
use super::codecs::{PACKINGS, Packing};
use super::message_sets::wrapper;
use super::*;
use crate::records::error::Fault;

/// A change to bytes.
#[derive(Clone, Debug)]
enum Change {
    Flip(usize, u8),
    Cut(usize),
    Insert(usize, Vec<u8>),
    /// A 32-bit number, as lengths and counts are.
    Number(usize, i32),
    /// Some bytes to another place.
    Copy(usize, usize, usize),
}

fn any_change() -> impl Strategy<Value = Change> {
    let number = prop_oneof![any::<i32>(), Just(i32::MAX), Just(i32::MIN), -2..200_i32, Just(1 << 30)];
    prop_oneof![
        4 => (any::<usize>(), any::<u8>()).prop_map(|(at, with)| Change::Flip(at, with)),
        1 => any::<usize>().prop_map(Change::Cut),
        1 => (any::<usize>(), prop::collection::vec(any::<u8>(), 1..9)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        2 => (any::<usize>(), number).prop_map(|(at, number)| Change::Number(at, number)),
        1 => (any::<usize>(), any::<usize>(), 1..40_usize).prop_map(|(from, to, length)| Change::Copy(from, to, length)),
    ]
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let place = |at: &usize| at % bytes.len().max(1);
        match self {
            Self::Flip(at, with) => {
                let at = place(at);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= with;
                }
            }
            Self::Cut(at) => bytes.truncate(place(at)),
            Self::Insert(at, inserted) => {
                let at = place(at);
                bytes.splice(at..at, inserted.iter().copied());
            }
            Self::Number(at, number) => {
                let at = place(at);
                if let Some(place) = bytes.get_mut(at..at + 4) {
                    place.copy_from_slice(&number.to_be_bytes());
                }
            }
            Self::Copy(from, to, length) => {
                let (from, to) = (place(from), place(to));
                let copied = bytes[from..(from + length).min(bytes.len())].to_vec();
                if let Some(place) = bytes.get_mut(to..to + copied.len()) {
                    place.copy_from_slice(&copied);
                }
            }
        }
    }
}

/// Batches of all formats and codecs, with headers, transactions and markers.
fn samples() -> Vec<Vec<u8>> {
    let mut rows = plain_rows(0..6);
    rows[2].headers = vec![("a".to_owned(), Some(b"b".to_vec())), ("c".to_owned(), None)];
    rows[3].key = None;
    rows[4].value = None;
    let mut samples = Vec::new();
    for packing in PACKINGS {
        samples.push(batch(&rows, packing));
        for magic in 0..2 {
            samples.push(wrapper(magic, packing, &rows));
        }
    }
    let transactional = Written { producer_id: 1, transactional: true, ..PLAIN };
    let marker = batch_of(&[row(6, Some(&[0; 4]), Some(&[0; 6]))], Written { control: true, ..transactional });
    samples.push([batch_of(&rows, transactional), marker].concat());
    samples
}

fn check(bytes: Vec<u8>, from: i64, check_crcs: bool) {
    let size = bytes.len();
    let isolation = Isolation::ReadCommitted { aborted: vec![AbortedTransaction { producer_id: 1, first_offset: 0 }] };
    let mut decompressor = Decompressor::default();
    let limits = BatchLimits { max_rows: 4, max_bytes: 1000 };
    let reading = read_with(Fetched { records: bytes.into(), from, isolation, check_crcs }, limits, &mut decompressor);
    let in_order = reading.rows.windows(2).all(|rows| rows[0].offset < rows[1].offset);
    assert!(in_order && reading.rows.iter().all(|row| (from..reading.next_offset).contains(&row.offset)));
    // nothing that was changed here becomes much more than it was
    assert!(decompressor.spare_bytes() <= (size + 1) * 256 + (1 << 20), "{} bytes held", decompressor.spare_bytes());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn changed_batches_give_errors_or_records(
        sample in any::<prop::sample::Index>(),
        changes in prop::collection::vec(any_change(), 1..5),
        second in any::<prop::sample::Index>(),
        from in 0..8_i64,
    ) {
        let samples = samples();
        let mut bytes = sample.get(&samples).clone();
        for change in &changes {
            change.apply(&mut bytes);
        }
        bytes.extend(second.get(&samples));
        check(bytes.clone(), from, true);
        check(bytes, from, false);
    }

    #[test]
    fn changed_compressed_bytes_give_errors_or_records(
        packing in 1..PACKINGS.len(),
        long in any::<bool>(),
        changes in prop::collection::vec(any_change(), 1..5),
    ) {
        let rows = if long { plain_rows(0..200) } else { plain_rows(0..3) };
        let mut bytes = batch(&rows, PACKINGS[packing]);
        let mut compressed = bytes.split_off(61);
        for change in &changes {
            change.apply(&mut compressed);
        }
        bytes.extend(compressed);
        let length = i32::try_from(bytes.len() - 12).unwrap();
        patch(&mut bytes, 8, &length.to_be_bytes());
        check(bytes, 0, true);
    }

    #[test]
    fn bytes_of_no_meaning_give_errors_or_nothing(mut bytes in prop::collection::vec(any::<u8>(), 0..200), magic in 0..3_u8) {
        check(bytes.clone(), 0, false);
        if bytes.len() > 20 {
            let length = i32::try_from(bytes.len() - 12).unwrap();
            bytes[0..8].fill(0);
            bytes[8..12].copy_from_slice(&length.to_be_bytes());
            bytes[16] = magic;
            check(bytes, 0, false);
        }
    }
}

#[test]
fn a_changed_byte_is_found_by_the_checksum() {
    let good = batch(&plain_rows(0..3), Packing::Lz4);
    for at in 21..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 0x10;
        let reading = read(fetched(bytes));
        let error = reading.ended.unwrap_err();
        assert!(matches!(error, RecordsError { offset: 0, fault: Fault::Checksum { .. } }), "byte {at}: {error:?}");
        assert!(reading.rows.is_empty());
    }
}

#[test]
fn a_checksum_is_not_compared_without_check_crcs() {
    let mut bytes = batch(&plain_rows(0..3), Packing::None);
    bytes[17] ^= 1;
    assert_eq!(read(Fetched { check_crcs: false, ..fetched(bytes) }).rows, plain_rows(0..3));
}

#[test]
fn records_before_a_bad_batch_are_read_and_the_error_stays() {
    let mut bad = batch(&plain_rows(3..6), Packing::None);
    bad[16] = 3;
    let reading = read(fetched([batch(&plain_rows(0..3), Packing::None), bad].concat()));
    assert_eq!((offsets(&reading), reading.next_offset), (vec![0, 1, 2], 3));
    let error = reading.ended.unwrap_err();
    assert_eq!(error, RecordsError { offset: 3, fault: Fault::UnknownMagic(3) });
    let message = error.of(&TopicPartition::new("t", 5)).to_string();
    assert_eq!(
        message,
        "the record batch of t-5 at offset 3 cannot be read: its format version is 3, known are 0, 1 and 2"
    );
}

#[test]
fn the_highest_offsets_overflow_nothing() {
    let mut bytes = batch(&plain_rows(5..8), Packing::None);
    patch(&mut bytes, 0, &(i64::MAX - 2).to_be_bytes());
    patch(&mut bytes, 23, &1_i32.to_be_bytes());
    let reading = read(fetched(bytes));
    assert_eq!(offsets(&reading), [i64::MAX - 2, i64::MAX - 1]);
    assert_eq!(reading.ended, Err(RecordsError { offset: i64::MAX, fault: Fault::OffsetDelta(2) }));
}

#[test]
fn what_is_wrong_in_a_header_is_named() {
    let fault = |at: usize, with: &[u8]| {
        let mut bytes = batch(&plain_rows(5..8), Packing::None);
        patch(&mut bytes, at, with);
        read(fetched(bytes)).ended.unwrap_err().fault
    };
    assert_eq!(fault(22, &[5]), Fault::UnknownCodec(5));
    assert_eq!(fault(57, &(-1_i32).to_be_bytes()), Fault::RecordCount(-1));
    assert_eq!(fault(57, &i32::MAX.to_be_bytes()), Fault::Broken(error::Part::Length));
    assert_eq!(fault(23, &(-1_i32).to_be_bytes()), Fault::LastOffsetDelta(-1));
    assert_eq!(fault(23, &1_i32.to_be_bytes()), Fault::OffsetDelta(2));
    assert_eq!(fault(0, &i64::MAX.to_be_bytes()), Fault::BatchOffset);
    assert_eq!(fault(0, &(i64::MAX - 1).to_be_bytes()), Fault::LastOffsetDelta(2));
    assert_eq!(fault(0, &(i64::MAX - 2).to_be_bytes()), Fault::LastOffsetDelta(2));
    assert_eq!(fault(8, &13_i32.to_be_bytes()), Fault::BatchLength(13));
    assert_eq!(fault(8, &(-1_i32).to_be_bytes()), Fault::BatchLength(-1));
    assert_eq!(fault(8, &48_i32.to_be_bytes()), Fault::ShortBatch(60));
    assert!(matches!(fault(22, &[3]), Fault::Decompression { codec: "lz4", .. }));
}
