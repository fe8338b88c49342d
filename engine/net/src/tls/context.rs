//! What both sides of TLS have in common: key, trust, protocol versions and ciphers.

use openssl::error::ErrorStack;
use openssl::ssl::{SslContext, SslContextBuilder, SslMethod, SslMode, SslOptions, SslVersion};
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::X509VerifyFlags;
use volley_api::{ConfigMap, Error, Result};

use super::stores;
use super::system_trust;

const PROTOCOLS: &str = "ssl.enabled.protocols";
const CIPHERS: &str = "ssl.cipher.suites";

/// A context with the key store, the trust store, the protocols and the ciphers of `properties`.
pub(super) fn builder(properties: &ConfigMap) -> Result<SslContextBuilder> {
    if properties.get("ssl.engine.factory.class").is_some_and(|class| !class.trim().is_empty()) {
        return Err(Error::config("`ssl.engine.factory.class` names a Java class, which cannot be loaded: remove it"));
    }
    let mut builder = SslContext::builder(SslMethod::tls()).map_err(failure)?;
    builder.set_mode(SslMode::RELEASE_BUFFERS);
    builder.set_options(SslOptions::NO_RENEGOTIATION);
    set_protocols(&mut builder, properties)?;
    set_ciphers(&mut builder, properties)?;
    set_trust(&mut builder, properties)?;
    set_key(&mut builder, properties)?;
    Ok(builder)
}

fn set_trust(builder: &mut SslContextBuilder, properties: &ConfigMap) -> Result<()> {
    let Some(trusted) = stores::trust_store(properties)? else {
        return system_trust::trust_system(builder).map_err(failure);
    };
    let mut store = X509StoreBuilder::new().map_err(failure)?;
    // As in Java, a certificate in the trust store is trusted whoever signed it.
    store.set_flags(X509VerifyFlags::PARTIAL_CHAIN).map_err(failure)?;
    for certificate in trusted {
        builder.add_client_ca(&certificate).map_err(failure)?;
        store.add_cert(certificate).map_err(failure)?;
    }
    builder.set_cert_store(store.build());
    Ok(())
}

fn set_key(builder: &mut SslContextBuilder, properties: &ConfigMap) -> Result<()> {
    let Some(store) = stores::key_store(properties)? else { return Ok(()) };
    let mut chain = store.chain.into_iter();
    let Some(own) = chain.next() else {
        return Err(Error::config("the key store (`ssl.keystore.*`) has a key but no certificate for it"));
    };
    builder.set_certificate(&own).map_err(failure)?;
    builder.set_private_key(&store.key).map_err(|error| {
        Error::config("the private key of the key store (`ssl.keystore.*`) does not belong to its certificate")
            .with_source(error)
    })?;
    for certificate in chain {
        builder.add_extra_chain_cert(certificate).map_err(failure)?;
    }
    Ok(())
}

fn set_protocols(builder: &mut SslContextBuilder, properties: &ConfigMap) -> Result<()> {
    let listed = list(properties, PROTOCOLS);
    let versions = if listed.is_empty() {
        vec![SslVersion::TLS1_2, SslVersion::TLS1_3]
    } else {
        listed.into_iter().map(version).collect::<Result<Vec<_>>>()?
    };
    let all = [SslVersion::TLS1, SslVersion::TLS1_1, SslVersion::TLS1_2, SslVersion::TLS1_3];
    builder.set_min_proto_version(all.into_iter().find(|one| versions.contains(one))).map_err(failure)?;
    builder.set_max_proto_version(all.into_iter().rev().find(|one| versions.contains(one))).map_err(failure)
}

fn version(name: &str) -> Result<SslVersion> {
    match name {
        "TLSv1" => Ok(SslVersion::TLS1),
        "TLSv1.1" => Ok(SslVersion::TLS1_1),
        "TLSv1.2" => Ok(SslVersion::TLS1_2),
        "TLSv1.3" => Ok(SslVersion::TLS1_3),
        _ => Err(Error::config(format!("`{PROTOCOLS}` has `{name}`: known are TLSv1, TLSv1.1, TLSv1.2 and TLSv1.3"))),
    }
}

/// Suites are named as in Java, which are the names of the standard; OpenSSL knows them.
fn set_ciphers(builder: &mut SslContextBuilder, properties: &ConfigMap) -> Result<()> {
    let suites = list(properties, CIPHERS);
    if suites.is_empty() {
        return Ok(());
    }
    let is_modern =
        |suite: &&str| ["TLS_AES_", "TLS_CHACHA20_", "TLS_SM4_"].iter().any(|start| suite.starts_with(start));
    let (modern, older): (Vec<&str>, Vec<&str>) = suites.into_iter().partition(is_modern);
    let refused = |error: ErrorStack| {
        Error::config(format!("`{CIPHERS}` has no cipher suite that OpenSSL knows, or one that it does not"))
            .with_source(error)
    };
    if older.is_empty() {
        builder.set_min_proto_version(Some(SslVersion::TLS1_3)).map_err(failure)?;
    } else {
        builder.set_cipher_list(&older.join(":")).map_err(refused)?;
    }
    if modern.is_empty() {
        return builder.set_max_proto_version(Some(SslVersion::TLS1_2)).map_err(failure);
    }
    builder.set_ciphersuites(&modern.join(":")).map_err(refused)
}

fn list<'a>(properties: &'a ConfigMap, key: &str) -> Vec<&'a str> {
    let items = properties.get(key).map_or("", |value| value.as_str()).split(',');
    items.map(str::trim).filter(|item| !item.is_empty()).collect()
}

/// A failure of OpenSSL that no setting explains.
pub(super) fn failure(error: ErrorStack) -> Error {
    Error::fatal(format!("could not prepare TLS: {}", reasons(&error)))
}

/// What OpenSSL says, without its numbers and file names.
pub(super) fn reasons(stack: &ErrorStack) -> String {
    let mut reasons: Vec<&str> = Vec::new();
    for reason in stack.errors().iter().filter_map(openssl::error::Error::reason) {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    if reasons.is_empty() { "OpenSSL gives no reason".to_owned() } else { reasons.join(", ") }
}
