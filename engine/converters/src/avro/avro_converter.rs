//! `io.confluent.connect.avro.AvroConverter`.

use std::sync::Arc;

use arrow::array::{Array, BinaryArray};
use arrow::datatypes::Field;
use volley_api::{
    Column, ConfigMap, Converted, Converter, Error, RawBatch, Result, Serialized, Side, Unserialized, schema,
};
use volley_registry::{ResolvedReference, Schema, SchemaKind};

use super::keys::{avro_converter_def, avro_settings};
use super::reader::AvroReader;
use crate::JsonConverter;
use crate::avro::mapping::from_connect_schema::from_connect_schema;
use crate::avro::mapping::settings::AvroSettings;
use crate::avro::schema::avro_schema::AvroSchema;
use crate::avro::schema::schema_parser::SchemaParser;
use crate::avro::schema::schema_text::schema_text;
use crate::avro::values::anything::{anything_schema, write_anything};
use crate::avro::values::write::Writer;
use crate::json::schema_of;
use crate::keys::cache_size;
use crate::registry::{Parsed, RegistryConverter, RowWriter, SchemaFormat};

/// Avro with a Schema Registry.
#[derive(Debug)]
pub struct AvroConverter(RegistryConverter<AvroFormat>);

impl AvroConverter {
    /// Java class name.
    pub const CLASS: &'static str = AvroFormat::CLASS;

    /// A converter of one side. The keys of `config` have no prefix.
    ///
    /// # Errors
    /// An invalid setting.
    pub fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        let parsed = avro_converter_def().parse(config)?;
        let format = AvroFormat { settings: avro_settings(&parsed) };
        RegistryConverter::new(config, side, format, cache_size(&parsed)).map(Self)
    }
}

impl Converter for AvroConverter {
    fn to_connect(&mut self, batch: &RawBatch, side: Side) -> Result<Converted> {
        self.0.to_connect(batch, side)
    }

    fn from_connect(&mut self, rows: &Unserialized<'_>) -> Result<Serialized> {
        self.0.from_connect(rows)
    }
}

/// Avro's schemas and values.
#[derive(Debug)]
pub(super) struct AvroFormat {
    pub(super) settings: AvroSettings,
}

impl SchemaFormat for AvroFormat {
    const CLASS: &'static str = "io.confluent.connect.avro.AvroConverter";
    const KIND: SchemaKind = SchemaKind::Avro;
    const NAME: &'static str = "Avro";

    type Schema = Arc<AvroSchema>;
    type Reader = AvroReader;
    type Place = ();

    fn parse(&self, schema: &Schema, references: &[ResolvedReference]) -> Parsed<Arc<AvroSchema>> {
        let mut parser = SchemaParser::default();
        for reference in references {
            let parsed = parser.parse(&reference.schema.text);
            parsed.map_err(|reason| format!("in its reference `{}`: {reason}", reference.name))?;
        }
        parser.parse(&schema.text).map(Arc::new)
    }

    fn record_name<'a>(schema: &'a Arc<AvroSchema>, (): &()) -> Option<&'a str> {
        schema.full_name()
    }

    fn reader(&self, schema: Parsed<&Arc<AvroSchema>>, (): &(), version: Option<i32>) -> Result<AvroReader> {
        AvroReader::new(schema.map(|schema| &**schema), version, self.settings)
    }

    fn schema_of(&self, field: &Field) -> Result<(Arc<AvroSchema>, Schema)> {
        let avro = if schema::has_schema(field) {
            let refused = |reason| Error::data(format!("the schema cannot be written in Avro: {reason}"));
            Arc::new(from_connect_schema(&schema_of(field)?, self.settings).map_err(refused)?)
        } else {
            anything_schema().map_err(Error::fatal)?
        };
        let registered = Schema::new(SchemaKind::Avro, schema_text(&avro));
        Ok((avro, registered))
    }

    fn writer(&self, avro: &Arc<AvroSchema>, column: &Column) -> Result<Box<dyn RowWriter>> {
        if schema::has_schema(&column.field) {
            return Ok(Box::new(Writer::new(avro, &column.field, &column.array, self.settings)?));
        }
        // the values as JSON say what they are
        let plain = ConfigMap::from([("schemas.enable".to_owned(), "false".to_owned())]);
        let texts = JsonConverter::new(&plain, Side::Value)?.from_connect(&Unserialized::new("", column))?.bytes;
        Ok(Box::new(AnythingWriter { column: column.clone(), texts }))
    }

    fn unreadable(topic: &str) -> String {
        format!("Failed to deserialize data for topic {topic} to Avro: ")
    }

    fn unwritable(topic: &str) -> String {
        format!("Failed to serialize Avro data from topic {topic} :")
    }
}

/// Writes values without a schema, which are given as JSON.
struct AnythingWriter {
    column: Column,
    texts: BinaryArray,
}

impl RowWriter for AnythingWriter {
    fn write(&self, row: usize, out: &mut Vec<u8>) -> Parsed<()> {
        let text = match self.texts.is_null(row) {
            false => self.texts.value(row),
            true if self.column.is_null(row) => b"null",
            true => return Err("the value cannot be written as JSON".to_owned()),
        };
        write_anything(text, out).map_err(|failure| failure.to_string())
    }
}
