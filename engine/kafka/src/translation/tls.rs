//! `ssl.*`: librdkafka reads PEM; what is in stores of other kinds is given to it as PEM.

use volley_api::ConfigMap;
use volley_net::{is_pem_file, key_store_pem, pem_with_line_breaks, trust_store_pem};

use super::translate::Draft;

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
        return draft.set("ssl.ca.pem", pem_with_line_breaks(certificates));
    }
    let Some(location) = text(properties, "ssl.truststore.location") else { return };
    // A store that cannot be read is named to librdkafka all the same, so that no client is made that trusts the system.
    draft.set("ssl.ca.location", location);
    if is_pem_file(location) {
        // librdkafka reads it itself
        return;
    }
    match trust_store_pem(properties) {
        Ok(trusted) => {
            draft.remove("ssl.ca.location");
            draft.set("ssl.ca.pem", trusted.unwrap_or_default());
        }
        Err(error) => draft.warn(error.to_string()),
    }
}

fn key_store(draft: &mut Draft, properties: &ConfigMap) {
    if let Some(key) = text(properties, "ssl.keystore.key") {
        draft.set("ssl.key.pem", pem_with_line_breaks(key));
        if let Some(chain) = text(properties, "ssl.keystore.certificate.chain") {
            draft.set("ssl.certificate.pem", pem_with_line_breaks(chain));
        }
        return;
    }
    let Some(location) = text(properties, "ssl.keystore.location") else { return };
    draft.set("ssl.certificate.location", location);
    draft.set("ssl.key.location", location);
    if is_pem_file(location) {
        // librdkafka reads it itself
        return;
    }
    match key_store_pem(properties) {
        Ok(store) => {
            if let Some(store) = store {
                draft.set("ssl.key.pem", store.key.reveal());
                draft.set("ssl.certificate.pem", store.certificates);
            }
            draft.remove("ssl.certificate.location");
            draft.remove("ssl.key.location");
        }
        Err(error) => draft.warn(error.to_string()),
    }
}

fn text<'a>(properties: &'a ConfigMap, key: &str) -> Option<&'a str> {
    properties.get(key).map(|value| value.trim()).filter(|value| !value.is_empty())
}
