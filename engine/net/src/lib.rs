//! What talks over a network without being Kafka needs: TLS from Java's `ssl.*` keys, and message authentication codes.
//! The only crate that names OpenSSL.

mod mac;
mod tls;

pub use mac::{MacAlgorithm, constant_time_eq, random_bytes};
pub use tls::{
    PemKeyStore, TlsAcceptor, TlsConnector, TlsStream, is_pem_file, key_store_pem, pem_with_line_breaks, tls_refusal,
    trust_store_pem,
};
