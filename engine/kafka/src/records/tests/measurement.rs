//! What reading costs, beside what it cannot do without: decompression, the checksum, and one copy of the bytes.
//!
//! ```sh
//! cargo test --release -p volley-kafka --lib -- --ignored --nocapture cpu_seconds_of_a_million_records
//! ```

use std::fs;
use std::hint::black_box;

use super::batches::batch;
use super::codecs::Packing;
use super::*;
use crate::records::compression::Codec;

const RECORDS: i64 = 1_000_000;
const RECORDS_OF_BATCH: i64 = 5_000;
const ROUNDS: usize = 5;
const LIMITS: BatchLimits = BatchLimits { max_rows: 65_536, max_bytes: 16 << 20 };

/// CPU seconds of this thread, as Linux counts them.
fn cpu_seconds() -> f64 {
    let statistics = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    statistics.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

/// The fewest CPU seconds of some rounds.
fn least(mut run: impl FnMut()) -> f64 {
    let round = |_| {
        let begin = cpu_seconds();
        run();
        cpu_seconds() - begin
    };
    (0..ROUNDS).map(round).fold(f64::INFINITY, f64::min)
}

/// A payment of 97 bytes.
fn payment(offset: i64) -> Row {
    let value = format!(
        r#"{{"id":{offset:08},"account":"acc-{:06}","amount":{:08.2},"currency":"EUR","ok":true,"note":"-"}}"#,
        offset * 7919 % 1_000_000,
        (offset * 31 % 99_999) as f64 / 7.0,
    );
    row(offset, None, Some(value.as_bytes()))
}

#[test]
#[ignore = "a measurement, which needs an optimised build"]
fn cpu_seconds_of_a_million_records() {
    for packing in [Packing::None, Packing::Lz4, Packing::SizedZstd, Packing::RawSnappy] {
        let codec = Codec::of_attributes(packing.number()).unwrap();
        let batches: Vec<Vec<u8>> = (0..RECORDS / RECORDS_OF_BATCH)
            .map(|index| {
                let rows: Vec<Row> = (index * RECORDS_OF_BATCH..(index + 1) * RECORDS_OF_BATCH).map(payment).collect();
                batch(&rows, packing)
            })
            .collect();
        let mut decompressor = Decompressor::default();
        let decompress = least(|| {
            for batch in &batches {
                let decompressed = decompressor.decompress(codec, &batch[61..]).unwrap();
                black_box(decompressed.bytes());
                decompressor.take_back(decompressed);
            }
        });
        let checksum = least(|| {
            for batch in &batches {
                black_box(crc32c::crc32c(&batch[21..]));
            }
        });
        let values = vec![7_u8; 97 * RECORDS as usize];
        let copy = least(|| {
            for chunk in values.chunks(97 * LIMITS.max_rows) {
                black_box(chunk.to_vec());
            }
        });
        let records = Bytes::from(batches.concat());
        let mut rows = 0;
        let all = least(|| {
            let mut cursor = RecordCursor::new(fetched(records.clone()));
            let mut size = BatchSize::default();
            rows = 0;
            loop {
                let mut builder = BatchBuilder::new(size);
                let end = cursor.read_into(&mut builder, LIMITS, &mut decompressor).unwrap();
                (rows, size) = (rows + builder.rows(), builder.size());
                black_box(builder.close(&TopicPartition::new("t", 0)));
                if end == ReadEnd::Exhausted {
                    break;
                }
            }
        });
        assert_eq!(rows, RECORDS as usize);
        let decompress = if codec == Codec::None { 0.0 } else { decompress };
        println!(
            "{packing:?}: {all:.4} CPU-s per million = decompression {decompress:.4} + checksum {checksum:.4} + walk {:.4}; \
             a copy of the values alone: {copy:.4}",
            all - decompress - checksum,
        );
    }
}
