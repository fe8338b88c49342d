//! Log levels of Java: those that were set while the worker runs, for the processes that run and for those that start later.

use std::time::Duration;

use parking_lot::Mutex;
use serde_json::json;
use tracing::{Level, enabled, warn};
use volley_api::Error;

use super::host::Host;
use crate::control::CallError;
use crate::notices::JAVA;

/// For a call that runs no code of a plug-in.
const LIMIT: Duration = Duration::from_secs(5);
/// The logger above all others.
const ROOT: &str = "root";
/// What a host logs unless it is told otherwise.
const USUAL: &str = "INFO";

/// A level that was set.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Change {
    number: u64,
    logger: String,
    level: String,
}

/// The changes that still have an effect, in order.
#[derive(Debug, Default)]
pub(crate) struct LogLevels(Mutex<Vec<Change>>);

impl LogLevels {
    /// Those of a worker at its start: Java logs what the worker's own log takes of it, unless a file of its own says what.
    pub(crate) fn of_the_log() -> Self {
        let this = Self::default();
        let has_own_file = std::env::var_os("KAFKA_LOG4J_OPTS").is_some_and(|options| !options.is_empty());
        let level = level_of_the_log();
        if level != USUAL && !has_own_file {
            this.set(ROOT, level);
        }
        this
    }

    /// Gives a level to all loggers whose names begin so, as Kafka Connect does: what was set for one of them has no effect any
    /// more.
    pub(super) fn set(&self, logger: &str, level: &str) {
        let mut changes = self.0.lock();
        let number = changes.last().map_or(1, |last| last.number + 1);
        changes.retain(|change| logger != ROOT && !change.logger.starts_with(logger));
        changes.push(Change { number, logger: logger.to_owned(), level: level.to_owned() });
    }

    /// Tells a process what it does not know yet. Waits for its answers, so that a later change is not overtaken.
    pub(super) fn tell(&self, host: &Host) {
        let mut told = host.told_levels.lock();
        let news: Vec<Change> = self.0.lock().iter().filter(|change| change.number > *told).cloned().collect();
        for Change { number, logger, level } in news {
            let request = json!({ "name": logger, "level": level });
            match host.process.calls().call("LOGGER", request, LIMIT, &|| false) {
                Err(CallError::Ended(_)) => return,
                Err(error @ CallError::Hangs(_)) => {
                    let (java, error) = (host.process.name(), Error::from(error));
                    return warn!(target: "volley_jvm", java, logger, %error, "a log level is not known to a Java process");
                }
                Err(CallError::Java(error)) => {
                    let java = host.process.name();
                    warn!(target: "volley_jvm", java, logger, level, %error, "a Java process does not take a log level");
                }
                Ok(_) => {}
            }
            *told = number;
        }
    }
}

/// The level down to which the worker's log takes lines of Java.
fn level_of_the_log() -> &'static str {
    if enabled!(target: JAVA, Level::TRACE) {
        "TRACE"
    } else if enabled!(target: JAVA, Level::DEBUG) {
        "DEBUG"
    } else if enabled!(target: JAVA, Level::INFO) {
        USUAL
    } else if enabled!(target: JAVA, Level::WARN) {
        "WARN"
    } else if enabled!(target: JAVA, Level::ERROR) {
        "ERROR"
    } else {
        "OFF"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_for_a_package_replaces_those_of_what_is_below_it() {
        let levels = LogLevels::default();
        let kept = |levels: &LogLevels| {
            let changes = levels.0.lock();
            changes.iter().map(|change| (change.logger.clone(), change.level.clone())).collect::<Vec<_>>()
        };
        let pair = |logger: &str, level: &str| (logger.to_owned(), level.to_owned());
        levels.set("a.b", "DEBUG");
        levels.set("a.b.c", "TRACE");
        assert_eq!(kept(&levels), [pair("a.b", "DEBUG"), pair("a.b.c", "TRACE")]);
        levels.set("a", "WARN");
        levels.set("a.b", "INFO");
        assert_eq!(kept(&levels), [pair("a", "WARN"), pair("a.b", "INFO")]);
        levels.set(ROOT, "ERROR");
        assert_eq!(kept(&levels), [pair(ROOT, "ERROR")]);
        assert!(levels.0.lock()[0].number > 4, "a process that knew the others is told this");
    }
}
