//! `io.confluent.connect.json.JsonSchemaConverter`.

use std::sync::Arc;

use arrow::array::{Array, BinaryArray};
use arrow::datatypes::Field;
use serde_json::Value;
use volley_api::{
    Column, ConfigMap, Converted, Converter, Error, RawBatch, Result, Serialized, Side, Unserialized, schema,
};
use volley_registry::{ResolvedReference, Schema, SchemaKind};

use super::from_connect_schema::from_connect_schema;
use super::keys::{JsonSchemaSettings, json_schema_converter_def};
use super::reshape::Shape;
use super::to_connect_schema::{Documents, to_connect_schema};
use crate::json::{Failure, Schema as Builders, SchemaReader, decode_message, schema_of};
use crate::keys::cache_size;
use crate::registry::{Parsed, Part, RegistryConverter, RowWriter, SchemaFormat, SectionReader};
use crate::{JsonConverter, registry};

/// JSON with schemas in a Schema Registry.
#[derive(Debug)]
pub struct JsonSchemaConverter(RegistryConverter<JsonSchemaFormat>);

impl JsonSchemaConverter {
    /// Java class name.
    pub const CLASS: &'static str = JsonSchemaFormat::CLASS;

    /// A converter of one side. The keys of `config` have no prefix.
    ///
    /// # Errors
    /// An invalid setting.
    pub fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        let parsed = json_schema_converter_def().parse(config)?;
        let format = JsonSchemaFormat { settings: JsonSchemaSettings::of(&parsed) };
        registry::RegistryConverter::new(config, side, format, cache_size(&parsed)).map(Self)
    }
}

impl Converter for JsonSchemaConverter {
    fn to_connect(&mut self, batch: &RawBatch, side: Side) -> Result<Converted> {
        self.0.to_connect(batch, side)
    }

    fn from_connect(&mut self, rows: &Unserialized<'_>) -> Result<Serialized> {
        self.0.from_connect(rows)
    }
}

/// JSON Schemas, and values in JSON.
#[derive(Debug)]
struct JsonSchemaFormat {
    settings: JsonSchemaSettings,
}

/// A schema, and its title.
#[derive(Debug)]
struct JsonSchema {
    documents: Arc<Documents>,
    title: Option<String>,
}

impl SchemaFormat for JsonSchemaFormat {
    const CLASS: &'static str = "io.confluent.connect.json.JsonSchemaConverter";
    const KIND: SchemaKind = SchemaKind::Json;
    const NAME: &'static str = "JSON";

    type Schema = JsonSchema;
    type Reader = JsonSchemaReader;
    type Place = ();

    fn parse(&self, schema: &Schema, references: &[ResolvedReference]) -> Parsed<JsonSchema> {
        let document = |text: &str| serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"));
        let root: Value = document(&schema.text)?;
        let others = references.iter().map(|reference| {
            let other = document(&reference.schema.text);
            other
                .map(|other| (reference.name.clone(), other))
                .map_err(|reason| format!("in its reference `{}`: {reason}", reference.name))
        });
        let title = root.get("title").and_then(Value::as_str).map(str::to_owned);
        Ok(JsonSchema { documents: Arc::new(Documents { others: others.collect::<Parsed<_>>()?, root }), title })
    }

    fn record_name<'a>(schema: &'a JsonSchema, (): &()) -> Option<&'a str> {
        schema.title.as_deref()
    }

    fn reader(&self, schema: Parsed<&JsonSchema>, (): &(), version: Option<i32>) -> Result<JsonSchemaReader> {
        let connect = schema.and_then(|schema| to_connect_schema(&schema.documents, self.settings));
        let mut shape = Shape::Same;
        let root = connect.and_then(|mut connect| {
            if let (Some(version), None, Some(_)) = (version, connect.get("version"), connect.get("fields")) {
                connect["version"] = version.into();
            }
            shape = Shape::of(&connect);
            SchemaReader { replace_null_with_default: false }.root(&connect)
        });
        Ok(JsonSchemaReader { builders: Builders::of(root), shape })
    }

    fn schema_of(&self, field: &Field) -> Result<(JsonSchema, Schema)> {
        if !schema::has_schema(field) {
            return Err(Error::data(
                "the data has no schema, which JSON Schema needs: use JsonConverter, or give it one",
            ));
        }
        let refused = |reason| Error::data(format!("the schema cannot be written as a JSON Schema: {reason}"));
        let root = from_connect_schema(&schema_of(field)?, self.settings).map_err(refused)?;
        let title = root.get("title").and_then(Value::as_str).map(str::to_owned);
        let text = Schema::new(SchemaKind::Json, root.to_string());
        Ok((JsonSchema { documents: Arc::new(Documents { root, others: Vec::new() }), title }, text))
    }

    fn writer(&self, _: &JsonSchema, column: &Column) -> Result<Box<dyn RowWriter>> {
        let decimals = if self.settings.numeric_decimals { "NUMERIC" } else { "BASE64" };
        let plain = [("schemas.enable", "false"), ("decimal.format", decimals)];
        let plain: ConfigMap = plain.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let serialized = JsonConverter::new(&plain, Side::Value)?.from_connect(&Unserialized::new("", column))?;
        let refused = serialized.rejected.into_iter().map(|row| (row.row, row.error.to_string())).collect();
        let shape = if schema::has_schema(&column.field) { Shape::of(&schema_of(&column.field)?) } else { Shape::Same };
        Ok(Box::new(TextWriter { texts: serialized.bytes, refused, shape }))
    }

    fn unreadable(topic: &str) -> String {
        format!("Converting byte[] to Kafka Connect data failed due to serialization error of topic {topic}: ")
    }

    fn unwritable(topic: &str) -> String {
        format!("Converting Kafka Connect data to byte[] failed due to serialization error of topic {topic}: ")
    }
}

/// Reads JSON of one schema.
#[derive(Debug)]
struct JsonSchemaReader {
    builders: Builders,
    shape: Shape,
}

impl SectionReader for JsonSchemaReader {
    fn read(
        &mut self,
        _: &str,
        messages: &[Option<&[u8]>],
        reject: &mut dyn FnMut(usize, Failure),
    ) -> Result<Vec<Part>> {
        let shape = &self.shape;
        let read = |node: &mut _, message: &[u8], at| match std::str::from_utf8(message) {
            Ok(_) if shape.is_same() => decode_message(node, message, at),
            Ok(_) => decode_message(node, &shape.read(message)?, at),
            Err(_) => Err(Failure::unfit("the message is not UTF-8")),
        };
        self.builders.decode_parts(read, messages, reject)
    }
}

/// Writes what has been made text.
struct TextWriter {
    texts: BinaryArray,
    refused: Vec<(usize, String)>,
    shape: Shape,
}

impl RowWriter for TextWriter {
    fn write(&self, row: usize, out: &mut Vec<u8>) -> Parsed<()> {
        if self.texts.is_null(row) {
            let reason = self.refused.iter().find(|(refused, _)| *refused == row).map(|(_, reason)| reason.clone());
            return Err(reason.unwrap_or_else(|| "the value cannot be written as JSON".to_owned()));
        }
        self.shape.write(self.texts.value(row), out).map_err(|failure| failure.to_string())
    }
}
