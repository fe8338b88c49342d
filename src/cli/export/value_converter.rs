//! Forms of values, as keys of the connector.

use volley_api::ConfigMap;

const STRING: &str = "org.apache.kafka.connect.storage.StringConverter";
const JSON: &str = "org.apache.kafka.connect.json.JsonConverter";
const BYTES: &str = "org.apache.kafka.connect.converters.ByteArrayConverter";
const AVRO: &str = "io.confluent.connect.avro.AvroConverter";
const PROTOBUF: &str = "io.confluent.connect.protobuf.ProtobufConverter";

/// `--value-converter`
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ValueConverter {
    /// JSON without schema
    Json,
    /// JSON with its schema in each message
    JsonSchemaEnvelope,
    /// Avro of a Schema Registry
    Avro,
    /// Protobuf of a Schema Registry
    Protobuf,
    /// Text
    String,
    /// Bytes as they are
    Bytes,
}

impl ValueConverter {
    /// The keys of the value's converter, and of the key's: keys are taken as text.
    ///
    /// # Errors
    /// If there has to be a Schema Registry, and there is none, or the other way round.
    pub(super) fn keys(self, schema_registry: Option<&str>) -> Result<ConfigMap, String> {
        let (class, setting) = match (self, schema_registry) {
            (Self::Avro, Some(url)) => (AVRO, Some(("schema.registry.url", url))),
            (Self::Protobuf, Some(url)) => (PROTOBUF, Some(("schema.registry.url", url))),
            (Self::Avro | Self::Protobuf, None) => {
                return Err("values with schemas of a Schema Registry need --schema-registry URL".to_owned());
            }
            (_, Some(_)) => {
                return Err("--schema-registry is for --value-converter avro or protobuf".to_owned());
            }
            (Self::Json, None) => (JSON, Some(("schemas.enable", "false"))),
            (Self::JsonSchemaEnvelope, None) => (JSON, Some(("schemas.enable", "true"))),
            (Self::String, None) => (STRING, None),
            (Self::Bytes, None) => (BYTES, None),
        };
        let mut keys = ConfigMap::from_iter([
            ("key.converter".to_owned(), STRING.to_owned()),
            ("value.converter".to_owned(), class.to_owned()),
        ]);
        if let Some((key, value)) = setting {
            keys.insert(format!("value.converter.{key}"), value.to_owned());
        }
        Ok(keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_is_given_exactly_where_one_is_needed() {
        let url = Some("http://localhost:8081");
        let avro = ValueConverter::Avro.keys(url).unwrap();
        assert_eq!(avro["value.converter.schema.registry.url"], "http://localhost:8081");
        assert!(ValueConverter::Protobuf.keys(None).unwrap_err().contains("need --schema-registry"));
        assert!(ValueConverter::Json.keys(url).unwrap_err().contains("is for"));
        assert_eq!(ValueConverter::Json.keys(None).unwrap()["value.converter.schemas.enable"], "false");
    }
}
