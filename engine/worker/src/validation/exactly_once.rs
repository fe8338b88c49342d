//! Checks the exactly-once requirements of a source (KIP-618). On distributed workers only.
//!
//! A configuration that Kafka Connect refuses is refused with the same message. One that requires exactly once is
//! refused here, too, since sources deliver at least once; with `requested`, which is no requirement, it is accepted.

use volley_api::{ConfigMap, Connector, ConnectorKind, Error, Result, Support};

use super::section::Section;
use crate::worker_config::WorkerConfig;

const EXACTLY_ONCE: &str = "exactly.once.support";
const BOUNDARY: &str = "transaction.boundary";

const AT_LEAST_ONCE: &str = "This version of Volley delivers the records of sources at least once, not exactly once: set \
     `exactly.once.support` to requested if that will do, or run the connector in a group of Java workers.";
const NO_TRANSACTIONS: &str = "This version of Volley sends the records of sources without transactions: leave \
     `transaction.boundary` at poll, its default, which changes nothing here, or run the connector in a group of Java workers.";

/// Checks the keys of a source, on a worker with or without exactly-once support.
pub(super) fn check_exactly_once(
    section: &mut Section,
    connector: &dyn Connector,
    config: &ConfigMap,
    is_enabled: bool,
) {
    if is_asked_for(section, EXACTLY_ONCE, "required") {
        if !is_enabled {
            section.error(EXACTLY_ONCE, "This worker does not have exactly-once source support enabled.");
        }
        let refusal = match connector.exactly_once_support(config) {
            Ok(Some(Support::Supported)) => is_enabled.then(|| AT_LEAST_ONCE.to_owned()),
            Ok(Some(Support::Unsupported)) => Some(
                "The connector does not support exactly-once semantics with the provided configuration.".to_owned(),
            ),
            Ok(None) => Some(
                "The connector does not implement the API required for preflight validation of exactly-once source \
                 support. Please consult the documentation for the connector to determine whether it supports \
                 exactly-once semantics, and then consider reconfiguring the connector to use the value \"requested\" \
                 for this property (which will disable this preflight check and allow the connector to be created)."
                    .to_owned(),
            ),
            Err(error) => Some(unexpected(&error)),
        };
        refusal.into_iter().for_each(|message| section.error(EXACTLY_ONCE, message));
    }
    let refusal = match is_asked_for(section, BOUNDARY, "connector") {
        true => boundary_refusal(connector.can_define_transaction_boundaries(config)),
        false if is_asked_for(section, BOUNDARY, "interval") => None,
        false => return,
    };
    let refusal = refusal.or_else(|| is_enabled.then(|| NO_TRANSACTIONS.to_owned()));
    refusal.into_iter().for_each(|message| section.error(BOUNDARY, message));
}

/// Fails if the tasks of a connector cannot deliver as its configuration requires. Another worker of the group, which
/// supports it, may have accepted the configuration.
///
/// # Errors
/// `Config`; then the tasks are FAILED.
pub(crate) fn check_delivers_as_required(worker: &WorkerConfig, kind: ConnectorKind, config: &ConfigMap) -> Result<()> {
    let is_required = config.get(EXACTLY_ONCE).is_some_and(|support| support.trim().eq_ignore_ascii_case("required"));
    match kind == ConnectorKind::Source && is_required && worker.exactly_once_source_enabled() {
        true => Err(Error::config(AT_LEAST_ONCE)),
        false => Ok(()),
    }
}

fn boundary_refusal(answer: Result<Option<Support>>) -> Option<String> {
    match answer {
        Ok(Some(Support::Supported)) => None,
        Ok(Some(Support::Unsupported)) => Some(
            "The connector does not support connector-defined transaction boundaries with the given configuration. \
             Please reconfigure it to use a different transaction boundary definition."
                .to_owned(),
        ),
        Ok(None) => Some(
            "This connector has returned a null value from its canDefineTransactionBoundaries method, which is not \
             permitted. The connector will be treated as if it cannot define its own transaction boundaries, and cannot \
             be configured with 'transaction.boundary' set to 'connector'."
                .to_owned(),
        ),
        Err(error) => Some(unexpected(&error)),
    }
}

/// Whether a key has no errors and this value.
fn is_asked_for(section: &Section, key: &str, value: &str) -> bool {
    let is_fine = section.entries.get(key).is_some_and(|entry| entry.errors.is_empty());
    is_fine && section.text(key).is_some_and(|text| text.eq_ignore_ascii_case(value))
}

fn unexpected(error: &Error) -> String {
    format!("An unexpected error occurred during validation: {error}")
}
