//! Whom the system trusts. OpenSSL is built in, and does not know where this system keeps its certificates.

use std::env;
use std::path::Path;

use openssl::error::ErrorStack;
use openssl::ssl::SslContextBuilder;

/// Bundles of the usual distributions, in the order in which the first that exists is taken.
const BUNDLES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/etc/ssl/cert.pem",
    "/opt/homebrew/etc/ca-certificates/cert.pem",
];

/// Trusts what `SSL_CERT_FILE` and `SSL_CERT_DIR` say, else the system's bundle.
pub(super) fn trust_system(builder: &mut SslContextBuilder) -> Result<(), ErrorStack> {
    builder.set_default_verify_paths()?;
    if env::var_os("SSL_CERT_FILE").is_some() || env::var_os("SSL_CERT_DIR").is_some() {
        return Ok(());
    }
    match BUNDLES.iter().find(|bundle| Path::new(bundle).is_file()) {
        Some(bundle) => builder.set_ca_file(bundle),
        None => Ok(()),
    }
}
