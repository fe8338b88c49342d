//! Key stores and trust stores: PEM, PKCS#12 and JKS, told apart by what is in them, since Java too reads a file as what it
//! is.

use std::fs;

use openssl::error::ErrorStack;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;
use volley_api::{ConfigMap, Error, Result};

use super::pem::pem_with_line_breaks;
use super::{context, jks};

/// A private key and the certificates that go with it.
pub(super) struct KeyStore {
    /// The first private key of the store.
    pub(super) key: PKey<Private>,
    /// Its certificate, then those of its issuers in order.
    pub(super) chain: Vec<X509>,
}

/// What a store holds.
#[derive(Default)]
pub(super) struct Contents {
    pub(super) key: Option<PKey<Private>>,
    /// Certificates of `key`.
    pub(super) chain: Vec<X509>,
    /// Certificates that are trusted.
    pub(super) trusted: Vec<X509>,
}

/// Passwords of a store; never shown.
pub(super) struct Passwords<'a> {
    pub(super) store: Option<&'a str>,
    pub(super) key: Option<&'a str>,
}

/// The key store that `properties` name; `None` if they name none. Reads its file.
pub(super) fn key_store(properties: &ConfigMap) -> Result<Option<KeyStore>> {
    let passwords = Passwords {
        store: password(properties, "ssl.keystore.password"),
        key: password(properties, "ssl.key.password"),
    };
    let (what, contents) = if let Some(key) = text(properties, "ssl.keystore.key") {
        let chain = text(properties, "ssl.keystore.certificate.chain").unwrap_or_default();
        let both = format!("{}{}", pem_with_line_breaks(key), pem_with_line_breaks(chain));
        ("the key (`ssl.keystore.key`)".to_owned(), open(both.as_bytes(), &passwords))
    } else if let Some(location) = text(properties, "ssl.keystore.location") {
        let what = format!("key store {location} (`ssl.keystore.location`)");
        let bytes = read(&what, location)?;
        (what, open(&bytes, &passwords))
    } else {
        return Ok(None);
    };
    let contents = contents.map_err(|reason| unreadable(&what, &reason))?;
    let Some(key) = contents.key else { return Err(unreadable(&what, "it has no private key")) };
    let certificates = contents.chain.into_iter().chain(contents.trusted).collect();
    Ok(Some(KeyStore { chain: in_order(&key, certificates), key }))
}

/// The certificates that `properties` say to trust; `None` if they leave it to the system. Reads the store's file.
pub(super) fn trust_store(properties: &ConfigMap) -> Result<Option<Vec<X509>>> {
    let passwords = Passwords { store: password(properties, "ssl.truststore.password"), key: None };
    let (what, contents) = if let Some(certificates) = text(properties, "ssl.truststore.certificates") {
        let what = "the certificates (`ssl.truststore.certificates`)".to_owned();
        (what, open(pem_with_line_breaks(certificates).as_bytes(), &passwords))
    } else if let Some(location) = text(properties, "ssl.truststore.location") {
        let what = format!("trust store {location} (`ssl.truststore.location`)");
        let bytes = read(&what, location)?;
        (what, open_trusted(&bytes, &passwords))
    } else {
        return Ok(None);
    };
    let contents = contents.map_err(|reason| unreadable(&what, &reason))?;
    let trusted: Vec<_> = contents.trusted.into_iter().chain(contents.chain).collect();
    if trusted.is_empty() {
        return Err(unreadable(&what, "it has no certificate"));
    }
    Ok(Some(trusted))
}

fn text<'a>(properties: &'a ConfigMap, key: &str) -> Option<&'a str> {
    properties.get(key).map(|value| value.trim()).filter(|value| !value.is_empty())
}

fn password<'a>(properties: &'a ConfigMap, key: &str) -> Option<&'a str> {
    text(properties, key)
}

fn read(what: &str, location: &str) -> Result<Vec<u8>> {
    fs::read(location).map_err(|error| unreadable(what, &error.to_string()))
}

fn unreadable(what: &str, reason: &str) -> Error {
    Error::config(format!("could not read {what}: {reason}"))
}

/// The kinds of store, by their first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StoreFormat {
    /// Text with `-----BEGIN` lines.
    Pem,
    /// RFC 7292, a DER sequence.
    Pkcs12,
    /// Sun's own format.
    Jks,
    /// Sun's encrypted variant of its own format, of the JCE.
    Jceks,
    /// None of those.
    Unknown,
}

/// What kind of store `bytes` are.
pub(super) fn format_of(bytes: &[u8]) -> StoreFormat {
    match bytes {
        [0xfe, 0xed, 0xfe, 0xed, ..] => StoreFormat::Jks,
        [0xce, 0xce, 0xce, 0xce, ..] => StoreFormat::Jceks,
        [0x30, ..] => StoreFormat::Pkcs12,
        _ if bytes.windows(11).any(|window| window == b"-----BEGIN ") => StoreFormat::Pem,
        _ => StoreFormat::Unknown,
    }
}

type Opened = std::result::Result<Contents, String>;

const NOT_A_STORE: &str = "it is neither PEM nor PKCS#12 nor JKS";
const CONVERT: &str = "convert it with `keytool -importkeystore -srckeystore STORE -destkeystore NEW.p12 -deststoretype \
                       PKCS12` of Java 17 or newer, and use NEW.p12";

fn open(bytes: &[u8], passwords: &Passwords<'_>) -> Opened {
    match format_of(bytes) {
        StoreFormat::Pem => open_pem(bytes, passwords),
        StoreFormat::Pkcs12 => open_pkcs12(bytes, passwords),
        StoreFormat::Jks => jks::open(bytes, passwords),
        StoreFormat::Jceks => Err(format!("it is a JCEKS store; {CONVERT}")),
        StoreFormat::Unknown => Err(NOT_A_STORE.to_owned()),
    }
}

/// As [`open`], without the keys: those of a trust store are of no use, and may be under a password that is not known.
fn open_trusted(bytes: &[u8], passwords: &Passwords<'_>) -> Opened {
    match format_of(bytes) {
        StoreFormat::Pem => pem_certificates(bytes).map(|trusted| Contents { trusted, ..Contents::default() }),
        StoreFormat::Jks => jks::open_certificates(bytes, passwords),
        _ => open(bytes, passwords),
    }
}

fn pem_certificates(bytes: &[u8]) -> std::result::Result<Vec<X509>, String> {
    X509::stack_from_pem(bytes).map_err(|error| format!("a certificate in it is damaged: {}", context::reasons(&error)))
}

fn open_pem(bytes: &[u8], passwords: &Passwords<'_>) -> Opened {
    let has_key = bytes.windows(17).any(|window| window == b"PRIVATE KEY-----\n" || window == b"PRIVATE KEY-----\r");
    let key = if has_key { Some(pem_key(bytes, passwords.key.or(passwords.store))?) } else { None };
    let certificates = pem_certificates(bytes)?;
    Ok(match key {
        Some(_) => Contents { key, chain: certificates, trusted: Vec::new() },
        None => Contents { key, chain: Vec::new(), trusted: certificates },
    })
}

/// A callback always answers: without one OpenSSL would ask at the terminal.
fn pem_key(bytes: &[u8], password: Option<&str>) -> std::result::Result<PKey<Private>, String> {
    let mut asked = false;
    let answer = |buffer: &mut [u8]| {
        asked = true;
        let password = password.unwrap_or_default().as_bytes();
        match buffer.get_mut(..password.len()) {
            Some(place) => place.copy_from_slice(password),
            None => return Ok(0),
        }
        Ok(password.len())
    };
    PKey::private_key_from_pem_callback(bytes, answer).map_err(|error| match (asked, password) {
        (true, None) => "its private key is encrypted, and `ssl.key.password` is not set".to_owned(),
        (true, Some(_)) => "its private key cannot be decrypted with `ssl.key.password`".to_owned(),
        (false, _) => format!("its private key is damaged: {}", context::reasons(&error)),
    })
}

fn open_pkcs12(bytes: &[u8], passwords: &Passwords<'_>) -> Opened {
    let store = Pkcs12::from_der(bytes).map_err(|_| NOT_A_STORE.to_owned())?;
    let parsed = store.parse2(passwords.store.unwrap_or_default()).map_err(|error| pkcs12_reason(&error, passwords))?;
    let own = parsed.cert.into_iter();
    let others = parsed.ca.into_iter().flatten();
    Ok(match parsed.pkey {
        Some(key) => Contents { key: Some(key), chain: own.chain(others).collect(), trusted: Vec::new() },
        None => Contents { key: None, chain: Vec::new(), trusted: own.chain(others).collect() },
    })
}

fn pkcs12_reason(error: &ErrorStack, passwords: &Passwords<'_>) -> String {
    let reasons = context::reasons(error);
    if reasons.contains("mac verify failure") {
        return match passwords.store {
            Some(_) => "its password is another one".to_owned(),
            None => "it has a password, and none is set".to_owned(),
        };
    }
    if reasons.contains("unsupported") {
        return format!("it is encrypted with an algorithm of old versions of Java (RC2); {CONVERT}");
    }
    format!("{reasons}; is its password right?")
}

/// The certificate of `key` first, then its issuers as far as they are there: servers must show them in this order.
fn in_order(key: &PKey<Private>, mut certificates: Vec<X509>) -> Vec<X509> {
    let is_own = |certificate: &X509| certificate.public_key().is_ok_and(|public| public.public_eq(key));
    let Some(own) = certificates.iter().position(is_own) else { return certificates };
    let mut chain = vec![certificates.swap_remove(own)];
    while let Some(last) = chain.last() {
        let issuer = last.issuer_name().to_der().ok();
        let next = certificates.iter().position(|one| one.subject_name().to_der().ok() == issuer);
        let Some(next) = next else { break };
        chain.push(certificates.swap_remove(next));
    }
    chain
}
