//! `/admin/loggers` (KIP-495): log levels at run time.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use parking_lot::Mutex;
use serde::Serialize;
use tracing::warn;

use super::error::RestResult;
use super::json_body::JsonBody;
use super::query::QueryParams;
use super::state::RestState;
use crate::clock::now_ms;
use crate::error::HerderError;

const ROOT: &str = "root";
const LEVELS: [&str; 8] = ["OFF", "FATAL", "ERROR", "WARN", "INFO", "DEBUG", "TRACE", "ALL"];

/// Puts levels into force. The program that owns the log gives the worker one.
pub trait LogLevels: Send + Sync {
    /// The loggers that there are from the beginning, and their levels, upper case. `root` MUST be among them.
    fn initial(&self) -> BTreeMap<String, String>;

    /// The level of each logger, upper case; `root` is that of all the others. Names have dots where Rust has `::`.
    fn apply(&self, levels: &BTreeMap<String, String>);
}

/// A logger with its own level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct LoggerLevel {
    level: String,
    last_modified: Option<i64>,
}

/// The loggers that have a level of their own.
pub struct Loggers {
    levels: Mutex<BTreeMap<String, LoggerLevel>>,
    target: Option<Arc<dyn LogLevels>>,
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
        Self { levels: Mutex::new(levels.collect()), target }
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

/// `GET /admin/loggers`
pub(super) async fn list(State(state): State<RestState>) -> Json<BTreeMap<String, LoggerLevel>> {
    Json(state.loggers.levels.lock().clone())
}

/// `GET /admin/loggers/{logger}`
pub(super) async fn get(State(state): State<RestState>, Path(name): Path<String>) -> RestResult<Json<LoggerLevel>> {
    let found = state.loggers.levels.lock().get(canonical(&name)).cloned();
    found.map(Json).ok_or_else(|| HerderError::NotFound(format!("Logger {name} not found.")).into())
}

/// `PUT /admin/loggers/{logger}`
pub(super) async fn put(
    State(state): State<RestState>,
    Path(name): Path<String>,
    query: QueryParams,
    body: JsonBody,
) -> RestResult<Response> {
    let level =
        body.into_config("levelMap").await?.values.shift_remove("level").ok_or_else(|| {
            HerderError::BadRequest("Desired 'level' parameter was not specified in request.".to_owned())
        })?;
    let upper = level.to_uppercase();
    if !LEVELS.contains(&upper.as_str()) {
        return Err(HerderError::NotFound(format!("invalid log level '{level}'.")).into());
    }
    let (namespace, scope) = (canonical(&name), query.first("scope").unwrap_or("worker"));
    if scope.eq_ignore_ascii_case("cluster") {
        state.herder.set_cluster_log_level(namespace, &upper).await?;
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    if !scope.eq_ignore_ascii_case("worker") {
        warn!(scope, "unknown scope of a log level: it is changed on this worker only");
    }
    Ok(Json(state.loggers.set(namespace, &upper)).into_response())
}

fn canonical(name: &str) -> &str {
    if name.eq_ignore_ascii_case(ROOT) { ROOT } else { name }
}
