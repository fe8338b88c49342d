//! Keys of clients that use TLS.

use volley_api::ConfigType::{Class, List, Password, String as Text};
use volley_api::Importance::{High, Low, Medium};

use super::client_key::ClientDefault::{Is, Null};
use super::client_key::{ALL, ClientKey, key};

pub(super) const TLS: &[ClientKey] = &[
    key("ssl.cipher.suites", ALL, List, Is(""), Low, "Cipher suites that may be used; empty: all."),
    key("ssl.enabled.protocols", ALL, List, Is("TLSv1.2,TLSv1.3"), Medium, "TLS versions that may be used."),
    key(
        "ssl.endpoint.identification.algorithm",
        ALL,
        Text,
        Is("https"),
        Low,
        "How the broker's name is checked against its certificate; empty: not at all.",
    ),
    key("ssl.engine.factory.class", ALL, Class, Null, Low, "Class that makes TLS engines."),
    key("ssl.key.password", ALL, Password, Null, High, "Password of the private key."),
    key("ssl.keymanager.algorithm", ALL, Text, Is("SunX509"), Low, "Algorithm of the key manager."),
    key("ssl.keystore.certificate.chain", ALL, Password, Null, High, "Certificates of the client, as PEM."),
    key("ssl.keystore.key", ALL, Password, Null, High, "Private key of the client, as PEM."),
    key(
        "ssl.keystore.location",
        ALL,
        Text,
        Null,
        High,
        "File with the private key and the certificates of the client.",
    ),
    key("ssl.keystore.password", ALL, Password, Null, High, "Password of the key store."),
    key("ssl.keystore.type", ALL, Text, Is("JKS"), Medium, "Format of the key store: JKS, PKCS12 or PEM."),
    key("ssl.protocol", ALL, Text, Is("TLSv1.3"), Medium, "TLS version to begin with."),
    key("ssl.provider", ALL, Text, Null, Medium, "Provider of TLS."),
    key("ssl.secure.random.implementation", ALL, Text, Null, Low, "Source of random numbers."),
    key("ssl.trustmanager.algorithm", ALL, Text, Is("PKIX"), Low, "Algorithm of the trust manager."),
    key("ssl.truststore.certificates", ALL, Password, Null, High, "Certificates that are trusted, as PEM."),
    key("ssl.truststore.location", ALL, Text, Null, High, "File with the certificates that are trusted."),
    key("ssl.truststore.password", ALL, Password, Null, High, "Password of the trust store."),
    key("ssl.truststore.type", ALL, Text, Is("JKS"), Medium, "Format of the trust store: JKS, PKCS12 or PEM."),
];
