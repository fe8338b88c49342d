//! Forwarding of requests to the worker that can handle them, and of its answer to the client.
//!
//! ```text
//!  user ──► worker ── ?forward=true ──► leader ── ?forward=false ──► owner of the connector or task
//! ```
//! A request is forwarded at most twice. A worker that receives it with `forward=false` and cannot handle it answers
//! 409.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use bytes::Bytes;
use serde_json::Value;
use tracing::debug;
use url::{Url, form_urlencoded};

use crate::error::{HerderError, HerderResult};
use crate::peers::{PeerError, PeerRequest};
use crate::peers::{SIGNATURE, SIGNATURE_ALGORITHM, error_message, io_message, tried, unexpected_status};
use crate::rest::error::{RestError, RestResult};
use crate::rest::state::RestState;

/// The query parameter that tells whether a request may be forwarded.
pub(crate) const FORWARD: &str = "forward";

/// The parts of a request that are forwarded.
#[derive(Clone, Debug)]
pub(crate) struct Forwarding {
    method: Method,
    /// Still percent-encoded.
    path: String,
    query: Vec<(String, String)>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// The result of a request, and the worker that produced it.
#[derive(Debug)]
pub(crate) enum Outcome<T> {
    /// This worker handled it.
    Local(T),
    /// Another worker handled it.
    Forwarded(Relayed),
}

/// The answer of the other worker.
#[derive(Debug)]
pub(crate) struct Relayed {
    pub(crate) status: u16,
    /// JSON; null if there was no body.
    pub(crate) body: Value,
}

impl<S: Sync> FromRequestParts<S> for Forwarding {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let query = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned();
        let copied = [header::AUTHORIZATION, SIGNATURE, SIGNATURE_ALGORITHM];
        let headers = copied.into_iter().filter_map(|name| Some((name.clone(), parts.headers.get(&name)?.clone())));
        Ok(Self {
            method: parts.method.clone(),
            path: parts.uri.path().to_owned(),
            query: query.collect(),
            headers: headers.collect(),
        })
    }
}

impl Forwarding {
    /// The herder's result of a request, or that of another worker if the herder requires forwarding. `body` is sent
    /// there.
    pub(crate) async fn complete<T>(
        self,
        state: &RestState,
        outcome: HerderResult<T>,
        body: Option<Bytes>,
    ) -> RestResult<Outcome<T>> {
        match outcome {
            Ok(done) => Ok(Outcome::Local(done)),
            Err(HerderError::Forward(url)) => self.forward(state, url, body).await.map(Outcome::Forwarded),
            Err(error) => Err(error.into()),
        }
    }

    async fn forward(self, state: &RestState, target: Option<String>, body: Option<Bytes>) -> RestResult<Relayed> {
        let forward =
            self.query.iter().find(|(key, _)| key == FORWARD).map(|(_, value)| value.eq_ignore_ascii_case("true"));
        if forward == Some(false) {
            // The address does not matter, since the request is not forwarded.
            return Err(HerderError::Forward(Some(String::new())).into());
        }
        let Some(target) = target else { return Err(HerderError::Forward(None).into()) };
        let (url, target) = self.place(&target, forward.is_none())?;
        debug!(method = %self.method, %url, target, "forwarding a request");
        let request = PeerRequest { method: self.method, url, target, headers: self.headers, body };
        let at = request.url.clone();
        let unreached = |error: PeerError| RestError::internal(io_message(&at, &error));
        let answer = state.peers.send(request).await.map_err(unreached)?;
        match answer.status {
            200..=299 if answer.body.is_empty() => Ok(Relayed { status: answer.status, body: Value::Null }),
            status @ 200..=299 => match serde_json::from_slice(&answer.body) {
                Ok(body) => Ok(Relayed { status, body }),
                Err(_) => Err(not_json(&at, status)),
            },
            status if status >= 400 => {
                let (error_code, message) = error_message(&answer).ok_or_else(|| not_json(&at, status))?;
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                Err(RestError::Relayed { status, error_code, message })
            }
            status => Err(RestError::internal(unexpected_status(&at, status))),
        }
    }

    /// The same request to the worker `at`, which may not forward it.
    pub(crate) fn to_one(&self, at: &str) -> RestResult<PeerRequest> {
        let (url, target) = self.place(at, false)?;
        Ok(PeerRequest { method: Method::GET, url, target, headers: self.headers.clone(), body: None })
    }

    /// The URL of the worker `at`, and the path of the request.
    fn place(&self, at: &str, may_go_on: bool) -> RestResult<(Url, String)> {
        let malformed = || RestError::internal(format!("could not forward the request to `{at}`, which is no URL"));
        let url = Url::parse(at).ok().filter(|url| !url.cannot_be_a_base()).ok_or_else(malformed)?;
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair(FORWARD, if may_go_on { "true" } else { "false" })
            .extend_pairs(self.query.iter().filter(|(key, _)| key != FORWARD))
            .finish();
        let target = format!("{}{}?{query}", url.path().trim_end_matches('/'), self.path);
        Ok((url, target))
    }
}

fn not_json(at: &Url, status: u16) -> RestError {
    RestError::internal(format!(
        "IO Error trying to forward REST request: the other worker answered with status {status} and something that is not \
         JSON; check that the workers of the group have the same users and that nothing stands between them ({})",
        tried(at)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn forwarding(uri: &str) -> Forwarding {
        let request = axum::http::Request::builder().uri(uri).header("authorization", "Basic x").header("x-other", "y");
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        Forwarding::from_request_parts(&mut parts, &()).await.unwrap()
    }

    #[tokio::test]
    async fn path_and_parameters_go_on_unchanged_but_for_forward() {
        let forwarding =
            forwarding("/connectors/my%20%C3%BC/restart?includeTasks=true&forward=x&onlyFailed=a%26b").await;
        let (url, target) = forwarding.place("http://h:1/", true).unwrap();
        assert_eq!(
            (url.as_str(), target.as_str()),
            ("http://h:1/", "/connectors/my%20%C3%BC/restart?forward=true&includeTasks=true&onlyFailed=a%26b")
        );
        assert_eq!(forwarding.headers.len(), 1);
        let (_, target) = forwarding.place("https://[::1]:8083/base/", false).unwrap();
        assert_eq!(target.split('?').next(), Some("/base/connectors/my%20%C3%BC/restart"));
        assert!(forwarding.place("mailto:x", true).is_err());
        assert!(forwarding.place("nonsense", true).is_err());
    }
}
