//! An assigned partition and its streams.

use std::collections::HashMap;
use std::sync::Arc;

use volley_api::Result;

use super::stream::{Stream, Writing};

/// What the task knows of one partition.
#[derive(Debug)]
pub(crate) struct Partition {
    /// Offset at which it was opened: everything before is delivered.
    opened_at: i64,
    /// All rows before this offset have been put since; goes back with a rewind.
    put_end: i64,
    /// The lowest offset asked for again since the last put.
    rewound_to: Option<i64>,
    /// How often rows were asked for again.
    rewinds: u64,
    /// By the topic that the rows go to.
    streams: HashMap<Arc<str>, Stream>,
}

impl Partition {
    /// A partition opened at `offset`, without streams.
    pub(crate) fn new(offset: i64) -> Self {
        Self { opened_at: offset, put_end: offset, rewound_to: None, rewinds: 0, streams: HashMap::new() }
    }

    /// Offset at which it was opened.
    pub(crate) fn opened_at(&self) -> i64 {
        self.opened_at
    }

    /// How often rows were asked for again.
    pub(crate) fn rewinds(&self) -> u64 {
        self.rewinds
    }

    /// The stream of `topic`.
    pub(crate) fn stream(&mut self, topic: &str) -> Option<&mut Stream> {
        self.streams.get_mut(topic)
    }

    /// Adds a stream.
    pub(crate) fn add_stream(&mut self, topic: Arc<str>, stream: Stream) {
        self.streams.insert(topic, stream);
    }

    /// All streams.
    pub(crate) fn streams(&self) -> impl Iterator<Item = &Stream> {
        self.streams.values()
    }

    /// All streams.
    pub(crate) fn streams_mut(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.streams.values_mut()
    }

    /// A batch up to `end` has been put.
    pub(crate) fn end_batch(&mut self, end: i64) {
        self.put_end = end;
        self.rewound_to = None;
        self.streams.values_mut().for_each(Stream::end_batch);
    }

    /// Rows from `offset` on were asked for again.
    pub(crate) fn rewind(&mut self, offset: i64) {
        self.rewinds += 1;
        self.put_end = self.put_end.min(offset);
        self.rewound_to = Some(self.rewound_to.map_or(offset, |earlier| earlier.min(offset)));
    }

    /// Completes the open files for which `condition` holds.
    pub(crate) fn close_open(&mut self, condition: impl Fn(&Stream) -> bool, writing: &mut Writing<'_>) -> Result<()> {
        let end = self.put_end;
        self.streams
            .values_mut()
            .filter(|stream| condition(stream))
            .try_for_each(|stream| stream.close_open(end, writing))
    }

    /// Up to where everything is delivered, given the end of all that was put.
    pub(crate) fn committable(&self, current: i64) -> i64 {
        let unfinished = self.streams.values().filter_map(Stream::first_unfinished);
        unfinished.chain(self.rewound_to).fold(current, i64::min)
    }
}
