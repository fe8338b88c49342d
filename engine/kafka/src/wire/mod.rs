//! Kafka's protocol over a connection of one's own, for what librdkafka has no call for.
//!
//! ```text
//!  Java keys ─► ConnectionSettings ─► Connection::open ─ TCP ─ TLS ─ ApiVersions ─ SASL ─► call(request) ─► response
//! ```

mod api;
mod blocking;
mod codec;
mod connection;
mod settings;
mod transport;
mod versions;

pub(crate) use api::Api;
pub(crate) use blocking::block_on;
pub(crate) use connection::Connection;
pub(crate) use settings::{Address, ConnectionSettings};
