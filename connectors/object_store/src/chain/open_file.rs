//! A file that still takes rows.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use volley_api::{Records, Result, TopicPartition};

use super::file_schema::FileSchema;
use super::output::Output;
use super::pieces::Piece;
use super::rotation::RotationPolicy;
use super::row_order::{cut_between_offsets, offset_of};
use super::writing::Writing;
use crate::format::{FileIdentity, new_file_id};
use crate::store::{Contents, SpoolPlace};

/// Rows written before a new file's size says how many more fit into `rotate.bytes`.
const FIRST_ROWS: u64 = 8192;
/// Rows written at least before the size is looked at again.
const MIN_ROWS: u64 = 1024;

/// A file in the making: at least one row.
#[derive(Debug)]
pub(crate) struct OpenFile {
    output: Output,
    /// Where versions of a schema matter.
    schema: Option<FileSchema>,
    first_offset: i64,
    last_offset: i64,
    rows: u64,
    /// Kafka's timestamp of the first row.
    start_timestamp: i64,
    /// Timestamp from which `rotate.interval.ms` counts; `None` before the first row that has one.
    base_timestamp: Option<i64>,
    /// The files beside it.
    siblings: Vec<Output>,
    last_write_ms: i64,
    scheduled_ms: Option<i64>,
}

/// A complete file, not yet in the store.
#[derive(Clone, Debug)]
pub(crate) struct ClosedFile {
    /// What it says of itself.
    pub(crate) identity: FileIdentity,
    /// Offset of its last row.
    pub(crate) last_offset: i64,
    /// What it says of itself as a text, for a file that has no place for it.
    pub(crate) label: Option<String>,
    /// Its bytes.
    pub(crate) contents: Contents,
    /// What its object is tagged with.
    pub(crate) tags: Vec<(&'static str, String)>,
    /// The files beside it.
    pub(crate) siblings: Vec<SiblingFile>,
    /// Where it is already, so that only the files beside it are to be written.
    pub(crate) path: Option<String>,
}

/// A complete file beside another one.
#[derive(Clone, Debug)]
pub(crate) struct SiblingFile {
    /// Stands in its name in place of the other one's.
    pub(crate) extension: Arc<str>,
    /// Its bytes.
    pub(crate) contents: Contents,
}

impl ClosedFile {
    /// Bytes of memory.
    pub(crate) fn memory(&self) -> usize {
        self.all().map(Contents::memory).sum()
    }

    /// Bytes on local disk.
    pub(crate) fn on_disk(&self) -> u64 {
        self.all().map(Contents::on_disk).sum()
    }

    fn all(&self) -> impl Iterator<Item = &Contents> {
        std::iter::once(&self.contents).chain(self.siblings.iter().map(|sibling| &sibling.contents))
    }
}

impl OpenFile {
    /// A file for the rows of `piece` from row `row` on.
    pub(crate) fn new(piece: &Piece, row: usize, writing: &Writing<'_>) -> Result<Self> {
        let records = &piece.records;
        let first_offset = offset_of(records, row);
        let beside = writing.siblings.iter().zip(&piece.siblings);
        let siblings =
            beside.map(|(sibling, rows)| sibling.format().file_writer(&piece.key.topic, &rows.rows).map(Output::new));
        Ok(Self {
            siblings: siblings.collect::<Result<_>>()?,
            output: Output::new(writing.format.file_writer(&piece.key.topic, &piece.rows)?),
            schema: piece.source.as_ref().map(FileSchema::new),
            first_offset,
            last_offset: first_offset,
            rows: 0,
            start_timestamp: origin_timestamp(records, row),
            base_timestamp: None,
            last_write_ms: writing.now,
            scheduled_ms: writing.policy.next_scheduled(writing.now),
        })
    }

    /// Offset of the first row.
    pub(crate) fn first_offset(&self) -> i64 {
        self.first_offset
    }

    /// The piece as this file holds it; `None`: it cannot, and has to be completed first.
    pub(crate) fn fitted<'a>(&mut self, piece: &'a Piece, writing: &Writing<'_>) -> Result<Option<Cow<'a, Piece>>> {
        let fitted = match &mut self.schema {
            Some(schema) => schema.fitted(piece, writing)?,
            None => Some(Cow::Borrowed(piece)),
        };
        let takes = |piece: &Piece| {
            let mut beside = self.siblings.iter().zip(&piece.siblings);
            self.output.takes(&piece.rows) && beside.all(|(output, rows)| output.takes(&rows.rows))
        };
        Ok(fitted.filter(|piece| takes(piece)))
    }

    /// Bytes of memory in use, roughly.
    pub(crate) fn memory(&self) -> usize {
        let beside: usize = self.siblings.iter().map(|output| output.size().memory).sum();
        self.output.size().memory + beside
    }

    /// Has as little in memory as it can while it stays open; the bytes of memory that this has freed.
    pub(crate) fn relieve(&mut self, place: &SpoolPlace) -> Result<usize> {
        let outputs = std::iter::once(&mut self.output).chain(&mut self.siblings);
        outputs.map(|output| output.relieve(place)).sum()
    }

    /// How many of the records from `from` on go into this file now; 0: it must be completed first. Afterwards ask
    /// [`OpenFile::is_full`], and again for the rest.
    pub(crate) fn rows_that_fit(&self, records: &Records, from: usize, policy: &RotationPolicy) -> usize {
        let left = records.len() - from;
        let mut fit = policy.rows.saturating_sub(self.rows).min(left as u64);
        if let Some(limit) = policy.bytes {
            fit = fit.min(self.rows_within(limit));
        }
        let in_time = self.rows_in_time(&records.timestamps[from..], policy);
        let before = if self.rows == 0 { None } else { Some(self.last_offset) };
        let cut = from + usize::try_from(fit).unwrap_or(left).min(in_time);
        let before = if from == 0 { before } else { None };
        cut_between_offsets(records, cut, before).min(records.len()) - from
    }

    /// Adds the rows `range` of `piece`.
    pub(crate) fn write(&mut self, piece: &Piece, range: Range<usize>, writing: &Writing<'_>) -> Result<()> {
        let records = &piece.records;
        if self.base_timestamp.is_none() {
            self.base_timestamp = records.timestamps[range.clone()].iter().copied().find(|timestamp| *timestamp >= 0);
        }
        self.rows += range.len() as u64;
        self.last_offset = offset_of(records, range.end - 1);
        self.last_write_ms = writing.now;
        for (output, rows) in self.siblings.iter_mut().zip(&piece.siblings) {
            output.write(rows.rows.slice(range.start, range.len()), usize::MAX, writing.storage)?;
        }
        let rows = piece.rows.slice(range.start, range.len());
        self.output.write(rows, writing.policy.bytes.unwrap_or(usize::MAX), writing.storage)
    }

    /// Whether it has reached the rows or bytes of a file.
    pub(crate) fn is_full(&self, policy: &RotationPolicy) -> bool {
        self.rows >= policy.rows || policy.bytes.is_some_and(|limit| self.output.size().encoded >= limit)
    }

    /// Whether the clock says that it is to be completed.
    pub(crate) fn is_due(&self, policy: &RotationPolicy, now: i64) -> bool {
        policy.idle_ms.is_some_and(|idle| now.saturating_sub(self.last_write_ms) >= idle)
            || self.scheduled_ms.is_some_and(|scheduled| now >= scheduled)
            || policy.interval_by_clock && self.is_interval_over(policy, now)
    }

    /// Completes it. `end`: every row of the stream before this offset has been given to this file or an earlier one.
    pub(crate) fn close(self, origin: &TopicPartition, end: i64, writing: &Writing<'_>) -> Result<ClosedFile> {
        let identity = FileIdentity {
            file_id: new_file_id(),
            connector: writing.connector.to_owned(),
            origin: origin.clone(),
            start: self.first_offset,
            end: end.max(self.last_offset + 1),
            rows: self.rows,
            start_timestamp: self.start_timestamp,
        };
        let tags = match writing.has_tags {
            true => vec![
                ("startOffset", self.first_offset.to_string()),
                ("endOffset", self.last_offset.to_string()),
                ("recordCount", self.rows.to_string()),
            ],
            false => Vec::new(),
        };
        let contents = self.output.finish(&identity)?;
        let label = (writing.has_claims || !writing.format.has_footer()).then(|| identity.to_label());
        let beside = writing.siblings.iter().zip(self.siblings);
        let siblings = beside.map(|(sibling, output)| {
            Ok(SiblingFile { extension: sibling.format().extension().into(), contents: output.finish(&identity)? })
        });
        let siblings = siblings.collect::<Result<_>>()?;
        Ok(ClosedFile { identity, last_offset: self.last_offset, label, contents, tags, siblings, path: None })
    }

    fn is_interval_over(&self, policy: &RotationPolicy, now: i64) -> bool {
        let base = policy.interval_ms.and_then(|interval| Some(self.base_timestamp?.saturating_add(interval)));
        base.is_some_and(|end| now >= end)
    }

    fn rows_within(&self, limit: usize) -> u64 {
        let size = self.output.size().encoded as u64;
        if self.rows == 0 || size == 0 {
            return FIRST_ROWS;
        }
        let left = (limit as u64).saturating_sub(size);
        (left.saturating_mul(self.rows) / size).max(MIN_ROWS)
    }

    fn rows_in_time(&self, timestamps: &[i64], policy: &RotationPolicy) -> usize {
        let Some(interval) = policy.interval_ms else { return timestamps.len() };
        let first = || timestamps.iter().copied().find(|timestamp| *timestamp >= 0);
        let Some(base) = self.base_timestamp.or_else(first) else { return timestamps.len() };
        let limit = base.saturating_add(interval);
        // the maximum is quick to find, and mostly says that there is nothing to look for
        match timestamps.iter().max() {
            Some(latest) if *latest >= limit => {
                timestamps.iter().position(|timestamp| *timestamp >= limit).unwrap_or(timestamps.len())
            }
            _ => timestamps.len(),
        }
    }
}

/// Kafka's timestamp of a row, whatever a transformation made of it.
pub(crate) fn origin_timestamp(records: &Records, row: usize) -> i64 {
    let origin = records.origin.as_ref();
    origin.and_then(|origin| origin.timestamps.get(records.rows.input_row(row)).copied()).unwrap_or(-1)
}
