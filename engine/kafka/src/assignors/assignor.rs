//! The assignors by their names.

use super::messages::Subscription;
use super::{GroupMate, PartitionCounts, Shares, range, round_robin, sticky};

/// `partition.assignment.strategy`. The names are those of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Assignor {
    Range,
    RoundRobin,
    CooperativeSticky,
}

impl Assignor {
    const ALL: [Self; 3] = [Self::Range, Self::RoundRobin, Self::CooperativeSticky];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Range => "range",
            Self::RoundRobin => "roundrobin",
            Self::CooperativeSticky => "cooperative-sticky",
        }
    }

    /// The assignor of a protocol's name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|assignor| assignor.name() == name)
    }

    /// Whether members keep what they own while they join again.
    pub(crate) fn is_cooperative(self) -> bool {
        self == Self::CooperativeSticky
    }

    /// Who gets what.
    pub(crate) fn assign(self, members: &[GroupMate], counts: &PartitionCounts) -> Shares {
        match self {
            Self::Range => range::assign(members, counts),
            Self::RoundRobin => round_robin::assign(members, counts),
            Self::CooperativeSticky => sticky::assign_cooperatively(members, counts),
        }
    }

    /// What a member sends beside its subscription. Java reads the generation of a sticky member there where it is not in the
    /// subscription itself.
    pub(crate) fn metadata(self, mut subscription: Subscription) -> bytes::Bytes {
        if self == Self::CooperativeSticky {
            subscription.user_data = Some(bytes::Bytes::copy_from_slice(&subscription.generation.to_be_bytes()));
        }
        subscription.encode()
    }
}

/// The assignors of librdkafka's form of `partition.assignment.strategy`, which the translation makes of Java's class names. Its default
/// where there is none.
pub(crate) fn strategies(value: Option<&str>) -> Vec<Assignor> {
    let listed = value.into_iter().flat_map(|value| value.split(','));
    let found: Vec<_> = listed.filter_map(|name| Assignor::named(name.trim())).collect();
    if found.is_empty() { vec![Assignor::Range, Assignor::RoundRobin] } else { found }
}
