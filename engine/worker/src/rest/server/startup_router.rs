//! The answers of a worker that has no herder yet.

use std::sync::{Arc, OnceLock};

use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::json;
use tower::ServiceExt;

use crate::rest::error::RestError;

/// Passes every request to the router that is set later. Until then `/health` reports that the worker is starting, and
/// other paths are 404, on which clients of Kafka Connect retry.
pub(crate) fn startup_router(router: Arc<OnceLock<Router>>) -> Router {
    Router::new().fallback(move |request: Request| {
        let router = Arc::clone(&router);
        async move {
            match router.get() {
                Some(router) => match router.clone().oneshot(request).await {
                    Ok(response) => response,
                    Err(never) => match never {},
                },
                None => starting(&request),
            }
        }
    })
}

fn starting(request: &Request) -> Response {
    if request.method() == Method::GET && request.uri().path().trim_end_matches('/') == "/health" {
        let message = "Worker is still starting up. The worker is currently initializing and reading to the end of internal topics.";
        let body = json!({ "status": "starting", "message": message });
        return (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response();
    }
    RestError::Bare(StatusCode::NOT_FOUND).into_response()
}
