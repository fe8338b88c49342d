//! `TimestampRouter`: renames the topic after the time of the record.
//!
//! ```text
//! transforms.daily.type=org.apache.kafka.connect.transforms.TimestampRouter
//! transforms.daily.topic.format=${topic}-${timestamp}
//! transforms.daily.timestamp.format=yyyyMMdd
//! ```

use std::collections::HashMap;

use arrow::array::UInt32Array;
use volley_api::{
    ConfigDef, ConfigKey, ConfigMap, ConfigType, Error, Importance, KAFKA_VERSION, Plugin, PluginFactory, Records,
    RejectedRow, Result, Stage, Transformation, Transformed,
};

use crate::date_format::DateFormat;

const TOPIC_FORMAT: &str = "topic.format";
const TIMESTAMP_FORMAT: &str = "timestamp.format";
const CLASS: &str = "org.apache.kafka.connect.transforms.TimestampRouter";
const NO_TIME: i64 = -1;

/// Puts the topic and the time of each record into a new name. Times are UTC.
#[derive(Clone, Debug)]
pub struct TimestampRouter {
    topic_format: String,
    /// `Err`: what Java has against the pattern, which it only finds out with the first record.
    format: std::result::Result<DateFormat, String>,
}

impl TimestampRouter {
    /// The keys of this transformation.
    pub fn config_def() -> ConfigDef {
        let topic =
            "New name of the topic; ${topic} and ${timestamp} stand for the old one and the time of the record.";
        let time = "Pattern of Java's SimpleDateFormat for the time.";
        let key =
            |name, default, doc| ConfigKey::with_default(name, ConfigType::String, default, Importance::High, doc);
        ConfigDef::new().key(key(TOPIC_FORMAT, "${topic}-${timestamp}", topic)).key(key(
            TIMESTAMP_FORMAT,
            "yyyyMMdd",
            time,
        ))
    }

    /// From its configuration, prefix stripped.
    ///
    /// # Errors
    /// None.
    pub fn new(config: &ConfigMap) -> Result<Self> {
        let config = Self::config_def().parse(config)?;
        let text = |key| config.string(key).unwrap_or_default();
        Ok(Self { topic_format: text(TOPIC_FORMAT).to_owned(), format: DateFormat::of(text(TIMESTAMP_FORMAT)) })
    }

    fn topic(&self, old: &str, time: i64) -> Result<String> {
        if time == NO_TIME {
            return Err(Error::data("Timestamp missing on record"));
        }
        let format = self
            .format
            .as_ref()
            .map_err(|reason| Error::data(reason.as_str()).with_exception("java.lang.IllegalArgumentException"))?;
        let topic = self.topic_format.replace("${topic}", old).replace("${timestamp}", &format.format(time));
        match topic.is_empty() {
            true => Err(Error::data(format!("`{TOPIC_FORMAT}` gives an empty name for topic `{old}`"))),
            false => Ok(topic),
        }
    }
}

impl Transformation for TimestampRouter {
    /// Row by row, since each has a time of its own; equal times are formatted once.
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let mut rejected = Vec::new();
        let mut routed: Vec<(String, Vec<u32>)> = Vec::new();
        let mut places: HashMap<i64, usize> = HashMap::new();
        for (row, time) in records.timestamps.iter().enumerate() {
            let place = match places.get(time) {
                Some(place) => *place,
                None => match self.topic(&records.topic, *time) {
                    Ok(topic) => {
                        let known = routed.iter().position(|(known, _)| *known == topic);
                        let place = known.unwrap_or_else(|| {
                            routed.push((topic, Vec::new()));
                            routed.len() - 1
                        });
                        places.insert(*time, place);
                        place
                    }
                    Err(error) => {
                        let row = records.rows.input_row(row);
                        rejected.push(RejectedRow {
                            row,
                            stage: Stage::Transformation,
                            class: CLASS.to_owned(),
                            error,
                        });
                        continue;
                    }
                },
            };
            routed[place].1.push(row as u32);
        }
        let part = |(topic, rows): (String, Vec<u32>)| {
            let part =
                if rows.len() == records.len() { records.clone() } else { records.take(&UInt32Array::from(rows))? };
            Ok(Records { topic: topic.into(), ..part })
        };
        Ok(Transformed { records: routed.into_iter().map(part).collect::<Result<_>>()?, rejected })
    }
}

pub(crate) fn plugin() -> Plugin {
    Plugin::new(
        CLASS,
        KAFKA_VERSION,
        "Renames the topic of records after their time.",
        TimestampRouter::config_def(),
        PluginFactory::transformation(TimestampRouter::new),
    )
}
