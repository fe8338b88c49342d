//! Registries over HTTP.
//!
//! ```text
//!  HttpRegistry ─ Blocking
//!       ├─ rest_request            (pure)
//!       ├─ Rounds ─ Pauses         every URL in turn, again after pauses
//!       │    ├─ Authorization ─ TokenKeeper ─┐
//!       │    └─ Exchange ◄───────────────────┘ one request: TCP, proxy, TLS, answer
//!       └─ rest_answer, refusal    (pure)
//! ```

mod authorization;
mod blocking;
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

pub(crate) use http_registry::HttpRegistry;
