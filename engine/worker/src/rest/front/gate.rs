//! Checks every request once its resource is known: its content type, the type that it accepts, and its user.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;

use crate::rest::error::{RestError, RestResult, http_message};
use crate::rest::front::settings::RestSettings;
use crate::rest::state::RestState;

/// The content types that a resource accepts for a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// `application/json`; others are refused even without a body.
    Json,
    /// Any.
    Anything,
}

/// The type of a resource's answers: type and subtype.
pub(crate) type MediaType = (&'static str, &'static str);

/// The type of nearly all answers.
pub(crate) const JSON: MediaType = ("application", "json");
/// The type of answers for humans and scrapers.
pub(crate) const PLAIN_TEXT: MediaType = ("text", "plain");

/// The clients that may call a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OpenTo {
    /// Users, if users are configured.
    Users,
    /// Other workers, which sign their requests.
    Workers,
}

/// Wraps a resource with these checks.
pub(crate) fn gated(
    resource: MethodRouter<RestState>,
    takes: Takes,
    gives: MediaType,
    open_to: OpenTo,
    settings: &Arc<RestSettings>,
) -> MethodRouter<RestState> {
    let settings = Arc::clone(settings);
    resource.route_layer(from_fn(move |request: Request, next: Next| {
        let refusal = check(request.headers(), takes, gives, open_to, &settings).err();
        async move {
            match refusal {
                None => next.run(request).await,
                Some(refusal) => refusal,
            }
        }
    }))
}

// A response is large, and this is the rare case.
#[allow(clippy::result_large_err)]
fn check(
    headers: &HeaderMap,
    takes: Takes,
    gives: MediaType,
    open_to: OpenTo,
    settings: &RestSettings,
) -> Result<(), Response> {
    if takes == Takes::Json {
        check_content_type(headers)?;
    }
    if !accepts(headers, gives) {
        return Err(RestError::Bare(StatusCode::NOT_ACCEPTABLE).into_response());
    }
    match open_to {
        OpenTo::Users => check_user(headers, settings).map_err(IntoResponse::into_response),
        OpenTo::Workers => Ok(()),
    }
}

/// Whether a request comes from a user, if users are configured.
pub(crate) fn check_user(headers: &HeaderMap, settings: &RestSettings) -> RestResult<()> {
    settings.auth.as_ref().map_or(Ok(()), |auth| auth.check(headers))
}

#[allow(clippy::result_large_err)]
fn check_content_type(headers: &HeaderMap) -> Result<(), Response> {
    let Some(content_type) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let media_type = content_type.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    match media_type.contains('/') {
        true if media_type.contains('*') => {
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            Err(RestError::Status(status, http_message(status)).into_response())
        }
        true => Err(RestError::Bare(StatusCode::UNSUPPORTED_MEDIA_TYPE).into_response()),
        false => Err(StatusCode::BAD_REQUEST.into_response()),
    }
}

/// Whether a request accepts an answer of this type. Preferences do not matter, since there is only one type.
pub(crate) fn accepts(headers: &HeaderMap, (kind, subtype): MediaType) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut ranges =
        accepted.flat_map(|value| value.split(',')).map(media_range).filter(|range| !range.is_empty()).peekable();
    ranges.peek().is_none()
        || ranges.any(|range| {
            let (range_kind, range_subtype) = range.split_once('/').unwrap_or((&range, ""));
            range_kind == "*" || range_kind == kind && (range_subtype == "*" || range_subtype == subtype)
        })
}

fn media_range(text: &str) -> String {
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn json_is_accepted_by_name_by_range_and_by_silence() {
        let accepts = |value: &'static str| {
            accepts(&HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(value))]), JSON)
        };
        for accepted in ["*/*", "application/*", "application/JSON;q=0.5", "text/html, application/json", "", "*/*;q=0"]
        {
            assert!(accepts(accepted), "{accepted}");
        }
        for refused in ["text/html", "application/xml", "bogus", "text/*"] {
            assert!(!accepts(refused), "{refused}");
        }
    }
}
