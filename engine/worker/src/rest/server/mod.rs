//! The path from a listener to a request: sockets, TLS, HTTP/1.1 and its time-outs, and the URL under which others
//! reach this worker.

pub(crate) mod advertised;
pub(crate) mod connection;
pub(crate) mod listener;
mod open_listeners;
mod rest_server;
mod startup_router;
mod write_timeout;

pub use advertised::Advertised;
pub use listener::{Listener, Scheme};
pub use rest_server::RestServer;
