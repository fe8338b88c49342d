//! Stores the offsets of a source task, one commit at a time, each on a thread of its own: a store that takes its time
//! holds up nobody.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};
use tracing::warn;
use volley_api::{Error, Result};

use crate::connector_task_id::ConnectorTaskId;
use crate::storage::{OffsetBackingStore, offset_entry};
use crate::task::control::Control;
use crate::task::panic_error;
use crate::task::source::produce::acknowledgements::SourceOffsets;

/// A commit that has been started and has not finished.
#[derive(Debug)]
struct UnderWay {
    offsets: SourceOffsets,
    since: Instant,
    is_late: bool,
}

/// Hands offsets to the store. Each commit is waited for, however long it takes, before the next is started: an older commit
/// must never overwrite a newer one.
pub(crate) struct OffsetCommitter {
    id: ConnectorTaskId,
    store: Arc<dyn OffsetBackingStore>,
    control: Arc<Control>,
    timeout: Duration,
    under_way: Option<UnderWay>,
    done: Sender<Result<()>>,
    outcomes: Receiver<Result<()>>,
}

impl OffsetCommitter {
    /// A committer for one task; `timeout` is `offset.flush.timeout.ms`.
    pub(crate) fn new(
        id: ConnectorTaskId,
        store: Arc<dyn OffsetBackingStore>,
        control: Arc<Control>,
        timeout: Duration,
    ) -> Self {
        // there is one commit at a time
        let (done, outcomes) = crossbeam_channel::bounded(1);
        Self { id, store, control, timeout, under_way: None, done, outcomes }
    }

    /// Whether a commit is under way.
    pub(crate) fn is_busy(&self) -> bool {
        self.under_way.is_some()
    }

    /// Starts a commit. Must not be busy.
    ///
    /// # Errors
    /// The offsets, if there is no thread for it.
    pub(crate) fn start(&mut self, offsets: SourceOffsets) -> std::result::Result<(), SourceOffsets> {
        debug_assert!(!self.is_busy());
        let (store, control, done) = (Arc::clone(&self.store), Arc::clone(&self.control), self.done.clone());
        let (connector, name) = (self.id.connector.clone(), format!("commit-{}", self.id));
        let entries: Vec<_> = offsets.iter().map(|(partition, offset)| offset_entry(partition, offset)).collect();
        let commit = move || {
            let outcome = match control.is_abandoned() {
                true => Err(Error::fatal("the task was abandoned: its offsets are no longer its own")),
                false => catch_unwind(AssertUnwindSafe(|| store.set(&connector, &entries)))
                    .unwrap_or_else(|panic| Err(panic_error(&*panic))),
            };
            // a task that has ended has given up waiting
            let _ = done.send(outcome);
        };
        match std::thread::Builder::new().name(name).spawn(commit) {
            Ok(_) => {
                self.under_way = Some(UnderWay { offsets, since: Instant::now(), is_late: false });
                Ok(())
            }
            Err(error) => {
                warn!(task = %self.id, %error, "could not start a thread to commit offsets");
                Err(offsets)
            }
        }
    }

    /// Receives the outcome of the commit under way, for [`OffsetCommitter::finish`].
    pub(crate) fn outcomes(&self) -> &Receiver<Result<()>> {
        &self.outcomes
    }

    /// The commit under way has finished. Returns its offsets, and whether they are stored.
    pub(crate) fn finish(&mut self, outcome: Result<()>) -> (SourceOffsets, bool) {
        let offsets = self.under_way.take().map(|under_way| under_way.offsets).unwrap_or_default();
        match outcome {
            Ok(()) => (offsets, true),
            Err(error) => {
                warn!(task = %self.id, error = %error.trace(), "offset commit failed, trying again at the next interval");
                (offsets, false)
            }
        }
    }

    /// Waits for the commit under way, if any. Returns `None` if it has not finished by the deadline.
    pub(crate) fn wait_until(&mut self, deadline: Instant) -> Option<(SourceOffsets, bool)> {
        if !self.is_busy() {
            return Some((SourceOffsets::new(), true));
        }
        let outcome = self.outcomes.recv_deadline(deadline).ok()?;
        Some(self.finish(outcome))
    }

    /// Logs once for each commit that it takes longer than allowed.
    pub(crate) fn warn_if_late(&mut self) {
        if let Some(under_way) = &mut self.under_way
            && !under_way.is_late
            && under_way.since.elapsed() >= self.timeout
        {
            under_way.is_late = true;
            warn!(
                task = %self.id,
                timeout_ms = self.timeout.as_millis() as u64,
                "offsets are not committed in time; no other commit is tried before this one has finished"
            );
        }
    }
}
