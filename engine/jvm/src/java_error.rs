//! Errors of Java, as the host tells them, and those of this side.

use serde_json::{Value, json};
use volley_api::{Error, ErrorKind};

/// The error that `error`, an ERROR of the protocol, stands for.
pub(crate) fn from_json(error: &Value) -> Error {
    let text = |name: &str| error[name].as_str();
    let kind = match text("kind") {
        Some("retriable") => ErrorKind::Retriable,
        Some("data") => ErrorKind::Data,
        Some("config") => ErrorKind::Config,
        _ => ErrorKind::Fatal,
    };
    let mut java = Error::new(kind, text("message").unwrap_or_default());
    if let Some(class) = text("class") {
        java = java.with_exception(class.to_owned());
    }
    match text("trace") {
        Some(trace) => java.with_java_trace(trace.to_owned()),
        None => java,
    }
}

/// An error of this side as an ERROR of the protocol.
pub(crate) fn to_json(error: &Error) -> Value {
    let kind = match error.kind() {
        ErrorKind::Retriable => "retriable",
        ErrorKind::Data => "data",
        ErrorKind::Config => "config",
        ErrorKind::Fatal => "fatal",
    };
    json!({"kind": kind, "class": error.exception(), "message": format!("{error:#}"), "trace": error.trace()})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_keeps_its_class_message_and_stack_trace() {
        let trace = "a.b.Slow: try later\n\tat a.b.C.put(C.java:7)";
        let error = from_json(&json!({
            "kind": "retriable", "class": "a.b.Slow", "message": "try later", "trace": trace
        }));
        assert!(error.is_retriable());
        assert_eq!((error.exception(), error.to_string().as_str()), ("a.b.Slow", "try later"));
        assert_eq!(error.trace(), trace);
        assert_eq!(to_json(&error)["kind"], "retriable");
    }

    #[test]
    fn an_exception_without_a_message_has_an_empty_one() {
        let error = from_json(&json!({"kind": "fatal", "class": "java.lang.StackOverflowError", "message": null}));
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Fatal, ""));
        assert_eq!(error.exception(), "java.lang.StackOverflowError");
    }
}
