//! Log lines of Java, in the worker's log.

use serde_json::Value;
use tracing::{Level, event};

/// The target of these lines in the worker's log.
pub(crate) const JAVA: &str = "java";

/// Writes a LOG notice of the process called `name`; others are none of this file's business.
pub(crate) fn log(notice: &Value, name: &str) {
    if notice["notice"] != "LOG" {
        return;
    }
    let text = |member: &str| notice[member].as_str().unwrap_or_default();
    let (logger, context, message) = (text("logger"), text("context").trim(), text("message"));
    let trace = notice["trace"].as_str().map_or_else(String::new, |trace| format!("\n{trace}"));
    macro_rules! at {
        ($level:expr) => {
            event!(target: JAVA, $level, java = name, logger, context, "{message}{trace}")
        };
    }
    match text("level") {
        "ERROR" | "FATAL" => at!(Level::ERROR),
        "WARN" => at!(Level::WARN),
        "DEBUG" => at!(Level::DEBUG),
        "TRACE" => at!(Level::TRACE),
        _ => at!(Level::INFO),
    }
}
