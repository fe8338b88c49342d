//! One stream: the rows of one consumed partition that go to one directory of a topic. At most one file of it is open,
//! complete ones wait in order, and only the oldest of these is on its way to the store.

use std::collections::VecDeque;
use std::sync::Arc;

use volley_api::{Error, Records, Result};

use super::adoption::{AdoptedFile, AdoptedFiles};
use super::missing_siblings::MissingSiblings;
use super::names::StreamFiles;
use super::open_file::{ClosedFile, OpenFile, origin_timestamp};
use super::pieces::Piece;
use super::rotation::RotationPolicy;
use super::row_order::{first_row_from, offset_of};
use super::uploads::Upload;
use super::waiting::Waiting;
use super::writing::Writing;
use crate::format::FileIdentity;
use crate::store::SpoolPlace;

/// A stream and its files that are not in the store yet.
#[derive(Debug)]
pub(crate) struct Stream {
    files: Arc<StreamFiles>,
    /// Rows before this offset are in the store or in the files below: they are skipped when they come again.
    next: i64,
    /// What `next` will be after the current batch. Several rows of one offset may come in several records of a batch.
    next_after_batch: i64,
    open: Option<OpenFile>,
    /// Oldest first.
    closed: VecDeque<ClosedFile>,
    /// Ticket of the upload of the oldest closed file.
    uploading: Option<u64>,
    /// The end of the chain as far as it is known.
    last_file: Option<AdoptedFile>,
    /// Files that were there, latest first, until their first rows have come by and shown that they are of this very
    /// topic.
    unverified: Vec<AdoptedFile>,
    /// What the last file that was there lacks. Nothing is written before it has that.
    missing: Option<MissingSiblings>,
    /// Whether its rows are keys of records without values.
    is_of_tombstones: bool,
}

impl Stream {
    /// A stream whose chain of files ends with `adopted.last`. Rows before `committed` are committed, or in files of
    /// others that count.
    ///
    /// # Errors
    /// Kind `Config` if that file is of another connector and holds rows from `committed` on.
    pub(crate) fn new(
        files: StreamFiles,
        is_of_tombstones: bool,
        adopted: Option<AdoptedFiles>,
        committed: i64,
        connector: &str,
    ) -> Result<Self> {
        let mut stream = Self {
            files: Arc::new(files),
            next: committed,
            next_after_batch: committed,
            open: None,
            closed: VecDeque::new(),
            uploading: None,
            last_file: None,
            unverified: Vec::new(),
            missing: None,
            is_of_tombstones,
        };
        if let Some(adopted) = adopted.filter(|adopted| adopted.last.identity.end > committed) {
            let (path, identity) = (&adopted.last.path, &adopted.last.identity);
            check_connector(path, identity, connector)?;
            tracing::info!(
                partition = %stream.files.origin, file = path, offset = identity.end,
                "records before this offset are in files already and are skipped"
            );
            stream.next = identity.end;
            stream.next_after_batch = identity.end;
            stream.last_file = Some(adopted.last.clone());
            if adopted.lacks_siblings {
                stream.missing = missing_siblings(&adopted.last, committed);
            }
            stream.unverified = std::iter::once(adopted.last).chain(adopted.next).collect();
        }
        Ok(stream)
    }

    /// Names its files.
    pub(crate) fn files(&self) -> &Arc<StreamFiles> {
        &self.files
    }

    /// Looks whether the files that were there are of this very topic, where the first row of one is among the records.
    ///
    /// # Errors
    /// Kind `Config` if they turn out to be of an earlier topic of the same name.
    pub(crate) fn verify(&mut self, records: &Records) -> Result<()> {
        while let Some(adopted) = self.unverified.last() {
            let row = first_row_from(records, adopted.identity.start);
            if row == records.len() {
                break;
            }
            if offset_of(records, row) == adopted.identity.start {
                check_topic(&adopted.path, &adopted.identity, origin_timestamp(records, row))?;
            }
            self.unverified.pop();
        }
        Ok(())
    }

    /// The first row that is not in a file yet; its offset may be lower than that of earlier batches after a rewind.
    pub(crate) fn first_new_row(&self, records: &Records) -> usize {
        first_row_from(records, self.next)
    }

    /// Adds rows, none before [`Stream::first_new_row`]. Completes files as the policy says.
    pub(crate) fn write(&mut self, piece: &Piece, writing: &Writing<'_>) -> Result<()> {
        let writing = &writing.of_stream(self.is_of_tombstones);
        if piece.len() == 0 {
            return Ok(());
        }
        let mut from = 0;
        while from < piece.len() {
            let mut file = match self.open.take() {
                Some(file) => file,
                None => OpenFile::new(piece, from, writing)?,
            };
            // what is left over for another file begins it as it came
            let is_complete = match file.fitted(piece, writing)? {
                Some(fitted) => fill(&mut file, &fitted, &mut from, writing)?,
                None => true,
            };
            self.open = Some(file);
            if is_complete {
                self.complete_open(0, writing)?;
            }
        }
        let last = offset_of(&piece.records, piece.len() - 1);
        self.next_after_batch = self.next_after_batch.max(last + 1);
        Ok(())
    }

    /// Takes what the last file that was there lacks.
    pub(crate) fn take_for_siblings(&mut self, piece: &Piece) {
        if let Some(missing) = &mut self.missing {
            missing.take(piece);
        }
    }

    /// All records of the current batch, which reaches up to `end`, have been written.
    pub(crate) fn end_batch(&mut self, end: i64, writing: &Writing<'_>) -> Result<()> {
        let writing = &writing.of_stream(self.is_of_tombstones);
        if let Some(missing) = self.missing.take_if(|missing| missing.end_batch(end)) {
            // the files that follow have waited for it
            if let Some(file) = missing.close(writing)? {
                self.closed.push_front(file);
            }
        }
        self.next = self.next_after_batch;
        // the first row of these has been removed from the topic
        self.unverified.retain(|adopted| adopted.identity.start >= end);
        Ok(())
    }

    /// The next file that was there whose first row has not come by.
    pub(crate) fn unverified(&self) -> Option<&AdoptedFile> {
        self.unverified.last()
    }

    /// Completes the open file, if any. `end`: all rows of the partition before it have been put.
    pub(crate) fn close_open(&mut self, end: i64, writing: &Writing<'_>) -> Result<()> {
        self.complete_open(end, &writing.of_stream(self.is_of_tombstones))
    }

    fn complete_open(&mut self, end: i64, writing: &Writing<'_>) -> Result<()> {
        if let Some(file) = self.open.take() {
            self.closed.push_back(file.close(&self.files.origin, end, writing)?);
        }
        Ok(())
    }

    /// Whether the clock says that the open file is to be completed.
    pub(crate) fn is_due(&self, policy: &RotationPolicy, now: i64) -> bool {
        self.open.as_ref().is_some_and(|file| file.is_due(policy, now))
    }

    /// Offset of the first row that is not in the store yet.
    pub(crate) fn first_unfinished(&self) -> Option<i64> {
        let missing = self.missing.as_ref().map(MissingSiblings::start);
        let closed = || self.closed.front().map(|file| file.identity.start);
        missing.or_else(closed).or_else(|| self.open.as_ref().map(OpenFile::first_offset))
    }

    /// The next file to be uploaded, unless one is on its way.
    pub(crate) fn begin_upload(&mut self, ticket: u64) -> Option<Upload> {
        if !self.can_upload() {
            return None;
        }
        let file = self.closed.front()?;
        self.uploading = Some(ticket);
        Some(Upload {
            ticket,
            files: Arc::clone(&self.files),
            identity: file.identity.clone(),
            last_offset: file.last_offset,
            label: file.label.clone(),
            contents: file.contents.clone(),
            tags: file.tags.clone(),
            siblings: file.siblings.clone(),
            path: file.path.clone(),
        })
    }

    /// Whether a complete file waits for its upload to begin.
    pub(crate) fn can_upload(&self) -> bool {
        self.uploading.is_none() && self.missing.is_none() && !self.closed.is_empty()
    }

    /// Ticket of the upload on its way.
    pub(crate) fn uploading(&self) -> Option<u64> {
        self.uploading
    }

    /// The upload `ticket` has succeeded. Returns the file, which is at `path`.
    pub(crate) fn uploaded(&mut self, ticket: u64, path: &str) -> Option<ClosedFile> {
        if self.uploading != Some(ticket) {
            return None;
        }
        self.uploading = None;
        let file = self.closed.pop_front()?;
        self.last_file = Some(AdoptedFile { path: path.to_owned(), identity: file.identity.clone() });
        Some(file)
    }

    /// The last file known to be in the store with all that stands beside it.
    pub(crate) fn last_file(&self) -> Option<&AdoptedFile> {
        let lacks_something = self.missing.is_some() || self.closed.front().is_some_and(|file| file.path.is_some());
        self.last_file.as_ref().filter(|_| !lacks_something)
    }

    /// Whether there is nothing to know of it, given that rows before `committable` never come again: all its rows so far
    /// are in files, none of which reaches further.
    pub(crate) fn is_finished(&self, committable: i64) -> bool {
        self.unfinished_files() == 0
            && self.unverified.is_empty()
            && self.next_after_batch <= committable
            && self.next <= committable
    }

    /// Another writer has taken the name of the file whose upload this was. Whether it was this stream's.
    ///
    /// # Errors
    /// Kind `Config` if that file is of another connector, or of an earlier topic of the same name.
    pub(crate) fn is_beaten(&self, ticket: u64, path: &str, winner: &FileIdentity, connector: &str) -> Result<bool> {
        let Some(ours) = self.closed.front().filter(|_| self.uploading == Some(ticket)) else { return Ok(false) };
        check_connector(path, winner, connector)?;
        check_topic(path, winner, ours.identity.start_timestamp)?;
        Ok(true)
    }

    /// Number of files not in the store yet.
    pub(crate) fn unfinished_files(&self) -> usize {
        self.closed.len() + usize::from(self.open.is_some()) + usize::from(self.missing.is_some())
    }

    /// The complete files not in the store yet.
    pub(crate) fn waiting(&self) -> Waiting {
        let files = self.closed.iter();
        files.map(|file| Waiting { files: 1, memory: file.memory(), disk: file.on_disk() }).sum()
    }

    /// Has as little of the open file in memory as it can; the bytes of memory that this has freed.
    pub(crate) fn relieve(&mut self, place: &SpoolPlace) -> Result<usize> {
        self.open.as_mut().map_or(Ok(0), |file| file.relieve(place))
    }

    /// Bytes of memory of the open file, roughly.
    pub(crate) fn open_memory(&self) -> usize {
        self.open.as_ref().map_or(0, OpenFile::memory)
    }
}

/// What a file that was there lacks, if its rows come again.
fn missing_siblings(file: &AdoptedFile, committed: i64) -> Option<MissingSiblings> {
    if file.identity.start >= committed {
        return Some(MissingSiblings::new(file.clone()));
    }
    tracing::warn!(
        path = file.path,
        offset = committed,
        "the files of keys and headers beside this one are missing, and its first records do not come again"
    );
    None
}

/// Writes rows from `from` on, until there are no more or the file is complete: whether it is.
fn fill(file: &mut OpenFile, piece: &Piece, from: &mut usize, writing: &Writing<'_>) -> Result<bool> {
    while *from < piece.len() {
        let rows = file.rows_that_fit(&piece.records, *from, writing.policy);
        if rows > 0 {
            file.write(piece, *from..*from + rows, writing)?;
            *from += rows;
        }
        if rows == 0 || file.is_full(writing.policy) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn check_connector(path: &str, identity: &FileIdentity, connector: &str) -> Result<()> {
    if identity.connector == connector {
        return Ok(());
    }
    Err(Error::config(format!(
        "{path} holds records of {} from offset {} to {} and was written by connector `{}`: give this connector a \
         `topics.dir` or `store.url` of its own, its former name, or offsets behind that file",
        identity.origin,
        identity.start,
        identity.end - 1,
        identity.connector
    )))
}

fn check_topic(path: &str, identity: &FileIdentity, timestamp: i64) -> Result<()> {
    if identity.start_timestamp == timestamp {
        return Ok(());
    }
    Err(Error::config(format!(
        "{path} holds other records of {}: the one at offset {} has timestamp {} there and {timestamp} in Kafka, so the \
         topic was deleted and created again; move the old files away, or set `topics.dir` or `store.url` to another \
         place",
        identity.origin, identity.start, identity.start_timestamp
    )))
}
