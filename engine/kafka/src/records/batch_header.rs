//! The header of a record batch of version 2.

use volley_api::TimestampType;

use super::compression::Codec;
use super::error::Fault;
use super::framing::Frame;
use super::reader::Reader;

/// Bytes of the header, from the base offset to the number of records.
pub(super) const HEADER_BYTES: usize = 61;

/// Bytes before the leader epoch: base offset and length.
const BEFORE_EPOCH: usize = 12;

/// Where the checked bytes begin: behind the checksum.
const CHECKED_FROM: usize = 21;

const LOG_APPEND_TIME: i16 = 1 << 3;
const TRANSACTIONAL: i16 = 1 << 4;
const CONTROL: i16 = 1 << 5;

/// The fields that a consumer needs. The delete horizon (KIP-534) needs no care: it takes the place of the base timestamp, and
/// the timestamps of the records are relative to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct BatchHeader {
    pub(super) base_offset: i64,
    /// Of the last record that the batch had when it was written; compaction may have removed it.
    pub(super) last_offset: i64,
    /// -1 = unknown.
    pub(super) leader_epoch: i32,
    stored_crc: u32,
    attributes: i16,
    pub(super) base_timestamp: i64,
    pub(super) max_timestamp: i64,
    /// -1 = written by a producer without idempotence.
    pub(super) producer_id: i64,
    pub(super) records: u32,
}

impl BatchHeader {
    pub(super) fn parse(frame: Frame<'_>) -> Result<Self, Fault> {
        let short = || Fault::ShortBatch(frame.bytes.len());
        let mut reader = Reader::new(frame.bytes);
        reader.take(BEFORE_EPOCH).ok_or_else(short)?;
        let leader_epoch = reader.i32().ok_or_else(short)?;
        reader.byte().ok_or_else(short)?;
        let stored_crc = reader.u32().ok_or_else(short)?;
        let attributes = reader.i16().ok_or_else(short)?;
        let last_offset_delta = reader.i32().ok_or_else(short)?;
        let base_timestamp = reader.i64().ok_or_else(short)?;
        let max_timestamp = reader.i64().ok_or_else(short)?;
        let producer_id = reader.i64().ok_or_else(short)?;
        let _producer_epoch = reader.i16().ok_or_else(short)?;
        let _base_sequence = reader.i32().ok_or_else(short)?;
        let records = reader.i32().ok_or_else(short)?;
        let last_offset = frame.offset.checked_add(i64::from(last_offset_delta));
        Ok(Self {
            base_offset: frame.offset,
            last_offset: last_offset
                .filter(|last| (frame.offset..i64::MAX).contains(last))
                .ok_or(Fault::LastOffsetDelta(last_offset_delta))?,
            leader_epoch,
            stored_crc,
            attributes,
            base_timestamp,
            max_timestamp,
            producer_id,
            records: u32::try_from(records).map_err(|_| Fault::RecordCount(records))?,
        })
    }

    /// Compares the checksum, a CRC-32C of all that follows it.
    pub(super) fn check_crc(&self, frame: Frame<'_>) -> Result<(), Fault> {
        let computed = crc32c::crc32c(&frame.bytes[CHECKED_FROM..]);
        if computed == self.stored_crc { Ok(()) } else { Err(Fault::Checksum { stored: self.stored_crc, computed }) }
    }

    pub(super) fn codec(&self) -> Result<Codec, Fault> {
        Codec::of_attributes(self.attributes.to_be_bytes()[1])
    }

    pub(super) fn timestamp_type(&self) -> TimestampType {
        if self.attributes & LOG_APPEND_TIME == 0 { TimestampType::CreateTime } else { TimestampType::LogAppendTime }
    }

    pub(super) fn is_transactional(&self) -> bool {
        self.attributes & TRANSACTIONAL != 0
    }

    pub(super) fn is_control(&self) -> bool {
        self.attributes & CONTROL != 0
    }

    pub(super) fn has_producer_id(&self) -> bool {
        self.producer_id >= 0
    }
}
