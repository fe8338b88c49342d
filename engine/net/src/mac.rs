//! Message authentication codes under the names that Java gives them, and the random keys that go with them.
//!
//! ```
//! let algorithm = volley_net::MacAlgorithm::named("HmacSHA256")?;
//! let key = algorithm.generate_key(None)?;
//! let mac = algorithm.mac(&key, b"body")?;
//! assert!(volley_net::constant_time_eq(&mac, &algorithm.mac(&key, b"body")?));
//! # Ok::<(), volley_api::Error>(())
//! ```

use openssl::error::ErrorStack;
use openssl::hash::{MessageDigest, hash};
use openssl::pkcs5::pbkdf2_hmac;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use volley_api::{Error, Result};

const NO_SUCH_ALGORITHM: &str = "java.security.NoSuchAlgorithmException";
const INVALID_PARAMETER: &str = "java.security.InvalidParameterException";

/// Java's name, the digest as OpenSSL names it, and the bits of a key that Java generates.
const ALGORITHMS: &[(&str, &str, u32)] = &[
    ("HmacMD5", "MD5", 512),
    ("HmacSHA1", "SHA1", 512),
    ("HmacSHA224", "SHA224", 224),
    ("HmacSHA256", "SHA256", 256),
    ("HmacSHA384", "SHA384", 384),
    ("HmacSHA512", "SHA512", 512),
    ("HmacSHA512/224", "SHA512-224", 224),
    ("HmacSHA512/256", "SHA512-256", 256),
    ("HmacSHA3-224", "SHA3-224", 224),
    ("HmacSHA3-256", "SHA3-256", 256),
    ("HmacSHA3-384", "SHA3-384", 384),
    ("HmacSHA3-512", "SHA3-512", 512),
];

/// The shortest key that Java generates for the SHA-2 and SHA-3 algorithms.
const SHORTEST_KEY: u32 = 40;

/// An algorithm that Java's `Mac` and `KeyGenerator` know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MacAlgorithm {
    name: &'static str,
    digest: &'static str,
    key_bits: u32,
}

impl MacAlgorithm {
    /// The algorithm of that name, in any case, as in Java.
    ///
    /// # Errors
    /// `Config`, with the words that Java uses, for a name that is not known.
    pub fn named(name: &str) -> Result<Self> {
        ALGORITHMS
            .iter()
            .find(|(known, ..)| known.eq_ignore_ascii_case(name))
            .map(|(name, digest, key_bits)| Self { name, digest, key_bits: *key_bits })
            .ok_or_else(|| Error::config(format!("Algorithm {name} not available")).with_exception(NO_SUCH_ALGORITHM))
    }

    /// Java's name in its usual spelling, such as `HmacSHA256`.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// A new random key of `bits`, rounded up to bytes, or of the length that Java takes by default (256 bits for
    /// HmacSHA256).
    ///
    /// # Errors
    /// `Config` for a length that Java refuses.
    pub fn generate_key(self, bits: Option<u32>) -> Result<Vec<u8>> {
        let bits = bits.unwrap_or(self.key_bits);
        let shortest = if matches!(self.name, "HmacMD5" | "HmacSHA1") { 1 } else { SHORTEST_KEY };
        if bits < shortest {
            return Err(
                Error::config(format!("Key length must be at least {shortest} bits")).with_exception(INVALID_PARAMETER)
            );
        }
        random_bytes(bits.div_ceil(8) as usize)
    }

    /// The code of `message` under `key`.
    ///
    /// # Errors
    /// `Config` for an empty key, which Java refuses too.
    pub fn mac(self, key: &[u8], message: &[u8]) -> Result<Vec<u8>> {
        if key.is_empty() {
            return Err(Error::config(format!("the key for {} is empty", self.name)));
        }
        self.try_mac(key, message)
            .map_err(|error| Error::fatal(format!("could not compute {}", self.name)).with_source(error))
    }

    /// The password salted by `iterations` rounds (PBKDF2, RFC 8018), as long as a code.
    ///
    /// # Errors
    /// `Fatal` if that cannot be computed.
    pub fn salted(self, password: &[u8], salt: &[u8], iterations: usize) -> Result<Vec<u8>> {
        let salted = self.digest().and_then(|digest| {
            let mut salted = vec![0; digest.size()];
            pbkdf2_hmac(password, salt, iterations, digest, &mut salted)?;
            Ok(salted)
        });
        salted.map_err(|error| Error::fatal("could not salt the password").with_source(error))
    }

    /// The hash of `bytes` by the function that the algorithm is made of.
    ///
    /// # Errors
    /// `Fatal` if that cannot be computed.
    pub fn hash(self, bytes: &[u8]) -> Result<Vec<u8>> {
        let hash = self.digest().and_then(|digest| hash(digest, bytes));
        let hash =
            hash.map_err(|error| Error::fatal(format!("could not hash with {}", self.digest)).with_source(error))?;
        Ok(hash.to_vec())
    }

    fn digest(self) -> std::result::Result<MessageDigest, ErrorStack> {
        MessageDigest::from_name(self.digest).ok_or_else(ErrorStack::get)
    }

    fn try_mac(self, key: &[u8], message: &[u8]) -> std::result::Result<Vec<u8>, ErrorStack> {
        let digest = self.digest()?;
        let key = PKey::hmac(key)?;
        let mut signer = Signer::new(digest, &key)?;
        signer.update(message)?;
        signer.sign_to_vec()
    }
}

/// Whether two byte strings are equal; for those of the same length the time does not tell where they differ.
pub fn constant_time_eq(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && openssl::memcmp::eq(left, right)
}

/// `length` bytes that nobody can foretell.
///
/// # Errors
/// `Fatal` if the system has no randomness to give.
pub fn random_bytes(length: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    openssl::rand::rand_bytes(&mut bytes)
        .map_err(|error| Error::fatal("could not get random bytes from the system").with_source(error))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_vectors_of_rfc_2202_and_4231_hold() {
        let of = |name: &str| {
            hex(&MacAlgorithm::named(name).unwrap().mac(b"Jefe", b"what do ya want for nothing?").unwrap())
        };
        assert_eq!(of("HmacMD5"), "750c783e6ab0b503eaa86e310a5db738");
        assert_eq!(of("HmacSHA1"), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
        assert_eq!(of("HmacSHA224"), "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44");
        assert_eq!(of("hmacsha256"), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        assert!(of("HmacSHA384").starts_with("af45d2e376484031617f78d2b58a6b1b"));
        assert!(of("HmacSHA512").starts_with("164b7a7bfcf819e2e395fbe73b56e0a3"));
    }

    #[test]
    fn every_algorithm_works_with_the_key_that_it_generates() {
        for (name, _, bits) in ALGORITHMS {
            let algorithm = MacAlgorithm::named(name).unwrap();
            let key = algorithm.generate_key(None).unwrap();
            assert_eq!(key.len() * 8, *bits as usize, "{name}");
            assert!(!algorithm.mac(&key, b"").unwrap().is_empty());
            assert_ne!(key, algorithm.generate_key(None).unwrap());
        }
    }

    #[test]
    fn names_and_lengths_that_java_refuses_are_refused_in_its_words() {
        let error = MacAlgorithm::named("HmacNope").unwrap_err();
        assert_eq!(error.to_string(), "Algorithm HmacNope not available");
        let sha256 = MacAlgorithm::named("HmacSHA256").unwrap();
        assert_eq!(sha256.generate_key(Some(39)).unwrap_err().to_string(), "Key length must be at least 40 bits");
        assert_eq!(sha256.generate_key(Some(41)).unwrap().len(), 6);
        assert!(sha256.mac(b"", b"x").is_err());
    }

    #[test]
    fn only_equal_bytes_are_equal() {
        assert!(constant_time_eq(b"abc", b"abc"));
        assert!(!constant_time_eq(b"abc", b"abd"));
        assert!(!constant_time_eq(b"abc", b"ab"));
        assert!(constant_time_eq(b"", b""));
    }
}
