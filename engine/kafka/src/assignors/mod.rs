//! Who gets which partitions in a consumer group: what members say to each other in the classic protocol, and the assignors of its
//! leader. Pure.
//!
//! ```text
//!  Subscription of each member ─┐
//!  partitions of each topic ────┴─► Assignor::assign ─► partitions of each member ─► assignment message
//! ```
//!
//! The messages are those of Java's consumers and librdkafka's (`ConsumerProtocolSubscription.json`,
//! `ConsumerProtocolAssignment.json` of Kafka), so that all may be in one group, and any may lead it. Not done: the range assignor
//! of Java that looks at racks (KIP-881).

mod assignor;
mod messages;
mod range;
#[cfg(test)]
mod reference_tests;
mod round_robin;
mod sticky;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use volley_api::TopicPartition;

pub(crate) use assignor::{Assignor, strategies};
pub(crate) use messages::{Subscription, assignment_message, assignment_of};

/// A member as the leader sees it.
#[derive(Clone, Debug)]
pub(crate) struct GroupMate {
    pub(crate) member_id: String,
    /// `group.instance.id` of a static member.
    pub(crate) instance_id: Option<String>,
    pub(crate) subscription: Subscription,
}

impl GroupMate {
    fn wants(&self, topic: &str) -> bool {
        self.subscription.topics.iter().any(|wanted| wanted == topic)
    }

    /// As Java sorts members: static ones first, by their instance ids, which stay when they restart.
    fn order(&self, other: &Self) -> Ordering {
        match (&self.instance_id, &other.instance_id) {
            (Some(one), Some(two)) => one.cmp(two),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => self.member_id.cmp(&other.member_id),
        }
    }
}

/// The number of partitions of each topic that exists.
pub(crate) type PartitionCounts = BTreeMap<String, i32>;

/// What each member (id) gets.
pub(crate) type Shares = BTreeMap<String, Vec<TopicPartition>>;

/// Nothing for anybody.
fn no_shares(members: &[GroupMate]) -> Shares {
    members.iter().map(|member| (member.member_id.clone(), Vec::new())).collect()
}

fn sorted(members: &[GroupMate]) -> Vec<&GroupMate> {
    let mut sorted: Vec<_> = members.iter().collect();
    sorted.sort_by(|one, other| one.order(other));
    sorted
}
