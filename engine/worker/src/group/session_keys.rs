//! The creation and renewal of session keys by the leader (KIP-507).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use volley_api::Result;
use volley_net::MacAlgorithm;

use crate::storage::SessionKey;

/// The properties of session keys. Only the leader of a group that signs creates them.
#[derive(Clone, Debug)]
pub struct SessionKeys {
    algorithm: MacAlgorithm,
    bits: Option<u32>,
    /// Length of a key of this kind, in bytes.
    length: usize,
    /// `None`: a key never expires.
    ttl: Option<Duration>,
}

impl SessionKeys {
    /// Keys for `algorithm` (`inter.worker.key.generation.algorithm`) with so many bits (`inter.worker.key.size`,
    /// `None` = the algorithm's default) that are renewed at the age of `ttl` (`inter.worker.key.ttl.ms`).
    ///
    /// # Errors
    /// If the algorithm is unknown, or does not support keys of that length.
    pub fn new(algorithm: &str, bits: Option<usize>, ttl: Option<Duration>) -> Result<Self> {
        let algorithm = MacAlgorithm::named(algorithm)?;
        let bits = bits.map(|bits| u32::try_from(bits).unwrap_or(u32::MAX));
        let length = algorithm.generate_key(bits)?.len();
        Ok(Self { algorithm, bits, length, ttl })
    }

    /// Whether a new key is needed: there is none, or it has expired, or its kind is another.
    pub fn must_renew(&self, present: Option<&SessionKey>, now_ms: i64) -> bool {
        let Some(present) = present else { return true };
        !present.algorithm.eq_ignore_ascii_case(self.algorithm.name())
            || key_bytes(present).is_none_or(|key| key.len() != self.length)
            || self.ms_until_renewal(Some(present), now_ms) == Some(0)
    }

    /// Time until the key expires, in ms; `None` if it never expires or there is none.
    pub fn ms_until_renewal(&self, present: Option<&SessionKey>, now_ms: i64) -> Option<u64> {
        let ttl = i64::try_from(self.ttl?.as_millis()).unwrap_or(i64::MAX);
        let left = present?.creation_timestamp.saturating_add(ttl).saturating_sub(now_ms);
        Some(u64::try_from(left).unwrap_or(0))
    }

    /// A new random key.
    ///
    /// # Errors
    /// If the system has no source of randomness.
    pub fn generate(&self, now_ms: i64) -> Result<SessionKey> {
        let key = self.algorithm.generate_key(self.bits)?;
        let algorithm = self.algorithm.name().to_owned();
        Ok(SessionKey { key: STANDARD.encode(key), algorithm, creation_timestamp: now_ms })
    }
}

/// The bytes of a key; `None` if the value in the config topic is empty or not base64.
pub(super) fn key_bytes(key: &SessionKey) -> Option<Vec<u8>> {
    STANDARD.decode(&key.key).ok().filter(|bytes| !bytes.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(ttl_ms: u64) -> SessionKeys {
        let ttl = Some(Duration::from_millis(ttl_ms)).filter(|ttl| !ttl.is_zero());
        SessionKeys::new("HmacSHA256", None, ttl).unwrap()
    }

    #[test]
    fn a_key_is_renewed_when_there_is_none_or_it_is_too_old() {
        let key = keys(100).generate(1_000).unwrap();
        assert!(keys(100).must_renew(None, 1_000));
        assert!(!keys(100).must_renew(Some(&key), 1_099));
        assert_eq!(keys(100).ms_until_renewal(Some(&key), 1_099), Some(1));
        assert!(keys(100).must_renew(Some(&key), 1_100));
        assert!(!keys(0).must_renew(Some(&key), i64::MAX), "a time to live of 0 is none");
        assert_eq!(keys(0).ms_until_renewal(Some(&key), 0), None);
    }

    #[test]
    fn a_key_of_another_kind_is_renewed() {
        let key = keys(100).generate(0).unwrap();
        assert_eq!(key_bytes(&key).unwrap().len(), 32);
        assert!(SessionKeys::new("HmacSHA512", None, None).unwrap().must_renew(Some(&key), 0));
        assert!(SessionKeys::new("HmacSHA256", Some(512), None).unwrap().must_renew(Some(&key), 0));
        assert!(!SessionKeys::new("hmacsha256", Some(256), None).unwrap().must_renew(Some(&key), 0));
        assert!(keys(100).must_renew(Some(&SessionKey { key: "?".into(), ..key }), 0));
    }

    #[test]
    fn keys_that_cannot_be_made_are_refused_at_once() {
        assert!(SessionKeys::new("HmacNope", None, None).is_err());
        assert!(SessionKeys::new("HmacSHA256", Some(1), None).is_err());
    }
}
