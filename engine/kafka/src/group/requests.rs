//! The requests of a member, in the version that the coordinator supports.

use bytes::Bytes;
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::{GroupId, HeartbeatRequest, JoinGroupRequest, LeaveGroupRequest, SyncGroupRequest};
use kafka_protocol::protocol::StrBytes;

use super::settings::GroupSettings;

/// The sender of a request.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    /// Empty for a new member.
    pub(super) member_id: StrBytes,
    /// -1 without one.
    pub(super) generation: i32,
    /// The name of the protocol of the generation.
    pub(super) protocol: StrBytes,
}

impl Identity {
    pub(super) fn nobody() -> Self {
        Self { member_id: StrBytes::new(), generation: -1, protocol: StrBytes::new() }
    }
}

fn group(settings: &GroupSettings) -> GroupId {
    GroupId(StrBytes::from_string(settings.group_id.clone()))
}

fn protocol_type(settings: &GroupSettings) -> StrBytes {
    StrBytes::from_string(settings.protocol_type.clone())
}

/// The range was checked when the member was made.
fn milliseconds(duration: std::time::Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX)
}

/// From the version on that knows static members.
fn instance_id(settings: &GroupSettings, version: i16, since: i16) -> Option<StrBytes> {
    settings.group_instance_id.clone().filter(|_| version >= since).map(StrBytes::from_string)
}

pub(super) fn join(
    settings: &GroupSettings,
    identity: &Identity,
    protocols: &[(String, Bytes)],
    version: i16,
) -> JoinGroupRequest {
    let protocols = protocols.iter().map(|(name, metadata)| {
        JoinGroupRequestProtocol::default()
            .with_name(StrBytes::from_string(name.clone()))
            .with_metadata(metadata.clone())
    });
    JoinGroupRequest::default()
        .with_group_id(group(settings))
        .with_session_timeout_ms(milliseconds(settings.session_timeout))
        .with_rebalance_timeout_ms(milliseconds(settings.rebalance_timeout))
        .with_member_id(identity.member_id.clone())
        .with_group_instance_id(instance_id(settings, version, 5))
        .with_protocol_type(protocol_type(settings))
        .with_protocols(protocols.collect())
}

pub(super) fn sync(
    settings: &GroupSettings,
    identity: &Identity,
    assignments: &[(String, Bytes)],
    version: i16,
) -> SyncGroupRequest {
    let assignments = assignments.iter().map(|(member, assignment)| {
        SyncGroupRequestAssignment::default()
            .with_member_id(StrBytes::from_string(member.clone()))
            .with_assignment(assignment.clone())
    });
    let request = SyncGroupRequest::default()
        .with_group_id(group(settings))
        .with_generation_id(identity.generation)
        .with_member_id(identity.member_id.clone())
        .with_group_instance_id(instance_id(settings, version, 3))
        .with_assignments(assignments.collect());
    match version {
        ..=4 => request,
        _ => request
            .with_protocol_type(Some(protocol_type(settings)))
            .with_protocol_name(Some(identity.protocol.clone())),
    }
}

pub(super) fn heartbeat(settings: &GroupSettings, identity: &Identity, version: i16) -> HeartbeatRequest {
    HeartbeatRequest::default()
        .with_group_id(group(settings))
        .with_generation_id(identity.generation)
        .with_member_id(identity.member_id.clone())
        .with_group_instance_id(instance_id(settings, version, 3))
}

pub(crate) fn leave(group_id: &str, member_id: &str, reason: &str, version: i16) -> LeaveGroupRequest {
    let member_id = StrBytes::from_string(member_id.to_owned());
    let request = LeaveGroupRequest::default().with_group_id(GroupId(StrBytes::from_string(group_id.to_owned())));
    if version <= 2 {
        return request.with_member_id(member_id);
    }
    let member = MemberIdentity::default().with_member_id(member_id);
    let member = match version {
        ..=4 => member,
        _ => member.with_reason(Some(StrBytes::from_string(reason.to_owned()))),
    };
    request.with_members(vec![member])
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use kafka_protocol::protocol::{Encodable, Message};

    use super::*;

    #[test]
    fn requests_can_be_encoded_in_every_version() {
        let settings = GroupSettings { group_instance_id: Some("i".to_owned()), ..GroupSettings::new("g", "connect") };
        let identity = Identity { member_id: "m".into(), generation: 3, protocol: "sessioned".into() };
        let pairs = [("a".to_owned(), Bytes::from_static(b"x"))];
        let mut buffer = BytesMut::new();
        for version in JoinGroupRequest::VERSIONS.min..=JoinGroupRequest::VERSIONS.max {
            join(&settings, &identity, &pairs, version).encode(&mut buffer, version).unwrap();
        }
        for version in SyncGroupRequest::VERSIONS.min..=SyncGroupRequest::VERSIONS.max {
            sync(&settings, &identity, &pairs, version).encode(&mut buffer, version).unwrap();
        }
        for version in HeartbeatRequest::VERSIONS.min..=HeartbeatRequest::VERSIONS.max {
            heartbeat(&settings, &identity, version).encode(&mut buffer, version).unwrap();
        }
        for version in LeaveGroupRequest::VERSIONS.min..=LeaveGroupRequest::VERSIONS.max {
            leave("g", "m", "done", version).encode(&mut buffer, version).unwrap();
        }
    }
}
