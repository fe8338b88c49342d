//! Signing and verifying the requests between workers (KIP-507).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use volley_api::Result;
use volley_net::{MacAlgorithm, constant_time_eq};

use super::request_signature::{RequestSignature, SignatureHeaders};
use super::session_keys::key_bytes;
use crate::error::{HerderError, HerderResult};
use crate::storage::{ClusterConfigState, SessionKey};

const NO_KEY: &str =
    "This worker is still starting up and has not been able to read a session key from the config topic yet";

/// Signs requests to the leader.
#[derive(Clone, Debug)]
pub struct SessionSigner {
    algorithm: MacAlgorithm,
}

impl SessionSigner {
    /// A signer that uses `algorithm` (`inter.worker.signature.algorithm`).
    ///
    /// # Errors
    /// If it is unknown.
    pub fn new(algorithm: &str) -> Result<Self> {
        Ok(Self { algorithm: MacAlgorithm::named(algorithm)? })
    }

    /// The signature of a request with this body (empty for a request without one), with the session key of `config`.
    ///
    /// # Errors
    /// `Unavailable` while there is no key.
    pub fn sign(&self, config: &ClusterConfigState, body: &[u8]) -> HerderResult<SignatureHeaders> {
        let key =
            config.session_key().and_then(key_bytes).ok_or_else(|| HerderError::Unavailable(NO_KEY.to_owned()))?;
        let mac = STANDARD.encode(self.algorithm.mac(&key, body)?);
        Ok(SignatureHeaders { mac, algorithm: self.algorithm.name().to_owned() })
    }
}

/// Verifies requests from other workers.
#[derive(Clone, Debug)]
pub struct SignatureVerifier {
    algorithms: Vec<String>,
}

impl SignatureVerifier {
    /// A verifier that accepts these algorithms (`inter.worker.verification.algorithms`).
    pub fn new(algorithms: &[String]) -> Self {
        Self { algorithms: algorithms.to_vec() }
    }

    /// Checks the signature of a request. Only for groups whose protocol signs requests.
    ///
    /// # Errors
    /// `BadRequest` without a signature, or with an algorithm that is not accepted; `Unavailable` while there is no
    /// key; `Forbidden` if the signature does not match the body and the key.
    pub fn verify(&self, key: Option<&SessionKey>, signature: Option<&RequestSignature>) -> HerderResult<()> {
        let missing = || HerderError::BadRequest("Internal request missing required signature".to_owned());
        let RequestSignature { body, mac, algorithm } = signature.ok_or_else(missing)?;
        if !self.algorithms.contains(algorithm) {
            return Err(self.unsupported(algorithm));
        }
        let key = key.and_then(key_bytes).ok_or_else(|| HerderError::Unavailable(NO_KEY.to_owned()))?;
        let algorithm = MacAlgorithm::named(algorithm).map_err(|error| HerderError::BadRequest(error.to_string()))?;
        match constant_time_eq(&algorithm.mac(&key, body)?, mac) {
            true => Ok(()),
            false => Err(HerderError::Forbidden("Internal request contained invalid signature.".to_owned())),
        }
    }

    fn unsupported(&self, algorithm: &str) -> HerderError {
        HerderError::BadRequest(format!(
            "This worker does not support the '{algorithm}' key signing algorithm used by other workers. This worker is \
             currently configured to use: [{}]. Check that all workers' configuration files permit the same set of signature \
             algorithms, and correct any misconfigured worker and restart it.",
            self.algorithms.join(", ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::Value;

    use super::*;
    use crate::group::SessionKeys;
    use crate::storage::ConfigRecord;

    fn config(key: &SessionKey) -> ClusterConfigState {
        let mut state = ClusterConfigState::default();
        let record = ConfigRecord::SessionKey(key.clone());
        state.apply(0, &record.key(), record.value().as_ref());
        state
    }

    fn signature(headers: &SignatureHeaders, body: &[u8]) -> RequestSignature {
        let (mac, algorithm) = (STANDARD.decode(&headers.mac).unwrap(), headers.algorithm.clone());
        RequestSignature { body: body.to_vec().into(), mac, algorithm }
    }

    fn verifier() -> SignatureVerifier {
        SignatureVerifier::new(&["HmacSHA256".to_owned(), "HmacSHA512".to_owned()])
    }

    fn message(outcome: HerderResult<()>) -> (u16, String) {
        let error = outcome.unwrap_err();
        (error.status(), error.to_string())
    }

    #[test]
    fn what_one_worker_signs_the_other_accepts() {
        let key = SessionKeys::new("HmacSHA256", None, None).unwrap().generate(0).unwrap();
        for algorithm in ["HmacSHA256", "HmacSHA512"] {
            let headers = SessionSigner::new(algorithm).unwrap().sign(&config(&key), b"[]").unwrap();
            verifier().verify(Some(&key), Some(&signature(&headers, b"[]"))).unwrap();
            let forged = verifier().verify(Some(&key), Some(&signature(&headers, b"[ ]")));
            assert_eq!(message(forged), (403, "Internal request contained invalid signature.".to_owned()));
        }
    }

    #[test]
    fn a_stale_key_is_forbidden() {
        let keys = SessionKeys::new("HmacSHA256", None, None).unwrap();
        let (old, new) = (keys.generate(0).unwrap(), keys.generate(1).unwrap());
        let headers = SessionSigner::new("HmacSHA256").unwrap().sign(&config(&old), b"").unwrap();
        assert_eq!(message(verifier().verify(Some(&new), Some(&signature(&headers, b"")))).0, 403);
    }

    #[test]
    fn what_is_missing_or_not_accepted_is_named_as_java_does() {
        let key = SessionKeys::new("HmacSHA256", None, None).unwrap().generate(0).unwrap();
        let of =
            |algorithm: &str| RequestSignature { body: Bytes::new(), mac: vec![], algorithm: algorithm.to_owned() };
        let missing = (400, "Internal request missing required signature".to_owned());
        assert_eq!(message(verifier().verify(Some(&key), None)), missing);
        let (status, text) = message(verifier().verify(None, Some(&of("HmacMD5"))));
        assert_eq!(status, 400);
        assert!(text.contains("the 'HmacMD5' key") && text.contains("use: [HmacSHA256, HmacSHA512]. Check"), "{text}");
        assert_eq!(message(verifier().verify(None, Some(&of("HmacSHA256")))), (503, NO_KEY.to_owned()));
        let signer = SessionSigner::new("HmacSHA256").unwrap();
        assert_eq!(signer.sign(&ClusterConfigState::default(), b"").unwrap_err().status(), 503);
    }

    #[test]
    fn signatures_are_java_s() {
        for line in include_str!("testdata/signatures.jsonl").lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let text = |name: &str| line[name].as_str().unwrap();
            if let Some(length) = line["default_key_bytes"].as_u64() {
                let key = SessionKeys::new(text("algorithm"), None, None).unwrap().generate(0).unwrap();
                assert_eq!(key_bytes(&key).unwrap().len() as u64, length);
                continue;
            }
            let (key, algorithm) = (text("key").to_owned(), "HmacSHA256".to_owned());
            let key = SessionKey { key, algorithm, creation_timestamp: 0 };
            let signed = SessionSigner::new(text("algorithm")).unwrap();
            let signed = signed.sign(&config(&key), text("body").as_bytes()).unwrap();
            assert_eq!((signed.mac.as_str(), signed.algorithm.as_str()), (text("signature"), text("algorithm")));
        }
    }
}
