//! When a source task's offsets are committed: at each interval, once more at the end, and never faster than the store.
//!
//! It is given the offsets that are committable, and gives back those that could not be stored: they are committable still.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use tracing::warn;
use volley_api::Result;

use crate::connector_task_id::ConnectorTaskId;
use crate::metrics::TaskMetrics;
use crate::task::control::{Control, Wanted};
use crate::task::source::produce::acknowledgements::SourceOffsets;
use crate::task::source::produce::committed_offsets::CommittedOffsets;
use crate::task::source::produce::offset_committer::OffsetCommitter;

/// Time for the last commit that a stop leaves after the acknowledgements.
const LAST_COMMIT: Duration = Duration::from_secs(1);

/// The commits of one task.
pub(crate) struct OffsetCommits {
    id: ConnectorTaskId,
    committer: OffsetCommitter,
    committed: Arc<CommittedOffsets>,
    control: Arc<Control>,
    metrics: Arc<TaskMetrics>,
    interval: Duration,
    next: Instant,
    /// When the last commit was started.
    started: Instant,
    /// Whether what was acknowledged when the stop came has been committed.
    is_committed_for_stop: bool,
    /// Whether the task is told of commits with nothing new, too.
    tells_all: bool,
}

impl OffsetCommits {
    /// The commits of one task, every `interval`.
    pub(crate) fn new(
        id: ConnectorTaskId,
        committer: OffsetCommitter,
        committed: Arc<CommittedOffsets>,
        control: Arc<Control>,
        metrics: Arc<TaskMetrics>,
        interval: Duration,
    ) -> Self {
        Self {
            id,
            committer,
            committed,
            control,
            metrics,
            interval,
            next: Instant::now() + interval,
            started: Instant::now(),
            is_committed_for_stop: false,
            tells_all: false,
        }
    }

    /// The task is to be told of every commit, also of one with nothing new.
    pub(crate) fn tell_all(&mut self) {
        self.tells_all = true;
    }

    /// The first commit is due after an interval from now.
    pub(crate) fn begin(&mut self) {
        self.next = Instant::now() + self.interval;
    }

    /// Time between two commits.
    pub(crate) fn interval(&self) -> Duration {
        self.interval
    }

    /// How long until the next commit is due.
    pub(crate) fn until_next(&self) -> Duration {
        self.next.saturating_duration_since(Instant::now())
    }

    /// Receives the outcome of the commit under way, for [`OffsetCommits::on_finished`].
    pub(crate) fn outcomes(&self) -> &Receiver<Result<()>> {
        self.committer.outcomes()
    }

    /// The commit under way has finished. Returns the offsets that are not stored.
    #[must_use]
    pub(crate) fn on_finished(&mut self, outcome: Result<()>) -> SourceOffsets {
        let (offsets, is_stored) = self.committer.finish(outcome);
        self.unstored(offsets, is_stored)
    }

    /// Whether a commit is to be started now. It never is while another is under way.
    pub(crate) fn is_due(&mut self, is_all_acknowledged: bool) -> bool {
        if self.committer.is_busy() {
            self.committer.warn_if_late();
            return false;
        }
        // a poll that hangs need not cost the offsets of what is delivered
        let is_last_chance = !self.is_committed_for_stop && is_all_acknowledged && self.control.is_stopping();
        let is_due = is_last_chance || self.until_next().is_zero();
        if is_due {
            self.is_committed_for_stop |= is_last_chance;
            self.next = Instant::now() + self.interval;
        }
        is_due
    }

    /// Starts a commit; none may be under way. Returns the offsets if it cannot be started.
    #[must_use]
    pub(crate) fn start(&mut self, offsets: SourceOffsets) -> SourceOffsets {
        if offsets.is_empty() {
            if self.tells_all {
                self.committed.add(offsets);
                self.control.ring();
            }
            return SourceOffsets::new();
        }
        self.started = Instant::now();
        self.committer.start(offsets).err().unwrap_or_default()
    }

    /// By when the last commit must be stored.
    pub(crate) fn last_deadline(&self, timeout: Duration) -> Instant {
        let deadline = Instant::now() + timeout;
        match self.control.wanted() {
            Wanted::Stopped { deadline: stop } => deadline.min(stop + LAST_COMMIT),
            _ => deadline,
        }
    }

    /// Waits for the commit under way, if any. Returns the offsets that are not stored; `None` if it has not finished by
    /// the deadline.
    pub(crate) fn wait_until(&mut self, deadline: Instant) -> Option<SourceOffsets> {
        let Some((offsets, is_stored)) = self.committer.wait_until(deadline) else {
            warn!(task = %self.id, "offsets are not committed in time");
            return None;
        };
        Some(self.unstored(offsets, is_stored))
    }

    fn unstored(&self, offsets: SourceOffsets, is_stored: bool) -> SourceOffsets {
        if offsets.is_empty() {
            return offsets;
        }
        self.metrics.committed(self.started.elapsed(), is_stored);
        if !is_stored {
            return offsets;
        }
        self.committed.add(offsets);
        self.control.ring();
        SourceOffsets::new()
    }
}
