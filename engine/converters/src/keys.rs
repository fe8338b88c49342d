//! The configuration key that all converters of Kafka Connect share.

use volley_api::{Config, ConfigDef, ConfigKey, ConfigType, Importance, Side, Validator};

/// Name of the key for the use of a converter. The worker sets it; users do not.
pub(crate) const CONVERTER_TYPE: &str = "converter.type";

/// A definition with `converter.type` only.
///
/// The key is optional here although Kafka Connect requires it, since [`Side`] has the same meaning.
pub(crate) fn converter_def() -> ConfigDef {
    ConfigDef::new().key(converter_type_key())
}

/// The key `converter.type`.
pub(crate) fn converter_type_key() -> ConfigKey {
    ConfigKey::optional(
        CONVERTER_TYPE,
        ConfigType::String,
        Importance::Low,
        "What the converter is used for: key, value or header. The worker sets it.",
    )
    .validated(Validator::one_of(["key", "value", "header"]))
    .supplied()
}

const CACHE_SIZE: &str = "schemas.cache.config";

/// How many schemas a converter with a registry keeps.
pub(crate) fn cache_size_key() -> ConfigKey {
    ConfigKey::with_default(
        CACHE_SIZE,
        ConfigType::Int,
        "1000",
        Importance::Low,
        "How many schemas are kept with what they are read and written by.",
    )
    .validated(Validator::AtLeast(1))
}

/// The value of [`cache_size_key`].
pub(crate) fn cache_size(config: &Config) -> usize {
    config.long(CACHE_SIZE).and_then(|size| usize::try_from(size).ok()).unwrap_or(1)
}

/// The stage of rejected rows of this side.
pub(crate) fn stage_of(side: Side) -> volley_api::Stage {
    match side {
        Side::Key => volley_api::Stage::KeyConverter,
        Side::Value => volley_api::Stage::ValueConverter,
    }
}
