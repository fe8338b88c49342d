//! What Kafka's own classes wrote, and what they read from it: `tests/java/RecordBatchReference.java` wrote both down.

use std::collections::HashSet;
use std::fmt::Write;

use serde_json::{Value, json};

use super::*;

const BATCHES: &[u8] = include_bytes!("../testdata/record_batches.bin");
const RECORDS: &str = include_str!("../testdata/records.jsonl");

/// The producer of an aborted transaction, and of a later one that is committed.
const ABORTING: i64 = 11;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// A record in Java's form.
fn line_of(row: &Row) -> Value {
    let value = row.value.as_deref();
    let headers = row.headers.iter().map(|(name, value)| json!([name, value.as_deref().map(hex)]));
    json!({
        "offset": row.offset,
        "timestamp": row.timestamp,
        "append": row.timestamp_type == TimestampType::LogAppendTime,
        "key": row.key.as_deref().map(hex),
        "length": value.map_or(-1, |value| value.len() as i64),
        "crc": crc32fast::hash(value.unwrap_or_default()),
        "headers": headers.collect::<Vec<_>>(),
    })
}

/// The records that Java read, each with the id of its producer.
fn javas() -> Vec<(Value, i64)> {
    let parse = |line: &str| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        let producer = line.as_object_mut().unwrap().remove("producer").unwrap();
        (line, producer.as_i64().unwrap())
    };
    RECORDS.lines().map(parse).collect()
}

#[test]
fn all_versions_and_codecs_give_what_java_reads_and_whatever_the_limits() {
    let javas: Vec<Value> = javas().into_iter().map(|(line, _)| line).collect();
    for max_rows in [usize::MAX, 7, 1] {
        let limits = BatchLimits { max_rows, max_bytes: 100_000 };
        let reading = read_with(fetched(BATCHES), limits, &mut Decompressor::default());
        assert_eq!(reading.ended, Ok(ReadEnd::Exhausted));
        for (row, java) in reading.rows.iter().zip(&javas) {
            assert_eq!(&line_of(row), java);
        }
        assert_eq!(reading.rows.len(), javas.len());
    }
}

#[test]
fn the_aborted_transaction_is_hidden_and_no_other() {
    let javas = javas();
    let first = |producer: i64| javas.iter().position(|(_, of)| *of == producer).unwrap();
    let first_offset = javas[first(ABORTING)].0["offset"].as_i64().unwrap();
    let aborted = vec![AbortedTransaction { producer_id: ABORTING, first_offset }];
    let reading = read(Fetched { isolation: Isolation::ReadCommitted { aborted }, ..fetched(BATCHES) });

    let seen: HashSet<i64> = offsets(&reading).into_iter().collect();
    let hidden: Vec<i64> =
        javas.iter().filter(|(line, _)| !seen.contains(&line["offset"].as_i64().unwrap())).map(|(_, of)| *of).collect();
    assert_eq!(hidden, [ABORTING; 4], "three records, and one behind those of the other transaction");
}
