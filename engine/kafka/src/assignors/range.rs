//! The range assignor: of each topic, each member gets partitions in a row.

use volley_api::TopicPartition;

use super::{GroupMate, PartitionCounts, Shares, no_shares, sorted};

/// As Java's RangeAssignor does where no racks are known.
pub(super) fn assign(members: &[GroupMate], counts: &PartitionCounts) -> Shares {
    let mut shares = no_shares(members);
    let members = sorted(members);
    for (topic, count) in counts {
        let takers: Vec<_> = members.iter().filter(|member| member.wants(topic)).collect();
        let Ok(takers_count) = i32::try_from(takers.len()) else { continue };
        if takers_count == 0 {
            continue;
        }
        let (each, more) = (count / takers_count, count % takers_count);
        let mut next = 0;
        for (place, taker) in (0..).zip(takers) {
            let end = next + each + i32::from(place < more);
            if let Some(share) = shares.get_mut(&taker.member_id) {
                share.extend((next..end).map(|partition| TopicPartition::new(topic.as_str(), partition)));
            }
            next = end;
        }
    }
    shares
}
