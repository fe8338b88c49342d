//! The layers before the resources: paths that Kafka Connect's web server refuses, trailing slashes, `OPTIONS`, unknown
//! paths and methods, the time-out, common headers, the log, and catching panics.

use std::panic::AssertUnwindSafe;

use axum::Router;
use axum::extract::Request;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use tower::ServiceExt;
use tracing::error;

use crate::rest::error::{NOT_ALLOWED, RestError};
use crate::rest::front::bad_uri;
use crate::rest::front::cors::Asked;
use crate::rest::front::gate::{PLAIN_TEXT, accepts, check_user};
use crate::rest::front::request_log::Line;
use crate::rest::state::RestState;

/// The order in which Kafka Connect lists the methods of a path.
const METHODS: [&str; 7] = ["HEAD", "POST", "DELETE", "GET", "OPTIONS", "PUT", "PATCH"];

/// The router behind the layers that all resources share.
pub(crate) fn before(resources: Router, state: RestState) -> Router {
    Router::new().fallback(move |request: Request| {
        let (resources, state) = (resources.clone(), state.clone());
        async move {
            let line = Line::begin(&request);
            let response = match bad_uri::refusal(&request) {
                Some(reason) => bad_uri::answer(&reason),
                None => answer(resources, &state, request).await,
            };
            line.write(&response);
            response
        }
    })
}

async fn answer(resources: Router, state: &RestState, mut request: Request) -> Response {
    if let Some(uri) = canonical(request.uri()) {
        *request.uri_mut() = uri;
    }
    let asked = Asked::new(request.method(), request.headers());
    let (method, headers) = (request.method().clone(), request.headers().clone());
    let response = in_time(resources, state, request).await;
    let mut response = finish(response, &method, &headers, state);
    state.settings.headers.apply(response.headers_mut());
    if let Some(cors) = &state.settings.cors {
        cors.apply(&asked, response.headers_mut());
    }
    response
}

/// The resource's answer, unless it takes too long or panics.
async fn in_time(resources: Router, state: &RestState, request: Request) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let answer = AssertUnwindSafe(resources.oneshot(request)).catch_unwind();
    match tokio::time::timeout(state.timeouts.request, answer).await {
        Ok(Ok(Ok(response))) => response,
        Ok(Ok(Err(never))) => match never {},
        Ok(Err(_)) => {
            error!(%method, path, "request panicked");
            RestError::panicked().into_response()
        }
        Err(_) => {
            let stage = state.stage().map(|stage| format!(". {stage}")).unwrap_or_default();
            RestError::internal(format!("Request timed out{stage}")).into_response()
        }
    }
}

/// Converts the router's own answers to Kafka Connect's form.
fn finish(response: Response, method: &Method, headers: &HeaderMap, state: &RestState) -> Response {
    let is_router_s = !response.headers().contains_key(header::CONTENT_TYPE);
    match response.status() {
        StatusCode::METHOD_NOT_ALLOWED if method == Method::OPTIONS => options(&response, headers, state),
        StatusCode::METHOD_NOT_ALLOWED => RestError::Bare(StatusCode::METHOD_NOT_ALLOWED).into_response(),
        StatusCode::NOT_FOUND if is_router_s => RestError::Bare(StatusCode::NOT_FOUND).into_response(),
        _ => response,
    }
}

fn options(response: &Response, headers: &HeaderMap, state: &RestState) -> Response {
    let text = HeaderValue::from_static("text/plain");
    match check_user(headers, &state.settings) {
        Ok(()) => {}
        Err(RestError::NotAllowed) => {
            return (StatusCode::UNAUTHORIZED, [(header::CONTENT_TYPE, text)], NOT_ALLOWED).into_response();
        }
        Err(error) => return error.into_response(),
    }
    let allow = response.headers().get(header::ALLOW).and_then(|allow| allow.to_str().ok()).unwrap_or_default();
    let allowed: Vec<&str> = allow.split(',').map(str::trim).collect();
    let allowed: Vec<&str> =
        METHODS.into_iter().filter(|method| *method == "OPTIONS" || allowed.contains(method)).collect();
    let allow = HeaderValue::try_from(allowed.join(",")).unwrap_or(HeaderValue::from_static(""));
    let body = if accepts(headers, PLAIN_TEXT) { allowed.join(", ") } else { String::new() };
    ([(header::ALLOW, allow), (header::CONTENT_TYPE, text)], body).into_response()
}

/// The URI without path parameters (`;a=b`) and trailing slash; `None` if it has neither.
fn canonical(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    if !path.contains(';') && (path.len() < 2 || !path.ends_with('/')) {
        return None;
    }
    let segments: Vec<&str> = path.split('/').map(|segment| segment.split(';').next().unwrap_or_default()).collect();
    let path = segments.join("/");
    let path = path.trim_end_matches('/');
    let path = if path.is_empty() { "/" } else { path };
    let path_and_query = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(path_and_query).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_parameters_and_trailing_slashes_are_cut_off() {
        let canonical = |text: &str| canonical(&text.parse().unwrap()).map(|uri| uri.to_string());
        assert_eq!(canonical("/connectors/a;b=c?x=y"), Some("/connectors/a?x=y".into()));
        assert_eq!(canonical("/connectors/"), Some("/connectors".into()));
        assert_eq!(canonical("/"), None);
        assert_eq!(canonical("/connectors"), None);
    }
}
