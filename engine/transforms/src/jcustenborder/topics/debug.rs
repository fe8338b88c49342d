//! `Debug`: tells the log what passes, a line for each batch. It shows no keys or values, which may be secret.

use volley_api::{ConfigDef, Plugin, PluginFactory, Records, Result, Transformation, Transformed};

use crate::jcustenborder::supported::VERSION;

const CLASS: &str = "com.github.jcustenborder.kafka.connect.transform.common.Debug";

/// Logs batches. It has no keys of its own.
#[derive(Clone, Copy, Debug)]
struct DebugLog;

impl Transformation for DebugLog {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        tracing::info!(
            transformation = CLASS,
            topic = &*records.topic,
            partition = records.kafka_partition,
            first_offset = records.offset(0),
            records = records.len(),
            key = %records.key.field.data_type(),
            value = %records.value.field.data_type(),
            "records pass"
        );
        Ok(Transformed::of(records))
    }
}

pub(in crate::jcustenborder) fn plugin() -> Plugin {
    Plugin::new(
        CLASS,
        VERSION,
        "Logs where batches of records come from and which types they have.",
        ConfigDef::new(),
        PluginFactory::transformation(|_| Ok(DebugLog)),
    )
}
