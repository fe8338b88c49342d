//! Consumed messages as the body of a PUT or a PREPARE.

use arrow::array::{Array, BinaryArray};
use volley_api::{RawBatch, TimestampType};

use super::puts::Puts;
use crate::frames::{Kind, Outgoing};

/// The PUT of these.
pub(crate) fn put(puts: &Puts) -> Outgoing {
    with_puts(Outgoing::new(Kind::Put), puts)
}

/// The PREPARE of these under a number.
pub(crate) fn prepare(number: u64, puts: &Puts) -> Outgoing {
    let mut frame = Outgoing::new(Kind::Prepare);
    frame.u64(number);
    with_puts(frame, puts)
}

/// The PUT of what was prepared under a number.
pub(crate) fn put_prepared(number: u64) -> Outgoing {
    let mut frame = Outgoing::new(Kind::PutPrepared);
    frame.u64(number);
    frame
}

fn with_puts(mut frame: Outgoing, puts: &Puts) -> Outgoing {
    frame.count(puts.len());
    for put in puts.each() {
        frame.count(put.len());
        for batch in put {
            add(&mut frame, batch);
        }
    }
    frame
}

// a loop over rows: the host makes a record of each
fn add(frame: &mut Outgoing, batch: &RawBatch) {
    let origin = &batch.origin;
    frame.text(&origin.partition.topic);
    frame.i32(origin.partition.partition);
    frame.u8(match origin.timestamp_type {
        TimestampType::CreateTime => 1,
        TimestampType::LogAppendTime => 2,
    });
    frame.count(batch.len());
    for row in 0..batch.len() {
        frame.i64(origin.offsets[row]);
        frame.i64(origin.timestamps[row]);
        frame.bytes(at(&batch.keys, row));
        frame.bytes(at(&batch.values, row));
        let headers = batch.headers.as_ref().map_or(&[][..], |headers| &headers[row]);
        frame.count(headers.len());
        for header in headers {
            frame.text(&header.name);
            frame.bytes(header.value.as_deref());
        }
    }
}

fn at(bytes: &BinaryArray, row: usize) -> Option<&[u8]> {
    (!bytes.is_null(row)).then(|| bytes.value(row))
}
