//! `LowerCaseTopic`: the topic without capitals.

use volley_api::{ConfigDef, Plugin, PluginFactory, Records, Result, Transformation, Transformed};

use crate::jcustenborder::supported::VERSION;

/// Makes topics lower case. It has no keys of its own.
#[derive(Clone, Copy, Debug)]
struct LowerCaseTopic;

impl Transformation for LowerCaseTopic {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        Ok(Transformed::of(Records { topic: records.topic.to_lowercase().into(), ..records }))
    }
}

pub(in crate::jcustenborder) fn plugin() -> Plugin {
    Plugin::new(
        "com.github.jcustenborder.kafka.connect.transform.common.LowerCaseTopic",
        VERSION,
        "Makes the topic of records lower case.",
        ConfigDef::new(),
        PluginFactory::transformation(|_| Ok(LowerCaseTopic)),
    )
}
