//! Frames: a length of four bytes, a header with a correlation id, the message.

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::{RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, StrBytes};
use volley_api::{Error, Result};

use super::api::Api;

/// No first answer is longer: what begins with a greater length is no Kafka broker.
pub(super) const LONGEST_FIRST_FRAME: usize = 100 << 20;

/// Later answers may be as long as a length can say: so long may a record be.
pub(super) const LONGEST_FRAME: usize = i32::MAX as usize;

/// The frame of a request.
pub(super) fn encode<R: Api>(request: &R, version: i16, correlation_id: i32, client_id: &StrBytes) -> Result<Bytes> {
    let header = RequestHeader::default()
        .with_request_api_key(R::KEY as i16)
        .with_request_api_version(version)
        .with_correlation_id(correlation_id)
        .with_client_id(Some(client_id.clone()));
    let mut frame = BytesMut::with_capacity(256);
    frame.put_i32(0);
    header
        .encode(&mut frame, R::header_version(version))
        .and_then(|()| request.encode(&mut frame, version))
        .map_err(|error| Error::fatal(format!("could not encode {:?} version {version}: {error}", R::KEY)))?;
    let length = i32::try_from(frame.len() - 4)
        .map_err(|_| Error::fatal(format!("a request {:?} of {} bytes is too long", R::KEY, frame.len())))?;
    frame[..4].copy_from_slice(&length.to_be_bytes());
    Ok(frame.freeze())
}

/// The response in a frame, whose length is stripped.
pub(super) fn decode<R: Api>(mut frame: Bytes, version: i16, correlation_id: i32) -> Result<R::Response> {
    let malformed = |reason: String| {
        Error::retriable(format!("the broker's answer to {:?} version {version} is malformed: {reason}", R::KEY))
    };
    let header = ResponseHeader::decode(&mut frame, R::Response::header_version(version))
        .map_err(|error| malformed(error.to_string()))?;
    if header.correlation_id != correlation_id {
        return Err(malformed(format!("it answers request {}, not {correlation_id}", header.correlation_id)));
    }
    R::Response::decode(&mut frame, version).map_err(|error| malformed(error.to_string()))
}

/// Whether an answer to ApiVersions says that its version is not known. Such an answer is in version 0 whatever was asked,
/// and all versions have their error code first.
pub(super) fn is_unsupported_version(frame: &[u8]) -> bool {
    let code = ResponseError::UnsupportedVersion.code().to_be_bytes();
    frame.get(4..6) == Some(code.as_slice())
}

/// How long a frame is that begins with `length`, and is at most as long as `longest`.
pub(super) fn frame_length(length: [u8; 4], longest: usize) -> Result<usize> {
    let announced = i32::from_be_bytes(length);
    usize::try_from(announced).ok().filter(|length| *length <= longest).ok_or_else(|| {
        Error::config(format!(
            "the answer begins with {length:02x?}, which no Kafka broker says here: check the port in \
             `bootstrap.servers` and `security.protocol` (a port with TLS wants SSL or SASL_SSL)"
        ))
    })
}

#[cfg(test)]
mod tests {
    use bytes::Buf;
    use kafka_protocol::messages::{ApiVersionsRequest, HeartbeatRequest, JoinGroupRequest};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_frame_is_length_header_and_message() {
        let mut frame = encode(&HeartbeatRequest::default(), 0, 7, &StrBytes::from_static_str("me")).unwrap();
        assert_eq!(frame.get_i32() as usize, frame.len());
        assert_eq!((frame.get_i16(), frame.get_i16(), frame.get_i32()), (12, 0, 7));
        assert_eq!((frame.get_i16(), &frame[..2]), (2, b"me".as_slice()));
    }

    #[test]
    fn what_is_no_kafka_broker_is_told_by_its_first_bytes() {
        assert_eq!(frame_length(12_i32.to_be_bytes(), LONGEST_FIRST_FRAME).unwrap(), 12);
        assert!(frame_length(*b"HTTP", LONGEST_FRAME).is_ok(), "known to be a broker");
        for first in [*b"HTTP", [0x15, 3, 3, 0], (-1_i32).to_be_bytes()] {
            let error = frame_length(first, LONGEST_FIRST_FRAME).unwrap_err();
            assert!(error.to_string().contains("security.protocol"), "{error}");
        }
    }

    #[test]
    fn an_old_brokers_refusal_of_the_version_is_recognised() {
        let version_0 = [0, 0, 0, 1, 0, 35, 0, 0, 0, 0];
        assert!(is_unsupported_version(&version_0));
        assert!(!is_unsupported_version(&[0, 0, 0, 1, 0, 0]) && !is_unsupported_version(&[0, 35]));
    }

    #[test]
    fn an_answer_to_another_request_is_refused() {
        let frame = Bytes::from_static(&[0, 0, 0, 9, 0, 0, 0, 0, 0, 0]);
        assert!(decode::<ApiVersionsRequest>(frame.clone(), 0, 9).is_ok());
        assert!(decode::<ApiVersionsRequest>(frame, 0, 8).is_err());
    }

    proptest! {
        #[test]
        fn no_answer_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), version in 0_i16..=9) {
            let _ = decode::<HeartbeatRequest>(Bytes::from(bytes), version.min(4), 0);
        }

        #[test]
        fn a_truncated_answer_is_an_error(length in 0_usize..14) {
            // Version 2: correlation id, throttle time, error code, generation.
            let whole = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
            let frame = Bytes::copy_from_slice(&whole[..length]);
            prop_assert!(decode::<JoinGroupRequest>(frame, 2, 0).is_err());
        }
    }
}
