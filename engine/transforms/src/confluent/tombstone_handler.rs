//! `TombstoneHandler`: drops records without a value, or fails with them.
//!
//! ```text
//! transforms.live.type=io.confluent.connect.transforms.TombstoneHandler
//! transforms.live.behavior=ignore
//! ```

use volley_api::{
    ConfigDef, ConfigKey, ConfigMap, ConfigType, Error, Importance, KAFKA_VERSION, Plugin, PluginFactory, Records,
    Result, Transformation, Transformed, Validator,
};

use crate::columns::{Fate, carry_out};
use crate::tombstones::{DroppedTombstones, Loudness};

const BEHAVIOR: &str = "behavior";
const CLASS: &str = "io.confluent.connect.transforms.TombstoneHandler";

/// Drops tombstones, or fails with them.
#[derive(Debug)]
pub(super) struct TombstoneHandler {
    fails: bool,
    dropped: DroppedTombstones,
}

impl TombstoneHandler {
    pub(super) fn config_def() -> ConfigDef {
        let doc = "What becomes of records without a value: they are dropped (ignore), dropped with a warning in the log (warn), \
                   or fail.";
        ConfigDef::new().key(
            ConfigKey::with_default(BEHAVIOR, ConfigType::String, "warn", Importance::Medium, doc)
                .validated(Validator::one_of(["ignore", "warn", "fail"])),
        )
    }

    /// # Errors
    /// `Config` if the behaviour is none that there is.
    pub(super) fn new(config: &ConfigMap) -> Result<Self> {
        let config = Self::config_def().parse(config)?;
        let behavior = config.string(BEHAVIOR);
        let loudness = if behavior == Some("warn") { Loudness::Warns } else { Loudness::IsSilent };
        Ok(Self { fails: behavior == Some("fail"), dropped: DroppedTombstones::new(CLASS, loudness) })
    }
}

impl Transformation for TombstoneHandler {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        if !self.fails {
            return self.dropped.without_tombstones(records);
        }
        let error = Error::data("a record without a value, which `behavior=fail` forbids");
        let fate = |row| if records.value.is_null(row) { Fate::Fails(error.clone()) } else { Fate::Stays };
        let fates = (0..records.len()).map(fate).collect();
        carry_out(records, CLASS, fates)
    }
}

pub(super) fn plugin() -> Plugin {
    Plugin::new(
        CLASS,
        KAFKA_VERSION,
        "Drops records without a value, or fails with them.",
        TombstoneHandler::config_def(),
        PluginFactory::transformation(TombstoneHandler::new),
    )
}
