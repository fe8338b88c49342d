//! Requests of a worker to its group's leader (KIP-507): writing the task configurations that a connector made on this
//! worker, and fencing the producers of an exactly-once source.

use std::sync::Arc;

use bytes::Bytes;
use hyper::Method;
use hyper::header::{HeaderName, HeaderValue};
use serde_json::Value;
use tracing::warn;
use url::Url;
use volley_net::HttpAnswer;

use crate::error::{HerderError, HerderResult};
use crate::group::SignatureHeaders;
use crate::peers::{PeerClient, PeerError, PeerRequest};

/// Header with the MAC of the body, in base64.
pub(crate) const SIGNATURE: HeaderName = HeaderName::from_static("x-connect-authorization");
/// Header that names the MAC's algorithm.
pub(crate) const SIGNATURE_ALGORITHM: HeaderName = HeaderName::from_static("x-connect-request-signature-algorithm");

/// Sends requests to the leader.
#[derive(Clone, Debug)]
pub struct LeaderClient {
    peers: Arc<PeerClient>,
}

impl LeaderClient {
    /// A client that sends through `peers`.
    pub fn new(peers: Arc<PeerClient>) -> Self {
        Self { peers }
    }

    /// `POST /connectors/{connector}/tasks`: sends the task configurations that a connector instance made on this
    /// worker. `leader_url` is the advertised URL of the leader (`http://host:port/`), `body` a JSON array of flat
    /// objects.
    ///
    /// # Errors
    /// The leader's error: `Forbidden` for a signature that it refuses (it may have a newer key), `Unavailable` while
    /// it has no key, `Conflict` while it rebalances. `Internal` if the leader was not reached.
    ///
    /// # Cancellation
    /// The leader may have written them nevertheless.
    pub async fn put_task_configs(
        &self,
        leader_url: &str,
        connector: &str,
        body: Vec<u8>,
        signature: Option<SignatureHeaders>,
    ) -> HerderResult<()> {
        self.ask(Method::POST, leader_url, [connector, "tasks"], Some(body), signature).await
    }

    /// `PUT /connectors/{connector}/fence`: requests to fence the producers of an exactly-once source. The signature is
    /// that of an empty body.
    ///
    /// # Errors
    /// See [`LeaderClient::put_task_configs`].
    ///
    /// # Cancellation
    /// The leader may have fenced them nevertheless.
    pub async fn fence(
        &self,
        leader_url: &str,
        connector: &str,
        signature: Option<SignatureHeaders>,
    ) -> HerderResult<()> {
        self.ask(Method::PUT, leader_url, [connector, "fence"], None, signature).await
    }

    async fn ask(
        &self,
        method: Method,
        leader_url: &str,
        path: [&str; 2],
        body: Option<Vec<u8>>,
        signature: Option<SignatureHeaders>,
    ) -> HerderResult<()> {
        let (url, target) = place(leader_url, path)?;
        let request = PeerRequest {
            method,
            url,
            target,
            headers: signature.map(header_values).transpose()?.unwrap_or_default(),
            body: body.map(Bytes::from),
        };
        let at = request.url.clone();
        let unreached = |error: PeerError| HerderError::Internal(io_message(&at, &error));
        let answer = self.peers.send(request).await.map_err(unreached)?;
        match answer.status {
            200..=299 => Ok(()),
            status if status >= 400 => Err(refusal(&answer)),
            status => Err(HerderError::Internal(unexpected_status(&at, status))),
        }
    }
}

/// The leader's URL, and the path of the request.
fn place(leader_url: &str, [connector, what]: [&str; 2]) -> HerderResult<(Url, String)> {
    let malformed = || HerderError::Internal(format!("could not use `{leader_url}` as the URL of the leader"));
    let url = Url::parse(leader_url).ok().filter(|url| !url.cannot_be_a_base()).ok_or_else(malformed)?;
    let target = format!("{}/connectors/{}/{what}", url.path().trim_end_matches('/'), segment(connector));
    Ok((url, target))
}

/// A name as one segment of a path. `..` is not escaped, as between Java workers.
fn segment(name: &str) -> String {
    let mut segment = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => segment.push(char::from(byte)),
            _ => segment.push_str(&format!("%{byte:02X}")),
        }
    }
    segment
}

fn header_values(signature: SignatureHeaders) -> HerderResult<Vec<(HeaderName, HeaderValue)>> {
    let value = |text: String| {
        HeaderValue::try_from(text)
            .map_err(|_| HerderError::Internal("could not sign a request: the signature is no header value".to_owned()))
    };
    Ok(vec![(SIGNATURE, value(signature.mac)?), (SIGNATURE_ALGORITHM, value(signature.algorithm)?)])
}

/// The message for a worker that was not reached, in the answer and in the log.
pub(crate) fn io_message(at: &Url, error: &PeerError) -> String {
    warn!(%at, %error, "could not forward a request to another worker; it gives this address as its own");
    format!("IO Error trying to forward REST request: {error} ({})", tried(at))
}

/// The message for an unexpected status, for example a redirect.
pub(crate) fn unexpected_status(at: &Url, status: u16) -> String {
    format!("Unexpected status code when handling forwarded request: {status} ({})", tried(at))
}

/// The target of a request, and the source of its address.
pub(crate) fn tried(at: &Url) -> String {
    format!("tried {at}, which that worker gives as its address: check its `rest.advertised.host.name` and `listeners`")
}

/// The code and message of another worker's error; `None` if it is not in Kafka Connect's form.
pub(crate) fn error_message(answer: &HttpAnswer) -> Option<(i64, Option<String>)> {
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    let message = body.get("message")?.as_str().map(str::to_owned);
    Some((body.get("error_code")?.as_i64()?, message))
}

fn refusal(answer: &HttpAnswer) -> HerderError {
    let Some((_, message)) = error_message(answer) else {
        let status = answer.status;
        return HerderError::Internal(format!(
            "the leader refused with status {status} and no message that can be read"
        ));
    };
    let message = message.unwrap_or_default();
    match answer.status {
        400 => HerderError::BadRequest(message),
        403 => HerderError::Forbidden(message),
        404 => HerderError::NotFound(message),
        409 => HerderError::Conflict(message),
        503 => HerderError::Unavailable(message),
        _ => HerderError::Internal(message),
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::extract::Request;
    use axum::http::StatusCode;
    use axum::response::IntoResponse;
    use tokio::net::TcpListener;

    use super::*;
    use crate::spawned_task::SpawnedTask;

    /// The URL of a worker that answers every request with the result of `answer`.
    async fn leader(answer: fn(String) -> (StatusCode, String)) -> (String, SpawnedTask<std::io::Result<()>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let router = Router::new().fallback(move |request: Request| async move {
            let (parts, body) = request.into_parts();
            let header = |name: &str| parts.headers.get(name).map_or("-", |value| value.to_str().unwrap()).to_owned();
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            let (mac, algorithm) = (header(SIGNATURE.as_str()), header(SIGNATURE_ALGORITHM.as_str()));
            let seen = format!(
                "{} {} {mac} {algorithm} {} {}",
                parts.method,
                parts.uri,
                header("user-agent"),
                String::from_utf8_lossy(&body)
            );
            answer(seen).into_response()
        });
        let serving = SpawnedTask::start_here("a leader", async move { axum::serve(listener, router).await });
        (url, serving)
    }

    fn echo(seen: String) -> (StatusCode, String) {
        let body = serde_json::json!({ "error_code": 403, "message": seen });
        (StatusCode::FORBIDDEN, body.to_string())
    }

    fn client() -> LeaderClient {
        LeaderClient::new(Arc::default())
    }

    #[tokio::test]
    async fn the_leader_gets_the_body_and_the_signature_and_its_refusal_is_told() {
        let (url, _leader) = leader(echo).await;
        let signature = SignatureHeaders { mac: "bWFj".into(), algorithm: "HmacSHA256".into() };
        let error = client().put_task_configs(&url, "a b", b"[]".to_vec(), Some(signature)).await.unwrap_err();
        assert_eq!(error.status(), 403);
        assert_eq!(error.to_string(), "POST /connectors/a%20b/tasks bWFj HmacSHA256 kafka-connect []");
        let error = client().fence(&url, "a", None).await.unwrap_err();
        assert_eq!(error.to_string(), "PUT /connectors/a/fence - - kafka-connect ");
    }

    #[tokio::test]
    async fn done_is_done_and_redirects_are_not_followed() {
        let (url, _leader) = leader(|_| (StatusCode::NO_CONTENT, String::new())).await;
        client().fence(&url, "a", None).await.unwrap();
        let (url, _leader) = leader(|_| (StatusCode::TEMPORARY_REDIRECT, String::new())).await;
        let error = client().fence(&url, "a", None).await.unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("Unexpected status code when handling forwarded request: 307"), "{text}");
        assert!(text.contains(&url), "{text}");
    }

    #[tokio::test]
    async fn a_leader_that_is_gone_is_an_io_error() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        drop(listener);
        let error = client().fence(&url, "a", None).await.unwrap_err();
        let expected = "IO Error trying to forward REST request: java.net.ConnectException: Connection refused";
        let text = error.to_string();
        assert!(error.status() == 500 && text.starts_with(expected) && text.contains(&url), "{text}");
    }

    #[test]
    fn a_connector_s_name_is_one_segment_of_the_path() {
        let target = |leader: &str, name: &str| place(leader, [name, "tasks"]).unwrap().1;
        assert_eq!(target("http://a:8083/", "my orders"), "/connectors/my%20orders/tasks");
        assert_eq!(target("https://[::1]:8083", "a/b?c#%ü"), "/connectors/a%2Fb%3Fc%23%25%C3%BC/tasks");
        assert_eq!(target("http://a:8083/base/", "x"), "/base/connectors/x/tasks");
        assert_eq!(target("http://a:8083/", ".."), "/connectors/../tasks");
        assert!(place("nonsense", ["x", "tasks"]).is_err());
    }
}
