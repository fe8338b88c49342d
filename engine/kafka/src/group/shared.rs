//! The state that a membership's task shares with its handles.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::Instant;

use super::event::EventQueue;
use super::status::MemberStatus;

/// The task writes status and events; the handles write signs of life.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) status: Mutex<MemberStatus>,
    pub(super) events: EventQueue,
    /// Set while a new member waits for its id. The coordinator may have noted it, and only the answer says its id.
    pub(super) awaits_member_id: watch::Sender<bool>,
    last_poll: Mutex<Instant>,
}

impl Shared {
    pub(super) fn new() -> Arc<Self> {
        let (status, last_poll) = (Mutex::new(MemberStatus::new()), Mutex::new(Instant::now()));
        let (events, awaits_member_id) = (EventQueue::default(), watch::Sender::new(false));
        Arc::new(Self { status, events, awaits_member_id, last_poll })
    }

    /// Notes that the owner is alive.
    pub(super) fn poll(&self) {
        *self.last_poll.lock() = Instant::now();
    }

    pub(super) fn last_poll(&self) -> Instant {
        *self.last_poll.lock()
    }
}
