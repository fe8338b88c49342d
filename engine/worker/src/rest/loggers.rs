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
use serde_json::Value;

use super::error::{RestError, RestResult};
use super::json_body::JsonBody;
use super::query::QueryParams;
use super::state::RestState;
use crate::clock::now_ms;
use crate::herder::HerderError;

const ROOT: &str = "root";
const LEVELS: [&str; 8] = ["OFF", "FATAL", "ERROR", "WARN", "INFO", "DEBUG", "TRACE", "ALL"];

/// Puts levels into force. The program that owns the log gives the worker one.
pub trait LogLevels: Send + Sync {
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
    /// The root logger at INFO. Without a `target`, levels are kept but change nothing.
    pub fn new(target: Option<Arc<dyn LogLevels>>) -> Self {
        let root = LoggerLevel { level: "INFO".to_owned(), last_modified: None };
        Self { levels: Mutex::new(BTreeMap::from([(ROOT.to_owned(), root)])), target }
    }

    /// Gives `namespace`, and every logger whose name begins with it, a level; the names of those that changed.
    pub(crate) fn set(&self, namespace: &str, level: &str) -> Vec<String> {
        let mut levels = self.levels.lock();
        let unset = LoggerLevel { level: String::new(), last_modified: None };
        levels.entry(namespace.to_owned()).or_insert(unset);
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
    let members = body.into_object("java.util.LinkedHashMap<java.lang.String,java.lang.String>")?;
    let Some(level) = members.get("level").and_then(Value::as_str) else {
        let message = "Desired 'level' parameter was not specified in request.";
        return Err(HerderError::BadRequest(message.into()).into());
    };
    let upper = level.to_uppercase();
    if !LEVELS.contains(&upper.as_str()) {
        return Err(RestError::Status(StatusCode::NOT_FOUND, format!("invalid log level '{level}'.")));
    }
    let changed = state.loggers.set(canonical(&name), &upper);
    match query.first("scope").is_some_and(|scope| scope.eq_ignore_ascii_case("cluster")) {
        // A standalone worker is its whole cluster.
        true => Ok(StatusCode::NO_CONTENT.into_response()),
        false => Ok(Json(changed).into_response()),
    }
}

fn canonical(name: &str) -> &str {
    if name.eq_ignore_ascii_case(ROOT) { ROOT } else { name }
}
