//! Tokens of an identity provider (OAuth 2.0, client credentials: RFC 6749, 4.4).

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use hyper::Method;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use parking_lot::Mutex;
use serde_json::Value;
use url::form_urlencoded::byte_serialize;
use volley_api::{Error, Result, Secret};
use volley_net::HttpError;

use super::exchange::{Answered, Asked, Exchange};
use crate::config::{Connection, OAuthClient};

/// How long a token is shown that does not say how long it lives.
const UNKNOWN_LIFE: Duration = Duration::from_secs(300);
/// The longest life that is believed.
const LONGEST_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);
/// Longest part of what an identity provider says about an error that is repeated.
const LONGEST_REASON: usize = 300;

/// Asks for tokens, and keeps the last one.
#[derive(Debug)]
pub(super) struct TokenKeeper {
    client: OAuthClient,
    /// What to do when the identity provider does not know the client.
    unknown_client: &'static str,
    exchange: Exchange,
    kept: Mutex<Option<KeptToken>>,
}

#[derive(Clone, Debug)]
struct KeptToken {
    text: Secret,
    renewed_at: Instant,
    expires_at: Instant,
}

impl TokenKeeper {
    /// Asks with the TLS and the timeouts of the registry, but not through its proxy, as Java does.
    pub(super) fn new(client: OAuthClient, connection: &Connection) -> Self {
        let unknown_client = connection.words.unknown_client;
        Self { client, unknown_client, exchange: Exchange::new(connection, None), kept: Mutex::new(None) }
    }

    /// A token to show now.
    ///
    /// # Errors
    /// `Retriable` if there is none for the time being, `Config` if the identity provider refuses.
    ///
    /// # Cancellation
    /// Without effect.
    pub(super) async fn token(&self) -> Result<Secret> {
        self.token_at(Instant::now()).await
    }

    async fn token_at(&self, now: Instant) -> Result<Secret> {
        let kept = self.kept.lock().clone();
        if let Some(kept) = &kept
            && now < kept.renewed_at
        {
            return Ok(kept.text.clone());
        }
        match (self.fetch(now).await, kept) {
            (Ok(token), _) => {
                let text = token.text.clone();
                *self.kept.lock() = Some(token);
                Ok(text)
            }
            // The last one is good yet.
            (Err(error), Some(kept)) if error.is_retriable() && now < kept.expires_at => Ok(kept.text),
            (Err(error), _) => Err(error),
        }
    }

    /// Forgets the token. Returns whether there was one.
    pub(super) fn forget(&self) -> bool {
        self.kept.lock().take().is_some()
    }

    /// What must not be shown.
    pub(super) fn secrets(&self) -> Vec<String> {
        let token = self.kept.lock().as_ref().map(|kept| kept.text.reveal().to_owned());
        token.into_iter().chain([self.client.secret.reveal().to_owned()]).collect()
    }

    async fn fetch(&self, asked_at: Instant) -> Result<KeptToken> {
        let answer = self.exchange.send(self.request()?).await.map_err(|error| self.unreachable(error))?;
        let (text, life) = self.read(&answer)?;
        let life = life.unwrap_or(UNKNOWN_LIFE).min(LONGEST_LIFE);
        let renewal = renewal(life, self.client.renewal);
        Ok(KeptToken { text, renewed_at: asked_at + renewal, expires_at: asked_at + life })
    }

    fn request(&self) -> Result<Asked<'_>> {
        let OAuthClient { endpoint, id, secret, scope, .. } = &self.client;
        let target = match endpoint.query() {
            Some(query) => format!("{}?{query}", endpoint.path()),
            None => endpoint.path().to_owned(),
        };
        let both = STANDARD.encode(format!("{id}:{}", secret.reveal()));
        let mut authorization = HeaderValue::from_str(&format!("Basic {both}"))
            .map_err(|_| Error::config("client id and secret cannot be sent in a header"))?;
        authorization.set_sensitive(true);
        let headers = vec![
            (ACCEPT, HeaderValue::from_static("application/json")),
            (AUTHORIZATION, authorization),
            (CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded")),
        ];
        let scope = scope.as_ref().map(|scope| byte_serialize(scope.as_bytes()).collect::<String>());
        let scope = scope.map(|scope| format!("&scope={scope}")).unwrap_or_default();
        let body = Bytes::from(format!("grant_type=client_credentials{scope}"));
        Ok(Asked { method: Method::POST, url: endpoint, target, headers, body })
    }

    fn read(&self, answer: &Answered) -> Result<(Secret, Option<Duration>)> {
        let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        match answer.status {
            200 | 201 => token_in(&json).ok_or_else(|| self.refused("there is no `access_token` in its JSON")),
            408 | 429 | 500.. => Err(Error::retriable(self.sentence(&format!("it answers {}", answer.status)))),
            status => Err(self.refused(&format!("it answers {status}{}", self.reason_in(&json)))),
        }
    }

    /// What the identity provider says, in RFC 6749's words.
    fn reason_in(&self, json: &Value) -> String {
        let words =
            ["error", "error_description"].map(|name| json.get(name).and_then(Value::as_str).unwrap_or_default());
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        if words.is_empty() {
            return String::new();
        }
        let reason = words.join(" - ").replace(self.client.secret.reveal(), "[hidden]");
        let reason: String =
            reason.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_REASON).collect();
        format!(" ({reason})")
    }

    fn refused(&self, reason: &str) -> Error {
        let advice = match self.client.endpoint_key {
            "sasl.oauthbearer.token.endpoint.url" => {
                "check `clientId`, `clientSecret` and `scope` in `sasl.jaas.config`"
            }
            _ => self.unknown_client,
        };
        Error::config(format!("{}; {advice}", self.sentence(reason)))
    }

    fn unreachable(&self, error: HttpError) -> Error {
        let error = Error::from(error);
        Error::new(error.kind(), self.sentence(&error.to_string()))
    }

    fn sentence(&self, reason: &str) -> String {
        let OAuthClient { endpoint, endpoint_key, .. } = &self.client;
        let host = endpoint.host_str().unwrap_or_default();
        let port = endpoint.port().map(|port| format!(":{port}")).unwrap_or_default();
        let (scheme, path) = (endpoint.scheme(), endpoint.path());
        format!(
            "the token endpoint {scheme}://{host}{port}{path} (`{endpoint_key}`) gives no token for the Schema Registry: \
             {reason}"
        )
    }
}

/// How long after it was asked for a token is replaced: some time before its end, but for one that does not live long a fifth
/// of its life before that.
fn renewal(life: Duration, before: Duration) -> Duration {
    if life > before * 2 { life - before } else { life.mul_f64(0.8) }
}

/// The token, and how long it lives.
fn token_in(json: &Value) -> Option<(Secret, Option<Duration>)> {
    let token = json.get("access_token").and_then(Value::as_str).map(str::trim).filter(|token| !token.is_empty())?;
    let said = json.get("expires_in").and_then(|life| life.as_u64().or_else(|| life.as_str()?.parse().ok()));
    Some((Secret::new(token), said.map(Duration::from_secs).or_else(|| life_in(token))))
}

/// How long a JWT lives by its own words.
fn life_in(token: &str) -> Option<Duration> {
    let payload = token.split('.').nth(1)?.trim_end_matches('=');
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    let time = |name| claims.get(name).and_then(Value::as_u64);
    time("exp")?.checked_sub(time("iat")?).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::RegistryConfig;
    use crate::config::Credentials;
    use crate::http::stub_server::{StubReply, StubServer};

    fn keeper(endpoint: &str) -> TokenKeeper {
        let properties = [
            ("schema.registry.url", "http://h"),
            ("bearer.auth.credentials.source", "OAUTHBEARER"),
            ("bearer.auth.issuer.endpoint.url", endpoint),
            ("bearer.auth.client.id", "me"),
            ("bearer.auth.client.secret", "hush"),
        ];
        let properties = properties.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let connection = RegistryConfig::parse(&properties).unwrap().client.connection;
        let Credentials::OAuth(client) = connection.credentials.clone() else { panic!() };
        TokenKeeper::new(client, &connection)
    }

    #[tokio::test]
    async fn while_the_identity_provider_is_away_the_last_token_is_shown_to_its_end() {
        let provider = StubServer::start(|place, _| match place {
            0 | 3 => StubReply::ok(format!(r#"{{"access_token": "token-{place}", "expires_in": 1000}}"#)),
            _ => StubReply::status(503, ""),
        });
        let (keeper, start) = (keeper(&provider.url("")), Instant::now());
        let mut shown = Vec::new();
        for seconds in [0, 699, 700, 1_000, 1_001] {
            let token = keeper.token_at(start + Duration::from_secs(seconds)).await;
            shown.push(token.map(|token| token.reveal().to_owned()).unwrap_or_default());
        }
        assert_eq!(shown, ["token-0", "token-0", "token-0", "", "token-3"]);
        assert_eq!(provider.count(), 4);
    }

    #[test]
    fn the_life_of_a_token_is_what_the_answer_or_the_token_says() {
        let life = |answer: Value| token_in(&answer).unwrap().1.map(|life| life.as_secs());
        let jwt = format!("h.{}.s", URL_SAFE_NO_PAD.encode(r#"{"iat":1000,"exp":4600}"#));
        assert_eq!(life(json!({"access_token": "t", "expires_in": 60})), Some(60));
        assert_eq!(life(json!({"access_token": "t", "expires_in": "60"})), Some(60));
        assert_eq!(life(json!({"access_token": jwt})), Some(3_600));
        assert_eq!(life(json!({"access_token": "opaque"})), None);
        assert!(token_in(&json!({"access_token": " "})).is_none() && token_in(&json!(["x"])).is_none());
    }

    #[test]
    fn a_token_is_replaced_before_its_end() {
        let renewal = |life, before| renewal(Duration::from_secs(life), Duration::from_secs(before)).as_secs();
        assert_eq!((renewal(3_600, 300), renewal(300, 300), renewal(0, 300), renewal(10, 0)), (3_300, 240, 0, 10));
    }

    proptest! {
        #[test]
        fn no_token_panics(token in ".{0,60}") {
            let _ = life_in(&token);
        }
    }
}
