//! The REST API: Kafka Connect's, and what Volley adds under `/volley`.
//!
//! ```text
//!  RestServer ─► connection (TLS, HTTP) ─► front (path, OPTIONS, 404/405, time-out, CORS, headers, log)
//!                                            └─► gate (content types, users) ─► one file per resource ─► Herder
//!                                                                                  └─► hop ─► another worker
//! ```

mod advertised;
mod bad_uri;
mod basic_auth;
mod connection;
mod connectors;
mod cors;
mod create_request;
mod error;
#[cfg(test)]
mod follower_tests;
mod front;
mod gate;
mod hop;
mod internal;
mod java_base64;
mod json_body;
mod json_text;
mod late_router;
mod leader_client;
mod listener;
mod location;
mod loggers;
mod login_file;
mod offsets;
mod open_listeners;
mod openapi;
mod peer_client;
mod plugins;
mod progress;
mod query;
mod request_log;
mod response_headers;
mod root;
mod router;
mod routes;
#[cfg(test)]
mod secret_tests;
mod server;
mod settings;
mod shown_config;
mod state;
mod tasks;
#[cfg(test)]
mod tests;
mod tls_properties;
mod write_timeout;

pub use advertised::Advertised;
pub use leader_client::{LeaderClient, SignatureHeaders};
pub use listener::{Listener, Scheme};
pub use loggers::{LogLevels, Loggers};
pub use peer_client::PeerClient;
pub use server::RestServer;
