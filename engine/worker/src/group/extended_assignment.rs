//! A member's assignment: the leader sends it, and the member reports it when it joins.

use std::collections::HashSet;

use indexmap::IndexMap;
use volley_api::Result;
use volley_java::hash_set_copy_order;

use super::primitives::{PrimitiveReader, malformed, put_count, put_string};
use super::{ConnectProtocol, ConnectorsAndTasks};
use crate::connector_task_id::ConnectorTaskId;

/// Represents the connector's own instance among the numbers of its tasks.
const CONNECTOR_TASK: i32 = -1;

/// Whether the leader could assign work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AssignmentError {
    /// It could.
    #[default]
    None,
    /// The leader had read less of the config topic than another member: read to its end, and join again.
    ConfigMismatch,
    /// An error that this version does not know.
    Other(i16),
}

impl AssignmentError {
    /// The number in the message.
    pub fn code(self) -> i16 {
        match self {
            Self::None => 0,
            Self::ConfigMismatch => 1,
            Self::Other(code) => code,
        }
    }

    /// The error with this number.
    pub fn from_code(code: i16) -> Self {
        match code {
            0 => Self::None,
            1 => Self::ConfigMismatch,
            code => Self::Other(code),
        }
    }
}

/// An assignment. An eager leader sends the complete work of the member. A cooperative leader sends additions and
/// revocations; [`Self::augmented`] applies them to the previous assignment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExtendedAssignment {
    /// Protocol version of the message.
    pub version: i16,
    /// Whether the leader could assign work.
    pub error: AssignmentError,
    /// Member id of the leader.
    pub leader: String,
    /// The leader's REST URL.
    pub leader_url: String,
    /// The position in the config topic that the assignment is based on.
    pub config_offset: i64,
    /// Connectors whose instance to run.
    pub connectors: Vec<String>,
    /// Tasks to run.
    pub tasks: Vec<ConnectorTaskId>,
    /// Connectors whose instance to stop.
    pub revoked_connectors: Vec<String>,
    /// Tasks to stop.
    pub revoked_tasks: Vec<ConnectorTaskId>,
    /// Join again after so many ms; 0 = no need to.
    pub delay_ms: i32,
}

impl ExtendedAssignment {
    /// Whether the leader failed to assign work.
    pub fn has_failed(&self) -> bool {
        self.error != AssignmentError::None
    }

    /// Whether anything is revoked.
    pub fn revokes(&self) -> bool {
        !self.revoked_connectors.is_empty() || !self.revoked_tasks.is_empty()
    }

    /// Connectors and tasks to run.
    pub fn assigned(&self) -> ConnectorsAndTasks {
        ConnectorsAndTasks { connectors: self.connectors.clone(), tasks: self.tasks.clone() }
    }

    /// The complete work of a member with the previous assignment `before` that received this one from a cooperative
    /// leader: `before` without the revoked items, and the new ones.
    #[must_use]
    pub fn augmented(mut self, before: Option<&Self>) -> Self {
        if let Some(before) = before {
            extend(&mut self.connectors, &before.connectors, &self.revoked_connectors);
            extend(&mut self.tasks, &before.tasks, &self.revoked_tasks);
        }
        self
    }

    /// Encodes the message in the version of `protocol`. Each connector has one entry.
    ///
    /// # Errors
    /// If a name is too long for the format.
    pub fn encode(&self, protocol: ConnectProtocol) -> Result<Vec<u8>> {
        let mut out = Vec::with_capacity(128);
        out.extend(protocol.version().to_be_bytes());
        out.extend(self.error.code().to_be_bytes());
        put_string(&mut out, "leader", &self.leader)?;
        put_string(&mut out, "leader-url", &self.leader_url)?;
        out.extend(self.config_offset.to_be_bytes());
        // Java iterates over a HashSet of the assigned tasks, and over the revoked ones in order.
        put_entries(&mut out, "assignment", &hash_set_copy_order(&self.connectors), &self.tasks)?;
        if protocol.is_cooperative() {
            put_entries(&mut out, "revoked", &self.revoked_connectors, &self.revoked_tasks)?;
            out.extend(self.delay_ms.to_be_bytes());
        }
        Ok(out)
    }

    /// Decodes a message of any version; fields missing at its end are empty.
    ///
    /// # Errors
    /// If it is malformed, or its version negative.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = PrimitiveReader::new(bytes);
        let version = reader.int16("version")?;
        if version < 0 {
            return Err(malformed("version", &format!("is {version}")));
        }
        let error = AssignmentError::from_code(reader.int16("error")?);
        let leader = reader.string("leader")?;
        let leader_url = reader.string("leader-url")?;
        let config_offset = reader.int64("config-offset")?;
        let ConnectorsAndTasks { connectors, tasks } = entries(&mut reader, "assignment")?;
        let revoked = entries(&mut reader, "revoked")?;
        let delay_ms = if reader.is_at_end() { 0 } else { reader.int32("delay")? };
        Ok(Self {
            version,
            error,
            leader,
            leader_url,
            config_offset,
            connectors,
            tasks,
            revoked_connectors: revoked.connectors,
            revoked_tasks: revoked.tasks,
            delay_ms,
        })
    }
}

/// Appends to `items` those of `before` that are neither revoked nor present.
fn extend<T: Clone + Eq + std::hash::Hash>(items: &mut Vec<T>, before: &[T], revoked: &[T]) {
    let mut known: HashSet<T> = items.iter().chain(revoked).cloned().collect();
    items.extend(before.iter().filter(|item| known.insert((*item).clone())).cloned());
}

fn put_entries(out: &mut Vec<u8>, field: &str, connectors: &[String], tasks: &[ConnectorTaskId]) -> Result<()> {
    let mut entries: IndexMap<&str, Vec<i32>> = IndexMap::new();
    for connector in connectors {
        entries.insert(connector, vec![CONNECTOR_TASK]);
    }
    for ConnectorTaskId { connector, task } in tasks {
        let number = i32::try_from(*task).map_err(|_| malformed(field, &format!("has the task {task}")))?;
        entries.entry(connector).or_default().push(number);
    }
    put_count(out, field, entries.len())?;
    for (connector, numbers) in entries {
        put_string(out, "connector", connector)?;
        put_count(out, "tasks", numbers.len())?;
        out.extend(numbers.into_iter().flat_map(i32::to_be_bytes));
    }
    Ok(())
}

fn entries(reader: &mut PrimitiveReader<'_>, field: &str) -> Result<ConnectorsAndTasks> {
    let mut items = ConnectorsAndTasks::default();
    if reader.is_at_end() {
        return Ok(items);
    }
    for _ in 0..reader.nullable_count(field)?.unwrap_or(0) {
        let connector = reader.string("connector")?;
        let count = reader.nullable_count("tasks")?.ok_or_else(|| malformed("tasks", "is null"))?;
        for _ in 0..count {
            match reader.int32("tasks")? {
                CONNECTOR_TASK => items.connectors.push(connector.clone()),
                number => {
                    let task = usize::try_from(number).map_err(|_| malformed("tasks", &format!("has {number}")))?;
                    items.tasks.push(ConnectorTaskId { connector: connector.clone(), task });
                }
            }
        }
    }
    Ok(items)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::group::WorkerState;

    fn items() -> impl Strategy<Value = ConnectorsAndTasks> {
        let connector = "[a-cÄ]{0,2}";
        let connectors = prop::collection::hash_set(connector, 0..5);
        let tasks = prop::collection::hash_set((connector, 0usize..99), 0..9);
        (connectors, tasks).prop_map(|(connectors, tasks)| ConnectorsAndTasks {
            connectors: connectors.into_iter().collect(),
            tasks: tasks.into_iter().map(|(connector, task)| ConnectorTaskId { connector, task }).collect(),
        })
    }

    fn assignment() -> impl Strategy<Value = ExtendedAssignment> {
        let header = ("[ -~]{0,9}", "[ -~]{0,9}", any::<i64>(), any::<i16>(), any::<i32>());
        (header, items(), items()).prop_map(
            |((leader, leader_url, config_offset, error, delay_ms), assigned, revoked)| ExtendedAssignment {
                version: 2,
                error: AssignmentError::from_code(error),
                leader,
                leader_url,
                config_offset,
                connectors: assigned.connectors,
                tasks: assigned.tasks,
                revoked_connectors: revoked.connectors,
                revoked_tasks: revoked.tasks,
                delay_ms,
            },
        )
    }

    fn sorted(mut assignment: ExtendedAssignment) -> ExtendedAssignment {
        assignment.connectors.sort();
        assignment.tasks.sort();
        assignment.revoked_connectors.sort();
        assignment.revoked_tasks.sort();
        assignment
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(assignment in assignment()) {
            let bytes = assignment.encode(ConnectProtocol::Sessioned).unwrap();
            prop_assert_eq!(sorted(ExtendedAssignment::decode(&bytes).unwrap()), sorted(assignment.clone()));
            let state = WorkerState { url: "u".into(), config_offset: 7, assignment: Some(assignment.clone()) };
            let mut read = WorkerState::decode(&state.encode(ConnectProtocol::Sessioned).unwrap()).unwrap();
            read.assignment = read.assignment.map(sorted);
            prop_assert_eq!(read, WorkerState { assignment: Some(sorted(assignment)), ..state });
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = ExtendedAssignment::decode(&bytes);
            let _ = WorkerState::decode(&bytes);
        }

        #[test]
        fn no_damage_panics(assignment in assignment(), damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
            let state = WorkerState { url: "u".into(), config_offset: 7, assignment: Some(assignment) };
            let mut bytes = state.encode(ConnectProtocol::Compatible).unwrap();
            for (at, byte) in damage {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let _ = WorkerState::decode(&bytes);
        }

        #[test]
        fn a_member_runs_what_is_new_and_what_was_not_revoked(before in assignment(), mut given in assignment()) {
            given.revoked_connectors.retain(|connector| !given.connectors.contains(connector));
            given.revoked_tasks.retain(|task| !given.tasks.contains(task));
            let after = given.clone().augmented(Some(&before));
            for task in before.tasks.iter().chain(&given.tasks) {
                let times = after.tasks.iter().filter(|it| *it == task).count();
                prop_assert_eq!(times, usize::from(!given.revoked_tasks.contains(task)));
            }
            prop_assert!(after.connectors.starts_with(&given.connectors));
            prop_assert_eq!(given.clone().augmented(None), given);
        }
    }

    #[test]
    fn a_name_that_the_format_cannot_hold_is_refused() {
        let assignment = ExtendedAssignment { connectors: vec!["x".repeat(40_000)], ..Default::default() };
        let error = assignment.encode(ConnectProtocol::Sessioned).unwrap_err().to_string();
        assert!(error.starts_with("`connector` is too long for the worker group, 40000 bytes"), "{error}");
    }
}
