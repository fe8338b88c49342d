//! What talks over a network without being Kafka needs: TLS from Java's `ssl.*` keys, an HTTP client, and message
//! authentication codes. The only crate that names OpenSSL.

mod http_client;
mod http_error;
mod mac;
mod tls;

pub use http_client::{HttpAnswer, HttpClient, HttpLimits, HttpRequest};
pub use http_error::{HttpError, HttpResult};
pub use mac::{MacAlgorithm, constant_time_eq, random_bytes};
pub use tls::{
    PemKeyStore, TlsAcceptor, TlsConnector, TlsStream, is_pem_file, key_store_pem, pem_with_line_breaks, tls_refusal,
    trust_store_pem,
};
