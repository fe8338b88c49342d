//! `ssl.*`: PEM and PKCS#12 stores; Java's own keystore format is not readable here.

use volley_api::ConfigMap;

use super::translate::Draft;
use crate::tls::pem;

const CONVERT: &str = "convert it with `keytool -importkeystore -srckeystore STORE -destkeystore store.p12 -deststoretype \
                       PKCS12` and `openssl pkcs12 -in store.p12 -out store.pem -nodes`, then set the location to \
                       store.pem and the type to PEM";

#[derive(Clone, Copy, PartialEq)]
enum StoreType {
    Pem,
    Pkcs12,
    Jks,
}

/// Translates a key that begins with `ssl.`, where one key suffices to do so.
pub(super) fn translate(draft: &mut Draft, key: &str, value: &str) {
    match key {
        "ssl.endpoint.identification.algorithm" => {
            draft.set(key, if value.is_empty() { "none".to_owned() } else { value.to_ascii_lowercase() });
        }
        "ssl.cipher.suites" | "ssl.enabled.protocols" => {
            draft.warn_unsupported(key, "OpenSSL names ciphers and protocols otherwise; its defaults are used");
        }
        "ssl.engine.factory.class" => draft.warn_unsupported(key, "it names a Java class"),
        "ssl.truststore.location"
        | "ssl.truststore.type"
        | "ssl.truststore.password"
        | "ssl.truststore.certificates"
        | "ssl.keystore.location"
        | "ssl.keystore.type"
        | "ssl.keystore.password"
        | "ssl.keystore.key"
        | "ssl.keystore.certificate.chain"
        | "ssl.protocol"
        | "ssl.provider"
        | "ssl.keymanager.algorithm"
        | "ssl.trustmanager.algorithm"
        | "ssl.secure.random.implementation"
        | "ssl.client.auth"
        | "ssl.principal.mapping.rules"
        | "ssl.allow.dn.changes"
        | "ssl.allow.san.changes" => {}
        _ => draft.pass(key, value),
    }
}

/// Translates the trust store and the key store.
pub(super) fn translate_stores(draft: &mut Draft, properties: &ConfigMap) {
    trust_store(draft, properties);
    key_store(draft, properties);
    let encrypted = draft.get("security.protocol").is_some_and(|protocol| protocol.contains("ssl"));
    if encrypted && ["ssl.ca.location", "ssl.ca.pem"].iter().all(|key| draft.get(key).is_none()) {
        draft.set("ssl.ca.location", "probe");
    }
}

fn trust_store(draft: &mut Draft, properties: &ConfigMap) {
    if let Some(certificates) = text(properties, "ssl.truststore.certificates") {
        return draft.set("ssl.ca.pem", pem::with_line_breaks(certificates));
    }
    let Some(location) = text(properties, "ssl.truststore.location") else { return };
    match store_type(properties, "ssl.truststore.type", location) {
        StoreType::Pem => draft.set("ssl.ca.location", location),
        StoreType::Pkcs12 | StoreType::Jks => draft.warn(format!(
            "trust store {location} (`ssl.truststore.location`) is not PEM and cannot be read: {CONVERT}"
        )),
    }
}

fn key_store(draft: &mut Draft, properties: &ConfigMap) {
    if let Some(key) = text(properties, "ssl.keystore.key") {
        draft.set("ssl.key.pem", pem::with_line_breaks(key));
        if let Some(chain) = text(properties, "ssl.keystore.certificate.chain") {
            draft.set("ssl.certificate.pem", pem::with_line_breaks(chain));
        }
        return;
    }
    let Some(location) = text(properties, "ssl.keystore.location") else { return };
    match store_type(properties, "ssl.keystore.type", location) {
        StoreType::Pem => {
            draft.set("ssl.certificate.location", location);
            draft.set("ssl.key.location", location);
        }
        StoreType::Pkcs12 => {
            draft.set("ssl.keystore.location", location);
            if let Some(password) = text(properties, "ssl.keystore.password") {
                draft.set("ssl.keystore.password", password);
            }
        }
        StoreType::Jks => {
            draft.warn(format!(
                "key store {location} (`ssl.keystore.location`) is a JKS store and cannot be read: {CONVERT}"
            ));
        }
    }
}

/// Java's default type is JKS; a name that says otherwise is believed, since Java reads such a file as what it is too.
fn store_type(properties: &ConfigMap, key: &str, location: &str) -> StoreType {
    let declared = text(properties, key).map(str::to_ascii_uppercase);
    let name = location.to_ascii_lowercase();
    match declared.as_deref() {
        Some("PEM") => StoreType::Pem,
        Some("PKCS12") => StoreType::Pkcs12,
        Some(_) => StoreType::Jks,
        None if [".pem", ".crt", ".cer"].iter().any(|end| name.ends_with(end)) => StoreType::Pem,
        None if [".p12", ".pfx"].iter().any(|end| name.ends_with(end)) => StoreType::Pkcs12,
        None => StoreType::Jks,
    }
}

fn text<'a>(properties: &'a ConfigMap, key: &str) -> Option<&'a str> {
    properties.get(key).map(|value| value.trim()).filter(|value| !value.is_empty())
}
