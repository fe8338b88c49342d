//! The REST API: Kafka Connect's, and what Volley adds under `/volley`.
//!
//! ```text
//!  server/: listeners, TLS, HTTP ─► front/: path, 404/405, time-out, CORS, headers, log, users
//!                                      └─► routes ─► resources/: one file for each ─► Herder
//!                                                       └─► forwarding ─► another worker
//! ```
//! `json/` reads bodies as Kafka Connect's JSON library does; `openapi/` describes all of it.

mod error;
#[cfg(test)]
mod follower_tests;
mod front;
mod json;
#[cfg(test)]
mod metrics_tests;
mod openapi;
mod resources;
mod router;
mod routes;
#[cfg(test)]
mod secret_tests;
mod server;
mod state;
#[cfg(test)]
mod tests;

pub use server::{Advertised, Listener, RestServer, Scheme};
