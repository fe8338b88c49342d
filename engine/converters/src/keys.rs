//! The configuration key that all converters of Kafka Connect share.

use volley_api::{ConfigDef, ConfigKey, ConfigType, Importance, Side, Validator};

/// Name of the key for the use of a converter. The worker sets it; users do not.
pub(crate) const CONVERTER_TYPE: &str = "converter.type";

/// A definition with `converter.type` only.
///
/// The key is optional here although Kafka Connect requires it, since [`Side`] has the same meaning.
pub(crate) fn converter_def() -> ConfigDef {
    ConfigDef::new().key(
        ConfigKey::optional(
            CONVERTER_TYPE,
            ConfigType::String,
            Importance::Low,
            "What the converter is used for: key, value or header. The worker sets it.",
        )
        .validated(Validator::one_of(["key", "value", "header"]))
        .supplied(),
    )
}

/// The stage of rejected rows of this side.
pub(crate) fn stage_of(side: Side) -> volley_api::Stage {
    match side {
        Side::Key => volley_api::Stage::KeyConverter,
        Side::Value => volley_api::Stage::ValueConverter,
    }
}
