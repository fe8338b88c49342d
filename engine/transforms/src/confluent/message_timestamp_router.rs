//! `MessageTimestampRouter`: renames the topic after a time that the value holds.
//!
//! ```text
//! transforms.daily.type=io.confluent.connect.transforms.MessageTimestampRouter
//! transforms.daily.message.timestamp.keys=timestamp,ts
//! transforms.daily.message.timestamp.format=yyyy-MM-dd
//! transforms.daily.topic.timestamp.format=yyyy.MM.dd
//! ```
//!
//! The first of the fields that a record has counts. A text is read with the format; a number is milliseconds since 1970. Times
//! are UTC. Values with a schema have fields, too: they are routed as those without.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray, Int64Array, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, Error, Importance, KAFKA_VERSION, Plugin, PluginFactory,
    Records, Result, Side, Transformation, Transformed, schema,
};
use volley_java::class_of;

use super::json_path::JsonPath;
use crate::columns::{ColumnReader, Fate, carry_out, field_list};
use crate::date_format::DateFormat;

const KEYS: &str = "message.timestamp.keys";
const MESSAGE_FORMAT: &str = "message.timestamp.format";
const TOPIC_FORMAT: &str = "topic.format";
const TOPIC_TIMESTAMP_FORMAT: &str = "topic.timestamp.format";
const CLASS: &str = "io.confluent.connect.transforms.MessageTimestampRouter";

/// Puts the topic and the time that the value holds into a new name.
#[derive(Debug)]
pub(super) struct MessageTimestampRouter {
    reader: ColumnReader,
    names: Vec<String>,
    /// `None`: texts are numbers of milliseconds.
    message_format: Option<DateFormat>,
    topic_format: String,
    time_format: DateFormat,
}

/// The time of a row.
enum Time {
    Missing,
    At(i64),
    Unreadable(Error),
}

impl MessageTimestampRouter {
    pub(super) fn config_def() -> ConfigDef {
        let keys = "Fields of the value with the time; the first that a record has counts.";
        let message = "Pattern of Java's SimpleDateFormat that the time is written in. Without one it is milliseconds since 1970.";
        let topic = "New name of the topic; ${topic} and ${timestamp} stand for the old one and the time.";
        let time = "Pattern of Java's SimpleDateFormat for the time in the topic.";
        let key =
            |name, default, doc| ConfigKey::with_default(name, ConfigType::String, default, Importance::High, doc);
        ConfigDef::new()
            .key(field_list(KEYS, keys))
            .key(key(MESSAGE_FORMAT, "", message))
            .key(key(TOPIC_FORMAT, "${topic}-${timestamp}", topic))
            .key(key(TOPIC_TIMESTAMP_FORMAT, "yyyyMMdd", time))
    }

    /// # Errors
    /// `Config` if no field is named, or a format is none of SimpleDateFormat.
    pub(super) fn new(config: &ConfigMap) -> Result<Self> {
        let config = Self::config_def().parse(config)?;
        let text = |key| config.string(key).unwrap_or_default();
        let format = |key| {
            DateFormat::of(text(key)).map_err(|reason| {
                Error::config(format!("Invalid value {} for configuration {key}: {reason}", text(key)))
            })
        };
        let message_format = if text(MESSAGE_FORMAT).is_empty() { None } else { Some(format(MESSAGE_FORMAT)?) };
        Ok(Self {
            reader: ColumnReader::new(Side::Value, [CLASS; 2]),
            names: config.list(KEYS).to_vec(),
            message_format,
            topic_format: text(TOPIC_FORMAT).to_owned(),
            time_format: format(TOPIC_TIMESTAMP_FORMAT)?,
        })
    }

    fn topic(&self, old: &str, time: i64) -> Fate {
        let time = self.time_format.format(time);
        match self.topic_format.replace("${topic}", old).replace("${timestamp}", &time) {
            topic if topic.is_empty() => {
                Fate::Fails(Error::data(format!("`{TOPIC_FORMAT}` gives an empty name for topic `{old}`")))
            }
            topic => Fate::Goes(topic.into()),
        }
    }
}

impl Transformation for MessageTimestampRouter {
    /// Row by row, since each has a time of its own; equal times are formatted once.
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let (names, format) = (&self.names, &self.message_format);
        let is_wanted = |name: &str| names.iter().any(|wanted| wanted == name);
        let times = self.reader.each_row(&records, is_wanted, |column| times(column, names, format.as_ref()))?;
        let mut topics: HashMap<i64, Fate> = HashMap::new();
        let mut fates = Vec::with_capacity(times.len());
        for time in times {
            fates.push(match time {
                Time::At(time) => topics.entry(time).or_insert_with(|| self.topic(&records.topic, time)).clone(),
                Time::Missing => {
                    Fate::Fails(Error::data(format!("the value has no time in any of {}", names.join(", "))))
                }
                Time::Unreadable(error) => Fate::Fails(error),
            });
        }
        carry_out(records, CLASS, fates)
    }
}

fn times(column: &Column, names: &[String], format: Option<&DateFormat>) -> Result<Vec<Time>> {
    let mut times: Vec<Time> = (0..column.len()).map(|_| Time::Missing).collect();
    for name in names {
        let Some(values) = JsonPath::of_field(name).value(column)? else { continue };
        let written = Written::of(&values)?;
        for (row, time) in times.iter_mut().enumerate() {
            if matches!(time, Time::Missing) && !values.is_null(row) {
                *time = written.time(row, name, format);
            }
        }
    }
    Ok(times)
}

/// How the times of a column are written.
enum Written {
    Texts(StringArray),
    Millis(Int64Array),
    /// They are no times, but values of this class.
    NoTimes(&'static str),
}

impl Written {
    fn of(values: &Column) -> Result<Self> {
        let array = match values.field.data_type() {
            DataType::Utf8 if !schema::is_json_text(&values.field) => {
                return Ok(Self::Texts(values.array.as_string::<i32>().clone()));
            }
            DataType::Date32 => cast(&values.array, &schema::timestamp_type())?,
            DataType::Time32(_) => cast(&values.array, &DataType::Int32)?,
            data_type if data_type.is_numeric() || data_type.is_temporal() => Arc::clone(&values.array),
            other => return Ok(Self::NoTimes(class_of(other))),
        };
        Ok(Self::Millis(cast(&array, &DataType::Int64)?.as_primitive::<Int64Type>().clone()))
    }

    fn time(&self, row: usize, name: &str, format: Option<&DateFormat>) -> Time {
        let unreadable = |message: String| Time::Unreadable(Error::data(message));
        match self {
            Self::Texts(texts) => {
                let text = texts.value(row);
                let time = format.map_or_else(|| text.parse().ok(), |format| format.parse(text));
                let message = || unreadable(format!("`{text}` in the field `{name}` is no time of `{MESSAGE_FORMAT}`"));
                time.map_or_else(message, Time::At)
            }
            Self::Millis(millis) if millis.is_valid(row) => Time::At(millis.value(row)),
            Self::Millis(_) => unreadable(format!("the number in the field `{name}` is beyond all times")),
            Self::NoTimes(class) => unreadable(format!("the field `{name}` is no time, but {class}")),
        }
    }
}

pub(super) fn plugin() -> Plugin {
    Plugin::new(
        CLASS,
        KAFKA_VERSION,
        "Renames the topic of records after a time that their value holds.",
        MessageTimestampRouter::config_def(),
        PluginFactory::transformation(MessageTimestampRouter::new),
    )
}
