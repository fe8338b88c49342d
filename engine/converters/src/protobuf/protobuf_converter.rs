//! `io.confluent.connect.protobuf.ProtobufConverter`.

use arrow::datatypes::Field;
use prost_reflect::{FileDescriptor, MessageDescriptor};
use volley_api::{
    Column, ConfigMap, Converted, Converter, Error, RawBatch, RawHeader, Result, Serialized, Side, Unserialized, schema,
};
use volley_registry::{
    DataEncoding, Frame, Framing, MessageIndexes, ResolvedReference, Schema, SchemaId, SchemaKind, schema_id_header,
};

use super::keys::{ProtobufSettings, protobuf_converter_def};
use super::reader::ProtobufReader;
use crate::json::schema_of;
use crate::keys::cache_size;
use crate::protobuf::mapping::from_connect_schema::from_connect_schema;
use crate::protobuf::schema::built_in::registered_file;
use crate::protobuf::schema::parser::{message_at, parse_file, path_of};
use crate::protobuf::values::write_cells::root_writer;
use crate::registry::{Import, Parsed, RegistryConverter, RowWriter, SchemaFormat};

/// Protobuf with a Schema Registry.
#[derive(Debug)]
pub struct ProtobufConverter(RegistryConverter<ProtobufFormat>);

impl ProtobufConverter {
    /// Java class name.
    pub const CLASS: &'static str = ProtobufFormat::CLASS;

    /// A converter of one side. The keys of `config` have no prefix.
    ///
    /// # Errors
    /// An invalid setting.
    pub fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        let parsed = protobuf_converter_def().parse(config)?;
        let format = ProtobufFormat { settings: ProtobufSettings::of(&parsed) };
        RegistryConverter::new(config, side, format, cache_size(&parsed)).map(Self)
    }
}

impl Converter for ProtobufConverter {
    fn to_connect(&mut self, batch: &RawBatch, side: Side) -> Result<Converted> {
        self.0.to_connect(batch, side)
    }

    fn from_connect(&mut self, rows: &Unserialized<'_>) -> Result<Serialized> {
        self.0.from_connect(rows)
    }
}

/// Protobuf's schemas and values.
#[derive(Debug)]
struct ProtobufFormat {
    settings: ProtobufSettings,
}

/// A `.proto` file.
#[derive(Debug)]
struct ProtobufSchema {
    file: FileDescriptor,
    /// The message that is written; reading, a message says itself which it is.
    written: Option<MessageDescriptor>,
    /// For [`SchemaFormat::record_name`], which lends it.
    names: Vec<(Vec<i32>, String)>,
}

impl ProtobufSchema {
    fn new(file: FileDescriptor, written: Option<MessageDescriptor>) -> Self {
        let mut names = Vec::new();
        file.messages().for_each(|message| put_names(&message, &mut names));
        Self { file, written, names }
    }

    fn message(&self, path: &[i32]) -> Parsed<MessageDescriptor> {
        message_at(&self.file, path).ok_or_else(|| format!("it has no message with the indexes {path:?}"))
    }
}

fn put_names(message: &MessageDescriptor, names: &mut Vec<(Vec<i32>, String)>) {
    names.push((path_of(message), message.full_name().to_owned()));
    message.child_messages().filter(|child| !child.is_map_entry()).for_each(|child| put_names(&child, names));
}

impl SchemaFormat for ProtobufFormat {
    const CLASS: &'static str = "io.confluent.connect.protobuf.ProtobufConverter";
    const KIND: SchemaKind = SchemaKind::Protobuf;
    const NAME: &'static str = "Protobuf";

    type Schema = ProtobufSchema;
    type Reader = ProtobufReader;
    type Place = Indexes;

    fn take_apart<'a>(
        _: &Framing,
        headers: &[RawHeader],
        side: Side,
        message: &'a [u8],
    ) -> Result<(Frame<'a>, Indexes, DataEncoding)> {
        let name = schema_id_header(side);
        let header = headers.iter().rev().find(|header| &*header.name == name);
        let (frame, indexes) = Frame::read_protobuf(header.and_then(|header| header.value.as_deref()), message)?;
        Ok((frame, Indexes(indexes), DataEncoding::Binary))
    }

    fn write_head(schema: &ProtobufSchema, framing: &Framing, id: SchemaId, out: &mut Vec<u8>) {
        out.extend(framing.head(id));
        Self::written_place(schema).0.write(out);
    }

    fn parse(&self, schema: &Schema, references: &[ResolvedReference]) -> Parsed<ProtobufSchema> {
        let file = parse_file(&schema.text, references)?;
        let first = file.messages().next();
        Ok(ProtobufSchema::new(file, first))
    }

    fn record_name<'a>(schema: &'a ProtobufSchema, place: &Indexes) -> Option<&'a str> {
        let found = schema.names.iter().find(|(path, _)| path == place.0.path());
        found.map(|(_, name)| name.as_str())
    }

    fn written_place(schema: &ProtobufSchema) -> Indexes {
        Indexes(MessageIndexes::new(&schema.written.as_ref().map(path_of).unwrap_or_default()))
    }

    /// The message of the same name, or the first one.
    fn in_place_of(own: &ProtobufSchema, mut other: ProtobufSchema) -> ProtobufSchema {
        let wanted = own.written.as_ref().map(MessageDescriptor::full_name);
        let path = other.names.iter().find(|(_, name)| Some(name.as_str()) == wanted).map(|(path, _)| path.clone());
        if let Some(message) = path.and_then(|path| message_at(&other.file, &path)) {
            other.written = Some(message);
        }
        other
    }

    fn imports(&self, schema: &ProtobufSchema) -> Vec<Import> {
        let mut imports = Vec::new();
        if !self.settings.skip_known {
            schema.file.dependencies().for_each(|file| self.put_import(&file, &mut imports));
        }
        imports
    }

    fn reader(&self, schema: Parsed<&ProtobufSchema>, place: &Indexes, version: Option<i32>) -> Result<ProtobufReader> {
        let message = schema.and_then(|schema| schema.message(place.0.path()));
        Ok(ProtobufReader::new(message, version, self.settings))
    }

    fn schema_of(&self, field: &Field) -> Result<(ProtobufSchema, Schema)> {
        if !schema::has_schema(field) {
            return Err(Error::data("the data has no schema, which Protobuf needs: use JsonConverter, or give it one"));
        }
        let refused = |reason: String| Error::data(format!("the schema cannot be written in Protobuf: {reason}"));
        let generated = from_connect_schema(&schema_of(field)?, self.settings).map_err(refused)?;
        let file = parse_file(&generated.text, &[]).map_err(refused)?;
        let written = message_at(&file, &generated.path);
        Ok((ProtobufSchema::new(file, written), Schema::new(SchemaKind::Protobuf, generated.text)))
    }

    fn writer(&self, schema: &ProtobufSchema, column: &Column) -> Result<Box<dyn RowWriter>> {
        let message = schema.written.as_ref().ok_or_else(|| Error::data("the schema has no message"))?;
        if !schema::has_schema(&column.field) {
            return Err(Error::data("the data has no schema, which Protobuf needs"));
        }
        Ok(Box::new(root_writer(message, column, self.settings)?))
    }

    fn unreadable(topic: &str) -> String {
        format!("Failed to deserialize data for topic {topic} to Protobuf: ")
    }

    fn unwritable(topic: &str) -> String {
        format!("Failed to serialize Protobuf data from topic {topic} :")
    }
}

impl ProtobufFormat {
    fn put_import(&self, file: &FileDescriptor, imports: &mut Vec<Import>) {
        let Some(text) = registered_file(file.name()) else { return };
        if imports.iter().any(|import| import.name == file.name()) {
            return;
        }
        let mut needs = Vec::new();
        for needed in file.dependencies() {
            self.put_import(&needed, imports);
            needs.push(needed.name().to_owned());
        }
        imports.push(Import {
            name: file.name().to_owned(),
            subject: self.settings.reference_subject.subject(file.name()),
            text: text.to_owned(),
            needs,
        });
    }
}

/// Which message of a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Indexes(MessageIndexes);

impl Default for Indexes {
    fn default() -> Self {
        Self(MessageIndexes::new(&[]))
    }
}
