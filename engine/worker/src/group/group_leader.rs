//! The leader's part in a rebalance: agree on a position of the config topic, assign, send the assignments.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tracing::info;
use volley_api::Result;

use super::eager_assignor::assign_eagerly;
use super::incremental_cooperative_assignor::{IncrementalCooperativeAssignor, MemberAssignment, Round};
use super::{AssignmentError, ConnectProtocol, ConnectorsAndTasks, ExtendedAssignment, LeaderState, WorkerState};
use crate::connector_task_id::ConnectorTaskId;
use crate::storage::ClusterConfigState;

/// A member of the group as the leader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMember {
    /// Member id.
    pub id: String,
    /// The state that it reported.
    pub state: WorkerState,
}

impl GroupMember {
    /// From member id and metadata in the JoinGroup response.
    ///
    /// # Errors
    /// If the metadata is malformed.
    pub fn decode(id: impl Into<String>, metadata: &[u8]) -> Result<Self> {
        let id = id.into();
        match WorkerState::decode(metadata) {
            Ok(state) => Ok(Self { id, state }),
            Err(error) => Err(volley_api::Error::data(format!(
                "the metadata of the group member `{id}` can't be read; does it run Kafka Connect?"
            ))
            .with_source(error)),
        }
    }
}

/// A rebalance that this worker leads.
#[derive(Clone, Copy, Debug)]
pub struct Rebalance<'a> {
    /// The version that the broker chose.
    pub protocol: ConnectProtocol,
    /// The leader's own member id.
    pub leader_id: &'a str,
    /// All members, in the order of the JoinGroup response.
    pub members: &'a [GroupMember],
    /// The last generation whose assignment this worker got; -1: none.
    pub last_completed_generation: i32,
    /// The generation of this rebalance.
    pub generation: i32,
    /// Now, in ms.
    pub now_ms: i64,
}

/// The result of a rebalance.
#[derive(Clone, Debug)]
pub struct LedRebalance {
    /// The assignment of each member, in the order of the members.
    pub assignments: Vec<(String, ExtendedAssignment)>,
    /// The assigned configuration, which the leader adopts, and the workers of its items. `None` if nothing was
    /// assigned: the leader had not read the config topic far enough, or it holds.
    pub outcome: Option<(Arc<ClusterConfigState>, LeaderState)>,
    /// The leader has to join again at once: a member still runs a deleted item, of which the leader has learnt only in
    /// this round. The next round revokes it.
    pub must_follow: bool,
}

impl LedRebalance {
    /// The messages for SyncGroup.
    ///
    /// # Errors
    /// If a name is too long for the format.
    pub fn encode(&self, protocol: ConnectProtocol) -> Result<Vec<(String, Vec<u8>)>> {
        self.assignments.iter().map(|(id, assignment)| Ok((id.clone(), assignment.encode(protocol)?))).collect()
    }
}

/// Leads rebalances. A worker keeps one leader state for its lifetime, whether it leads or not.
#[derive(Debug)]
pub struct GroupLeader {
    incremental: IncrementalCooperativeAssignor,
    max_delay_ms: i32,
}

impl GroupLeader {
    /// With this delay for a lost worker (`scheduled.rebalance.max.delay.ms`).
    pub fn new(max_delay_ms: i32) -> Self {
        Self { incremental: IncrementalCooperativeAssignor::new(max_delay_ms), max_delay_ms }
    }

    /// Forgets the previous assignments: this worker was away, and the others may have been away, too.
    pub fn forget(&mut self) {
        self.incremental = IncrementalCooperativeAssignor::new(self.max_delay_ms);
    }

    /// Leaves every assignment as it is and makes all members join again after `delay_ms`. Used for the first rebalance
    /// after this worker was away, while the others return. Kafka Connect has no such rule: it assigns everything to
    /// the first member, or leaves it unassigned for `scheduled.rebalance.max.delay.ms`.
    pub fn hold(rebalance: &Rebalance<'_>, delay_ms: i32) -> LedRebalance {
        let furthest = rebalance.members.iter().map(|member| member.state.config_offset).max().unwrap_or(-1);
        let assignment = ExtendedAssignment { delay_ms, ..common(rebalance, AssignmentError::None, furthest) };
        let ids = rebalance.members.iter().map(|member| member.id.clone());
        LedRebalance {
            assignments: ids.map(|id| (id, assignment.clone())).collect(),
            outcome: None,
            must_follow: false,
        }
    }

    /// Leads a rebalance. `snapshot` is the configuration that this worker joined with. `fresh` returns the
    /// configuration that has been read since; it is called if another member is ahead.
    pub fn lead(
        &mut self,
        rebalance: &Rebalance<'_>,
        snapshot: Arc<ClusterConfigState>,
        fresh: impl FnOnce() -> Arc<ClusterConfigState>,
    ) -> LedRebalance {
        let furthest = rebalance.members.iter().map(|member| member.state.config_offset).max().unwrap_or(-1);
        let (config, config_offset) = if snapshot.offset() < furthest {
            let config = fresh();
            let offset = config.offset();
            (config, offset)
        } else {
            (snapshot, furthest)
        };
        if config_offset < furthest {
            info!(config_offset, furthest, "nothing is assigned: other members are further in the config topic");
            let assignment = common(rebalance, AssignmentError::ConfigMismatch, furthest);
            let ids = rebalance.members.iter().map(|member| member.id.clone());
            return LedRebalance {
                assignments: ids.map(|id| (id, assignment.clone())).collect(),
                outcome: None,
                must_follow: false,
            };
        }
        let configured = ConnectorsAndTasks::configured(&config);
        let changes = self.changes(rebalance, &configured);
        let must_follow = runs_anything_else(&configured, changes.values().map(|change| &change.held));
        let common = ExtendedAssignment {
            delay_ms: if rebalance.protocol.is_cooperative() { self.incremental.delay_ms() } else { 0 },
            ..common(rebalance, AssignmentError::None, config_offset)
        };
        let owners = LeaderState::new(
            rebalance
                .members
                .iter()
                .filter_map(|member| changes.get(&member.id).map(|change| (member.state.url.as_str(), &change.held))),
        );
        LedRebalance { assignments: filled(rebalance, &common, changes), outcome: Some((config, owners)), must_follow }
    }

    fn changes(
        &mut self,
        rebalance: &Rebalance<'_>,
        configured: &ConnectorsAndTasks,
    ) -> HashMap<String, MemberAssignment> {
        if !rebalance.protocol.is_cooperative() {
            let ids = rebalance.members.iter().map(|member| member.id.as_str());
            let whole = |held: ConnectorsAndTasks| MemberAssignment {
                assigned: held.clone(),
                revoked: ConnectorsAndTasks::default(),
                held,
            };
            return assign_eagerly(configured, ids).into_iter().map(|(id, held)| (id, whole(held))).collect();
        }
        let held = |member: &GroupMember| member.state.assignment.as_ref().map(ExtendedAssignment::assigned);
        let members: Vec<_> =
            rebalance.members.iter().map(|member| (member.id.clone(), held(member).unwrap_or_default())).collect();
        self.incremental.assign(&Round {
            configured,
            members: &members,
            last_completed_generation: rebalance.last_completed_generation,
            generation: rebalance.generation,
            now_ms: rebalance.now_ms,
        })
    }
}

fn runs_anything_else<'a>(
    configured: &ConnectorsAndTasks,
    held: impl IntoIterator<Item = &'a ConnectorsAndTasks>,
) -> bool {
    let connectors: HashSet<&String> = configured.connectors.iter().collect();
    let tasks: HashSet<&ConnectorTaskId> = configured.tasks.iter().collect();
    held.into_iter().any(|held| {
        held.connectors.iter().any(|connector| !connectors.contains(connector))
            || held.tasks.iter().any(|task| !tasks.contains(task))
    })
}

/// An empty assignment with the fields that are the same for each member.
fn common(rebalance: &Rebalance<'_>, error: AssignmentError, config_offset: i64) -> ExtendedAssignment {
    let leader = rebalance.members.iter().find(|member| member.id == rebalance.leader_id);
    ExtendedAssignment {
        version: rebalance.protocol.version(),
        error,
        leader: rebalance.leader_id.to_owned(),
        leader_url: leader.map(|leader| leader.state.url.clone()).unwrap_or_default(),
        config_offset,
        ..ExtendedAssignment::default()
    }
}

fn filled(
    rebalance: &Rebalance<'_>,
    common: &ExtendedAssignment,
    mut changes: HashMap<String, MemberAssignment>,
) -> Vec<(String, ExtendedAssignment)> {
    let of_member = |member: &GroupMember| {
        let MemberAssignment { assigned, revoked, .. } = changes.remove(&member.id).unwrap_or_default();
        let assignment = ExtendedAssignment {
            connectors: assigned.connectors,
            tasks: assigned.tasks,
            revoked_connectors: revoked.connectors,
            revoked_tasks: revoked.tasks,
            ..common.clone()
        };
        (member.id.clone(), assignment)
    };
    rebalance.members.iter().map(of_member).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::ConfigRecord;

    fn config(connectors: &[&str]) -> Arc<ClusterConfigState> {
        let mut state = ClusterConfigState::default();
        for connector in connectors {
            let record = ConfigRecord::Connector((*connector).to_owned(), Some(Default::default()));
            state.apply(state.offset(), &record.key(), record.value().as_ref());
        }
        state.apply(9, "nothing", None);
        Arc::new(state)
    }

    fn member(id: &str, connectors: &[&str]) -> GroupMember {
        let connectors = connectors.iter().map(|connector| (*connector).to_owned()).collect();
        let held = ExtendedAssignment { connectors, ..Default::default() };
        let state = WorkerState { url: format!("http://{id}/"), config_offset: 10, assignment: Some(held) };
        GroupMember { id: id.to_owned(), state }
    }

    fn rebalance<'a>(members: &'a [GroupMember], generation: i32, last_completed_generation: i32) -> Rebalance<'a> {
        let (protocol, leader_id) = (ConnectProtocol::Sessioned, "w1");
        Rebalance { protocol, leader_id, members, last_completed_generation, generation, now_ms: 0 }
    }

    #[test]
    fn a_leader_that_has_been_away_waits_for_the_others_and_then_gives_everything_away_at_once() {
        let mut leader = GroupLeader::new(300_000);
        let all = [member("w1", &[]), member("w2", &[])];
        leader.lead(&rebalance(&all, 5, 4), config(&["a", "b"]), || unreachable!());
        leader.forget();
        let alone = [member("w1", &[])];
        let held = GroupLeader::hold(&rebalance(&alone, 6, 5), 1_000);
        assert!(
            held.assignments.iter().all(|(_, it)| it.assigned().is_empty() && !it.revokes() && it.delay_ms == 1_000)
        );
        let back = [member("w1", &[]), member("w3", &[])];
        let led = leader.lead(&rebalance(&back, 7, 6), config(&["a", "b"]), || unreachable!());
        let counts: Vec<_> = led.assignments.iter().map(|(_, it)| (it.connectors.len(), it.delay_ms)).collect();
        assert_eq!(counts, [(1, 0), (1, 0)]);
    }

    #[test]
    fn what_is_deleted_while_the_leader_changes_is_revoked_in_a_round_of_its_own() {
        let mut leader = GroupLeader::new(300_000);
        let members = [member("w1", &["a"]), member("w2", &["b", "deleted"])];
        let first = leader.lead(&rebalance(&members, 5, 4), config(&["a", "b", "c"]), || unreachable!());
        assert!(first.must_follow && !first.assignments.iter().any(|(_, assignment)| assignment.revokes()));
        let second = leader.lead(&rebalance(&members, 6, 5), config(&["a", "b", "c"]), || unreachable!());
        assert!(!second.must_follow);
        assert_eq!(second.assignments[1].1.revoked_connectors, ["deleted"]);
    }

    #[test]
    fn the_leader_knows_who_runs_what() {
        let members = [member("w1", &[]), member("w2", &["a"])];
        let led = GroupLeader::new(0).lead(&rebalance(&members, 1, -1), config(&["a", "b"]), || unreachable!());
        let (_, owners) = led.outcome.unwrap();
        assert_eq!(owners.connector_url("a"), Some("http://w2/"));
        assert_eq!(owners.connector_url("b"), Some("http://w1/"));
        assert_eq!(owners.connector_url("c"), None);
    }

    #[test]
    fn metadata_that_is_not_connect_s_names_the_member() {
        let error = GroupMember::decode("stranger-1", &[0]).unwrap_err();
        assert!(error.to_string().contains("`stranger-1`"));
    }
}
