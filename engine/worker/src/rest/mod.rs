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
mod listener;
mod location;
mod loggers;
mod offsets;
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
pub use listener::{Listener, Scheme};
pub use loggers::{LogLevels, Loggers};
pub use router::{admin_router, router};
pub use server::{RestServer, serve};
pub use state::{RestState, ServerInfo};
