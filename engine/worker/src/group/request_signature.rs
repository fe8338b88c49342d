//! The signature of an internal request (KIP-507).

use bytes::Bytes;

/// The signature of an internal request, from its headers and body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestSignature {
    /// The exact bytes of the body.
    pub body: Bytes,
    /// `X-Connect-Authorization`, decoded.
    pub mac: Vec<u8>,
    /// `X-Connect-Request-Signature-Algorithm`, for example HmacSHA256.
    pub algorithm: String,
}

/// The signature of a request to the leader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureHeaders {
    /// MAC of the exact bytes of the body, in base64 (standard alphabet, padded).
    pub mac: String,
    /// Its algorithm, for example HmacSHA256.
    pub algorithm: String,
}
