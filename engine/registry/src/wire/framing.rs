//! How messages name their schemas.

use volley_api::{RawHeader, Result, Side};

use super::apicurio_framing::ApicurioFraming;
use super::{Frame, SchemaId, json_envelope, schema_id_header};
use crate::RegisteredSchema;

/// What the data of a message is encoded in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DataEncoding {
    /// What is usual for its format.
    Binary,
    /// Avro's JSON.
    Json,
}

impl DataEncoding {
    /// What Apicurio calls it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Binary => "BINARY",
            Self::Json => "JSON",
        }
    }

    /// The encoding that Apicurio calls so.
    pub(super) fn of_word(word: &[u8]) -> Option<Self> {
        [Self::Binary, Self::Json].into_iter().find(|encoding| encoding.word().as_bytes() == word)
    }
}

/// How messages name their schemas.
#[derive(Clone, Debug, PartialEq)]
pub enum Framing {
    /// As those of Confluent's clients.
    Confluent,
    /// As those of Apicurio's.
    Apicurio(ApicurioFraming),
    /// As those of Apicurio's ExtJsonConverter: an object around the data, of which the data's writer writes the end.
    ApicurioJson,
}

impl Framing {
    /// Takes a message of Avro or JSON apart. `headers` are all of the message.
    ///
    /// # Errors
    /// `Data` if there is no id.
    pub fn read<'a>(&self, headers: &[RawHeader], side: Side, message: &'a [u8]) -> Result<(Frame<'a>, DataEncoding)> {
        match self {
            Self::Confluent => {
                let name = schema_id_header(side);
                let header = headers.iter().rev().find(|header| &*header.name == name);
                let frame = Frame::read(header.and_then(|header| header.value.as_deref()), message)?;
                Ok((frame, DataEncoding::Binary))
            }
            Self::Apicurio(framing) => framing.read(headers, message),
            Self::ApicurioJson => Ok((json_envelope::read(message)?, DataEncoding::Binary)),
        }
    }

    /// What messages call a schema.
    ///
    /// # Errors
    /// `Data` if they cannot.
    pub fn id_of(&self, registered: &RegisteredSchema) -> Result<SchemaId> {
        match (self, registered.artifact) {
            (Self::Apicurio(framing), Some(ids)) => {
                let id = framing.id(if framing.names_content { ids.content } else { ids.global });
                framing.check(id).map(|()| id)
            }
            (Self::ApicurioJson, Some(ids)) => Ok(SchemaId::Global(ids.global)),
            _ => Ok(SchemaId::Id(registered.id)),
        }
    }

    /// What stands before the data.
    pub fn head(&self, id: SchemaId) -> Vec<u8> {
        match self {
            Self::Confluent => {
                let mut head = Vec::new();
                id.write(&mut head);
                head
            }
            Self::Apicurio(framing) => framing.head(id),
            Self::ApicurioJson => json_envelope::head(id),
        }
    }

    /// The headers of messages with this schema.
    pub fn headers(&self, id: SchemaId) -> Vec<RawHeader> {
        match self {
            Self::Confluent | Self::ApicurioJson => Vec::new(),
            Self::Apicurio(framing) => framing.headers(id),
        }
    }
}
