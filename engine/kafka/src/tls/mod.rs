//! TLS from Java's `ssl.*` keys, for connections to brokers, for the REST server and for requests to other workers.
//!
//! ```text
//!  ssl.keystore.*, ssl.truststore.* ─ stores ─┬─ pem
//!                                             ├─ PKCS#12 (OpenSSL)
//!                                             └─ jks
//!  ssl.* ─ context ─┬─► TlsConnector ─┬─► TlsStream
//!                   └─► TlsAcceptor ──┘
//! ```

mod acceptor;
mod connector;
mod context;
mod handshake;
mod jks;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod keytool_stores;
pub(crate) mod pem;
pub(crate) mod stores;
mod stream;
mod system_trust;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

pub use acceptor::TlsAcceptor;
pub use connector::TlsConnector;
pub(crate) use handshake::refusal;
pub use stream::TlsStream;
