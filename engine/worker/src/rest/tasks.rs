//! `/connectors/{name}/tasks`

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;

use super::error::{RestError, RestResult};
use super::state::RestState;
use crate::herder::{TaskInfo, TaskStateInfo};

/// `GET /connectors/{name}/tasks`
pub(super) async fn list(State(state): State<RestState>, Path(name): Path<String>) -> RestResult<Json<Vec<TaskInfo>>> {
    Ok(Json(state.herder.task_infos(&name).await?))
}

/// `GET /connectors/{name}/tasks/{task}/status`
pub(super) async fn status(
    State(state): State<RestState>,
    Path((name, task)): Path<(String, String)>,
) -> RestResult<Json<TaskStateInfo>> {
    Ok(Json(state.herder.task_status(&name, number(&task)?).await?))
}

/// `POST /connectors/{name}/tasks/{task}/restart`
pub(super) async fn restart(
    State(state): State<RestState>,
    Path((name, task)): Path<(String, String)>,
) -> RestResult<StatusCode> {
    state.herder.restart_task(&name, number(&task)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn number(task: &str) -> RestResult<usize> {
    task.parse().map_err(|_| RestError::no_such_path())
}
