//! librdkafka's errors as the project's: the kind tells the caller what to do.

use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode as Code;
use volley_api::{Error, ErrorKind};

/// What the caller can do about an error of the broker or the client library.
pub(crate) fn kind_of(code: Code) -> ErrorKind {
    if is_refusal(code) {
        return ErrorKind::Config;
    }
    match code {
        Code::MessageSizeTooLarge
        | Code::InvalidMessageSize
        | Code::MessageBatchTooLarge
        | Code::InvalidMessage
        | Code::InvalidRecord
        | Code::InvalidTimestamp => ErrorKind::Data,
        Code::Fatal
        | Code::Fenced
        | Code::FencedInstanceId
        | Code::ProducerFenced
        | Code::InvalidProducerEpoch
        | Code::UnreleasedInstanceId
        | Code::UnsupportedVersion
        | Code::UnsupportedFeature
        | Code::UnsupportedForMessageFormat
        | Code::NotImplemented
        | Code::InvalidArgument
        | Code::Conflict
        | Code::OutOfOrderSequenceNumber
        | Code::Unknown => ErrorKind::Fatal,
        _ => ErrorKind::Retriable,
    }
}

/// Whether the cluster refuses what is asked, and will until somebody changes a setting.
pub(crate) fn is_refusal(code: Code) -> bool {
    is_authentication(code)
        || matches!(
            code,
            Code::TopicAuthorizationFailed
                | Code::GroupAuthorizationFailed
                | Code::ClusterAuthorizationFailed
                | Code::TransactionalIdAuthorizationFailed
                | Code::DelegationTokenAuthorizationFailed
                | Code::InvalidTopic
                | Code::InvalidGroupId
                | Code::InvalidConfig
                | Code::InvalidPartitions
                | Code::InvalidReplicationFactor
                | Code::InvalidReplicaAssignment
                | Code::InvalidRequiredAcks
                | Code::InvalidSessionTimeout
                | Code::InvalidTransactionTimeout
                | Code::InconsistentGroupProtocol
                | Code::UnsupportedAssignor
                | Code::UnsupportedCompressionType
                | Code::PolicyViolation
                | Code::AutoOffsetReset
                | Code::NotConfigured
        )
}

/// Whether the broker does not believe who we are.
pub(crate) fn is_authentication(code: Code) -> bool {
    matches!(
        code,
        Code::Authentication
            | Code::SaslAuthenticationFailed
            | Code::UnsupportedSASLMechanism
            | Code::IllegalSASLState
            | Code::SecurityDisabled
    )
}

const NOT_COORDINATOR: &str = "org.apache.kafka.common.errors.NotCoordinatorException";
const COORDINATOR_LOADING: &str = "org.apache.kafka.common.errors.CoordinatorLoadInProgressException";
const COORDINATOR_NOT_AVAILABLE: &str = "org.apache.kafka.common.errors.CoordinatorNotAvailableException";

/// Whether the group's coordinator was not ready for the request.
pub(crate) fn is_coordinator_moving(error: &Error) -> bool {
    [NOT_COORDINATOR, COORDINATOR_LOADING, COORDINATOR_NOT_AVAILABLE].contains(&error.exception())
}

const AUTHENTICATION: &str = "org.apache.kafka.common.errors.SaslAuthenticationException";

/// Whether the broker refuses who we are, which no message has a part in.
pub fn is_login_refused(error: &Error) -> bool {
    error.exception() == AUTHENTICATION
}

const TIMEOUT: &str = "org.apache.kafka.common.errors.TimeoutException";

/// Whether the time is over that the settings give a message.
pub fn is_timeout(error: &Error) -> bool {
    error.exception() == TIMEOUT
}

const MISSING_TOPIC: &str = "org.apache.kafka.common.errors.UnknownTopicOrPartitionException";

/// The class of the error of a producer whose `transactional.id` another has taken over, or whose transaction has timed out.
pub(crate) const PRODUCER_FENCED: &str = "org.apache.kafka.common.errors.ProducerFencedException";

const INVALID_EPOCH: &str = "org.apache.kafka.common.errors.InvalidProducerEpochException";

/// Whether the code says that a producer's epoch is not the latest of its `transactional.id`.
pub(crate) fn is_fencing_code(code: Code) -> bool {
    matches!(code, Code::Fenced | Code::ProducerFenced | Code::InvalidProducerEpoch)
}

/// Whether a producer has lost its `transactional.id`: another has taken it over, or the coordinator has ended a transaction that
/// took too long. The client library does not tell which.
pub fn is_fenced(error: &Error) -> bool {
    [PRODUCER_FENCED, INVALID_EPOCH].contains(&error.exception())
}

/// Whether a topic or partition is not there (any more).
pub fn is_missing_topic(error: &Error) -> bool {
    error.is_retriable() && error.exception() == MISSING_TOPIC
}

pub(crate) fn exception_of(code: Code) -> Option<&'static str> {
    Some(match code {
        code if is_authentication(code) => AUTHENTICATION,
        Code::TopicAuthorizationFailed => "org.apache.kafka.common.errors.TopicAuthorizationException",
        Code::GroupAuthorizationFailed => "org.apache.kafka.common.errors.GroupAuthorizationException",
        Code::ClusterAuthorizationFailed => "org.apache.kafka.common.errors.ClusterAuthorizationException",
        Code::MessageSizeTooLarge | Code::InvalidMessageSize => {
            "org.apache.kafka.common.errors.RecordTooLargeException"
        }
        Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::UnknownPartition => MISSING_TOPIC,
        Code::OperationTimedOut | Code::MessageTimedOut | Code::RequestTimedOut | Code::TimedOutQueue => TIMEOUT,
        Code::NotCoordinator => NOT_COORDINATOR,
        Code::CoordinatorLoadInProgress => COORDINATOR_LOADING,
        Code::CoordinatorNotAvailable | Code::WaitingForCoordinator => COORDINATOR_NOT_AVAILABLE,
        Code::Fenced | Code::ProducerFenced => PRODUCER_FENCED,
        Code::InvalidProducerEpoch => INVALID_EPOCH,
        Code::TransactionalIdAuthorizationFailed => {
            "org.apache.kafka.common.errors.TransactionalIdAuthorizationException"
        }
        Code::InvalidTopic => "org.apache.kafka.common.errors.InvalidTopicException",
        Code::InvalidConfig => "org.apache.kafka.common.errors.InvalidConfigurationException",
        Code::InvalidPartitions => "org.apache.kafka.common.errors.InvalidPartitionsException",
        Code::PolicyViolation => "org.apache.kafka.common.errors.PolicyViolationException",
        Code::InvalidTimestamp => "org.apache.kafka.common.errors.InvalidTimestampException",
        Code::InvalidReplicationFactor => "org.apache.kafka.common.errors.InvalidReplicationFactorException",
        _ => return None,
    })
}

/// The error for `code` while trying to do `action`.
pub(crate) fn from_code(action: &str, code: Code) -> Error {
    let error = Error::new(kind_of(code), format!("could not {action}: {}", reason_of(code)));
    match exception_of(code) {
        Some(class) => error.with_exception(class),
        None => error,
    }
}

fn reason_of(code: Code) -> String {
    // Printed as `Name (Broker: description)`.
    let text = code.to_string();
    match text.split_once(" (") {
        Some((_, description)) => description.strip_suffix(')').unwrap_or(description).to_owned(),
        None => text,
    }
}

/// The error of the client library while trying to do `action`. Values of properties are not shown: they may be secret.
pub(crate) fn from_client(action: &str, error: &KafkaError) -> Error {
    let code = match error {
        KafkaError::AdminOp(code) => Some(*code),
        other => other.rdkafka_error_code(),
    };
    if let Some(code) = code {
        return from_code(action, code);
    }
    match error {
        KafkaError::ClientConfig(_, _, key, _) => {
            Error::config(format!("could not {action}: property `{key}` has a value that the Kafka client refuses"))
        }
        KafkaError::ClientCreation(reason) => Error::config(format!("could not {action}: {reason}")),
        KafkaError::Canceled => Error::retriable(format!("could not {action}: the client is closing")),
        other => Error::fatal(format!("could not {action}: {other}")),
    }
}

#[cfg(test)]
mod tests {
    use rdkafka::types::RDKafkaConfRes;

    use super::*;

    #[test]
    fn kinds_tell_what_to_do() {
        assert_eq!(kind_of(Code::BrokerTransportFailure), ErrorKind::Retriable);
        assert_eq!(kind_of(Code::RebalanceInProgress), ErrorKind::Retriable);
        assert_eq!(kind_of(Code::IllegalGeneration), ErrorKind::Retriable);
        assert_eq!(kind_of(Code::GroupAuthorizationFailed), ErrorKind::Config);
        assert_eq!(kind_of(Code::Authentication), ErrorKind::Config);
        assert_eq!(kind_of(Code::MessageSizeTooLarge), ErrorKind::Data);
        assert_eq!(kind_of(Code::FencedInstanceId), ErrorKind::Fatal);
    }

    #[test]
    fn a_bad_property_is_named_without_its_value() {
        let error = KafkaError::ClientConfig(
            RDKafkaConfRes::RD_KAFKA_CONF_INVALID,
            "bad".to_owned(),
            "sasl.password".to_owned(),
            "hush".to_owned(),
        );
        let error = from_client("make a consumer", &error);
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("sasl.password") && !error.trace().contains("hush"), "{error}");
    }
}
