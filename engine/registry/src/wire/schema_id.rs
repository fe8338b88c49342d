//! The id of a schema as bytes.

use std::fmt;

use uuid::Uuid;
use volley_api::Result;

use super::serialization_error;

const MAGIC_ID: u8 = 0;
const MAGIC_GUID: u8 = 1;

/// What a message says about its schema; `Display` gives the number or the GUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SchemaId {
    /// The number that one registry has given it.
    Id(i32),
    /// The number that is the same in all registries.
    Guid(Uuid),
    /// The number that Apicurio's registry has given to a version of an artifact.
    Global(i64),
    /// The number that Apicurio's registry has given to a content, whichever artifacts have it.
    Content(i64),
}

impl SchemaId {
    /// Reads an id; what follows it comes back too.
    ///
    /// # Errors
    /// `Data`, with Kafka's words, if there is none.
    pub fn read(bytes: &[u8]) -> Result<(Self, &[u8])> {
        let read = match bytes.split_first() {
            Some((&MAGIC_ID, rest)) => {
                rest.split_first_chunk::<4>().map(|(id, rest)| (Self::Id(i32::from_be_bytes(*id)), rest))
            }
            Some((&MAGIC_GUID, rest)) => {
                rest.split_first_chunk::<16>().map(|(guid, rest)| (Self::Guid(Uuid::from_bytes(*guid)), rest))
            }
            _ => None,
        };
        read.ok_or_else(|| serialization_error("Unknown magic byte!"))
    }

    /// Appends the id with its magic byte, for the front of a message or for a header.
    pub fn write(self, out: &mut Vec<u8>) {
        match self {
            Self::Id(id) => {
                out.push(MAGIC_ID);
                out.extend_from_slice(&id.to_be_bytes());
            }
            Self::Guid(guid) => {
                out.push(MAGIC_GUID);
                out.extend_from_slice(guid.as_bytes());
            }
            Self::Global(id) | Self::Content(id) => {
                out.push(MAGIC_ID);
                out.extend_from_slice(&id.to_be_bytes());
            }
        }
    }
}

impl fmt::Display for SchemaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "{id}"),
            Self::Guid(guid) => write!(f, "{guid}"),
            Self::Global(id) | Self::Content(id) => write!(f, "{id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use volley_api::ErrorKind;

    use super::*;

    fn written(id: SchemaId) -> Vec<u8> {
        let mut bytes = Vec::new();
        id.write(&mut bytes);
        bytes
    }

    #[test]
    fn an_id_is_four_bytes_behind_a_zero_and_a_guid_sixteen_behind_a_one() {
        assert_eq!(written(SchemaId::Id(258)), [0, 0, 0, 1, 2]);
        let guid = Uuid::parse_str("00112233-4455-6677-8899-aabbccddeeff").unwrap();
        let bytes = written(SchemaId::Guid(guid));
        assert_eq!((bytes.len(), bytes[0], bytes[1], bytes[16]), (17, 1, 0, 0xff));
    }

    #[test]
    fn what_has_no_id_is_refused_in_kafkas_words() {
        for bytes in [&[][..], &[0], &[0, 1, 2, 3], &[2, 0, 0, 0, 1], &[1; 16], b"{\"a\":1}"] {
            let error = SchemaId::read(bytes).unwrap_err();
            assert_eq!(error.to_string(), "Unknown magic byte!");
            assert_eq!(error.kind(), ErrorKind::Data);
            assert_eq!(error.exception(), "org.apache.kafka.common.errors.SerializationException");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(id in any::<i32>(), guid in any::<u128>(), rest in proptest::collection::vec(any::<u8>(), 0..9)) {
            for id in [SchemaId::Id(id), SchemaId::Guid(Uuid::from_u128(guid))] {
                let mut bytes = written(id);
                bytes.extend_from_slice(&rest);
                prop_assert_eq!(SchemaId::read(&bytes).unwrap(), (id, &rest[..]));
            }
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
            let _ = SchemaId::read(&bytes);
        }
    }
}
