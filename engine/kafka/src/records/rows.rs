//! Where records go: into a builder, up to limits.

use std::sync::Arc;

use volley_api::RawHeader;

use super::{BatchBuilder, BatchLimits, Incoming};

/// Largest effective `max_bytes`: Arrow's 32-bit offsets must hold a full batch and one more record, of at most 1 GiB.
const MAX_BUILDER_BYTES: usize = 512 << 20;

/// How a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Walked {
    /// At a limit. There may be more.
    Full,
    /// Behind the last record.
    All,
}

/// The builder, the limits, and the lowest offset that is wanted.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    builder: &'a mut BatchBuilder,
    max_rows: usize,
    max_bytes: usize,
    next_offset: &'a mut i64,
}

impl<'a> Rows<'a> {
    pub(super) fn new(builder: &'a mut BatchBuilder, limits: BatchLimits, next_offset: &'a mut i64) -> Self {
        Self { builder, max_rows: limits.max_rows, max_bytes: limits.max_bytes.min(MAX_BUILDER_BYTES), next_offset }
    }

    pub(super) fn is_full(&self) -> bool {
        let rows = self.builder.rows();
        rows > 0 && (rows >= self.max_rows || self.builder.bytes() >= self.max_bytes)
    }

    pub(super) fn next_offset(&self) -> i64 {
        *self.next_offset
    }

    #[inline]
    pub(super) fn wants(&self, offset: i64) -> bool {
        offset >= *self.next_offset
    }

    /// The shared form of a header name. Bytes that are not UTF-8 become U+FFFD, as for Java.
    pub(super) fn header_name(&mut self, name: &[u8]) -> Arc<str> {
        self.builder.header_name(&String::from_utf8_lossy(name))
    }

    /// Adds a record whose offset is wanted. Returns whether a limit is reached.
    #[inline]
    pub(super) fn push(&mut self, record: &Incoming<'_>, headers: Vec<RawHeader>) -> bool {
        self.builder.push(record);
        if !headers.is_empty() {
            self.builder.set_headers(headers);
        }
        *self.next_offset = record.offset + 1;
        self.is_full()
    }
}
