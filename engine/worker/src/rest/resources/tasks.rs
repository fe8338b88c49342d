//! `/connectors/{name}/tasks`

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;

use crate::error::HerderError;
use crate::herder::{TaskInfo, TaskStateInfo};
use crate::rest::error::{RestError, RestResult};
use crate::rest::resources::forwarding::Forwarding;
use crate::rest::state::RestState;

/// `GET /connectors/{name}/tasks`
pub(crate) async fn list(State(state): State<RestState>, Path(name): Path<String>) -> RestResult<Json<Vec<TaskInfo>>> {
    Ok(Json(state.shown_tasks(&name).await?))
}

/// `GET /connectors/{name}/tasks/{task}/status`
pub(crate) async fn status(
    State(state): State<RestState>,
    Path((name, task)): Path<(String, String)>,
) -> RestResult<Json<TaskStateInfo>> {
    let task = number(&task)?;
    let Ok(task) = usize::try_from(task) else {
        return Err(HerderError::NotFound(format!("No status found for task {name}-{task}")).into());
    };
    Ok(Json(state.herder.task_status(&name, task).await?))
}

/// `POST /connectors/{name}/tasks/{task}/restart`
pub(crate) async fn restart(
    State(state): State<RestState>,
    Path((name, task)): Path<(String, String)>,
    forwarding: Forwarding,
) -> RestResult<StatusCode> {
    let task = number(&task)?;
    let Ok(task) = usize::try_from(task) else {
        // An unknown connector is reported first.
        state
            .herder
            .connector_info(&name)
            .await
            .map_err(|_| HerderError::NotFound(format!("Unknown connector: {name}")))?;
        return Err(HerderError::NotFound(format!("Unknown task: {name}-{task}")).into());
    };
    let outcome = state.herder.restart_task(&name, task).await;
    forwarding.complete(&state, outcome, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A task's number, which may be negative in a request.
fn number(task: &str) -> RestResult<i32> {
    task.parse().map_err(|_| RestError::no_such_path())
}
