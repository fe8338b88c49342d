//! A login that a broker refuses.

use volley_api::Error;

/// What Java's clients fail with.
const SASL_FAILED: &str = "org.apache.kafka.common.errors.SaslAuthenticationException";
const LOGIN: &str = " login (`sasl.jaas.config`)";

/// The broker at `address` refuses a login by `mechanism`, for the `reason` that it gives.
pub(crate) fn login_refused(address: &str, mechanism: &str, reason: &str) -> Error {
    Error::config(format!("broker {address} refuses the {mechanism}{LOGIN}: {reason}")).with_exception(SASL_FAILED)
}

/// Such an error with the broker's words alone as its message, as a task of Java's fails with it, and where it happened below
/// them. Any other error as it is.
pub(crate) fn in_words_of_broker(error: Error) -> Error {
    if error.exception() != SASL_FAILED {
        return error;
    }
    let text = error.to_string();
    match text.split_once(&format!("{LOGIN}: ")) {
        Some((broker, words)) => {
            Error::config(words).with_exception(SASL_FAILED).with_place(format!("{broker}{LOGIN}"))
        }
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_fails_with_the_broker_s_words_and_where_it_heard_them() {
        let error = in_words_of_broker(login_refused("a:1", "PLAIN", "Authentication failed: no: such user"));
        let expected = format!(
            "{SASL_FAILED}: Authentication failed: no: such user\n\tat broker a:1 refuses the PLAIN login (`sasl.jaas.config`)"
        );
        assert_eq!(error.trace(), expected);
        assert_eq!(in_words_of_broker(Error::fatal("x: y")).to_string(), "x: y");
    }
}
