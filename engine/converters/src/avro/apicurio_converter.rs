//! `io.apicurio.registry.utils.converter.AvroConverter`.

use std::sync::Arc;

use arrow::datatypes::Field;
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, ConfigValue, Converted, Converter, Importance, RawBatch,
    Result, Serialized, Side, Unserialized, Validator,
};
use volley_registry::{DataEncoding, RegistryConfig, ResolvedReference, Schema, SchemaKind, apicurio_config_def};

use super::avro_converter::AvroFormat;
use super::keys::{avro_settings, with_mapping_keys};
use super::reader::AvroReader;
use crate::avro::schema::avro_schema::AvroSchema;
use crate::avro::values::json_encoding::JsonEncoding;
use crate::json::{Decoded, Failure};
use crate::keys::{cache_size, converter_type_key};
use crate::registry::{Parsed, Part, RegistryConverter, RowWriter, SchemaFormat, SectionReader};

const ENCODING: &str = "apicurio.registry.avro.encoding";
const SERIALIZER: &str = "apicurio.registry.converter.serializer";
const DESERIALIZER: &str = "apicurio.registry.converter.deserializer";
const DATUM_PROVIDER: &str = "apicurio.registry.avro-datum-provider";
const SPECIFIC_READER: &str = "apicurio.registry.use-specific-avro-reader";

/// All keys.
pub(crate) fn apicurio_avro_converter_def() -> ConfigDef {
    let class = |key: &str, class: &'static str, what: &str| {
        let documentation = format!("{what}. Only {class} is known, which is what happens without the key too.");
        ConfigKey::optional(key, ConfigType::Class, Importance::Low, &documentation)
            .validated(Validator::custom(move |value| check_class(value, class)))
    };
    with_mapping_keys(apicurio_config_def().key(converter_type_key()))
        .key(
            ConfigKey::with_default(
                ENCODING,
                ConfigType::String,
                "BINARY",
                Importance::Medium,
                "How data is written, and read where no header says it: BINARY, or JSON for Avro's JSON.",
            )
            .validated(Validator::one_of(["BINARY", "JSON"])),
        )
        .key(class(SERIALIZER, "AvroKafkaSerializer", "What writes messages"))
        .key(class(DESERIALIZER, "AvroKafkaDeserializer", "What reads messages"))
        .key(class(DATUM_PROVIDER, "DefaultAvroDatumProvider", "What knows the values of classes"))
}

fn check_class(value: &ConfigValue, known: &str) -> std::result::Result<(), String> {
    match value {
        ConfigValue::String(class) if class.rsplit('.').next() == Some(known) => Ok(()),
        _ => Err(format!("There is no such class here: leave it out, or use {known}")),
    }
}

/// Avro with Apicurio's registry.
#[derive(Debug)]
pub struct ApicurioAvroConverter(RegistryConverter<ApicurioAvroFormat>);

impl ApicurioAvroConverter {
    /// Java class name.
    pub const CLASS: &'static str = ApicurioAvroFormat::CLASS;

    /// A converter of one side. The keys of `config` have no prefix.
    ///
    /// # Errors
    /// An invalid setting.
    pub fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        let parsed = apicurio_avro_converter_def().parse(config)?;
        let encoding = match parsed.string(ENCODING) {
            Some("JSON") => DataEncoding::Json,
            _ => DataEncoding::Binary,
        };
        // classes of Java's that hold a message make no difference here
        let known = [ENCODING, SERIALIZER, DESERIALIZER, DATUM_PROVIDER, SPECIFIC_READER];
        let registry = RegistryConfig::parse_apicurio(config, side, SchemaKind::Avro, encoding, &known)?;
        let format = ApicurioAvroFormat { avro: AvroFormat { settings: avro_settings(&parsed) }, encoding };
        RegistryConverter::of_registry(&registry, side, format, cache_size(&parsed)).map(Self)
    }
}

impl Converter for ApicurioAvroConverter {
    fn to_connect(&mut self, batch: &RawBatch, side: Side) -> Result<Converted> {
        self.0.to_connect(batch, side)
    }

    fn from_connect(&mut self, rows: &Unserialized<'_>) -> Result<Serialized> {
        self.0.from_connect(rows)
    }
}

/// Avro in either of its encodings.
#[derive(Debug)]
struct ApicurioAvroFormat {
    avro: AvroFormat,
    /// What is written.
    encoding: DataEncoding,
}

impl SchemaFormat for ApicurioAvroFormat {
    const CLASS: &'static str = "io.apicurio.registry.utils.converter.AvroConverter";
    const KIND: SchemaKind = AvroFormat::KIND;
    const NAME: &'static str = AvroFormat::NAME;

    type Schema = Arc<AvroSchema>;
    type Reader = ApicurioReader;
    type Place = ();

    fn parse(&self, schema: &Schema, references: &[ResolvedReference]) -> Parsed<Arc<AvroSchema>> {
        self.avro.parse(schema, references)
    }

    fn record_name<'a>(schema: &'a Arc<AvroSchema>, (): &()) -> Option<&'a str> {
        AvroFormat::record_name(schema, &())
    }

    fn reader(&self, schema: Parsed<&Arc<AvroSchema>>, (): &(), version: Option<i32>) -> Result<ApicurioReader> {
        let json = schema.as_ref().ok().map(|schema| JsonEncoding::new(schema));
        Ok(ApicurioReader { avro: self.avro.reader(schema, &(), version)?, json })
    }

    fn schema_of(&self, field: &Field) -> Result<(Arc<AvroSchema>, Schema)> {
        self.avro.schema_of(field)
    }

    fn writer(&self, avro: &Arc<AvroSchema>, column: &Column) -> Result<Box<dyn RowWriter>> {
        let binary = self.avro.writer(avro, column)?;
        Ok(match self.encoding {
            DataEncoding::Binary => binary,
            DataEncoding::Json => Box::new(JsonWriter { binary, json: JsonEncoding::new(avro) }),
        })
    }

    fn unreadable(topic: &str) -> String {
        AvroFormat::unreadable(topic)
    }

    fn unwritable(topic: &str) -> String {
        AvroFormat::unwritable(topic)
    }
}

/// Reads values in either encoding.
#[derive(Debug)]
struct ApicurioReader {
    avro: AvroReader,
    /// `None` if there is no schema, so that all messages are refused.
    json: Option<JsonEncoding>,
}

impl SectionReader for ApicurioReader {
    fn read(
        &mut self,
        topic: &str,
        messages: &[Option<&[u8]>],
        reject: &mut dyn FnMut(usize, Failure),
    ) -> Result<Vec<Part>> {
        self.avro.read(topic, messages, reject)
    }

    fn usual(&self, json: &[u8]) -> Decoded<Vec<u8>> {
        self.json.as_ref().map_or(Ok(Vec::new()), |encoding| encoding.to_binary(json))
    }
}

/// Writes values in Avro's JSON.
struct JsonWriter {
    binary: Box<dyn RowWriter>,
    json: JsonEncoding,
}

impl RowWriter for JsonWriter {
    fn write(&self, row: usize, out: &mut Vec<u8>) -> Parsed<()> {
        let mut binary = Vec::new();
        self.binary.write(row, &mut binary)?;
        self.json.write_json(&binary, out).map_err(|failure| failure.to_string())
    }
}
