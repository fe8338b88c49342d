//! `TimestampNow`: the time of a record is when it passes.

use volley_api::{ConfigDef, Plugin, PluginFactory, Records, Result, Transformation, Transformed};

use crate::clock::now_ms;
use crate::jcustenborder::supported::VERSION;

/// Gives records the time of the clock. It has no keys of its own.
#[derive(Clone, Copy, Debug)]
struct TimestampNow;

impl Transformation for TimestampNow {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let timestamps = vec![now_ms(); records.len()].into();
        Ok(Transformed::of(Records { timestamps, ..records }))
    }
}

pub(in crate::jcustenborder) fn plugin() -> Plugin {
    Plugin::new(
        "com.github.jcustenborder.kafka.connect.transform.common.TimestampNow",
        VERSION,
        "Gives records the time at which they pass.",
        ConfigDef::new(),
        PluginFactory::transformation(|_| Ok(TimestampNow)),
    )
}
