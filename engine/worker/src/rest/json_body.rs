//! JSON bodies, and the errors that Kafka Connect gives for bad ones: all 500, in its JSON library's words.

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value};

use super::error::{RestError, RestResult};
use crate::json_config::GivenConfig;

/// More than any configuration; a request beyond it is refused.
const MAX_BODY: usize = 16 << 20;

/// A body that was sent as `application/json`.
#[derive(Debug)]
pub(super) struct JsonBody(pub(super) Value);

impl<S: Sync> FromRequest<S> for JsonBody {
    type Rejection = RestError;

    async fn from_request(request: Request<Body>, _state: &S) -> RestResult<Self> {
        let (parts, body) = request.into_parts();
        let is_json = is_json(&parts.headers);
        let bytes = to_bytes(body, MAX_BODY).await.map_err(|_| {
            RestError::Status(StatusCode::PAYLOAD_TOO_LARGE, "HTTP 413 Request Entity Too Large".into())
        })?;
        match is_json {
            Some(true) => {}
            Some(false) => return Err(RestError::Bare(StatusCode::UNSUPPORTED_MEDIA_TYPE)),
            None if bytes.is_empty() => {}
            None => {
                let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
                return Err(RestError::Status(status, super::error::http_message(status)));
            }
        }
        if bytes.trim_ascii().is_empty() {
            return Ok(Self(Value::Null));
        }
        serde_json::from_slice(&bytes)
            .map(Self)
            .map_err(|error| RestError::body(format!("Cannot parse the body as JSON: {error}")))
    }
}

/// Whether the content is JSON; `None` if nothing is said.
fn is_json(headers: &HeaderMap) -> Option<bool> {
    let content_type = headers.get(header::CONTENT_TYPE)?.to_str().unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    Some(media_type.eq_ignore_ascii_case("application/json"))
}

impl JsonBody {
    /// The members of an object of Java class `class`.
    pub(super) fn into_object(self, class: &str) -> RestResult<Map<String, Value>> {
        let kind = match self.0 {
            Value::Object(members) => return Ok(members),
            Value::Null => {
                return Err(RestError::body(format!(
                    "Cannot invoke \"{class}\" because the request body is null: send a JSON object"
                )));
            }
            Value::Array(_) => "Array value (token `JsonToken.START_ARRAY`)",
            Value::String(_) => {
                return Err(RestError::body(format!(
                    "Cannot construct instance of `{class}`: no String-argument constructor/factory method to deserialize from \
                     String value"
                )));
            }
            Value::Bool(_) => "Boolean value (token `JsonToken.VALUE_TRUE`)",
            Value::Number(_) => "Integer value (token `JsonToken.VALUE_NUMBER_INT`)",
        };
        Err(RestError::body(format!("Cannot deserialize value of type `{class}` from {kind}")))
    }

    /// A flat configuration.
    pub(super) fn into_config(self) -> RestResult<GivenConfig> {
        let members = self.into_object("java.util.LinkedHashMap<java.lang.String,java.lang.String>")?;
        GivenConfig::from_json(members).map_err(RestError::body)
    }
}

/// The error of members that are not in `known`.
pub(super) fn check_members(members: &Map<String, Value>, known: &[&str], class: &str) -> RestResult<()> {
    match members.keys().find(|member| !known.contains(&member.as_str())) {
        None => Ok(()),
        Some(member) => Err(RestError::body(format!(
            "Unrecognized field \"{member}\" (class {class}), not marked as ignorable ({} known properties: {})",
            known.len(),
            known.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
        ))),
    }
}
