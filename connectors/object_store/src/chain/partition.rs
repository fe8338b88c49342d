//! An assigned partition and its streams.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use volley_api::{Error, Result, SinkBatch};

use super::adoption::AdoptedFile;
use super::chain_ends::ChainEnds;
use super::checkpoint::Checkpoint;
use super::names::StreamKey;
use super::stream::Stream;
use super::takeover::JavaPlace;
use super::writing::Writing;
use crate::format::{Format, RowMaker};
use crate::store::{Patience, RetryPolicy};

/// What the task knows of one partition.
#[derive(Debug)]
pub(crate) struct Partition {
    /// Offset at which it was opened or begun anew: everything before is delivered.
    opened_at: i64,
    /// All rows before this offset have been put since; goes back with a rewind.
    put_end: i64,
    /// The lowest offset asked for again since the last put.
    rewound_to: Option<i64>,
    /// How often rows were asked for again.
    rewinds: u64,
    /// With looking for its files.
    patience: Patience,
    /// Where the files of Java's sink end; `None` before this was looked for.
    java_place: Option<JavaPlace>,
    /// Of streams that are not among those below; `None` before its first row.
    ends: Option<ChainEnds>,
    /// The offset given out last as committable.
    vouched: Option<i64>,
    /// By what they go to.
    streams: HashMap<StreamKey, Stream>,
    /// By topic.
    row_makers: HashMap<Arc<str>, Box<dyn RowMaker>>,
    /// Of files beside others: by topic, and by the place of the kind.
    sibling_makers: HashMap<(Arc<str>, usize), Box<dyn RowMaker>>,
}

impl Partition {
    /// A partition opened at `offset`, without streams.
    pub(crate) fn new(offset: i64, retry: RetryPolicy) -> Self {
        Self {
            opened_at: offset,
            put_end: offset,
            rewound_to: None,
            rewinds: 0,
            patience: Patience::new(retry),
            java_place: None,
            ends: None,
            vouched: None,
            streams: HashMap::new(),
            row_makers: HashMap::new(),
            sibling_makers: HashMap::new(),
        }
    }

    /// With looking for its files.
    pub(crate) fn patience(&mut self) -> &mut Patience {
        &mut self.patience
    }

    /// Offset at which it was opened.
    pub(crate) fn opened_at(&self) -> i64 {
        self.opened_at
    }

    /// Where the files of Java's sink end; `None` before this was looked for.
    pub(crate) fn java_place(&self) -> Option<&JavaPlace> {
        self.java_place.as_ref()
    }

    /// The files of Java's sink end there.
    pub(crate) fn set_java_place(&mut self, place: JavaPlace) {
        self.java_place = Some(place);
    }

    /// How often rows were asked for again.
    pub(crate) fn rewinds(&self) -> u64 {
        self.rewinds
    }

    /// What is known of the ends of its chains; `None` before this was asked for.
    pub(crate) fn ends(&mut self) -> &mut Option<ChainEnds> {
        &mut self.ends
    }

    /// The offset given out last as committable.
    pub(crate) fn vouched(&self) -> Option<i64> {
        self.vouched
    }

    /// `offset` is given out as committable: rows before it never come again. Forgets the streams that are in files up to there.
    pub(crate) fn vouch(&mut self, offset: i64) {
        self.vouched = Some(offset);
        let Some(ends) = &mut self.ends else { return };
        self.streams.retain(|key, stream| {
            let is_finished = stream.is_finished(offset);
            if is_finished {
                ends.insert(key.clone(), None);
            }
            !is_finished
        });
        ends.advance_to(offset);
    }

    /// The checkpoint for `offset`, about to be committed.
    pub(crate) fn checkpoint(&self, offset: i64, layout: &str) -> Checkpoint {
        let mut ends = self.ends.clone().unwrap_or_default();
        for (key, stream) in &self.streams {
            ends.insert(key.clone(), stream.last_file().cloned());
        }
        ends.advance_to(offset);
        Checkpoint { offset, layout: layout.to_owned(), ends }
    }

    /// The stream of `key`.
    pub(crate) fn stream(&mut self, key: &StreamKey) -> Option<&mut Stream> {
        self.streams.get_mut(key)
    }

    /// Adds a stream.
    pub(crate) fn add_stream(&mut self, stream: Stream) {
        self.streams.insert(stream.files().key.clone(), stream);
    }

    /// Makes the rows that go to `topic`.
    pub(crate) fn row_maker(&mut self, topic: &Arc<str>, format: &Format) -> Result<&mut dyn RowMaker> {
        Ok(match self.row_makers.entry(Arc::clone(topic)) {
            Entry::Occupied(entry) => entry.into_mut().as_mut(),
            Entry::Vacant(entry) => entry.insert(format.row_maker()?).as_mut(),
        })
    }

    /// Makes the rows beside those that go to `topic`: of the kind that `format` is of, at `index`.
    pub(crate) fn sibling_maker(
        &mut self,
        topic: &Arc<str>,
        index: usize,
        format: &Format,
    ) -> Result<&mut dyn RowMaker> {
        Ok(match self.sibling_makers.entry((Arc::clone(topic), index)) {
            Entry::Occupied(entry) => entry.into_mut().as_mut(),
            Entry::Vacant(entry) => entry.insert(format.row_maker()?).as_mut(),
        })
    }

    /// All streams.
    pub(crate) fn streams(&self) -> impl Iterator<Item = &Stream> {
        self.streams.values()
    }

    /// All streams.
    pub(crate) fn streams_mut(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.streams.values_mut()
    }

    /// Offsets go back only where this was asked for. Else they stand for other records than before, which would pass for
    /// rows that are in files already.
    ///
    /// # Errors
    /// Kind `Config` if the batch begins before the end of the one put last.
    pub(crate) fn check_order(&self, batch: &SinkBatch) -> Result<()> {
        let (first, put_end) = (batch.origin().range.first, self.put_end);
        if first >= put_end {
            return Ok(());
        }
        Err(Error::config(format!(
            "the offsets of {} went back from {put_end} to {first}: the topic was deleted and created again, or its log was \
             truncated; move the files of the old records away, or set `topics.dir` or `store.url` to another place, reset \
             the offsets of the connector, and restart the task",
            batch.partition()
        )))
    }

    /// A file that was there and may yet turn out to be of an earlier topic of the same name.
    pub(crate) fn unverified(&self) -> Option<&AdoptedFile> {
        self.streams.values().find_map(Stream::unverified)
    }

    /// A batch up to `end` has been put.
    pub(crate) fn end_batch(&mut self, end: i64, writing: &Writing<'_>) -> Result<()> {
        self.put_end = end;
        self.rewound_to = None;
        self.streams.values_mut().try_for_each(|stream| stream.end_batch(end, writing))
    }

    /// Rows from `offset` on are needed again. The offset to ask for: rows before it may have been asked for already, and the
    /// batch that would have brought them be dropped because of this.
    #[must_use]
    pub(crate) fn rewind(&mut self, offset: i64) -> i64 {
        self.rewinds += 1;
        let lowest = self.rewound_to.map_or(offset, |earlier| earlier.min(offset));
        self.put_end = self.put_end.min(lowest);
        self.rewound_to = Some(lowest);
        lowest
    }

    /// Another task has been writing files of this partition: what is not in the store is dropped, and the ends of all chains are
    /// looked for again. Returns the offset from which rows are needed again.
    #[must_use]
    pub(crate) fn start_over(&mut self) -> i64 {
        let offset = self.committable(self.put_end);
        self.start_at(offset)
    }

    /// Begins anew at `offset`, where this may be before the partition was opened. Returns the offset from which rows
    /// are needed again.
    #[must_use]
    pub(crate) fn start_at(&mut self, offset: i64) -> i64 {
        self.opened_at = offset;
        self.streams.clear();
        self.ends = Some(ChainEnds::default());
        self.rewind(offset)
    }

    /// Completes the open files for which `condition` holds.
    pub(crate) fn close_open(&mut self, condition: impl Fn(&Stream) -> bool, writing: &Writing<'_>) -> Result<()> {
        let end = self.put_end;
        self.streams
            .values_mut()
            .filter(|stream| condition(stream))
            .try_for_each(|stream| stream.close_open(end, writing))
    }

    /// Up to where everything is delivered, given the end of all that was put. Rows that were skipped because of a file that
    /// was there count only once that file is known to be of this very topic.
    pub(crate) fn committable(&self, current: i64) -> i64 {
        let unfinished = self.streams.values().filter_map(Stream::first_unfinished);
        let unverified = self.unverified().map(|_| self.opened_at);
        unfinished.chain(self.rewound_to).chain(unverified).fold(current, i64::min)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::chain::simulation::TroubledStorage;
    use crate::test_records::sink_config;

    #[test]
    fn of_rows_asked_for_again_the_lowest_are_asked_for_until_a_batch_has_come() {
        let retry = RetryPolicy { timeout: Duration::from_secs(1), backoff: Duration::from_millis(1) };
        let mut partition = Partition::new(0, retry);
        let config = sink_config(&[]);
        let writing = Writing {
            connector: "c",
            policy: &config.rotation,
            compatibility: config.compatibility,
            siblings: &[],
            has_tags: false,
            has_claims: false,
            storage: &TroubledStorage::new(),
            format: &Format::new(config.format.clone()),
            now: 0,
        };
        partition.end_batch(19, &writing).unwrap();
        assert_eq!(partition.rewind(1), 1);
        // the batch from 1 on is dropped, since rows of another stream are needed again too: those from 1 on still are
        assert_eq!(partition.rewind(3), 1);
        assert_eq!(partition.committable(19), 1);
        partition.end_batch(10, &writing).unwrap();
        assert_eq!(partition.rewind(12), 12);
    }
}
