//! Log levels at run time (KIP-495): which loggers have a level of their own.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::Serialize;

use crate::clock::now_ms;
use crate::plugins::JavaProcesses;

/// Name of the logger above all others.
pub(crate) const ROOT: &str = "root";

/// Puts levels into force. The program that owns the log gives the worker one.
pub trait LogLevels: Send + Sync {
    /// The loggers that there are from the beginning, and their levels, upper case. `root` MUST be among them.
    fn initial(&self) -> BTreeMap<String, String>;

    /// The level of each logger, upper case; `root` is that of all the others. Names have dots where Rust has `::`.
    fn apply(&self, levels: &BTreeMap<String, String>);
}

/// A logger with its own level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct LoggerLevel {
    /// Upper case.
    pub(crate) level: String,
    /// Time of the last change, ms since 1970-01-01 UTC; `None` before the first.
    pub(crate) last_modified: Option<i64>,
}

/// The loggers that have a level of their own.
pub struct Loggers {
    levels: Mutex<BTreeMap<String, LoggerLevel>>,
    target: Option<Arc<dyn LogLevels>>,
    java: Option<Arc<dyn JavaProcesses>>,
}

impl fmt::Debug for Loggers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loggers").field("levels", &self.levels).finish_non_exhaustive()
    }
}

impl Loggers {
    /// The loggers of `target`. Without one there is the root logger at INFO, and levels are kept but change nothing.
    pub fn new(target: Option<Arc<dyn LogLevels>>) -> Self {
        let initial = match &target {
            Some(target) => target.initial(),
            None => BTreeMap::from([(ROOT.to_owned(), "INFO".to_owned())]),
        };
        let levels = initial.into_iter().map(|(name, level)| (name, LoggerLevel { level, last_modified: None }));
        Self { levels: Mutex::new(levels.collect()), target, java: None }
    }

    /// The same, and what is set is set in these processes, too.
    #[must_use]
    pub(crate) fn and_of(mut self, java: Option<Arc<dyn JavaProcesses>>) -> Self {
        self.java = java;
        self
    }

    /// The loggers that have a level of their own, by name.
    pub(crate) fn all(&self) -> BTreeMap<String, LoggerLevel> {
        self.levels.lock().clone()
    }

    /// Gives `namespace`, and every logger whose name begins with it, a level; the names of those that changed.
    pub(crate) fn set(&self, namespace: &str, level: &str) -> Vec<String> {
        let mut levels = self.levels.lock();
        if !levels.contains_key(namespace) {
            let inherited = LoggerLevel { level: effective_level(&levels, namespace), last_modified: None };
            levels.insert(namespace.to_owned(), inherited);
        }
        let mut changed = Vec::new();
        for (name, logger) in levels.iter_mut() {
            if (namespace == ROOT || name.starts_with(namespace)) && logger.level != level {
                *logger = LoggerLevel { level: level.to_owned(), last_modified: Some(now_ms()) };
                changed.push(name.clone());
            }
        }
        if let Some(target) = self.target.as_ref().filter(|_| !changed.is_empty()) {
            target.apply(&levels.iter().map(|(name, logger)| (name.clone(), logger.level.clone())).collect());
        }
        // a level that nothing changes here may change one there, where plug-ins have their own loggers
        if let Some(java) = &self.java {
            java.set_log_level(namespace, level);
        }
        changed
    }
}

/// The level that a logger has from the nearest one above it.
fn effective_level(levels: &BTreeMap<String, LoggerLevel>, name: &str) -> String {
    let mut above = name;
    while let Some((parent, _)) = above.rsplit_once('.') {
        if let Some(logger) = levels.get(parent) {
            return logger.level.clone();
        }
        above = parent;
    }
    levels.get(ROOT).map_or_else(String::new, |root| root.level.clone())
}
