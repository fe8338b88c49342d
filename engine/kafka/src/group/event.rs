//! What happens to a member without its doing.

use std::collections::VecDeque;
use std::mem::discriminant;

use parking_lot::Mutex;
use tokio::sync::Notify;
use volley_api::Error;

/// Something that the owner of a membership must react to.
#[derive(Debug)]
pub enum GroupEvent {
    /// Some member joined or left, or asked for a rebalance: join again within the rebalance timeout. Told once for each
    /// generation.
    RebalanceInProgress,
    /// This is no member any more: join again. Its work may have been given to others.
    MemberLost(MemberLoss),
    /// The coordinator has been out of reach for the heartbeat interval, for this reason: whoever runs work that the group
    /// assigned must stop it. The search goes on.
    CoordinatorLost(Error),
    /// It is back, after [`GroupEvent::CoordinatorLost`] or [`GroupError::Coordinator`](crate::GroupError::Coordinator). The
    /// membership may still be good; whoever stopped its work joins again. Not told after a join that succeeded.
    CoordinatorFound,
}

/// Why a membership ended.
#[derive(Debug)]
pub enum MemberLoss {
    /// The coordinator does not know the member: its session expired, or it was removed. The member id is forgotten.
    UnknownMember,
    /// The group went on without it. The member id is kept.
    IllegalGeneration,
    /// The owner did not call [`poll`](crate::GroupMember::poll) for the rebalance timeout, so that the member left.
    PollTimeout,
    /// The cluster refuses the client.
    Refused(Error),
}

/// Events that have not been taken: at most one of each kind, the latest, so that nobody has to take them.
#[derive(Debug, Default)]
pub(super) struct EventQueue {
    waiting: Mutex<VecDeque<GroupEvent>>,
    arrived: Notify,
}

impl EventQueue {
    pub(super) fn push(&self, event: GroupEvent) {
        let mut waiting = self.waiting.lock();
        waiting.retain(|other| discriminant(other) != discriminant(&event));
        waiting.push_back(event);
        drop(waiting);
        self.arrived.notify_one();
    }

    /// Forgets what was told of an earlier membership.
    pub(super) fn clear(&self) {
        self.waiting.lock().clear();
    }

    pub(super) async fn next(&self) -> GroupEvent {
        loop {
            let arrived = self.arrived.notified();
            if let Some(event) = self.take() {
                return event;
            }
            arrived.await;
        }
    }

    fn take(&self) -> Option<GroupEvent> {
        let mut waiting = self.waiting.lock();
        let event = waiting.pop_front();
        if !waiting.is_empty() {
            self.arrived.notify_one();
        }
        event
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn events_come_in_order_the_latest_of_each_kind() {
        let queue = EventQueue::default();
        for round in ["first", "second"] {
            queue.push(GroupEvent::CoordinatorLost(Error::retriable(round)));
            queue.push(GroupEvent::CoordinatorFound);
        }
        assert!(matches!(queue.next().await, GroupEvent::CoordinatorLost(error) if error.to_string() == "second"));
        assert!(matches!(queue.next().await, GroupEvent::CoordinatorFound));
        assert!(queue.next().now_or_never().is_none());
    }

    #[tokio::test]
    async fn a_wait_that_is_given_up_loses_no_event() {
        let queue = EventQueue::default();
        assert!(queue.next().now_or_never().is_none());
        queue.push(GroupEvent::RebalanceInProgress);
        assert!(queue.next().now_or_never().is_some());
        queue.push(GroupEvent::RebalanceInProgress);
        queue.clear();
        assert!(queue.next().now_or_never().is_none());
    }
}
