//! The walk over the fetched records of one partition.

use bytes::Bytes;

use super::aborted::{AbortedProducers, MarkerType};
use super::batch_header::{BatchHeader, HEADER_BYTES};
use super::compression::{Codec, MAX_DECOMPRESSED};
use super::error::Fault;
use super::framing::{Frame, Framing, frame};
use super::message_walk::MessageWalk;
use super::open_batch::{OpenBatch, Payload, Walk};
use super::record_walk::{RecordWalk, first_key};
use super::rows::{Rows, Walked};
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

/// Where a batch ends. At least one record is taken into an empty builder whatever the limits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchLimits {
    /// Maximum rows of a batch.
    pub(crate) max_rows: usize,
    /// Bytes of keys and values at which a batch is closed; it may exceed them by one record. More than 512 MiB is 512 MiB.
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
    /// larger limit. Brokers since 0.10.1 (fetch requests of version 3 on) send the first batch whole.
    CutOff,
}

/// What became of the next batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Opened,
    Skipped,
    Ended(ReadEnd),
}

/// The fetched records of one partition, and how far they have been read. It keeps the decompressed batch that it stands in.
#[derive(Debug)]
pub(crate) struct RecordCursor {
    records: Bytes,
    /// Where the next batch begins.
    at: usize,
    open: Option<OpenBatch>,
    next_offset: i64,
    leader_epoch: Option<i32>,
    /// `Some` = read_committed.
    aborted: Option<AbortedProducers>,
    check_crcs: bool,
}

impl RecordCursor {
    /// A cursor at the first record.
    pub(crate) fn new(fetched: Fetched) -> Self {
        let aborted = match fetched.isolation {
            Isolation::ReadUncommitted => None,
            Isolation::ReadCommitted { aborted } => Some(AbortedProducers::new(aborted)),
        };
        Self {
            records: fetched.records,
            at: 0,
            open: None,
            next_offset: fetched.from,
            leader_epoch: None,
            aborted,
            check_crcs: fetched.check_crcs,
        }
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
        loop {
            let Some(open) = &mut self.open else {
                match self.open_next(decompressor)? {
                    Step::Opened | Step::Skipped => continue,
                    Step::Ended(end) => return Ok(end),
                }
            };
            if !open.fits(builder, self.next_offset) {
                return Ok(ReadEnd::Misfit);
            }
            let mut rows = Rows::new(builder, limits, &mut self.next_offset);
            if rows.is_full() || open.read_into(&mut rows)? == Walked::Full {
                return Ok(ReadEnd::Full);
            }
            let last_offset = open.last_offset();
            self.pass(last_offset);
            if let Some(decompressed) = self.open.take().and_then(OpenBatch::into_decompressed) {
                decompressor.take_back(decompressed);
            }
        }
    }

    /// Opens the next batch, or passes it when it has no records for the consumer.
    fn open_next(&mut self, decompressor: &mut Decompressor) -> Result<Step, RecordsError> {
        let records = self.records.clone();
        let rest = records.get(self.at..).unwrap_or_default();
        let frame = match frame(rest).map_err(|(offset, fault)| RecordsError { offset, fault })? {
            Framing::Whole(frame) => frame,
            Framing::CutOff if self.at == 0 => return Ok(Step::Ended(ReadEnd::CutOff)),
            Framing::CutOff | Framing::End => {
                self.records = Bytes::new();
                self.at = 0;
                return Ok(Step::Ended(ReadEnd::Exhausted));
            }
        };
        let step = self.open_frame(frame, decompressor);
        let step = step.map_err(|fault| RecordsError { offset: frame.offset, fault })?;
        self.at += frame.bytes.len();
        Ok(step)
    }

    fn open_frame(&mut self, frame: Frame<'_>, decompressor: &mut Decompressor) -> Result<Step, Fault> {
        if frame.bytes.len() > MAX_DECOMPRESSED {
            return Err(Fault::TooLarge(MAX_DECOMPRESSED));
        }
        match frame.magic {
            0 | 1 => self.open_message(frame, decompressor),
            2 => self.open_batch(frame, decompressor),
            unknown => Err(Fault::UnknownMagic(unknown)),
        }
    }

    fn open_message(&mut self, frame: Frame<'_>, decompressor: &mut Decompressor) -> Result<Step, Fault> {
        self.leader_epoch = None;
        if frame.offset < self.next_offset {
            return Ok(Step::Skipped);
        }
        let (walk, inside) = MessageWalk::open(frame, self.check_crcs, decompressor)?;
        let payload = match inside {
            Some(inside) => Payload::Decompressed(inside),
            None => Payload::Fetched(self.records.slice_ref(frame.bytes)),
        };
        self.open = Some(OpenBatch::new(payload, Walk::Messages(walk), frame.offset));
        Ok(Step::Opened)
    }

    fn open_batch(&mut self, frame: Frame<'_>, decompressor: &mut Decompressor) -> Result<Step, Fault> {
        let header = BatchHeader::parse(frame)?;
        self.leader_epoch = (header.leader_epoch >= 0).then_some(header.leader_epoch);
        if self.check_crcs {
            header.check_crc(frame)?;
        }
        let hidden = self.pass_transaction(&header, frame, decompressor)?;
        if hidden || header.records == 0 || header.last_offset < self.next_offset {
            self.pass(header.last_offset);
            return Ok(Step::Skipped);
        }
        let payload = self.payload(&header, frame, decompressor)?;
        self.open = Some(OpenBatch::new(payload, Walk::Records(RecordWalk::new(&header)), header.last_offset));
        Ok(Step::Opened)
    }

    /// Follows the transactions (KIP-98). Returns whether the consumer sees nothing of the batch: it is a marker, or part of
    /// an aborted transaction.
    fn pass_transaction(
        &mut self,
        header: &BatchHeader,
        frame: Frame<'_>,
        decompressor: &mut Decompressor,
    ) -> Result<bool, Fault> {
        let producer_id = header.producer_id;
        if let Some(aborted) = self.aborted.as_mut().filter(|_| header.has_producer_id()) {
            aborted.advance_to(header.last_offset);
            if !header.is_control() {
                return Ok(header.is_transactional() && aborted.contains(producer_id));
            }
            if self.is_abort_marker(header, frame, decompressor)?
                && let Some(aborted) = &mut self.aborted
            {
                aborted.end(producer_id);
            }
        }
        Ok(header.is_control())
    }

    fn is_abort_marker(
        &self,
        header: &BatchHeader,
        frame: Frame<'_>,
        decompressor: &mut Decompressor,
    ) -> Result<bool, Fault> {
        if header.records == 0 {
            return Ok(false);
        }
        let payload = self.payload(header, frame, decompressor)?;
        let marker = first_key(payload.bytes()).and_then(|key| MarkerType::of_key(key.unwrap_or_default()));
        if let Payload::Decompressed(decompressed) = payload {
            decompressor.take_back(decompressed);
        }
        Ok(marker? == MarkerType::Abort)
    }

    fn payload(
        &self,
        header: &BatchHeader,
        frame: Frame<'_>,
        decompressor: &mut Decompressor,
    ) -> Result<Payload, Fault> {
        let records = &frame.bytes[HEADER_BYTES..];
        Ok(match header.codec()? {
            Codec::None => Payload::Fetched(self.records.slice_ref(records)),
            codec => Payload::Decompressed(decompressor.decompress(codec, records)?),
        })
    }

    /// Passes a whole batch: the next offset is behind it, whatever records compaction has left in it.
    fn pass(&mut self, last_offset: i64) {
        self.next_offset = self.next_offset.max(last_offset + 1);
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
        self.records.len() + self.open.as_ref().map_or(0, OpenBatch::held_bytes)
    }
}
