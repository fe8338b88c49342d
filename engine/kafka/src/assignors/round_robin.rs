//! The round robin assignor: all partitions of all topics are dealt out in turn.

use volley_api::TopicPartition;

use super::{GroupMate, PartitionCounts, Shares, no_shares, sorted};

/// As Java's RoundRobinAssignor does.
pub(super) fn assign(members: &[GroupMate], counts: &PartitionCounts) -> Shares {
    let mut shares = no_shares(members);
    let members = sorted(members);
    let mut turn = 0;
    for (topic, count) in counts {
        if !members.iter().any(|member| member.wants(topic)) {
            continue;
        }
        for partition in 0..*count {
            while !members[turn % members.len()].wants(topic) {
                turn += 1;
            }
            let taker = members[turn % members.len()];
            if let Some(share) = shares.get_mut(&taker.member_id) {
                share.push(TopicPartition::new(topic.as_str(), partition));
            }
            turn += 1;
        }
    }
    shares
}
