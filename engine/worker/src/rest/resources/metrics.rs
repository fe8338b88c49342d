//! `/metrics`: the metrics of this worker in Prometheus' format.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use crate::error::HerderError;
use crate::metrics::CONTENT_TYPE;
use crate::plugin_call::{Deadline, call_plugin};
use crate::rest::error::RestResult;
use crate::rest::state::RestState;

/// Longer than anything that is waited for.
const LIMIT: Duration = Duration::from_secs(9);

/// `GET /metrics`
pub(crate) async fn metrics(State(state): State<RestState>) -> RestResult<impl IntoResponse> {
    let herder = Arc::clone(&state.herder);
    let text = call_plugin("the metrics of this worker", Deadline::after(LIMIT), move || herder.metrics()).await;
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text.map_err(HerderError::from)?))
}
