//! What is known of one assigned partition.

use std::time::Instant;

/// The leader of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Leader {
    /// The id of its broker.
    pub(super) broker: i32,
    /// Its epoch (KIP-320); -1 where the cluster does not say.
    pub(super) epoch: i32,
}

/// The replica that the leader wants to be asked instead of itself (KIP-392).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NearbyReplica {
    pub(super) broker: i32,
    /// When the leader is asked again.
    pub(super) until: Instant,
}

/// An assigned partition.
#[derive(Clone, Debug)]
pub(super) struct Partition {
    /// Raised by whatever makes void what was fetched before. No two partitions, nor two lives of one, have the same.
    pub(super) generation: u64,
    /// Where the next request begins.
    pub(super) fetch_offset: i64,
    /// Behind the last record that was read; `None` before the first.
    pub(super) position: Option<i64>,
    /// Where reading goes on if what waits is dropped.
    pub(super) read_offset: i64,
    /// The epoch of the batch before `fetch_offset`, and of the one before `read_offset`; -1 where unknown.
    pub(super) fetched_epoch: i32,
    pub(super) read_epoch: i32,
    pub(super) leader: Option<Leader>,
    /// The highest epoch of a leader that was told of, also while nobody leads; -1 before any.
    pub(super) known_epoch: i32,
    pub(super) nearby: Option<NearbyReplica>,
    pub(super) is_paused: bool,
    /// Set until a seek: nothing can be fetched at its position.
    pub(super) is_out_of_range: bool,
    /// A larger limit than the settings', for a batch that was cut off.
    pub(super) max_bytes: Option<i32>,
    /// Not asked for before.
    pub(super) not_before: Option<Instant>,
}

impl Partition {
    pub(super) fn new(generation: u64, offset: i64) -> Self {
        Self {
            generation,
            fetch_offset: offset,
            position: None,
            read_offset: offset,
            fetched_epoch: -1,
            read_epoch: -1,
            leader: None,
            known_epoch: -1,
            nearby: None,
            is_paused: false,
            is_out_of_range: false,
            max_bytes: None,
            not_before: None,
        }
    }

    /// Goes on at another offset, in a new generation.
    pub(super) fn seek(&mut self, generation: u64, offset: i64) {
        self.generation = generation;
        self.fetch_offset = offset;
        self.read_offset = offset;
        self.position = None;
        self.fetched_epoch = -1;
        self.read_epoch = -1;
        self.is_out_of_range = false;
        self.max_bytes = None;
    }

    /// Fetches again what was fetched and not read, in a new generation.
    pub(super) fn drop_waiting(&mut self, generation: u64) {
        self.generation = generation;
        self.fetch_offset = self.read_offset;
        self.fetched_epoch = self.read_epoch;
    }

    /// Goes back to where the log still is the same as what was fetched of it: `offset`, behind a batch of `epoch`. In a new
    /// generation.
    pub(super) fn truncate(&mut self, generation: u64, offset: i64, epoch: i32) {
        if self.read_offset <= offset {
            return self.drop_waiting(generation);
        }
        self.seek(generation, offset);
        (self.fetched_epoch, self.read_epoch) = (epoch, epoch);
    }

    /// The broker to ask now.
    pub(super) fn broker(&self, now: Instant) -> Option<i32> {
        match self.nearby {
            Some(nearby) if now < nearby.until => Some(nearby.broker),
            _ => self.leader.map(|leader| leader.broker),
        }
    }

    /// Whether a request may ask for it.
    pub(super) fn is_wanted(&self) -> bool {
        !self.is_paused && !self.is_out_of_range
    }
}
