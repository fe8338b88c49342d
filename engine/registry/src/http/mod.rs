//! Registries over HTTP.
//!
//! ```text
//!  HttpRegistry ───── rest_request, rest_answer           (pure) Confluent's interface
//!  ArtifactRegistry ─ artifact_request, artifact_answer   (pure) Apicurio's
//!       │
//!       ▼
//!  Conversation ─ Blocking
//!       ├─ Rounds ─ Pauses         every URL in turn, again after pauses
//!       │    ├─ Authorization ─ TokenKeeper ─┐
//!       │    └─ Exchange ◄───────────────────┘ one request: TCP, proxy, TLS, answer
//!       └─ refusal                 (pure)
//! ```

mod artifact_answer;
mod artifact_registry;
mod artifact_request;
mod authorization;
mod blocking;
mod conversation;
mod exchange;
mod http_registry;
mod oauth_token;
mod pauses;
mod proxy_tunnel;
mod refusal;
mod rest_answer;
mod rest_request;
mod rounds;
#[cfg(test)]
pub(crate) mod stub_server;

pub(crate) use artifact_registry::ArtifactRegistry;
pub(crate) use http_registry::HttpRegistry;
