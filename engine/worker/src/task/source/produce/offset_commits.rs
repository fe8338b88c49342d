//! When a source task's offsets are committed: at each interval, once more at the end, and never faster than the store.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use tracing::warn;
use volley_api::Result;

use crate::clock::now_ms;
use crate::connector_task_id::ConnectorTaskId;
use crate::task::TaskProgress;
use crate::task::control::{Control, Wanted};
use crate::task::source::produce::acknowledgements::{Acknowledgements, SourceOffsets};
use crate::task::source::produce::committed_offsets::CommittedOffsets;
use crate::task::source::produce::offset_committer::OffsetCommitter;

/// Time for the last commit that a stop leaves after the acknowledgements.
const LAST_COMMIT: Duration = Duration::from_secs(1);

/// What is acknowledged, and the commits of it.
pub(crate) struct OffsetCommits {
    id: ConnectorTaskId,
    /// What is on its way.
    pub(crate) acknowledgements: Acknowledgements,
    committer: OffsetCommitter,
    committed: Arc<CommittedOffsets>,
    control: Arc<Control>,
    progress: Arc<TaskProgress>,
    interval: Duration,
    next: Instant,
    /// Whether what was acknowledged when the stop came has been committed.
    is_committed_for_stop: bool,
}

impl OffsetCommits {
    /// The commits of one task, every `interval`.
    pub(crate) fn new(
        id: ConnectorTaskId,
        committer: OffsetCommitter,
        committed: Arc<CommittedOffsets>,
        control: Arc<Control>,
        progress: Arc<TaskProgress>,
        interval: Duration,
    ) -> Self {
        Self {
            id,
            acknowledgements: Acknowledgements::default(),
            committer,
            committed,
            control,
            progress,
            interval,
            next: Instant::now() + interval,
            is_committed_for_stop: false,
        }
    }

    /// From now on commits are due: the first after an interval.
    pub(crate) fn begin(&mut self) {
        self.next = Instant::now() + self.interval;
    }

    /// How long until the next commit is due.
    pub(crate) fn until_next(&self) -> Duration {
        self.next.saturating_duration_since(Instant::now())
    }

    /// Receives the outcome of a commit, for [`OffsetCommits::came_back`].
    pub(crate) fn outcomes(&self) -> &Receiver<Result<()>> {
        self.committer.outcomes()
    }

    /// Takes note of the commit that was under way.
    pub(crate) fn came_back(&mut self, outcome: Result<()>) {
        let (offsets, is_stored) = self.committer.finish(outcome);
        self.note(offsets, is_stored);
    }

    /// Takes note of the commit that was under way, and starts the next when it is due.
    pub(crate) fn keep(&mut self) {
        if let Ok(outcome) = self.outcomes().try_recv() {
            self.came_back(outcome);
        }
        if self.committer.is_busy() {
            self.committer.warn_if_late();
            return;
        }
        // a poll that hangs need not cost the offsets of what is delivered
        let is_last_chance =
            !self.is_committed_for_stop && self.acknowledgements.outstanding() == 0 && self.control.is_stopping();
        if is_last_chance || self.until_next().is_zero() {
            self.is_committed_for_stop |= is_last_chance;
            self.next = Instant::now() + self.interval;
            self.start();
        }
    }

    /// The last commit; with `as_often_as_it_takes` until it succeeds or the task is to stop. Returns whether everything is
    /// stored.
    pub(crate) fn finish(&mut self, timeout: Duration, as_often_as_it_takes: bool) -> bool {
        loop {
            let is_stored = self.commit_within(timeout);
            if is_stored || !as_often_as_it_takes || self.control.is_stopping() {
                return is_stored;
            }
            self.control.wait(self.interval);
        }
    }

    fn commit_within(&mut self, timeout: Duration) -> bool {
        let mut deadline = Instant::now() + timeout;
        if let Wanted::Stopped { deadline: stop } = self.control.wanted() {
            deadline = deadline.min(stop + LAST_COMMIT);
        }
        // the one that is under way, if any, and then one of what has been acknowledged since
        self.await_commit(deadline).is_some() && {
            self.start();
            self.await_commit(deadline).unwrap_or_default()
        }
    }

    /// Waits for the commit under way; whether it succeeded, `None` if it has not come back.
    fn await_commit(&mut self, deadline: Instant) -> Option<bool> {
        let Some((offsets, is_stored)) = self.committer.wait_until(deadline) else {
            warn!(task = %self.id, "offsets are not committed in time");
            return None;
        };
        self.note(offsets, is_stored);
        Some(is_stored)
    }

    fn start(&mut self) {
        let offsets = self.acknowledgements.take_committable();
        if offsets.is_empty() {
            return;
        }
        if let Err(offsets) = self.committer.start(offsets) {
            self.acknowledgements.restore(offsets);
        }
    }

    fn note(&mut self, offsets: SourceOffsets, is_stored: bool) {
        if offsets.is_empty() {
            return;
        }
        if !is_stored {
            self.acknowledgements.restore(offsets);
            return;
        }
        self.progress.last_commit_ms.store(now_ms(), Ordering::Relaxed);
        self.committed.add(offsets);
        self.control.ring();
    }
}
