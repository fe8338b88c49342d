//! Errors of a cluster that refuses an admin client, as the causes that Kafka Connect's users see below its own
//! message.

use volley_api::Error;

/// The cluster's error with its own message, if there is one.
pub(crate) fn refusal(error: &Error) -> Error {
    let words = match std::error::Error::source(error) {
        None => error.to_string(),
        Some(reason) if error.is_retriable() => format!("{error}: {reason}"),
        Some(words) => words.to_string(),
    };
    Error::new(error.kind(), words).with_exception(error.exception().to_owned())
}

/// The same for places where Kafka Connect waits for a future, whose exception has the cluster's as its cause.
pub(crate) fn execution_exception(error: &Error) -> Error {
    let cause = refusal(error);
    Error::new(cause.kind(), format!("{}: {cause}", cause.exception()))
        .with_exception("java.util.concurrent.ExecutionException")
        .with_source(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_cluster_stand_in_both_causes() {
        let error = Error::config("could not create topic t: invalid").with_exception("a.B").with_source("too many");
        let outer = Error::fatal("Could not").with_source(execution_exception(&error));
        assert_eq!(
            outer.trace(),
            "org.apache.kafka.connect.errors.ConnectException: Could not\n\
             Caused by: java.util.concurrent.ExecutionException: a.B: too many\n\
             Caused by: a.B: too many"
        );
    }

    #[test]
    fn who_does_not_answer_is_named() {
        let error = Error::retriable("no answer of kafka at a:1").with_source("connection refused");
        assert_eq!(refusal(&error).to_string(), "no answer of kafka at a:1: connection refused");
    }
}
