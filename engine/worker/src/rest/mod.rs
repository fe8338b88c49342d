//! The REST API: Kafka Connect's, and Volley's additions under `/volley`.
//!
//! ```text
//!  server/: listeners, TLS, HTTP ─► front/: path, 404/405, time-out, CORS, headers, log, users
//!                                      └─► routes ─► resources/: one file for each ─► Herder
//!                                                       └─► forwarding ─► another worker
//! ```
//! `json/` parses bodies as Kafka Connect's JSON library does; `openapi/` describes the whole API.

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
