//! What stands before the resources: paths that no web server of Kafka Connect takes, trailing slashes, `OPTIONS`, unknown
//! paths and methods, the time-out, and the last net for a panic.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use tower::ServiceExt;
use tracing::{debug, error};

use super::error::RestError;

/// How long a request may take.
const TIMEOUT: Duration = Duration::from_secs(90);

/// The router, behind everything that all resources share.
pub(super) fn before(resources: Router) -> Router {
    Router::new().fallback(move |request: Request| {
        let resources = resources.clone();
        async move { answer(resources, request).await }
    })
}

async fn answer(resources: Router, mut request: Request) -> Response {
    if !is_unambiguous(request.uri().path()) {
        return ambiguous(request.uri().path());
    }
    if let Some(uri) = canonical(request.uri()) {
        *request.uri_mut() = uri;
    }
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let accepts_json = accepts_json(request.headers());
    let answer = AssertUnwindSafe(resources.oneshot(request)).catch_unwind();
    let response = match tokio::time::timeout(TIMEOUT, answer).await {
        Ok(Ok(Ok(response))) => response,
        Ok(Ok(Err(never))) => match never {},
        Ok(Err(_)) => {
            error!(%method, path, "request panicked");
            let message = "the request made the worker panic: this is a defect of Volley";
            RestError::Status(StatusCode::INTERNAL_SERVER_ERROR, message.into()).into_response()
        }
        Err(_) => RestError::Status(StatusCode::INTERNAL_SERVER_ERROR, "Request timed out".into()).into_response(),
    };
    debug!(%method, path, status = response.status().as_u16(), "request answered");
    finish(response, &method, accepts_json)
}

/// Gives the answers of the router itself Kafka Connect's form.
fn finish(response: Response, method: &Method, accepts_json: bool) -> Response {
    let is_router_s = !response.headers().contains_key(header::CONTENT_TYPE);
    match response.status() {
        StatusCode::METHOD_NOT_ALLOWED if method == Method::OPTIONS => options(&response),
        StatusCode::METHOD_NOT_ALLOWED => RestError::Bare(StatusCode::METHOD_NOT_ALLOWED).into_response(),
        StatusCode::NOT_FOUND if is_router_s => RestError::Bare(StatusCode::NOT_FOUND).into_response(),
        status if status.is_success() && method == Method::GET && !accepts_json => {
            RestError::Bare(StatusCode::NOT_ACCEPTABLE).into_response()
        }
        _ => response,
    }
}

fn options(response: &Response) -> Response {
    let allow = response.headers().get(header::ALLOW).and_then(|allow| allow.to_str().ok()).unwrap_or_default();
    let mut methods: Vec<&str> = allow.split(',').map(str::trim).filter(|method| !method.is_empty()).collect();
    methods.push("OPTIONS");
    methods.sort_unstable();
    let allow = methods.join(",");
    let header = HeaderValue::from_str(&allow).unwrap_or(HeaderValue::from_static(""));
    ([(header::ALLOW, header), (header::CONTENT_TYPE, HeaderValue::from_static("text/plain"))], allow).into_response()
}

fn accepts_json(headers: &HeaderMap) -> bool {
    let mut accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).peekable();
    accepted.peek().is_none()
        || accepted.flat_map(|value| value.split(',')).any(|range| {
            let media_type = range.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            matches!(media_type.as_str(), "*/*" | "application/*" | "application/json")
        })
}

/// Whether a path means the same to every reader: no encoded separators, no empty segments, no bad escapes.
fn is_unambiguous(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let forbidden = ["%2f", "%25", "%5c", "%2e%2e", "//"];
    !forbidden.iter().any(|text| lower.contains(text)) && decodes(path)
}

fn decodes(path: &str) -> bool {
    let bytes = path.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'%' {
            decoded.push(*byte);
            continue;
        }
        let digit = |at: usize| rest.get(at).and_then(|digit| (*digit as char).to_digit(16));
        let (Some(high), Some(low)) = (digit(0), digit(1)) else { return false };
        decoded.push((high * 16 + low) as u8);
        rest = &rest[2..];
    }
    std::str::from_utf8(&decoded).is_ok()
}

fn ambiguous(path: &str) -> Response {
    let shown = path.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let body = format!("<html><body><h2>HTTP ERROR 400 Ambiguous URI path</h2><p>{shown}</p></body></html>\n");
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html;charset=iso-8859-1"));
    response
}

/// The URI without path parameters (`;a=b`) and trailing slash, if it has any.
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
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn ambiguous_paths_are_refused() {
        for path in ["/connectors/a%2Fb", "/a%25", "/a%5cb", "/%2e%2E/a", "//a", "/a%zz", "/a%f", "/a%ff"] {
            assert!(!is_unambiguous(path), "{path}");
        }
        for path in ["/", "/connectors/a%20b", "/connectors/%C3%BC", "/connectors/a+b", "/a%22"] {
            assert!(is_unambiguous(path), "{path}");
        }
    }

    #[test]
    fn path_parameters_and_trailing_slashes_are_cut_off() {
        let canonical = |text: &str| canonical(&text.parse().unwrap()).map(|uri| uri.to_string());
        assert_eq!(canonical("/connectors/a;b=c?x=y"), Some("/connectors/a?x=y".into()));
        assert_eq!(canonical("/connectors/"), Some("/connectors".into()));
        assert_eq!(canonical("/"), None);
        assert_eq!(canonical("/connectors"), None);
    }
}
