//! The settings of a JsonConverter.

use volley_api::{
    ConfigDef, ConfigKey, ConfigMap, ConfigType, ConfigValue, Error, Importance, Result, Validator, Width,
};

use super::inferred::{Pinned, parse_pins};
use crate::keys::converter_def;

const SCHEMAS_ENABLE: &str = "schemas.enable";
const SCHEMAS_CACHE_SIZE: &str = "schemas.cache.size";
const SCHEMA_CONTENT: &str = "schema.content";
const DECIMAL_FORMAT: &str = "decimal.format";
const REPLACE_NULL: &str = "replace.null.with.default";
const PINNED_SCHEMA: &str = "volley.schema";

/// How decimals are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DecimalFormat {
    /// Base64 of the unscaled value's big-endian bytes.
    Base64,
    /// JSON number.
    Numeric,
}

/// Parsed settings.
#[derive(Clone, Debug)]
pub(crate) struct JsonConfig {
    pub(crate) schemas_enable: bool,
    pub(crate) cache_size: usize,
    /// The schema of all messages. If it is set, messages are payloads without an envelope.
    pub(crate) schema_content: Option<String>,
    pub(crate) decimal_format: DecimalFormat,
    pub(crate) replace_null_with_default: bool,
    pub(crate) pins: Vec<Pinned>,
}

/// The keys of a JsonConverter.
pub(crate) fn json_converter_def() -> ConfigDef {
    let schemas = "Schemas";
    let serialization = "Serialization";
    converter_def()
        .key(
            ConfigKey::with_default(
                SCHEMAS_ENABLE,
                ConfigType::Boolean,
                "true",
                Importance::High,
                "Whether each message is an envelope of its schema and its payload. If false, messages are plain JSON.",
            )
            .grouped(schemas, 0, Width::Medium, "Enable Schemas"),
        )
        .key(
            ConfigKey::with_default(
                SCHEMAS_CACHE_SIZE,
                ConfigType::Int,
                "1000",
                Importance::High,
                "How many schemas are kept parsed.",
            )
            .grouped(schemas, 1, Width::Medium, "Schema Cache Size"),
        )
        .key(
            ConfigKey::optional(
                SCHEMA_CONTENT,
                ConfigType::String,
                Importance::High,
                "With schemas.enable: the schema of all messages read, which are payloads without envelope then.",
            )
            .grouped(schemas, 2, Width::Medium, "Schema Content"),
        )
        .key(
            ConfigKey::with_default(
                DECIMAL_FORMAT,
                ConfigType::String,
                "BASE64",
                Importance::Low,
                "How decimals are written: BASE64 of their bytes, or NUMERIC. Both are understood when read.",
            )
            .validated(Validator::one_of_ignore_case(["NUMERIC", "BASE64"]))
            .grouped(serialization, 0, Width::Medium, "Decimal Format"),
        )
        .key(
            ConfigKey::with_default(
                REPLACE_NULL,
                ConfigType::Boolean,
                "true",
                Importance::Low,
                "Whether a null becomes the default of its schema, if that has one.",
            )
            .grouped(serialization, 1, Width::Medium, "Replace null with default"),
        )
        .key(
            ConfigKey::optional(
                PINNED_SCHEMA,
                ConfigType::String,
                Importance::Medium,
                "For JSON without schemas: columns of a given type, such as `id BIGINT, address.city VARCHAR`. They are \
                 always there, and a message with a value that does not fit is rejected; all other columns are inferred. \
                 Types: \
                 BOOLEAN, TINYINT, SMALLINT, INTEGER, BIGINT, REAL, DOUBLE, VARCHAR, JSON (any value, as text), DATE, \
                 TIMESTAMP (milliseconds or ISO 8601 text), DECIMAL(p,s).",
            )
            .validated(Validator::custom(check_pins))
            .grouped(schemas, 3, Width::Long, "Pinned Columns")
            .unlisted(),
        )
}

fn check_pins(value: &ConfigValue) -> std::result::Result<(), String> {
    match value {
        ConfigValue::String(text) => parse_pins(text).map(drop),
        _ => Ok(()),
    }
}

impl JsonConfig {
    /// Parses a configuration.
    ///
    /// # Errors
    /// The first error of the configuration.
    pub(crate) fn parse(config: &ConfigMap) -> Result<Self> {
        let config = json_converter_def().parse(config)?;
        let numeric = config.string(DECIMAL_FORMAT).is_some_and(|format| format.eq_ignore_ascii_case("NUMERIC"));
        let pins = parse_pins(config.string(PINNED_SCHEMA).unwrap_or_default());
        Ok(Self {
            schemas_enable: config.boolean(SCHEMAS_ENABLE),
            cache_size: config.long(SCHEMAS_CACHE_SIZE).and_then(|size| usize::try_from(size).ok()).unwrap_or(0),
            schema_content: config.string(SCHEMA_CONTENT).filter(|content| !content.is_empty()).map(str::to_owned),
            decimal_format: if numeric { DecimalFormat::Numeric } else { DecimalFormat::Base64 },
            replace_null_with_default: config.boolean(REPLACE_NULL),
            pins: pins.map_err(|reason| Error::config(format!("could not parse `{PINNED_SCHEMA}`: {reason}")))?,
        })
    }
}
