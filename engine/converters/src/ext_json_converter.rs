//! `io.apicurio.registry.utils.converter.ExtJsonConverter`.

use arrow::array::{Array, BinaryArray};
use arrow::datatypes::Field;
use serde_json::Value;
use volley_api::{
    Column, ConfigDef, ConfigMap, Converted, Converter, Error, RawBatch, Result, Serialized, Side, Unserialized, schema,
};
use volley_registry::{
    DataEncoding, Framing, RegistryConfig, ResolvedReference, Schema, SchemaKind, apicurio_config_def,
};

use crate::JsonConverter;
use crate::json::{Failure, Schema as Builders, SchemaReader, decode_message, json_converter_def, schema_of};
use crate::keys::cache_size;
use crate::registry::{Parsed, Part, RegistryConverter, RowWriter, SchemaFormat, SectionReader};

const SCHEMAS_ENABLE: &str = "schemas.enable";
const NULL_OVER_DEFAULT: &str = "replace.null.with.default";

/// All keys: those of the registry, and those of JsonConverter.
pub(crate) fn ext_json_converter_def() -> ConfigDef {
    let json = json_converter_def();
    json.keys().iter().cloned().fold(apicurio_config_def(), ConfigDef::key).key(crate::keys::cache_size_key())
}

/// JSON as of JsonConverter, with the schema in Apicurio's registry in place of the message.
#[derive(Debug)]
pub struct ExtJsonConverter(RegistryConverter<ExtJsonFormat>);

impl ExtJsonConverter {
    /// Java class name.
    pub const CLASS: &'static str = ExtJsonFormat::CLASS;

    /// A converter of one side. The keys of `config` have no prefix.
    ///
    /// # Errors
    /// An invalid setting.
    pub fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        let parsed = ext_json_converter_def().parse(config)?;
        let mut registry =
            RegistryConfig::parse_apicurio(config, side, SchemaKind::Connect, DataEncoding::Binary, &[])?;
        registry.framing = Framing::ApicurioJson;
        let mut plain = config.clone();
        plain.insert(SCHEMAS_ENABLE.to_owned(), "false".to_owned());
        let format = ExtJsonFormat { plain, replaces_nulls: parsed.boolean(NULL_OVER_DEFAULT) };
        RegistryConverter::of_registry(&registry, side, format, cache_size(&parsed)).map(Self)
    }
}

impl Converter for ExtJsonConverter {
    fn to_connect(&mut self, batch: &RawBatch, side: Side) -> Result<Converted> {
        self.0.to_connect(batch, side)
    }

    fn from_connect(&mut self, rows: &Unserialized<'_>) -> Result<Serialized> {
        self.0.from_connect(rows)
    }
}

/// Connect's schemas and values as JsonConverter has them.
#[derive(Debug)]
struct ExtJsonFormat {
    /// The settings of a JsonConverter that writes no schemas.
    plain: ConfigMap,
    replaces_nulls: bool,
}

impl SchemaFormat for ExtJsonFormat {
    const CLASS: &'static str = "io.apicurio.registry.utils.converter.ExtJsonConverter";
    const KIND: SchemaKind = SchemaKind::Connect;
    const NAME: &'static str = "JSON";

    /// In its JSON form.
    type Schema = Value;
    type Reader = ExtJsonReader;
    type Place = ();

    fn parse(&self, schema: &Schema, _: &[ResolvedReference]) -> Parsed<Value> {
        serde_json::from_str(&schema.text).map_err(|error| format!("it is no JSON: {error}"))
    }

    fn record_name<'a>(schema: &'a Value, (): &()) -> Option<&'a str> {
        schema.get("name").and_then(Value::as_str)
    }

    fn reader(&self, schema: Parsed<&Value>, (): &(), _: Option<i32>) -> Result<ExtJsonReader> {
        let reader = SchemaReader { replace_null_with_default: self.replaces_nulls };
        Ok(ExtJsonReader { builders: Builders::of(schema.and_then(|schema| reader.root(schema))) })
    }

    fn schema_of(&self, field: &Field) -> Result<(Value, Schema)> {
        if !schema::has_schema(field) {
            return Err(Error::data(
                "the data has no schema, which ExtJsonConverter needs: use JsonConverter, or give it one",
            ));
        }
        let connect = schema_of(field)?;
        let text = Schema::new(SchemaKind::Connect, connect.to_string());
        Ok((connect, text))
    }

    fn writer(&self, _: &Value, column: &Column) -> Result<Box<dyn RowWriter>> {
        let mut plain = JsonConverter::new(&self.plain, Side::Value)?;
        let serialized = plain.from_connect(&Unserialized::new("", column))?;
        let refused = serialized.rejected.into_iter().map(|row| (row.row, row.error.to_string())).collect();
        Ok(Box::new(PayloadWriter { texts: serialized.bytes, refused }))
    }

    fn unreadable(topic: &str) -> String {
        format!("Converting byte[] to Kafka Connect data failed due to serialization error of topic {topic}: ")
    }

    fn unwritable(topic: &str) -> String {
        format!("Converting Kafka Connect data to byte[] failed due to serialization error of topic {topic}: ")
    }
}

/// Reads payloads of one schema.
#[derive(Debug)]
struct ExtJsonReader {
    builders: Builders,
}

impl SectionReader for ExtJsonReader {
    fn read(
        &mut self,
        _: &str,
        messages: &[Option<&[u8]>],
        reject: &mut dyn FnMut(usize, Failure),
    ) -> Result<Vec<Part>> {
        let read = |node: &mut _, message: &[u8], at| match std::str::from_utf8(message) {
            Ok(_) => decode_message(node, message, at),
            Err(_) => Err(Failure::unfit("the message is not UTF-8")),
        };
        self.builders.decode_parts(read, messages, reject)
    }
}

/// Writes what has been made text, and the end of the object around it.
struct PayloadWriter {
    texts: BinaryArray,
    refused: Vec<(usize, String)>,
}

impl RowWriter for PayloadWriter {
    fn write(&self, row: usize, out: &mut Vec<u8>) -> Parsed<()> {
        if self.texts.is_null(row) {
            let reason = self.refused.iter().find(|(refused, _)| *refused == row).map(|(_, reason)| reason.clone());
            return Err(reason.unwrap_or_else(|| "the value cannot be written as JSON".to_owned()));
        }
        out.extend_from_slice(self.texts.value(row));
        out.push(b'}');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use volley_registry::RegistryClient;

    use super::*;
    use crate::rejections::raw_batch_of;

    fn settings(scope: &str) -> ConfigMap {
        let url = format!("mock://ext-json-{scope}");
        let pairs = [("apicurio.registry.url", url.as_str()), ("apicurio.registry.auto-register", "true")];
        pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
    }

    fn envelopes(messages: &[&str]) -> Column {
        let messages: Vec<_> = messages.iter().map(|message| Some(message.as_bytes())).collect();
        let mut json = JsonConverter::new(&ConfigMap::new(), Side::Value).unwrap();
        json.to_connect(&raw_batch_of(&messages), Side::Value).unwrap().runs.remove(0).column
    }

    const ORDER: &str = r#"{"schema":{"type":"struct","fields":[{"type":"int64","optional":false,"field":"id"},
        {"type":"bytes","optional":true,"name":"org.apache.kafka.connect.data.Decimal","version":1,
         "parameters":{"scale":"2"},"field":"price"}],"optional":false,"name":"x.R"},"payload":{"id":1,"price":"BQ=="}}"#;

    #[test]
    fn the_schema_is_in_the_registry_and_the_payload_as_jsonconverter_writes_it() {
        let config = settings("written");
        let column = envelopes(&[ORDER]);
        let mut converter = ExtJsonConverter::new(&config, Side::Value).unwrap();
        let serialized = converter.from_connect(&Unserialized::new("topic", &column)).unwrap();
        assert!(serialized.headers.is_none() && serialized.rejected.is_empty());
        let message = serialized.bytes.value(0);
        assert_eq!(message, br#"{"schemaId":1,"payload":{"id":1,"price":"BQ=="}}"#);
        let settings =
            RegistryConfig::parse_apicurio(&config, Side::Value, SchemaKind::Connect, DataEncoding::Binary, &[])
                .unwrap();
        let kept = RegistryClient::shared(&settings).unwrap().latest("default/topic-value").unwrap();
        let kept: Value = serde_json::from_str(&kept.schema.text).unwrap();
        assert_eq!(kept, serde_json::from_str::<Value>(ORDER).unwrap()["schema"]);
        let back = converter.to_connect(&raw_batch_of(&[Some(message), None]), Side::Value).unwrap();
        assert!(back.rejected.is_empty(), "{:?}", back.rejected);
        let read = &back.runs[0].column;
        assert_eq!(
            (read.field.metadata(), read.field.data_type()),
            (column.field.metadata(), column.field.data_type())
        );
        assert!(read.is_null(1));
        assert_eq!(back.runs[0].column.array.slice(0, 1).to_data(), column.array.to_data());
    }

    #[test]
    fn one_bad_message_is_rejected_alone() {
        let config = settings("bad");
        let mut converter = ExtJsonConverter::new(&config, Side::Value).unwrap();
        converter.from_connect(&Unserialized::new("topic", &envelopes(&[ORDER]))).unwrap();
        let good = br#"{"payload":{"id":2,"price":null},"schemaId":1}"#;
        let bad: [&[u8]; 4] =
            [b"{", br#"{"schemaId":9,"payload":{}}"#, br#"{"schemaId":1,"payload":{"id":"x"}}"#, b"\0\0"];
        let messages: Vec<_> = bad.iter().flat_map(|bad| [Some(&good[..]), Some(*bad)]).collect();
        let converted = converter.to_connect(&raw_batch_of(&messages), Side::Value).unwrap();
        assert_eq!(converted.rejected.iter().map(|row| row.row).collect::<Vec<_>>(), [1, 3, 5, 7]);
        assert_eq!(converted.runs[0].column.len(), bad.len());
    }

    #[test]
    fn data_without_a_schema_is_refused() {
        let plain = ConfigMap::from([(SCHEMAS_ENABLE.to_owned(), "false".to_owned())]);
        let mut json = JsonConverter::new(&plain, Side::Value).unwrap();
        let column = json.to_connect(&raw_batch_of(&[Some(b"{\"a\":1}")]), Side::Value).unwrap().runs.remove(0).column;
        let mut converter = ExtJsonConverter::new(&settings("none"), Side::Value).unwrap();
        let serialized = converter.from_connect(&Unserialized::new("topic", &column)).unwrap();
        assert!(serialized.rejected[0].error.trace().contains("ExtJsonConverter needs"));
    }
}
