//! `io.confluent.transforms.NullFilter`: drops records without a value.

use volley_api::{ConfigDef, KAFKA_VERSION, Plugin, PluginFactory, Records, Result, Transformation, Transformed};

use crate::tombstones::{DroppedTombstones, Loudness};

const CLASS: &str = "io.confluent.transforms.NullFilter";

/// Drops tombstones. It has no keys of its own.
#[derive(Clone, Copy, Debug)]
struct NullFilter(DroppedTombstones);

impl Transformation for NullFilter {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        self.0.without_tombstones(records)
    }
}

pub(super) fn plugin() -> Plugin {
    Plugin::new(
        CLASS,
        KAFKA_VERSION,
        "Drops records without a value.",
        ConfigDef::new(),
        PluginFactory::transformation(|_| Ok(NullFilter(DroppedTombstones::new(CLASS, Loudness::IsSilent)))),
    )
}
