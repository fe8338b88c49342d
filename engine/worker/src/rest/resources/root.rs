//! `GET /` and `GET /health`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::rest::error::{RestError, RestResult};
use crate::rest::state::{RestState, ServerInfo};

/// `GET /`
///
/// A worker of Kafka Connect answers only once it knows its cluster.
pub(crate) async fn server_info(State(state): State<RestState>) -> RestResult<Json<ServerInfo>> {
    state.server_info().await.map(Json).ok_or_else(|| {
        let message = "Worker has not reached the Kafka cluster yet; its log says why.".to_owned();
        RestError::Status(StatusCode::SERVICE_UNAVAILABLE, message)
    })
}

/// `GET /health` (KIP-1017)
pub(crate) async fn health(State(state): State<RestState>) -> Response {
    let ping = tokio::time::timeout(state.timeouts.health, state.herder.ping()).await;
    let (status, health, message) = match (matches!(ping, Ok(Ok(()))), state.herder.is_ready()) {
        (true, true) => {
            let message = "Worker has completed startup and is ready to handle requests.".to_owned();
            (StatusCode::OK, "healthy", message)
        }
        (_, false) => (StatusCode::SERVICE_UNAVAILABLE, "starting", with_stage("Worker is still starting up.", &state)),
        (false, true) => {
            let message = "Worker was unable to handle this request and may be unable to handle other requests.";
            (StatusCode::INTERNAL_SERVER_ERROR, "unhealthy", with_stage(message, &state))
        }
    };
    (status, Json(json!({ "status": health, "message": message }))).into_response()
}

fn with_stage(message: &str, state: &RestState) -> String {
    state.stage().map_or_else(|| message.to_owned(), |stage| format!("{message} {stage}"))
}
