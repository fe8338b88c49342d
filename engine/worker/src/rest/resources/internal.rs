//! Internal requests of workers to their group's leader (KIP-507): signed, and not for users.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use bytes::Bytes;
use volley_java::decode_base64;
use volley_net::MacAlgorithm;

use crate::error::HerderError;
use crate::group::RequestSignature;
use crate::json_config::GivenConfig;
use crate::peers::{SIGNATURE, SIGNATURE_ALGORITHM};
use crate::rest::error::{RestError, RestResult};
use crate::rest::json::json_body::{apart_if_large, array, string_map};
use crate::rest::json::json_text::{JsonText, Read, Token};
use crate::rest::resources::forwarding::Forwarding;
use crate::rest::state::RestState;

/// Maximum size; a larger request is refused. Workers never send so much.
const MAX_BODY: usize = 64 << 20;

/// Maximum size that is read of an unsigned request, and of a signed one before its signature is checked.
const MAX_UNTRUSTED: usize = 1 << 20;

const TASK_CONFIGS: &str = "java.util.ArrayList<java.util.Map<java.lang.String,java.lang.String>>";

/// A body of any type with its signature, as received.
#[derive(Debug)]
pub(crate) struct SignedBody {
    body: Bytes,
    headers: HeaderMap,
}

impl FromRequest<RestState> for SignedBody {
    type Rejection = RestError;

    async fn from_request(request: Request<Body>, state: &RestState) -> RestResult<Self> {
        let (parts, body) = request.into_parts();
        let is_signed = [SIGNATURE, SIGNATURE_ALGORITHM].iter().all(|name| parts.headers.contains_key(name));
        let may_be_large = is_signed || state.herder.check_may_put_task_configs(None).is_ok();
        let limit = if may_be_large { MAX_BODY } else { MAX_UNTRUSTED };
        let body = to_bytes(body, limit).await.map_err(|_| RestError::too_large())?;
        Ok(Self { body, headers: parts.headers })
    }
}

impl SignedBody {
    /// The signature; `None` if one of its headers is missing. The algorithm is checked first.
    fn signature(&self) -> RestResult<Option<RequestSignature>> {
        let header = |name: &HeaderName| self.headers.get(name).map(|value| value.as_bytes());
        let (Some(mac), Some(algorithm)) = (header(&SIGNATURE), header(&SIGNATURE_ALGORITHM)) else { return Ok(None) };
        let algorithm = String::from_utf8_lossy(algorithm).into_owned();
        MacAlgorithm::named(&algorithm)
            .map_err(|_| HerderError::BadRequest(format!("Algorithm {algorithm} not available")))?;
        let mac = decode_base64(mac).map_err(HerderError::BadRequest)?;
        Ok(Some(RequestSignature { body: self.body.clone(), mac, algorithm }))
    }
}

/// `POST /connectors/{name}/tasks`
pub(crate) async fn put_task_configs(
    State(state): State<RestState>,
    Path(name): Path<String>,
    forwarding: Forwarding,
    signed: SignedBody,
) -> RestResult<StatusCode> {
    let (body, size) = (signed.body.clone(), signed.body.len());
    if size <= MAX_UNTRUSTED {
        // A malformed body is reported first, but its content is not used before the signature is verified.
        apart_if_large(size, move || read_task_configs(&body, drop)).await??;
    }
    let signature = signed.signature()?;
    let herder = Arc::clone(&state.herder);
    apart_if_large(size, move || herder.check_may_put_task_configs(signature.as_ref())).await??;
    let body = signed.body.clone();
    // A task's configuration cannot contain null: a key without value is left out.
    let configs = apart_if_large(size, move || read_task_configs(&body, |config| config.values)).await??;
    let configs = configs.into_iter().map(Option::unwrap_or_default).collect();
    let outcome = state.herder.put_task_configs(&name, configs).await;
    forwarding.complete(&state, outcome, Some(signed.body)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `PUT /connectors/{name}/fence`
pub(crate) async fn fence(
    State(state): State<RestState>,
    Path(name): Path<String>,
    forwarding: Forwarding,
    signed: SignedBody,
) -> RestResult<StatusCode> {
    let outcome = state.herder.fence_zombies(&name, signed.signature()?).await;
    let body = (!signed.body.is_empty()).then_some(signed.body);
    forwarding.complete(&state, outcome, body).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Parses a JSON array of flat objects, and converts each by `keep`; ignores text after the array.
fn read_task_configs<T>(body: &[u8], keep: impl Fn(GivenConfig) -> T) -> RestResult<Vec<Option<T>>> {
    let mut text = JsonText::new(body);
    let mut read = || -> Read<Option<Vec<Option<T>>>> {
        let Some(first) = text.next_token()? else { return Ok(None) };
        if first == Token::Null {
            return Ok(Some(Vec::new()));
        }
        let configs = array(TASK_CONFIGS, &mut text, first, |text, first| string_map(text, first).map(&keep))?;
        Ok(Some(configs))
    };
    let configs = read().map_err(|problem| RestError::internal(problem.to_string()))?;
    configs.ok_or_else(|| {
        RestError::internal(
            "No content to map due to end-of-input\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` \
             disabled); line: 1]",
        )
    })
}
