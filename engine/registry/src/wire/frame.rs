//! A message taken apart: the id of its schema, and its data.

use volley_api::{Result, Side};

use super::{MessageIndexes, SchemaId, serialization_error};

/// The header that carries the id of the schema of this side.
pub fn schema_id_header(side: Side) -> &'static str {
    match side {
        Side::Key => "__key_schema_id",
        Side::Value => "__value_schema_id",
    }
}

/// A message taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Its schema.
    pub id: SchemaId,
    /// Its data.
    pub data: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Takes a message of Avro or JSON Schema apart. `header` is the last header of the message that is named
    /// [`schema_id_header`]: where there is one, the id is in it, and the message is data only.
    ///
    /// # Errors
    /// `Data` if there is no id.
    pub fn read(header: Option<&[u8]>, message: &'a [u8]) -> Result<Self> {
        let Some(header) = header else {
            let (id, data) = SchemaId::read(message)?;
            return Ok(Self { id, data });
        };
        let (id, rest) = SchemaId::read(header)?;
        if rest.is_empty() { Ok(Self { id, data: message }) } else { Err(too_long(rest)) }
    }

    /// Takes a message of Protobuf apart; see [`Frame::read`]. A header has the indexes behind the id, or none for the first
    /// message.
    ///
    /// # Errors
    /// `Data` if there is no id, or if the indexes are damaged.
    pub fn read_protobuf(header: Option<&[u8]>, message: &'a [u8]) -> Result<(Self, MessageIndexes)> {
        let Some(header) = header else {
            let (id, rest) = SchemaId::read(message)?;
            let (indexes, data) = MessageIndexes::read(rest)?;
            return Ok((Self { id, data }, indexes));
        };
        let (id, rest) = SchemaId::read(header)?;
        let (indexes, rest) =
            if rest.is_empty() { (MessageIndexes::new(&[]), rest) } else { MessageIndexes::read(rest)? };
        if rest.is_empty() { Ok((Self { id, data: message }, indexes)) } else { Err(too_long(rest)) }
    }
}

fn too_long(rest: &[u8]) -> volley_api::Error {
    serialization_error(format!("the header with the id of the schema is {} bytes too long", rest.len()))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const GUID: [u8; 17] = [1, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7];

    fn guid() -> SchemaId {
        SchemaId::Guid(Uuid::from_bytes([7; 16]))
    }

    #[test]
    fn an_id_in_a_header_leaves_the_message_alone() {
        let message = [0, 0, 0, 0, 9, 5];
        assert_eq!(Frame::read(None, &message).unwrap(), Frame { id: SchemaId::Id(9), data: &[5] });
        assert_eq!(Frame::read(Some(&GUID), &message).unwrap(), Frame { id: guid(), data: &message });
        assert_eq!(Frame::read(Some(&[0, 0, 0, 0, 3]), &[]).unwrap(), Frame { id: SchemaId::Id(3), data: &[] });
    }

    #[test]
    fn a_header_that_is_no_id_is_refused() {
        assert!(Frame::read(Some(&[]), b"x").is_err());
        assert!(Frame::read(Some(&GUID[..16]), b"x").is_err());
        assert!(Frame::read(Some(&[&GUID[..], &[0]].concat()), b"x").unwrap_err().to_string().contains("1 bytes"));
    }

    #[test]
    fn the_indexes_of_protobuf_stand_behind_the_id() {
        let (frame, indexes) = Frame::read_protobuf(None, &[0, 0, 0, 0, 9, 4, 2, 0, 5]).unwrap();
        assert_eq!((frame, indexes.path()), (Frame { id: SchemaId::Id(9), data: &[5] }, &[1, 0][..]));
        let (frame, indexes) = Frame::read_protobuf(Some(&[&GUID[..], &[2, 6]].concat()), &[5]).unwrap();
        assert_eq!((frame, indexes.path()), (Frame { id: guid(), data: &[5] }, &[3][..]));
        let (_, indexes) = Frame::read_protobuf(Some(&GUID), &[5]).unwrap();
        assert_eq!(indexes.path(), [0]);
        assert!(Frame::read_protobuf(Some(&[&GUID[..], &[0, 0]].concat()), &[5]).is_err());
        assert!(Frame::read_protobuf(None, &[0, 0, 0, 0, 9]).is_err());
    }
}
