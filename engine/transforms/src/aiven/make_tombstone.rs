//! `MakeTombstone`: a null in place of the value.

use volley_api::{Column, ConfigDef, Plugin, PluginFactory, Records, Result, Transformation, Transformed};

use super::places::AIVEN_VERSION;

/// Makes every record a tombstone. It has no keys of its own.
#[derive(Clone, Copy, Debug)]
struct MakeTombstone;

impl Transformation for MakeTombstone {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let value = Column::nulls(records.len());
        Ok(Transformed::of(Records { value, ..records }))
    }
}

pub(super) fn plugin() -> Plugin {
    Plugin::new(
        "io.aiven.kafka.connect.transforms.MakeTombstone",
        AIVEN_VERSION,
        "Makes every record a tombstone. Give it a predicate: without one no value is left.",
        ConfigDef::new(),
        PluginFactory::transformation(|_| Ok(MakeTombstone)),
    )
}
