//! Stores of any kind as PEM, for those who read nothing else.

use std::fs;

use openssl::error::ErrorStack;
use openssl::x509::X509;
use volley_api::{ConfigMap, Error, Result, Secret};

use super::stores::{self, StoreFormat};

/// A key store as PEM.
#[derive(Clone, Debug)]
pub struct PemKeyStore {
    /// The private key, not encrypted.
    pub key: Secret,
    /// Its certificate, then those of its issuers in order.
    pub certificates: String,
}

/// The key store that `ssl.keystore.*` name; `None` if they name none. Reads its file.
///
/// # Errors
/// `Config`, naming the key, if it cannot be read.
pub fn key_store_pem(properties: &ConfigMap) -> Result<Option<PemKeyStore>> {
    let Some(store) = stores::key_store(properties)? else { return Ok(None) };
    let key = store.key.private_key_to_pem_pkcs8().map_err(not_as_pem)?;
    let key = Secret::new(String::from_utf8(key).unwrap_or_default());
    Ok(Some(PemKeyStore { key, certificates: certificates_pem(&store.chain)? }))
}

/// The certificates that `ssl.truststore.*` say to trust; `None` if they leave it to the system. Reads the store's file.
///
/// # Errors
/// `Config`, naming the key, if they cannot be read.
pub fn trust_store_pem(properties: &ConfigMap) -> Result<Option<String>> {
    stores::trust_store(properties)?.map(|trusted| certificates_pem(&trusted)).transpose()
}

/// Whether the file is there and is PEM.
pub fn is_pem_file(location: &str) -> bool {
    fs::read(location).is_ok_and(|bytes| stores::format_of(&bytes) == StoreFormat::Pem)
}

fn certificates_pem(certificates: &[X509]) -> Result<String> {
    let mut all = Vec::new();
    for certificate in certificates {
        all.extend(certificate.to_pem().map_err(not_as_pem)?);
    }
    Ok(String::from_utf8(all).unwrap_or_default())
}

fn not_as_pem(error: ErrorStack) -> Error {
    Error::config("a key or certificate (`ssl.keystore.*`, `ssl.truststore.*`) cannot be written as PEM")
        .with_source(error)
}
