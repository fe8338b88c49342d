//! Logical types of Avro that Connect does not have, and the names that Debezium has for such values.

use crate::avro::schema::avro_schema::{AvroSchema, Kind};

/// Parameter of Connect's schema: the logical type, where the name could stand for several.
pub(crate) const LOGICAL_TYPE: &str = "volley.avro.logical.type";

/// A logical type, and Debezium's name for it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SemanticType {
    pub(crate) logical_type: &'static str,
    /// Of the Connect schema.
    pub(crate) name: &'static str,
    /// Of the Connect schema.
    kind: &'static str,
    /// Whether the name is written as this logical type.
    pub(crate) is_usual: bool,
}

const fn semantic(logical_type: &'static str, name: &'static str, kind: &'static str, is_usual: bool) -> SemanticType {
    SemanticType { logical_type, name, kind, is_usual }
}

static SEMANTIC_TYPES: [SemanticType; 7] = [
    semantic("timestamp-micros", "io.debezium.time.MicroTimestamp", "int64", true),
    semantic("timestamp-nanos", "io.debezium.time.NanoTimestamp", "int64", true),
    semantic("time-micros", "io.debezium.time.MicroTime", "int64", true),
    semantic("local-timestamp-millis", "io.debezium.time.Timestamp", "int64", true),
    semantic("local-timestamp-micros", "io.debezium.time.MicroTimestamp", "int64", false),
    semantic("local-timestamp-nanos", "io.debezium.time.NanoTimestamp", "int64", false),
    semantic("uuid", "io.debezium.data.Uuid", "string", true),
];

impl SemanticType {
    /// That of an Avro schema.
    pub(crate) fn of_avro(schema: &AvroSchema) -> Option<&'static Self> {
        let kind = match schema.kind {
            Kind::Long => "int64",
            Kind::String => "string",
            _ => return None,
        };
        let logical_type = schema.logical_type()?;
        SEMANTIC_TYPES.iter().find(|one| one.logical_type == logical_type && one.kind == kind)
    }

    /// That of a Connect schema; `logical_type` is the parameter [`LOGICAL_TYPE`].
    pub(crate) fn of_connect(name: &str, kind: &str, logical_type: Option<&str>) -> Option<&'static Self> {
        let is_meant = |one: &&Self| match logical_type {
            Some(logical_type) => one.logical_type == logical_type,
            None => one.is_usual,
        };
        SEMANTIC_TYPES.iter().filter(|one| one.name == name && one.kind == kind).find(is_meant)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::avro::mapping::from_connect_schema::from_connect_schema;
    use crate::avro::mapping::settings::AvroSettings;
    use crate::avro::mapping::to_connect_schema::to_connect_schema;
    use crate::avro::schema::schema_parser::SchemaParser;
    use crate::avro::schema::schema_text::schema_text;

    fn connect(avro: &str, settings: AvroSettings) -> Value {
        to_connect_schema(&SchemaParser::default().parse(avro).unwrap(), settings).unwrap().0
    }

    #[test]
    fn a_logical_type_is_read_under_debezium_s_name_and_written_again_as_it_was() {
        let wanted = AvroSettings { debezium_names: true, ..AvroSettings::default() };
        for semantic in &SEMANTIC_TYPES {
            let base = if semantic.kind == "int64" { "long" } else { "string" };
            let avro = format!(r#"{{"type":"{base}","logicalType":"{}"}}"#, semantic.logical_type);
            let schema = connect(&avro, wanted);
            assert_eq!((schema["type"].as_str(), schema["name"].as_str()), (Some(semantic.kind), Some(semantic.name)));
            let back = from_connect_schema(&schema, wanted).unwrap();
            assert_eq!(back.logical_type(), Some(semantic.logical_type));
            assert!(!schema_text(&back).contains(LOGICAL_TYPE));
            // and that is read as the same
            assert_eq!(connect(&schema_text(&back), wanted), schema);
            let plain = connect(&avro, AvroSettings::default());
            assert_eq!((plain.get("name"), plain["type"].as_str()), (None, Some(semantic.kind)));
        }
    }

    #[test]
    fn another_name_and_another_base_stay_as_they_are() {
        let wanted = AvroSettings { debezium_names: true, ..AvroSettings::default() };
        let named = r#"{"type":"long","logicalType":"timestamp-micros","connect.name":"x.Own"}"#;
        assert_eq!(connect(named, wanted)["name"], "x.Own");
        assert_eq!(connect(r#"{"type":"int","logicalType":"timestamp-micros"}"#, wanted).get("name"), None);
        assert_eq!(
            connect(r#"{"type":"long","logicalType":"timestamp-millis"}"#, wanted)["name"],
            volley_api::schema::TIMESTAMP
        );
    }
}
