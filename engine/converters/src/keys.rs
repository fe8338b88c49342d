//! The one configuration key that every converter of Kafka Connect has.

use volley_api::{ConfigDef, ConfigKey, ConfigType, Importance, Side, Validator};

/// Name of the key that says what a converter is used for. The worker sets it; users do not.
pub(crate) const CONVERTER_TYPE: &str = "converter.type";

/// A definition with `converter.type` only.
///
/// It may be left out here although Kafka Connect requires it, since [`Side`] already says the same.
pub(crate) fn converter_def() -> ConfigDef {
    ConfigDef::new().key(
        ConfigKey::optional(
            CONVERTER_TYPE,
            ConfigType::String,
            Importance::Low,
            "What the converter is used for: key, value or header. The worker sets it.",
        )
        .validated(Validator::OneOf(&["key", "value", "header"]))
        .supplied(),
    )
}

/// The stage that a rejected row of this side names.
pub(crate) fn stage_of(side: Side) -> volley_api::Stage {
    match side {
        Side::Key => volley_api::Stage::KeyConverter,
        Side::Value => volley_api::Stage::ValueConverter,
    }
}
