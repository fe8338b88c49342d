//! Errors as HTTP answers: a status and `{"error_code", "message"}`.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::error::HerderError;

/// The answer to a request without a user. It is not JSON, as in Kafka Connect.
pub(crate) const NOT_ALLOWED: &str = "User cannot access the resource.";

/// The body of every error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct ErrorMessage {
    error_code: i64,
    message: Option<String>,
}

/// The error of a resource.
#[derive(Debug)]
pub(crate) enum RestError {
    /// The herder's error.
    Herder(HerderError),
    /// Any status, with a message.
    Status(StatusCode, String),
    /// An error of the web server before it selects a resource. Its answer has no content type.
    Bare(StatusCode),
    /// 401: no user, or the wrong password.
    NotAllowed,
    /// The error of another worker.
    Relayed { status: StatusCode, error_code: i64, message: Option<String> },
}

/// `Result` of a resource.
pub(crate) type RestResult<T> = Result<T, RestError>;

impl RestError {
    /// 500 with a message.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::Status(StatusCode::INTERNAL_SERVER_ERROR, message.into())
    }

    /// 500 of a request that caused a panic.
    pub(crate) fn panicked() -> Self {
        Self::internal("the request made the worker panic: this is a defect of Volley")
    }

    /// 413 for a body.
    pub(crate) fn too_large() -> Self {
        Self::Status(StatusCode::PAYLOAD_TOO_LARGE, "HTTP 413 Request Entity Too Large".to_owned())
    }

    /// 404 for a path.
    pub(crate) fn no_such_path() -> Self {
        Self::Status(StatusCode::NOT_FOUND, http_message(StatusCode::NOT_FOUND))
    }
}

impl From<HerderError> for RestError {
    fn from(error: HerderError) -> Self {
        Self::Herder(error)
    }
}

/// For example `HTTP 404 Not Found`.
pub(crate) fn http_message(status: StatusCode) -> String {
    format!("HTTP {} {}", status.as_u16(), status.canonical_reason().unwrap_or_default())
}

impl IntoResponse for RestError {
    fn into_response(self) -> Response {
        match self {
            Self::Herder(error) => {
                let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                answer(status, status.as_u16().into(), Some(error.to_string()))
            }
            Self::Status(status, message) => answer(status, status.as_u16().into(), Some(message)),
            Self::Bare(status) => {
                let mut response = answer(status, status.as_u16().into(), Some(http_message(status)));
                response.headers_mut().remove(header::CONTENT_TYPE);
                response
            }
            Self::NotAllowed => {
                let json = HeaderValue::from_static("application/json");
                (StatusCode::UNAUTHORIZED, [(header::CONTENT_TYPE, json)], NOT_ALLOWED).into_response()
            }
            Self::Relayed { status, error_code, message } => answer(status, error_code, message),
        }
    }
}

fn answer(status: StatusCode, error_code: i64, message: Option<String>) -> Response {
    (status, Json(ErrorMessage { error_code, message })).into_response()
}
