//! `/volley/connectors/{name}/progress`

use axum::Json;
use axum::extract::{Path, State};

use super::error::RestResult;
use super::state::RestState;
use crate::herder::ConnectorProgress;

/// `GET /volley/connectors/{name}/progress`: rows, bytes, lag, rates, files, last commit, per task and in total; and the
/// completion of a bounded connector.
pub(super) async fn progress(
    State(state): State<RestState>,
    Path(name): Path<String>,
) -> RestResult<Json<ConnectorProgress>> {
    Ok(Json(state.herder.progress(&name).await?))
}
