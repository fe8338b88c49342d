//! Sun's own key store format, read only.
//!
//! Big-endian: magic `FEEDFEED`, version (1 or 2), number of entries; each entry: tag (1 = private key, 2 = trusted
//! certificate), alias, date in ms; a key is its length and an `EncryptedPrivateKeyInfo` under Sun's key protector, then the
//! number of certificates and those; a certificate is its type (version 2 only), length and DER. At the end the SHA-1 digest
//! of the password (UTF-16), the words `Mighty Aphrodite` and everything before.
//!
//! The protector encrypts a PKCS#8 key by XOR with the stream S1, S2, …, where S0 is a salt of 20 bytes and
//! Sn = SHA1(password ‖ Sn-1). Stored are salt, encrypted key, and SHA1(password ‖ key) as a check.

use openssl::hash::{MessageDigest, hash};
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;

use super::stores::{Contents, Passwords};
use crate::mac::constant_time_eq;

const DIGEST: usize = 20;
const WHITENER: &[u8] = b"Mighty Aphrodite";

type Outcome<T> = Result<T, String>;

/// The first private key with its certificates, and all trusted certificates.
pub(super) fn open(store: &[u8], passwords: &Passwords<'_>) -> Outcome<Contents> {
    read(store, passwords, true)
}

/// All certificates that the store trusts: the trusted ones, and the first of each private key, as in Java.
pub(super) fn open_certificates(store: &[u8], passwords: &Passwords<'_>) -> Outcome<Contents> {
    read(store, passwords, false)
}

fn read(store: &[u8], passwords: &Passwords<'_>, with_key: bool) -> Outcome<Contents> {
    let (entries, digest) = store.split_at_checked(store.len().saturating_sub(DIGEST)).ok_or_else(damaged)?;
    if let Some(password) = passwords.store {
        let expected = sha1(&[&utf16(password), WHITENER, entries])?;
        if !constant_time_eq(&expected, digest) {
            return Err("its password is another one, or it is damaged".to_owned());
        }
    }
    let mut reader = Reader { rest: entries };
    reader.number()?;
    let version = reader.number()?;
    if !matches!(version, 1 | 2) {
        return Err(format!("it is a JKS store of version {version}, known are 1 and 2"));
    }
    let mut contents = Contents::default();
    for _ in 0..reader.number()? {
        let tag = reader.number()?;
        reader.text()?;
        reader.take(8)?;
        match tag {
            1 => {
                let protected = reader.sized()?;
                let certificates = reader.number()?;
                let chain = (0..certificates).map(|_| reader.certificate(version)).collect::<Outcome<Vec<_>>>()?;
                if !with_key {
                    contents.trusted.extend(chain.into_iter().next());
                } else if contents.key.is_none() {
                    contents.key = Some(unprotect(protected, passwords)?);
                    contents.chain = chain;
                }
            }
            2 => contents.trusted.push(reader.certificate(version)?),
            _ => return Err(format!("it has an entry of kind {tag}, which is unknown")),
        }
    }
    Ok(contents)
}

fn damaged() -> String {
    "it is damaged: it ends too early".to_owned()
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Outcome<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(damaged)?;
        self.rest = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Outcome<u32> {
        let bytes = self.take(4)?;
        Ok(bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    fn sized(&mut self) -> Outcome<&'a [u8]> {
        let length = self.number()?;
        self.take(length as usize)
    }

    fn text(&mut self) -> Outcome<&'a [u8]> {
        let bytes = self.take(2)?;
        self.take(usize::from(bytes[0]) << 8 | usize::from(bytes[1]))
    }

    fn certificate(&mut self, version: u32) -> Outcome<X509> {
        if version == 2 {
            self.text()?;
        }
        X509::from_der(self.sized()?).map_err(|_| "a certificate in it is damaged or not X.509".to_owned())
    }
}

fn unprotect(protected: &[u8], passwords: &Passwords<'_>) -> Outcome<PKey<Private>> {
    let password = passwords
        .key
        .or(passwords.store)
        .ok_or("its private key is encrypted, and neither `ssl.key.password` nor `ssl.keystore.password` is set")?;
    let password = utf16(password);
    let sealed = octet_string(protected).ok_or("its private key is not under Sun's key protector")?;
    let (salt, sealed) = sealed.split_at_checked(DIGEST).ok_or_else(damaged)?;
    let (encrypted, check) = sealed.split_at_checked(sealed.len().saturating_sub(DIGEST)).ok_or_else(damaged)?;
    let mut key = Vec::with_capacity(encrypted.len());
    let mut stream = salt.to_vec();
    for block in encrypted.chunks(DIGEST) {
        stream = sha1(&[&password, &stream])?;
        key.extend(block.iter().zip(&stream).map(|(byte, mask)| byte ^ mask));
    }
    if !constant_time_eq(&sha1(&[&password, &key])?, check) {
        return Err("its private key has another password (`ssl.key.password`)".to_owned());
    }
    PKey::private_key_from_pkcs8(&key).map_err(|_| "its private key is of an unknown kind".to_owned())
}

/// The octets in `SEQUENCE { SEQUENCE { … }, OCTET STRING }`.
fn octet_string(der: &[u8]) -> Option<&[u8]> {
    let (outer, _) = element(der, 0x30)?;
    let (_, after_algorithm) = element(outer, 0x30)?;
    element(after_algorithm, 0x04).map(|(octets, _)| octets)
}

/// The contents of the DER element at the start, which must have this tag, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = der.split_first()?;
    let (length, rest) = rest.split_first()?;
    let (length, rest) = match *length {
        short @ 0..=0x7f => (usize::from(short), rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(*length & 0x7f))?;
            (bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    (*first == tag).then(|| rest.split_at_checked(length))?
}

/// Java's characters of a password, two bytes each.
fn utf16(password: &str) -> Vec<u8> {
    password.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

fn sha1(parts: &[&[u8]]) -> Outcome<Vec<u8>> {
    hash(MessageDigest::sha1(), &parts.concat())
        .map(|digest| digest.to_vec())
        .map_err(|_| "OpenSSL computes no SHA-1, which JKS stores need".to_owned())
}
