//! `TombstoneHandler`: drops records without a value, or fails with them.
//!
//! ```text
//! transforms.live.type=io.aiven.kafka.connect.transforms.TombstoneHandler
//! transforms.live.behavior=drop_silent
//! ```

use volley_api::{
    ConfigDef, ConfigKey, ConfigMap, ConfigType, ConfigValue, Error, Importance, Plugin, PluginFactory, Records,
    Result, Transformation, Transformed, Validator,
};

use super::places::AIVEN_VERSION;
use crate::columns::{Fate, carry_out};
use crate::tombstones::{DroppedTombstones, Loudness};

const BEHAVIOR: &str = "behavior";
const BEHAVIORS: [&str; 3] = ["drop_silent", "drop_warn", "fail"];
const CLASS: &str = "io.aiven.kafka.connect.transforms.TombstoneHandler";

/// Drops tombstones, or fails with them.
#[derive(Debug)]
pub(super) struct TombstoneHandler {
    fails: bool,
    dropped: DroppedTombstones,
}

impl TombstoneHandler {
    pub(super) fn config_def() -> ConfigDef {
        let doc =
            "What becomes of records without a value: drop_silent, drop_warn (with a warning in the log), or fail.";
        ConfigDef::new().key(
            ConfigKey::required(BEHAVIOR, ConfigType::String, Importance::Medium, doc)
                .validated(Validator::custom(is_behavior)),
        )
    }

    /// # Errors
    /// `Config` if the behaviour is none that there is.
    pub(super) fn new(config: &ConfigMap) -> Result<Self> {
        let config = Self::config_def().parse(config)?;
        let behavior = config.string(BEHAVIOR).unwrap_or_default().to_ascii_lowercase();
        let loudness = if behavior == "drop_warn" { Loudness::Warns } else { Loudness::IsSilent };
        Ok(Self { fails: behavior == "fail", dropped: DroppedTombstones::new(CLASS, loudness) })
    }
}

fn is_behavior(value: &ConfigValue) -> std::result::Result<(), String> {
    let ConfigValue::String(text) = value else { return Ok(()) };
    if text.is_empty() {
        return Err("String must be non-empty".to_owned());
    }
    match BEHAVIORS.iter().any(|known| known.eq_ignore_ascii_case(text)) {
        true => Ok(()),
        false => Err(format!("Unsupported behavior name: {text}. Supported are: {}", BEHAVIORS.join(","))),
    }
}

impl Transformation for TombstoneHandler {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        if !self.fails {
            return self.dropped.without_tombstones(records);
        }
        let error = Error::data("Tombstone record encountered, failing due to configured 'fail' behavior");
        let fate = |row| if records.value.is_null(row) { Fate::Fails(error.clone()) } else { Fate::Stays };
        let fates = (0..records.len()).map(fate).collect();
        carry_out(records, CLASS, fates)
    }
}

pub(super) fn plugin() -> Plugin {
    Plugin::new(
        CLASS,
        AIVEN_VERSION,
        "Drops records without a value, or fails with them.",
        TombstoneHandler::config_def(),
        PluginFactory::transformation(TombstoneHandler::new),
    )
}
