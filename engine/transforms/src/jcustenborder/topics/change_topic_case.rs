//! `ChangeTopicCase`: the topic in another case format.
//!
//! ```text
//! transforms.case.type=com.github.jcustenborder.kafka.connect.transform.common.ChangeTopicCase
//! transforms.case.from=UPPER_UNDERSCORE
//! transforms.case.to=LOWER_HYPHEN
//! ```

use volley_api::{ConfigDef, ConfigMap, Error, Plugin, PluginFactory, Records, Result, Transformation, Transformed};

use crate::jcustenborder::names::{CaseFormat, case_formats, case_key};
use crate::jcustenborder::supported::VERSION;

const FROM: &str = "from";
const TO: &str = "to";

/// Puts topics into another case.
#[derive(Clone, Copy, Debug)]
pub(in crate::jcustenborder) struct ChangeTopicCase {
    from: CaseFormat,
    to: CaseFormat,
}

impl ChangeTopicCase {
    pub(in crate::jcustenborder) fn config_def() -> ConfigDef {
        let from = "The format that topics have: LOWER_HYPHEN, LOWER_UNDERSCORE, LOWER_CAMEL, UPPER_CAMEL or UPPER_UNDERSCORE.";
        ConfigDef::new().key(case_key(FROM, from)).key(case_key(TO, "The format that they get."))
    }

    /// # Errors
    /// `Config` if a format is none that there is.
    pub(in crate::jcustenborder) fn new(config: &ConfigMap) -> Result<Self> {
        let [from, to] = case_formats(config, &Self::config_def(), [FROM, TO])?;
        Ok(Self { from, to })
    }
}

impl Transformation for ChangeTopicCase {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        match self.from.to(self.to, &records.topic) {
            topic if topic.is_empty() => {
                Err(Error::data(format!("nothing is left of the topic `{}` in another case", records.topic)))
            }
            topic => Ok(Transformed::of(Records { topic: topic.into(), ..records })),
        }
    }
}

pub(in crate::jcustenborder) fn plugin() -> Plugin {
    Plugin::new(
        "com.github.jcustenborder.kafka.connect.transform.common.ChangeTopicCase",
        VERSION,
        "Puts the topic of records into another case.",
        ChangeTopicCase::config_def(),
        PluginFactory::transformation(ChangeTopicCase::new),
    )
}
