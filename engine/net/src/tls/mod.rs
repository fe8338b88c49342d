//! TLS from Java's `ssl.*` keys, for whoever opens or takes connections.
//!
//! ```text
//!  ssl.keystore.*, ssl.truststore.* ─ stores ─┬─ pem
//!                                       │     ├─ PKCS#12 (OpenSSL)
//!                                       │     └─ jks
//!                                       └─► key_store_pem, trust_store_pem    (for librdkafka)
//!  ssl.* ─ context ─┬─► TlsConnector ─┬─► TlsStream
//!                   └─► TlsAcceptor ──┘
//! ```

mod acceptor;
mod connector;
mod context;
mod handshake;
mod jks;
mod pem;
mod pem_stores;
mod stores;
mod stream;
mod system_trust;
#[cfg(test)]
mod tests;

pub use acceptor::TlsAcceptor;
pub use connector::TlsConnector;
pub use handshake::tls_refusal;
pub use pem::pem_with_line_breaks;
pub use pem_stores::{PemKeyStore, is_pem_file, key_store_pem, trust_store_pem};
pub use stream::TlsStream;
