//! The configuration keys of JsonSchemaConverter besides those of a registry's client.

use volley_api::{Config, ConfigDef, ConfigKey, ConfigType, Importance, Validator};
use volley_registry::registry_config_def;

use crate::keys::{cache_size_key, converter_type_key};

const CLOSED: &str = "object.additional.properties";
const OPTIONAL: &str = "use.optional.for.nonrequired";
const GENERALIZED: &str = "generalized.sum.type.support";
const DECIMAL_FORMAT: &str = "decimal.format";

/// All keys.
pub(crate) fn json_schema_converter_def() -> ConfigDef {
    registry_config_def()
        .key(converter_type_key())
        .key(ConfigKey::with_default(
            CLOSED,
            ConfigType::Boolean,
            "true",
            Importance::Medium,
            "Whether objects may have more properties than the schema that is written names.",
        ))
        .key(ConfigKey::with_default(
            OPTIONAL,
            ConfigType::Boolean,
            "false",
            Importance::Medium,
            "Whether properties that are not required are optional. If false, messages without them are refused.",
        ))
        .key(
            ConfigKey::with_default(
                DECIMAL_FORMAT,
                ConfigType::String,
                "BASE64",
                Importance::Low,
                "How decimals are written: BASE64 (of the bytes of the unscaled value) or NUMERIC.",
            )
            .validated(Validator::one_of_ignore_case(["BASE64", "NUMERIC"])),
        )
        .key(ConfigKey::with_default(
            GENERALIZED,
            ConfigType::Boolean,
            "false",
            Importance::Medium,
            "Whether values of several types and enums have names and parameters in Connect that are the same for all formats \
             (connect_union_field_0, org.apache.kafka.connect.data.Enum), and not those of JSON Schema.",
        ))
        .key(cache_size_key())
}

/// What users set of the mapping.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JsonSchemaSettings {
    /// `object.additional.properties`
    pub(crate) allows_more: bool,
    /// `use.optional.for.nonrequired`
    pub(crate) optional_unless_required: bool,
    /// `decimal.format=NUMERIC`
    pub(crate) numeric_decimals: bool,
    /// `generalized.sum.type.support`
    pub(crate) generalizes: bool,
}

impl JsonSchemaSettings {
    pub(crate) fn of(config: &Config) -> Self {
        Self {
            allows_more: config.boolean(CLOSED),
            optional_unless_required: config.boolean(OPTIONAL),
            numeric_decimals: config
                .string(DECIMAL_FORMAT)
                .is_some_and(|format| format.eq_ignore_ascii_case("NUMERIC")),
            generalizes: config.boolean(GENERALIZED),
        }
    }
}
