//! Fencing producers by their `transactional.id`, without being one (KIP-588, `Admin.fenceProducers` of the Java client).

use kafka_protocol::messages::{InitProducerIdRequest, ProducerId, TransactionalId};
use kafka_protocol::protocol::StrBytes;
use rdkafka::types::RDKafkaErrorCode as Code;
use volley_api::{Error, Result};

use crate::Admin;
use crate::broker_error;
use crate::questions::{Whom, checked};

/// The time limit of transactions that the request has to name. Whoever takes over the id next names another.
const TRANSACTION_TIMEOUT_MS: i32 = 60_000;

impl Admin {
    /// Fences the producer with this `transactional.id`, if there is one: its open transaction is aborted, and nothing that it does
    /// afterwards has an effect. Returns when that is so.
    ///
    /// # Errors
    /// `Config` when the cluster does not allow it; `Retriable` when no broker answers in time.
    pub fn fence_producer(&self, transactional_id: &str) -> Result<()> {
        if transactional_id.is_empty() || transactional_id.contains('\0') {
            return Err(Error::config(format!(
                "there can be no transactional id `{}`",
                transactional_id.escape_debug()
            )));
        }
        let action = format!("fence the producer with transactional id {transactional_id}");
        let questions = self.questions();
        let whom = Whom::TransactionCoordinatorOf(transactional_id);
        let fenced = questions.ask(&action, whom, async |connection| {
            let response = connection.call(questions.within(), |_| request(transactional_id)).await?;
            Ok(checked(response.error_code))
        })?;
        fenced.map_err(|code| {
            let error = broker_error::from_code(&action, code);
            match code {
                Code::TransactionalIdAuthorizationFailed => {
                    error.with_source("this user needs the rights Write and Describe on the transactional id")
                }
                _ => error,
            }
        })
    }
}

/// Without a producer id of one's own: the coordinator gives the next epoch to nobody.
fn request(transactional_id: &str) -> InitProducerIdRequest {
    InitProducerIdRequest::default()
        .with_transactional_id(Some(TransactionalId(StrBytes::from_string(transactional_id.to_owned()))))
        .with_transaction_timeout_ms(TRANSACTION_TIMEOUT_MS)
        .with_producer_id(ProducerId(-1))
        .with_producer_epoch(-1)
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use kafka_protocol::protocol::{Encodable, Message};

    use super::*;

    #[test]
    fn producers_can_be_fenced_in_every_version() {
        let range = InitProducerIdRequest::VERSIONS;
        for version in range.min..=range.max {
            request("group-connector-0").encode(&mut BytesMut::new(), version).unwrap();
        }
    }
}
