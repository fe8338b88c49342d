//! How messages name their schemas for Apicurio's registry.
//!
//! ```text
//!  00 | id, 8 bytes | data                                        4 bytes with Legacy4ByteIdHandler
//!  headers apicurio.value.globalId: id, 8 bytes                   body: data
//!          apicurio.value.encoding: BINARY or JSON
//! ```

use std::sync::Arc;

use volley_api::{RawHeader, Result};

use super::{DataEncoding, Frame, SchemaId, serialization_error};

const MAGIC: u8 = 0;

/// How many bytes an id has before the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IdWidth {
    /// Four.
    Four,
    /// Eight.
    Eight,
    /// Four; eight are read too, which begin with four zeros.
    FourOrEight,
}

impl IdWidth {
    /// The widths by the class names of their handlers, without packages: these have changed with the versions.
    pub(crate) const CLASSES: [(&'static str, Self); 5] = [
        ("DefaultIdHandler", Self::Eight),
        ("Legacy4ByteIdHandler", Self::Four),
        ("Default4ByteIdHandler", Self::Four),
        ("Legacy8ByteIdHandler", Self::Eight),
        ("OptimisticFallbackIdHandler", Self::FourOrEight),
    ];

    /// The id at the beginning, and what follows it.
    fn read(self, bytes: &[u8]) -> Option<(i64, &[u8])> {
        let four = || bytes.split_first_chunk::<4>().map(|(id, rest)| (i64::from(i32::from_be_bytes(*id)), rest));
        let eight = || bytes.split_first_chunk::<8>().map(|(id, rest)| (i64::from_be_bytes(*id), rest));
        match self {
            Self::Four => four(),
            Self::Eight => eight(),
            Self::FourOrEight if bytes.starts_with(&[0; 4]) => eight().or_else(four),
            Self::FourOrEight => four(),
        }
    }
}

/// The headers of messages that say what their schema is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct IdHeaders {
    pub(crate) global: Arc<str>,
    pub(crate) content: Arc<str>,
    /// Those that name an artifact. Nobody writes them where there are ids.
    pub(crate) coordinates: [&'static str; 2],
    pub(crate) encoding: &'static str,
}

/// How messages of one side name their schemas for Apicurio's registry.
#[derive(Clone, Debug, PartialEq)]
pub struct ApicurioFraming {
    pub(crate) width: IdWidth,
    /// Whether ids are those of contents.
    pub(crate) names_content: bool,
    /// `None`: ids never stand in headers.
    pub(crate) headers: Option<IdHeaders>,
    /// What data is encoded in that does not say it.
    pub(crate) encoding: DataEncoding,
}

impl ApicurioFraming {
    /// Takes a message apart.
    pub(super) fn read<'a>(&self, headers: &[RawHeader], message: &'a [u8]) -> Result<(Frame<'a>, DataEncoding)> {
        let encoding = self.encoding_of(headers)?;
        if let Some(id) = self.id_in(headers)? {
            return Ok((Frame { id, data: message }, encoding));
        }
        let Some((&MAGIC, rest)) = message.split_first() else {
            return Err(serialization_error("Unknown magic byte!"));
        };
        let (id, data) =
            self.width.read(rest).ok_or_else(|| serialization_error("the message ends within the id of its schema"))?;
        Ok((Frame { id: self.id(id), data }, encoding))
    }

    /// The id as messages have it.
    pub(super) fn id(&self, id: i64) -> SchemaId {
        if self.names_content { SchemaId::Content(id) } else { SchemaId::Global(id) }
    }

    /// What stands before the data.
    pub(super) fn head(&self, id: SchemaId) -> Vec<u8> {
        if self.headers.is_some() {
            return Vec::new();
        }
        let mut head = vec![MAGIC];
        match self.width {
            IdWidth::Eight => head.extend_from_slice(&number(id).to_be_bytes()),
            // ids that do not fit would be those of other schemas: they are refused before
            IdWidth::Four | IdWidth::FourOrEight => head.extend_from_slice(&(number(id) as i32).to_be_bytes()),
        }
        head
    }

    /// Whether an id may be written.
    pub(super) fn check(&self, id: SchemaId) -> Result<()> {
        let is_short = self.headers.is_none() && self.width != IdWidth::Eight;
        if is_short && i32::try_from(number(id)).is_err() {
            return Err(serialization_error(format!(
                "the id {id} of the schema is too large for 4 bytes: set \
                 `apicurio.registry.id-handler=io.apicurio.registry.serde.DefaultIdHandler` (for all who read the topic too)"
            )));
        }
        Ok(())
    }

    /// What stands in headers.
    pub(super) fn headers(&self, id: SchemaId) -> Vec<RawHeader> {
        let Some(names) = &self.headers else { return Vec::new() };
        let name = match id {
            SchemaId::Content(_) => &names.content,
            _ => &names.global,
        };
        let encoding = self.encoding.word().as_bytes().to_vec();
        vec![
            RawHeader { name: Arc::clone(name), value: Some(number(id).to_be_bytes().to_vec()) },
            RawHeader { name: names.encoding.into(), value: Some(encoding) },
        ]
    }

    fn id_in(&self, headers: &[RawHeader]) -> Result<Option<SchemaId>> {
        let Some(names) = &self.headers else { return Ok(None) };
        // as in Java, a content comes first
        let ids: [(_, fn(i64) -> SchemaId); 2] =
            [(&names.content, SchemaId::Content), (&names.global, SchemaId::Global)];
        for (name, make) in ids {
            if let Some(value) = last(headers, name) {
                let id = value.unwrap_or_default().first_chunk::<8>();
                let id = id.ok_or_else(|| serialization_error(format!("the header {name} is shorter than 8 bytes")))?;
                return Ok(Some(make(i64::from_be_bytes(*id))));
            }
        }
        if let Some(name) = names.coordinates.iter().find(|name| last(headers, name).is_some()) {
            return Err(serialization_error(format!(
                "the message names its schema by the header {name}, and not by an id, which is not known here"
            )));
        }
        Ok(None)
    }

    fn encoding_of(&self, headers: &[RawHeader]) -> Result<DataEncoding> {
        let said = self.headers.as_ref().and_then(|names| last(headers, names.encoding)).flatten();
        match said {
            None => Ok(self.encoding),
            Some(said) => DataEncoding::of_word(said)
                .ok_or_else(|| serialization_error("the header with the encoding says neither BINARY nor JSON")),
        }
    }
}

/// The value of the last header of a name.
fn last<'a>(headers: &'a [RawHeader], name: &str) -> Option<Option<&'a [u8]>> {
    headers.iter().rev().find(|header| &*header.name == name).map(|header| header.value.as_deref())
}

fn number(id: SchemaId) -> i64 {
    match id {
        SchemaId::Global(id) | SchemaId::Content(id) => id,
        SchemaId::Id(id) => id.into(),
        // Apicurio's registry has none
        SchemaId::Guid(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use volley_api::ErrorKind;

    use super::*;

    fn framing(width: IdWidth, has_headers: bool) -> ApicurioFraming {
        let headers = IdHeaders {
            global: "g".into(),
            content: "c".into(),
            coordinates: ["apicurio.value.groupId", "apicurio.value.artifactId"],
            encoding: "e",
        };
        let headers = has_headers.then_some(headers);
        ApicurioFraming { width, names_content: false, headers, encoding: DataEncoding::Binary }
    }

    fn header(name: &str, value: &[u8]) -> RawHeader {
        RawHeader { name: name.into(), value: Some(value.to_vec()) }
    }

    fn id(framing: &ApicurioFraming, headers: &[RawHeader], message: &[u8]) -> Result<(SchemaId, Vec<u8>)> {
        framing.read(headers, message).map(|(frame, _)| (frame.id, frame.data.to_vec()))
    }

    #[test]
    fn an_id_has_as_many_bytes_as_its_handler_says() {
        for ((class, width), message, data) in [
            (IdWidth::CLASSES[0], &[0, 0, 0, 0, 0, 0, 0, 1, 2, 9][..], 1),
            (IdWidth::CLASSES[1], &[0, 0, 0, 1, 2, 9], 1),
            (IdWidth::CLASSES[2], &[0, 0, 0, 1, 2], 0),
            (IdWidth::CLASSES[3], &[0, 0, 0, 0, 0, 0, 0, 1, 2], 0),
            (IdWidth::CLASSES[4], &[0, 0, 0, 0, 0, 0, 0, 1, 2, 9], 1),
            (IdWidth::CLASSES[4], &[0, 0, 0, 1, 2, 9], 1),
        ] {
            let (found, rest) = id(&framing(width, false), &[], message).unwrap();
            assert_eq!((found, rest.len()), (SchemaId::Global(258), data), "{class}");
        }
        let content = ApicurioFraming { names_content: true, ..framing(IdWidth::Eight, false) };
        assert_eq!(content.id(7), SchemaId::Content(7));
    }

    #[test]
    fn headers_come_before_the_message_and_contents_before_versions() {
        let framing = framing(IdWidth::Eight, true);
        let (global, content) = (header("g", &7_i64.to_be_bytes()), header("c", &8_i64.to_be_bytes()));
        let message = [0, 0, 0, 0, 0, 0, 0, 0, 9, 5];
        assert_eq!(id(&framing, &[], &message).unwrap(), (SchemaId::Global(9), vec![5]));
        assert_eq!(
            id(&framing, std::slice::from_ref(&global), &message).unwrap(),
            (SchemaId::Global(7), message.to_vec())
        );
        assert_eq!(id(&framing, &[content, global], &[]).unwrap(), (SchemaId::Content(8), vec![]));
    }

    #[test]
    fn the_encoding_is_what_a_header_says_or_else_the_configuration() {
        let mut framing = framing(IdWidth::Eight, true);
        framing.encoding = DataEncoding::Json;
        let global = header("g", &7_i64.to_be_bytes());
        let encoding = |headers: &[RawHeader]| framing.read(headers, b"x").map(|(_, encoding)| encoding);
        assert_eq!(encoding(std::slice::from_ref(&global)).unwrap(), DataEncoding::Json);
        assert_eq!(encoding(&[global.clone(), header("e", b"BINARY")]).unwrap(), DataEncoding::Binary);
        assert_eq!(encoding(&[global, header("e", b"XML")]).unwrap_err().kind(), ErrorKind::Data);
    }

    #[test]
    fn what_names_no_schema_is_refused() {
        let framing = framing(IdWidth::Eight, true);
        let artifact = header("apicurio.value.artifactId", b"a");
        let null = RawHeader { name: "g".into(), value: None };
        for (headers, message, reason) in [
            (&[][..], &[][..], "Unknown magic byte!"),
            (&[], b"{}", "Unknown magic byte!"),
            (&[], &[0; 8], "ends within the id"),
            (&[header("g", &[0; 7])], &[0; 9], "shorter than 8 bytes"),
            (&[null], &[0; 9], "shorter than 8 bytes"),
            (&[artifact], &[0; 9], "apicurio.value.artifactId"),
        ] {
            let error = id(&framing, headers, message).unwrap_err();
            assert!(error.kind() == ErrorKind::Data && error.to_string().contains(reason), "{error}");
        }
    }

    #[test]
    fn an_id_that_is_too_large_for_its_bytes_is_refused() {
        let large = SchemaId::Global(1 << 40);
        assert!(framing(IdWidth::Four, false).check(large).is_err());
        assert!(
            framing(IdWidth::Four, true).check(large).is_ok() && framing(IdWidth::Eight, false).check(large).is_ok()
        );
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(number in 0..=i32::MAX, width in 0..5_usize, has_headers: bool, names_content: bool) {
            let framing = ApicurioFraming { names_content, ..framing(IdWidth::CLASSES[width].1, has_headers) };
            let written = framing.id(number.into());
            let mut message = framing.head(written);
            message.extend_from_slice(b"data!");
            // ids from 0 to 255 in four bytes would be read as eight
            prop_assume!(number > 0xffff || framing.width != IdWidth::FourOrEight);
            prop_assert_eq!(id(&framing, &framing.headers(written), &message).unwrap(), (written, b"data!".to_vec()));
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..20), width in 0..5_usize) {
            let _ = framing(IdWidth::CLASSES[width].1, true).read(&[], &bytes);
        }
    }
}
