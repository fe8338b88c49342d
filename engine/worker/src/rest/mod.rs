//! The REST API: Kafka Connect's, and what Volley adds under `/volley`.
//!
//! ```text
//!  listener ─► front (path, trailing slash, OPTIONS, 404/405, time-out) ─► router ─► one file per resource ─► Herder
//! ```

mod advertised;
mod connectors;
mod error;
mod front;
mod json_body;
mod late_router;
mod leader_client;
mod listener;
mod location;
mod loggers;
mod offsets;
mod peer_client;
mod plugins;
mod progress;
mod query;
mod root;
mod router;
mod server;
mod state;
mod tasks;
#[cfg(test)]
mod tests;

pub use advertised::Advertised;
pub use late_router::late_router;
pub use leader_client::{LeaderClient, SignatureHeaders};
pub use listener::{Listener, Scheme};
pub use loggers::{LogLevels, Loggers};
pub use peer_client::PeerClient;
pub use router::{admin_router, router};
pub use server::{RestServer, serve};
pub use state::{RestState, ServerInfo};
