//! Events of a membership that its owner did not cause.

use std::collections::VecDeque;
use std::mem::discriminant;

use parking_lot::Mutex;
use tokio::sync::Notify;
use volley_api::Error;

/// An event that the owner of a membership must react to.
#[derive(Debug)]
pub enum GroupEvent {
    /// A member joined or left, or requested a rebalance: join again within the rebalance timeout. Reported once for
    /// each generation.
    RebalanceInProgress,
    /// The membership has ended: join again. Others may have its work now.
    MemberLost(MemberLoss),
    /// The coordinator has been unreachable for the heartbeat interval, for this reason. The owner must stop the work
    /// that the group assigned. The search goes on.
    CoordinatorLost(Error),
    /// The coordinator is reachable again after [`GroupEvent::CoordinatorLost`] or
    /// [`GroupError::Coordinator`](crate::GroupError::Coordinator). The membership may still be valid. An owner that
    /// stopped its work joins again. Not reported after a join that succeeded.
    CoordinatorFound,
}

/// The reason why a membership ended.
#[derive(Debug)]
pub enum MemberLoss {
    /// The coordinator does not know the member: its session expired, or it was removed. The member id is forgotten.
    UnknownMember,
    /// The group has a newer generation without this member. The member id is kept.
    IllegalGeneration,
    /// The owner did not call [`poll`](crate::GroupMember::poll) within the rebalance timeout, so the member left.
    PollTimeout,
    /// The cluster refuses the client.
    Refused(Error),
}

/// Events that the owner has not taken. The queue keeps the latest of each kind, so it stays bounded if the owner takes
/// none.
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

    /// Drops the events of an earlier membership.
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
