//! The configuration keys of AvroConverter besides those of a registry's client.

use volley_api::{Config, ConfigDef, ConfigKey, ConfigType, Importance, Validator};
use volley_registry::registry_config_def;

use crate::avro::mapping::settings::AvroSettings;
use crate::keys::{cache_size_key, converter_type_key};

const ENHANCED: &str = "enhanced.avro.schema.support";
const META_DATA: &str = "connect.meta.data";
const SCRUB_NAMES: &str = "scrub.invalid.names";
const OPTIONAL_MAP_KEYS: &str = "allow.optional.map.keys";
const FLATTEN_SINGLETONS: &str = "flatten.singleton.unions";
const NULL_OVER_DEFAULT: &str = "ignore.default.for.nullables";
const LOGICAL_TYPES: &str = "volley.logical.types";

/// All keys.
pub(crate) fn avro_converter_def() -> ConfigDef {
    with_mapping_keys(registry_config_def().key(converter_type_key()))
}

/// The keys of Avro files. Other than in a converter, strings that were enums are enums again unless the user says otherwise.
pub fn avro_file_def() -> ConfigDef {
    let mapping = with_mapping_keys(ConfigDef::new());
    let defaulting = |key: &ConfigKey| match key.name == ENHANCED {
        true => key.clone().defaulting_to(Some("true")),
        false => key.clone(),
    };
    mapping.keys().iter().map(defaulting).fold(ConfigDef::new(), ConfigDef::key)
}

/// The same definition with the keys of the mapping.
pub(super) fn with_mapping_keys(definition: ConfigDef) -> ConfigDef {
    let flag = |key: &str, default: &str, doc: &str| {
        ConfigKey::with_default(key, ConfigType::Boolean, default, Importance::Medium, doc)
    };
    definition
        .key(flag(
            ENHANCED,
            "false",
            "Whether strings that were enums in Avro are written as enums, and the fields of unions have full names.",
        ))
        .key(flag(
            META_DATA,
            "true",
            "Whether what Avro has no word for (names, versions, parameters of Connect's schemas) stands in properties of the \
             schema.",
        ))
        .key(flag(
            SCRUB_NAMES,
            "false",
            "Whether names that Avro does not allow are rewritten. If false, records with such names are refused.",
        ))
        .key(flag(OPTIONAL_MAP_KEYS, "false", "Whether maps with optional string keys are written as Avro's maps."))
        .key(flag(FLATTEN_SINGLETONS, "false", "Whether a union of one type is read as that type."))
        .key(flag(NULL_OVER_DEFAULT, "false", "Whether a null is written as null where the schema has a default."))
        .key(
            ConfigKey::with_default(
                LOGICAL_TYPES,
                ConfigType::String,
                "java",
                Importance::Low,
                "What becomes of logical types that Connect does not have, such as timestamp-micros and uuid: java reads them as \
                 their base types, debezium gives these Debezium's names (io.debezium.time.MicroTimestamp, \
                 io.debezium.data.Uuid), and writes such names as logical types again.",
            )
            .validated(Validator::one_of(["java", "debezium"]))
            .unlisted(),
        )
        .key(cache_size_key())
}

/// The settings of the mapping.
pub(crate) fn avro_settings(config: &Config) -> AvroSettings {
    AvroSettings {
        enhanced: config.boolean(ENHANCED),
        meta_data: config.boolean(META_DATA),
        scrub_names: config.boolean(SCRUB_NAMES),
        optional_map_keys: config.boolean(OPTIONAL_MAP_KEYS),
        flatten_singletons: config.boolean(FLATTEN_SINGLETONS),
        null_over_default: config.boolean(NULL_OVER_DEFAULT),
        debezium_names: config.string(LOGICAL_TYPES) == Some("debezium"),
    }
}
