//! Checks the exactly-once requirements of a source (KIP-618). On distributed workers only.
//!
//! A configuration that Kafka Connect refuses is refused with the same message.

use volley_api::{ConfigMap, Connector, Error, Result, Support};

use super::section::Section;

const EXACTLY_ONCE: &str = "exactly.once.support";
const BOUNDARY: &str = "transaction.boundary";

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
            Ok(Some(Support::Supported)) => None,
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
    if is_asked_for(section, BOUNDARY, "connector")
        && let Some(message) = boundary_refusal(connector.can_define_transaction_boundaries(config))
    {
        section.error(BOUNDARY, message);
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
