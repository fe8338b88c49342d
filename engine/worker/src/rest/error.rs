//! Errors as answers: a status and `{"error_code", "message"}`.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::herder::HerderError;

/// The body of every error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct ErrorMessage {
    error_code: u16,
    message: String,
}

/// What a resource answers when it cannot do what is asked.
#[derive(Debug)]
pub(super) enum RestError {
    /// The herder's error.
    Herder(HerderError),
    /// Any status, with a message.
    Status(StatusCode, String),
    /// One that the web server gives before a resource is chosen: its answer says no content type.
    Bare(StatusCode),
}

/// `Result` of a resource.
pub(super) type RestResult<T> = Result<T, RestError>;

impl RestError {
    /// 500 with the text that Kafka Connect's JSON library would give.
    pub(super) fn body(message: impl Into<String>) -> Self {
        Self::Status(StatusCode::INTERNAL_SERVER_ERROR, message.into())
    }

    /// 404 of a path.
    pub(super) fn no_such_path() -> Self {
        Self::Status(StatusCode::NOT_FOUND, http_message(StatusCode::NOT_FOUND))
    }
}

impl From<HerderError> for RestError {
    fn from(error: HerderError) -> Self {
        Self::Herder(error)
    }
}

/// `HTTP 404 Not Found` and the like.
pub(super) fn http_message(status: StatusCode) -> String {
    format!("HTTP {} {}", status.as_u16(), status.canonical_reason().unwrap_or_default())
}

impl IntoResponse for RestError {
    fn into_response(self) -> Response {
        let (status, message) = match &self {
            Self::Herder(error) => {
                let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                (status, error.to_string())
            }
            Self::Status(status, message) => (*status, message.clone()),
            Self::Bare(status) => (*status, http_message(*status)),
        };
        let mut response = (status, Json(ErrorMessage { error_code: status.as_u16(), message })).into_response();
        if matches!(self, Self::Bare(_)) {
            response.headers_mut().remove(header::CONTENT_TYPE);
        }
        response
    }
}
