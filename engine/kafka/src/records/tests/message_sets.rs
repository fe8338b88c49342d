//! An encoder of messages of version 0 and 1.

use super::codecs::Packing;
use super::*;

/// One message, not compressed.
pub(super) fn message(magic: i8, row: &Row) -> Vec<u8> {
    message_of(magic, 0, row)
}

fn message_of(magic: i8, attributes: u8, row: &Row) -> Vec<u8> {
    let log_append_time = u8::from(row.timestamp_type == TimestampType::LogAppendTime) << 3;
    let mut content = vec![magic.cast_unsigned(), attributes | log_append_time];
    if magic > 0 {
        content.extend(row.timestamp.to_be_bytes());
    }
    for field in [&row.key, &row.value] {
        let length = field.as_ref().map_or(-1, |field| i32::try_from(field.len()).unwrap());
        content.extend(length.to_be_bytes());
        content.extend(field.iter().flatten());
    }
    let mut bytes = row.offset.to_be_bytes().to_vec();
    bytes.extend(i32::try_from(content.len() + 4).unwrap().to_be_bytes());
    bytes.extend(crc32fast::hash(&content).to_be_bytes());
    bytes.extend(content);
    bytes
}

/// A compressed message around others. Their offsets count from the first one in version 1.
pub(super) fn wrapper(magic: i8, packing: Packing, rows: &[Row]) -> Vec<u8> {
    let base = if magic == 0 { 0 } else { rows[0].offset };
    let inside = rows.iter().map(|row| message(magic, &Row { offset: row.offset - base, ..row.clone() }));
    wrapper_around(magic, packing, &inside.collect::<Vec<_>>().concat(), rows.last().unwrap())
}

/// A compressed message with the offset and the timestamp of `last`.
pub(super) fn wrapper_around(magic: i8, packing: Packing, inside: &[u8], last: &Row) -> Vec<u8> {
    let row = Row { key: None, value: Some(packing.pack(inside)), ..last.clone() };
    message_of(magic, packing.number(), &row)
}

/// Makes the checksum right again.
pub(super) fn reseal(message: &mut [u8]) {
    let crc = crc32fast::hash(&message[16..]);
    message[12..16].copy_from_slice(&crc.to_be_bytes());
}
