//! `/admin/loggers` (KIP-495): log levels at run time.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tracing::warn;

use crate::error::HerderError;
use crate::loggers::{LoggerLevel, ROOT};
use crate::rest::error::RestResult;
use crate::rest::json::json_body::JsonBody;
use crate::rest::resources::query::QueryParams;
use crate::rest::state::RestState;

const LEVELS: [&str; 8] = ["OFF", "FATAL", "ERROR", "WARN", "INFO", "DEBUG", "TRACE", "ALL"];

/// `GET /admin/loggers`
pub(crate) async fn list(State(state): State<RestState>) -> Json<BTreeMap<String, LoggerLevel>> {
    Json(state.loggers.all())
}

/// `GET /admin/loggers/{logger}`
pub(crate) async fn get(State(state): State<RestState>, Path(name): Path<String>) -> RestResult<Json<LoggerLevel>> {
    let found = state.loggers.all().remove(canonical(&name));
    found.map(Json).ok_or_else(|| HerderError::NotFound(format!("Logger {name} not found.")).into())
}

/// `PUT /admin/loggers/{logger}`
pub(crate) async fn put(
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
