//! The request for the coordinator of a group, or of a transactional id.

use std::time::Duration;

use kafka_protocol::error::{ParseResponseErrorCode, ResponseError};
use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::{FindCoordinatorRequest, FindCoordinatorResponse};
use kafka_protocol::protocol::StrBytes;
use volley_api::{Error, Result};

use super::answer;
use crate::wire::{Address, Connection};

/// What a coordinator is of. The values are the key types of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CoordinatorKind {
    Group = 0,
    Transactions = 1,
}

/// Asks any broker for the coordinator of a group. Returns the error if the cluster does not know it yet.
pub(crate) async fn coordinator_of(
    connection: &mut Connection,
    group_id: &str,
    within: Duration,
) -> Result<std::result::Result<Address, ResponseError>> {
    coordinator_of_kind(connection, CoordinatorKind::Group, group_id, within).await
}

/// Asks any broker for the coordinator of a group or a transactional id. Returns the error if the cluster does not know it yet, and any
/// error about a transactional id.
pub(crate) async fn coordinator_of_kind(
    connection: &mut Connection,
    kind: CoordinatorKind,
    group_id: &str,
    within: Duration,
) -> Result<std::result::Result<Address, ResponseError>> {
    let group = StrBytes::from_string(group_id.to_owned());
    let request = |version| {
        let request = FindCoordinatorRequest::default();
        match version {
            0 => request.with_key(group),
            1..=3 => request.with_key(group).with_key_type(kind as i8),
            _ => request.with_coordinator_keys(vec![group]).with_key_type(kind as i8),
        }
    };
    let found = coordinator_in(connection.call(within, request).await?);
    match found.error_code.err() {
        None => Address::new(&found.host, found.port).map(Ok).ok_or_else(|| {
            Error::retriable(format!("the broker names no address of the coordinator of group {group_id}"))
        }),
        // the caller knows what is to be done about the others
        Some(error) if kind == CoordinatorKind::Transactions || answer::coordinator_is_not_ready(error) => {
            Ok(Err(error))
        }
        Some(error) => Err(answer::refusal("find the coordinator of", group_id, error)),
    }
}

/// Since version 4 the answer is a list, with an entry for each requested group.
fn coordinator_in(response: FindCoordinatorResponse) -> Coordinator {
    let FindCoordinatorResponse { coordinators, host, port, error_code, .. } = response;
    coordinators
        .into_iter()
        .next()
        .unwrap_or_else(|| Coordinator::default().with_host(host).with_port(port).with_error_code(error_code))
}
