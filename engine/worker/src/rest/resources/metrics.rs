//! `/metrics`: the metrics of this worker in Prometheus' format.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use crate::metrics::CONTENT_TYPE;
use crate::rest::state::RestState;

/// `GET /metrics`
pub(crate) async fn metrics(State(state): State<RestState>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], state.herder.metrics())
}
