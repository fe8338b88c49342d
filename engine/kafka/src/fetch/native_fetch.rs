//! The owner's side: says what to fetch, and reads what was fetched.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use tokio::task::JoinHandle;
use volley_api::{Offsets, RawBatch, Result, TopicPartition};

use super::metadata_task::MetadataTask;
use super::partition::Partition;
use super::runtime;
use super::settings::NativeSettings;
use super::shared::{FetchedPartition, Shared, State};
use super::trouble::Trouble;
use crate::FetchSettings;
use crate::consumer::Assignment;
use crate::records::{Decompressor, Fetched, Isolation, ReadEnd, RecordCursor};

/// Fetched records that are being read.
struct Reading {
    partition: TopicPartition,
    generation: u64,
    cursor: RecordCursor,
}

impl Reading {
    /// Whether nothing has made it void.
    fn is_valid(&self, state: &State) -> bool {
        state.partitions.get(&self.partition).is_some_and(|partition| partition.generation == self.generation)
    }
}

/// Fetches the partitions that it is told to. Used by one thread; the waiting is done by others. Dropping it ends the tasks.
pub(crate) struct NativeFetch {
    shared: Arc<Shared>,
    reading: Option<Reading>,
    decompressor: Decompressor,
    /// Ends by itself once the consumer is closed.
    _task: JoinHandle<()>,
}

impl fmt::Debug for NativeFetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NativeFetch").field("shared", &self.shared).finish_non_exhaustive()
    }
}

impl Drop for NativeFetch {
    fn drop(&mut self) {
        self.shared.close();
        *self.shared.state.lock() = State::default();
    }
}

impl NativeFetch {
    /// Starts without partitions.
    ///
    /// # Errors
    /// `Fatal` when the system has no thread for it.
    pub(crate) fn start(settings: NativeSettings) -> Result<Self> {
        let runtime = runtime::shared()?;
        let shared = Shared::new(settings);
        let task = runtime.spawn(MetadataTask::new(Arc::clone(&shared)).run());
        Ok(Self { shared, reading: None, decompressor: Decompressor::default(), _task: task })
    }

    /// Begins to fetch partitions at these offsets.
    pub(crate) fn assign(&mut self, offsets: &Offsets) {
        if offsets.is_empty() {
            return;
        }
        self.change(|state| {
            for (name, offset) in offsets {
                let generation = state.next_generation();
                state.partitions.insert(name.clone(), Partition::new(generation, *offset));
            }
        });
        self.shared.leaders_outdated();
    }

    /// Ends fetching of partitions, and drops what waits of them.
    pub(crate) fn revoke(&mut self, partitions: &[TopicPartition]) {
        self.change(|state| {
            for name in partitions {
                state.partitions.remove(name);
            }
            let partitions = &state.partitions;
            state.topic_ids.retain(|topic, _| partitions.keys().any(|name| name.topic == *topic));
        });
    }

    /// Goes on at another offset.
    pub(crate) fn seek(&mut self, name: &TopicPartition, offset: i64) {
        self.change(|state| {
            let generation = state.next_generation();
            if let Some(partition) = state.partitions.get_mut(name) {
                partition.seek(generation, offset);
            }
        });
    }

    /// Ends fetching of partitions until they are resumed. What waits of them is dropped, and fetched again then.
    pub(crate) fn pause(&mut self, partitions: &[TopicPartition]) {
        self.change(|state| {
            for name in partitions {
                let generation = state.next_generation();
                if let Some(partition) = state.partitions.get_mut(name).filter(|partition| !partition.is_paused) {
                    partition.is_paused = true;
                    partition.drop_waiting(generation);
                }
            }
        });
    }

    /// Undoes [`NativeFetch::pause`].
    pub(crate) fn resume(&mut self, partitions: &[TopicPartition]) {
        self.change(|state| {
            for name in partitions {
                if let Some(partition) = state.partitions.get_mut(name) {
                    partition.is_paused = false;
                }
            }
        });
    }

    /// While it is `true`, nothing is asked for before all that was fetched is read.
    pub(crate) fn be_sparing(&mut self, is_sparing: bool) {
        {
            let mut state = self.shared.state.lock();
            if state.is_sparing == is_sparing {
                return;
            }
            state.is_sparing = is_sparing;
        }
        self.shared.changed();
    }

    fn change(&mut self, change: impl FnOnce(&mut State)) {
        {
            let mut state = self.shared.state.lock();
            change(&mut state);
            state.drop_void();
            self.reading.take_if(|reading| !reading.is_valid(&state));
        }
        self.shared.changed();
    }

    /// What ends [`NativeFetch::wait`] from any thread.
    pub(crate) fn caller(&self) -> impl Fn() + Send + Sync + 'static {
        let shared = Arc::clone(&self.shared);
        move || shared.call()
    }

    /// Notes that the owner does what it was called for.
    pub(crate) fn answer_call(&self) {
        self.shared.state.lock().is_called = false;
    }

    /// Waits until there is something to read or a trouble, [`NativeFetch::caller`] is called, or the time has come.
    pub(crate) fn wait(&self, until: Instant) {
        if self.reading.is_none() {
            self.shared.wait(until);
        }
    }

    /// What the owner has to decide on.
    pub(crate) fn troubles(&self) -> Vec<Trouble> {
        self.shared.state.lock().take_troubles()
    }

    /// Reads what was fetched of one partition into its open batch, up to where that is full. `false` if there is nothing.
    ///
    /// # Errors
    /// `Data`, when what was fetched are no records.
    pub(crate) fn read_into(
        &mut self,
        assignment: &mut Assignment,
        settings: &FetchSettings,
        closed: &mut Vec<RawBatch>,
    ) -> Result<bool> {
        let Some(mut reading) = self.next_reading() else { return Ok(false) };
        let outcome =
            assignment.read_records(&reading.partition, &mut reading.cursor, &mut self.decompressor, settings, closed);
        let is_exhausted = matches!(outcome, Ok(ReadEnd::Exhausted | ReadEnd::CutOff));
        {
            let mut state = self.shared.state.lock();
            let partition = state.partitions.get_mut(&reading.partition);
            if let Some(partition) = partition.filter(|partition| partition.generation == reading.generation) {
                partition.read_offset = reading.cursor.next_offset();
                partition.position = Some(partition.read_offset);
                partition.read_epoch = reading.cursor.leader_epoch().unwrap_or(-1);
            }
        }
        let partition = reading.partition.clone();
        if !is_exhausted {
            self.reading = Some(reading);
        }
        outcome.map(|_| true).map_err(|error| error.of(&partition))
    }

    /// What is being read, or the next that waits.
    fn next_reading(&mut self) -> Option<Reading> {
        let (fetched, has_room) = {
            let mut state = self.shared.state.lock();
            let most = state.max_waiting_bytes(&self.shared.settings);
            if let Some(reading) = self.reading.take().filter(|reading| reading.is_valid(&state)) {
                return Some(reading);
            }
            let before = state.waiting_bytes;
            let fetched = state.fetched.pop_front()?;
            state.waiting_bytes -= fetched.records.len();
            (fetched, before >= most && state.waiting_bytes < most)
        };
        if has_room {
            self.shared.changed();
        }
        Some(self.reading_of(fetched))
    }

    fn reading_of(&self, fetched: FetchedPartition) -> Reading {
        let settings = &self.shared.settings;
        let isolation = match settings.read_committed {
            true => Isolation::ReadCommitted { aborted: fetched.aborted },
            false => Isolation::ReadUncommitted,
        };
        let records =
            Fetched { records: fetched.records, from: fetched.offset, isolation, check_crcs: settings.check_crcs };
        Reading { partition: fetched.partition, generation: fetched.generation, cursor: RecordCursor::new(records) }
    }

    /// The position of each partition of which something was read, behind what was read last.
    pub(crate) fn positions(&self) -> Offsets {
        let state = self.shared.state.lock();
        let positions = state.partitions.iter();
        positions.filter_map(|(name, partition)| Some((name.clone(), partition.position?))).collect()
    }

    /// Bytes that were fetched and not read.
    pub(crate) fn waiting_bytes(&self) -> usize {
        let reading = self.reading.as_ref().map_or(0, |reading| reading.cursor.held_bytes());
        self.shared.state.lock().waiting_bytes + reading
    }
}
