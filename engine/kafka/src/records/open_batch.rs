//! A batch that is being read: its records, decompressed, and the place in them.

use bytes::Bytes;
use volley_api::TimestampType;

use super::compression::Decompressed;
use super::error::RecordsError;
use super::message_walk::MessageWalk;
use super::record_walk::RecordWalk;
use super::rows::{Rows, Walked};
use super::{BatchBuilder, Incoming};

/// Where the records of a batch are.
#[derive(Debug)]
pub(super) enum Payload {
    /// In the fetched bytes.
    Fetched(Bytes),
    Decompressed(Decompressed),
}

impl Payload {
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Fetched(bytes) => bytes,
            Self::Decompressed(decompressed) => decompressed.bytes(),
        }
    }
}

/// How far it has been read, by format.
#[derive(Debug)]
pub(super) enum Walk {
    /// Version 2.
    Records(RecordWalk),
    /// Versions 0 and 1.
    Messages(MessageWalk),
}

#[derive(Debug)]
pub(super) struct OpenBatch {
    payload: Payload,
    walk: Walk,
    last_offset: i64,
}

impl OpenBatch {
    pub(super) fn new(payload: Payload, walk: Walk, last_offset: i64) -> Self {
        Self { payload, walk, last_offset }
    }

    pub(super) fn last_offset(&self) -> i64 {
        self.last_offset
    }

    fn timestamp_type(&self) -> TimestampType {
        match &self.walk {
            Walk::Records(walk) => walk.timestamp_type(),
            Walk::Messages(walk) => walk.timestamp_type(),
        }
    }

    /// No record has an offset below this one.
    fn least_offset(&self) -> i64 {
        match &self.walk {
            Walk::Records(walk) => walk.base_offset(),
            Walk::Messages(walk) => walk.base_offset(),
        }
    }

    /// Whether its records from `offset` on can follow those in the builder.
    pub(super) fn fits(&self, builder: &BatchBuilder, offset: i64) -> bool {
        let timestamp_type = self.timestamp_type();
        let offset = offset.max(self.least_offset());
        builder.fits(&Incoming { offset, timestamp: -1, timestamp_type, key: None, value: None })
    }

    /// Adds records until a limit is reached.
    pub(super) fn read_into(&mut self, rows: &mut Rows<'_>) -> Result<Walked, RecordsError> {
        let payload = self.payload.bytes();
        match &mut self.walk {
            Walk::Records(walk) => walk.read_into(payload, rows),
            Walk::Messages(walk) => walk.read_into(payload, rows),
        }
    }

    /// Bytes of memory that the batch holds beside the fetched bytes.
    pub(super) fn held_bytes(&self) -> usize {
        match &self.payload {
            Payload::Fetched(_) => 0,
            Payload::Decompressed(decompressed) => decompressed.capacity(),
        }
    }

    pub(super) fn into_decompressed(self) -> Option<Decompressed> {
        match self.payload {
            Payload::Fetched(_) => None,
            Payload::Decompressed(decompressed) => Some(decompressed),
        }
    }
}
