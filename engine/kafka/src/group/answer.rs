//! The reactions to the coordinator's error codes.

use kafka_protocol::error::{ParseResponseErrorCode, ResponseError};
use kafka_protocol::messages::LeaveGroupResponse;
use volley_api::Error;

/// The reaction to an answer with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Send the same request again to the same coordinator, after a pause.
    Retry,
    /// Find the coordinator again, and send the same request to it.
    FindCoordinator,
    /// Join, with the same member id.
    Rejoin,
    /// Join as a new member.
    Reset,
    /// The answer has a member id: join with it at once.
    TakeMemberId,
    /// Give up.
    Refuse,
}

/// The reaction to this error in an answer to JoinGroup, SyncGroup or Heartbeat.
pub(super) fn remedy(error: ResponseError) -> Remedy {
    match error {
        ResponseError::CoordinatorLoadInProgress => Remedy::Retry,
        ResponseError::CoordinatorNotAvailable | ResponseError::NotCoordinator => Remedy::FindCoordinator,
        ResponseError::RebalanceInProgress | ResponseError::IllegalGeneration => Remedy::Rejoin,
        ResponseError::UnknownMemberId => Remedy::Reset,
        ResponseError::MemberIdRequired => Remedy::TakeMemberId,
        _ => Remedy::Refuse,
    }
}

/// The error of a LeaveGroup answer. Since version 3 each member has an error of its own.
pub(crate) fn leave_error(response: &LeaveGroupResponse) -> Option<ResponseError> {
    let codes = response.members.iter().map(|member| member.error_code).chain([response.error_code]);
    codes.filter_map(ParseResponseErrorCode::err).next()
}

/// Whether the cluster does not know the group's coordinator yet.
pub(crate) fn coordinator_is_not_ready(error: ResponseError) -> bool {
    error.is_retriable()
        || matches!(error, ResponseError::CoordinatorNotAvailable | ResponseError::CoordinatorLoadInProgress)
}

/// The error of a refusal.
pub(crate) fn refusal(action: &str, group_id: &str, error: ResponseError) -> Error {
    let (advice, exception) = match error {
        ResponseError::GroupAuthorizationFailed => {
            ("this user may not read the group: allow it", "org.apache.kafka.common.errors.GroupAuthorizationException")
        }
        ResponseError::InconsistentGroupProtocol => (
            "its members have another protocol type, or no protocol in common with this one: check `connect.protocol` of \
             workers, `partition.assignment.strategy` of consumers, and that no group of another kind has this name",
            "org.apache.kafka.common.errors.InconsistentGroupProtocolException",
        ),
        ResponseError::InvalidSessionTimeout => (
            "`session.timeout.ms` is not between the broker's `group.min.session.timeout.ms` and \
             `group.max.session.timeout.ms`",
            "org.apache.kafka.common.errors.InvalidSessionTimeoutException",
        ),
        ResponseError::InvalidGroupId => {
            ("the broker does not accept this `group.id`", "org.apache.kafka.common.errors.InvalidGroupIdException")
        }
        ResponseError::GroupMaxSizeReached => (
            "it is full (`group.max.size` of the broker)",
            "org.apache.kafka.common.errors.GroupMaxSizeReachedException",
        ),
        ResponseError::FencedInstanceId => (
            "another consumer has taken over this `group.instance.id`: each needs one of its own",
            "org.apache.kafka.common.errors.FencedInstanceIdException",
        ),
        ResponseError::ClusterAuthorizationFailed => {
            ("this user may not use the cluster", "org.apache.kafka.common.errors.ClusterAuthorizationException")
        }
        other => {
            return Error::fatal(format!("could not {action} group {group_id}: the broker says {other:?}"));
        }
    };
    Error::config(format!("could not {action} group {group_id}: {advice}")).with_exception(exception)
}

#[cfg(test)]
mod tests {
    use volley_api::ErrorKind;

    use super::*;

    #[test]
    fn every_refusal_names_the_group_and_those_that_settings_cure_say_which() {
        for code in -1..130 {
            let Some(error) = ResponseError::try_from_code(code) else { continue };
            let refused = refusal("join", "workers", error);
            assert!(refused.to_string().contains("workers"), "{refused}");
            assert!(matches!(refused.kind(), ErrorKind::Config | ErrorKind::Fatal));
        }
        let refused = refusal("join", "workers", ResponseError::InconsistentGroupProtocol);
        assert_eq!(refused.kind(), ErrorKind::Config);
        assert!(refused.to_string().contains("connect.protocol"));
    }

    #[test]
    fn a_member_id_is_forgotten_only_when_the_coordinator_does_not_know_it() {
        let forgetting: Vec<_> = (-1..130)
            .filter_map(ResponseError::try_from_code)
            .filter(|error| remedy(*error) == Remedy::Reset)
            .collect();
        assert_eq!(forgetting, [ResponseError::UnknownMemberId]);
    }
}
