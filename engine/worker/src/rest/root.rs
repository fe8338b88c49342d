//! `GET /` and `GET /health`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::state::{RestState, ServerInfo};

/// `GET /`
pub(super) async fn server_info(State(state): State<RestState>) -> Json<ServerInfo> {
    Json(state.server_info())
}

/// `GET /health` (KIP-1017)
pub(super) async fn health(State(state): State<RestState>) -> Response {
    if state.herder.is_ready() {
        let message = "Worker has completed startup and is ready to handle requests.";
        return Json(json!({ "status": "healthy", "message": message })).into_response();
    }
    let body = json!({ "status": "starting", "message": "Worker is still starting up." });
    (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
}
