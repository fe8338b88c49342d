//! The thread on which a task's listener is told what became of the task's records, while the task may be polling.
//!
//! ```text
//!  produce stage ── acknowledged batches, committed offsets ── ring ──► this thread ──► DeliveryListener
//! ```

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crossbeam_channel::Receiver;
use tracing::error;
use volley_api::{DeliveryListener, Error, Result};

use crate::connector_task_id::ConnectorTaskId;
use crate::task::control::Control;
use crate::task::panic_error;
use crate::task::source::idle_commits::IdleCommits;
use crate::task::source::produce::acknowledged_batches::AcknowledgedBatches;
use crate::task::source::produce::committed_offsets::CommittedOffsets;

/// A thread that has more to tell than it is told of waits no longer than this.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What a listener is told of.
pub(crate) struct Deliveries {
    pub(crate) id: ConnectorTaskId,
    pub(crate) committed: Arc<CommittedOffsets>,
    /// Set if the listener wants to know where records are.
    pub(crate) acknowledged: Option<Arc<AcknowledgedBatches>>,
    /// Commits while there is no produce stage that would make them.
    pub(crate) idle_commits: IdleCommits,
    /// Whether there is a produce stage.
    pub(crate) has_produced: Arc<AtomicBool>,
}

/// The thread, from the side of the task's own.
pub(crate) struct ListenerThread {
    thread: JoinHandle<()>,
    is_over: Arc<AtomicBool>,
    control: Arc<Control>,
}

impl ListenerThread {
    /// Starts it.
    ///
    /// # Errors
    /// If there is no thread for it.
    pub(crate) fn start(
        listener: Box<dyn DeliveryListener>,
        deliveries: Deliveries,
        control: Arc<Control>,
    ) -> Result<Self> {
        let is_over = Arc::new(AtomicBool::new(false));
        let (over, rings) = (Arc::clone(&is_over), control.rings());
        let thread = Builder::new()
            .name(format!("told-{}", deliveries.id))
            .spawn(move || run(listener, deliveries, &over, &rings))
            .map_err(|error| Error::fatal("could not start a thread").with_source(error))?;
        Ok(Self { thread, is_over, control })
    }

    /// Nothing follows: tells what is left, and ends.
    pub(crate) fn end(self) {
        self.is_over.store(true, Ordering::Release);
        self.control.ring();
        // it catches the panics of the plug-in
        let _ = self.thread.join();
    }
}

fn run(
    mut listener: Box<dyn DeliveryListener>,
    mut deliveries: Deliveries,
    is_over: &AtomicBool,
    rings: &Receiver<()>,
) {
    loop {
        // looked at first: what came before the end is told
        let is_last = is_over.load(Ordering::Acquire);
        deliveries.tell(&mut *listener);
        if is_last {
            return;
        }
        let _ = rings.recv_timeout(deliveries.longest_wait());
    }
}

impl Deliveries {
    fn longest_wait(&self) -> Duration {
        match self.has_produced.load(Ordering::Acquire) {
            true => LONGEST_WAIT,
            false => self.idle_commits.until_next(),
        }
    }

    fn tell(&mut self, listener: &mut dyn DeliveryListener) {
        // what is committed was acknowledged before
        let committed = self.committed.take();
        let acknowledged = self.acknowledged.as_ref().map(|batches| batches.take()).unwrap_or_default();
        if !acknowledged.is_empty() {
            let told = catch_unwind(AssertUnwindSafe(|| listener.acknowledged(&acknowledged)));
            if let Err(error) = told.unwrap_or_else(|panic| Err(panic_error(&*panic))) {
                error!(task = %self.id, error = %error.trace(), "the task failed when it was told of acknowledged records");
            }
        }
        let is_idle_commit = !self.has_produced.load(Ordering::Acquire) && self.idle_commits.take_due();
        let Some(offsets) = committed.or_else(|| is_idle_commit.then(Vec::new)) else { return };
        let told = catch_unwind(AssertUnwindSafe(|| listener.commit(&offsets)));
        if let Err(error) = told.unwrap_or_else(|panic| Err(panic_error(&*panic))) {
            error!(task = %self.id, error = %error.trace(), "the task failed in commit; the offsets are committed anyway");
        }
    }
}
