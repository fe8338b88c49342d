//! From a listener to a request: the sockets, TLS, HTTP/1.1 and its time-outs, and under which URL others reach this worker.

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
