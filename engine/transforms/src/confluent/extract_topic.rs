//! `ExtractTopic$Key`, `ExtractTopic$Value` and `ExtractTopic$Header`: the topic is what the key, the value, a field of them or a
//! header says.
//!
//! ```text
//! transforms.route.type=io.confluent.connect.transforms.ExtractTopic$Value
//! transforms.route.field=$["meta"]["topic"]
//! transforms.route.field.format=JSON_PATH
//! ```

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::DataType;
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, Error, Importance, KAFKA_VERSION, Plugin, PluginFactory,
    Records, Result, Side, Transformation, Transformed, Validator, Value, schema,
};
use volley_java::class_of;

use super::json_path::JsonPath;
use crate::columns::{ColumnReader, Fate, carry_out, plugin_pair};

const FIELD: &str = "field";
const FORMAT: &str = "field.format";
const PLAIN: &str = "PLAIN";
const JSON_PATH: &str = "JSON_PATH";
const SKIP: &str = "skip.missing.or.null";
const CLASSES: [&str; 2] =
    ["io.confluent.connect.transforms.ExtractTopic$Key", "io.confluent.connect.transforms.ExtractTopic$Value"];
const HEADER_CLASS: &str = "io.confluent.connect.transforms.ExtractTopic$Header";

/// Takes the topic from the key or the value.
#[derive(Debug)]
pub(super) struct ExtractTopic {
    reader: ColumnReader,
    field: Field,
    written: String,
    skips: bool,
}

/// Where the topic stands.
#[derive(Debug)]
enum Field {
    Whole,
    Named(String),
    Path(JsonPath),
}

impl ExtractTopic {
    pub(super) fn config_def() -> ConfigDef {
        let field = "Field whose value is the topic. If it is empty, the whole key or value is.";
        let format =
            "How `field` is written. PLAIN: the name of a field. JSON_PATH: a JSONPath that leads to one place.";
        ConfigDef::new()
            .key(ConfigKey::with_default(FIELD, ConfigType::String, "", Importance::Medium, field))
            .key(
                ConfigKey::with_default(FORMAT, ConfigType::String, PLAIN, Importance::Medium, format)
                    .validated(Validator::one_of(["", PLAIN, JSON_PATH])),
            )
            .key(skip_key())
    }

    /// # Errors
    /// `Config` if the field is a path that is not accepted.
    pub(super) fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        let config = Self::config_def().parse(config)?;
        let written = config.string(FIELD).unwrap_or_default().to_owned();
        let field = match config.string(FORMAT) {
            _ if written.is_empty() => Field::Whole,
            Some(JSON_PATH) => Field::Path(JsonPath::parse_definite(&written).map_err(|reason| {
                Error::config(format!("Invalid value {written} for configuration {FIELD}: {reason}"))
            })?),
            _ => Field::Named(written.clone()),
        };
        let skips = config.boolean(SKIP);
        Ok(Self { reader: ColumnReader::new(side, CLASSES), field, written, skips })
    }
}

fn skip_key() -> ConfigKey {
    let skip = "Whether records without the field, or with a null there, stay in their topic. If not they fail.";
    ConfigKey::with_default(SKIP, ConfigType::Boolean, "false", Importance::Low, skip)
}

impl Transformation for ExtractTopic {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let Self { reader, field, written, skips } = self;
        let place = match (&*field, reader.side) {
            (Field::Whole, Side::Key) => "the key".to_owned(),
            (Field::Whole, Side::Value) => "the value".to_owned(),
            _ => format!("the field `{written}`"),
        };
        let is_wanted = |name: &str| match &*field {
            Field::Path(path) => path.looks_into(name),
            Field::Named(wanted) => wanted == name,
            Field::Whole => false,
        };
        let fates = reader.each_row(&records, is_wanted, |column| {
            let values = match &*field {
                Field::Whole => Some(column.clone()),
                Field::Named(name) => JsonPath::of_field(name).value(column)?,
                Field::Path(path) => path.value(column)?,
            };
            Ok(match values {
                Some(values) => fates(&values, &place, *skips),
                None => (0..column.len()).map(|_| missing(&place, *skips)).collect(),
            })
        })?;
        carry_out(records, self.reader.class, fates)
    }
}

fn fates(values: &Column, place: &str, skips: bool) -> Vec<Fate> {
    let is_text = values.field.data_type() == &DataType::Utf8 && !schema::is_json_text(&values.field);
    if !is_text {
        let class = match values.field.data_type() {
            DataType::Struct(_) if !schema::has_schema(&values.field) => "java.util.HashMap",
            DataType::Utf8 => "java.util.ArrayList",
            other => class_of(other),
        };
        let error = no_text(place, class);
        let fate = |row| if values.is_null(row) { missing(place, skips) } else { Fate::Fails(error.clone()) };
        return (0..values.len()).map(fate).collect();
    }
    // A topic is made once for each name.
    let texts = values.array.as_string::<i32>();
    let mut topics: HashMap<&str, Arc<str>> = HashMap::new();
    let fate = |row: usize| match texts.is_valid(row).then(|| texts.value(row)) {
        None => missing(place, skips),
        Some("") => Fate::Fails(Error::data(format!("{place} is empty: a topic needs a name"))),
        Some(text) => Fate::Goes(Arc::clone(topics.entry(text).or_insert_with(|| text.into()))),
    };
    (0..texts.len()).map(fate).collect()
}

fn no_text(place: &str, class: &str) -> Error {
    Error::data(format!("{place} is no text that could name a topic, but {class}"))
}

fn missing(place: &str, skips: bool) -> Fate {
    match skips {
        true => Fate::Stays,
        false => Fate::Fails(
            Error::data(format!("{place} is missing or null, so that it names no topic"))
                .with_place(format!("with `{SKIP}=true` such records stay in their topic")),
        ),
    }
}

/// Takes the topic from a header.
#[derive(Clone, Debug)]
pub(super) struct ExtractTopicFromHeader {
    header: String,
    skips: bool,
}

impl ExtractTopicFromHeader {
    pub(super) fn config_def() -> ConfigDef {
        let field = "Name of the header whose value is the topic.";
        let format = "PLAIN: `field` is the name of a header, as it always is.";
        ConfigDef::new()
            .key(
                ConfigKey::required(FIELD, ConfigType::String, Importance::Medium, field)
                    .validated(Validator::NonEmpty),
            )
            .key(
                ConfigKey::with_default(FORMAT, ConfigType::String, PLAIN, Importance::Medium, format)
                    .validated(Validator::one_of(["", PLAIN])),
            )
            .key(skip_key())
    }

    /// # Errors
    /// `Config` if no header is named.
    pub(super) fn new(config: &ConfigMap) -> Result<Self> {
        let config = Self::config_def().parse(config)?;
        Ok(Self { header: config.string(FIELD).unwrap_or_default().to_owned(), skips: config.boolean(SKIP) })
    }
}

impl Transformation for ExtractTopicFromHeader {
    /// Row by row, as headers are kept. Of several headers of the name the last counts.
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let place = format!("the header `{}`", self.header);
        let fate = |row: usize| {
            let headers = records.headers.as_ref().map(|headers| headers[row].as_slice()).unwrap_or_default();
            let header = headers.iter().rfind(|header| *header.name == *self.header);
            match header.map(|header| (&header.value, &header.text)) {
                None | Some((Value::Null, _)) => missing(&place, self.skips),
                Some((_, Some(text))) if !text.is_empty() => Fate::Goes(Arc::clone(text)),
                Some((Value::String(text), _)) if !text.is_empty() => Fate::Goes(text.as_str().into()),
                Some((Value::String(_), _)) => {
                    Fate::Fails(Error::data(format!("{place} is empty: a topic needs a name")))
                }
                Some((value, _)) => Fate::Fails(no_text(&place, class_of_value(value))),
            }
        };
        let fates = (0..records.len()).map(fate).collect();
        carry_out(records, HEADER_CLASS, fates)
    }
}

fn class_of_value(value: &Value) -> &'static str {
    match value {
        Value::Boolean(_) => "java.lang.Boolean",
        Value::Int8(_) => "java.lang.Byte",
        Value::Int16(_) => "java.lang.Short",
        Value::Int32(_) => "java.lang.Integer",
        Value::Int64(_) => "java.lang.Long",
        Value::Float32(_) => "java.lang.Float",
        Value::Float64(_) => "java.lang.Double",
        Value::Bytes(_) => "[B",
        Value::Decimal { .. } => "java.math.BigDecimal",
        Value::Date(_) | Value::Time(_) | Value::Timestamp(_) => "java.util.Date",
        Value::Array(_) => "java.util.ArrayList",
        Value::Map(_) => "java.util.HashMap",
        Value::Struct(_) => "org.apache.kafka.connect.data.Struct",
        Value::Null | Value::String(_) => "java.lang.String",
    }
}

pub(super) fn plugins() -> Vec<Plugin> {
    let what = "Takes the topic of records from their {side}.";
    let header = Plugin::new(
        HEADER_CLASS,
        KAFKA_VERSION,
        "Takes the topic of records from one of their headers.",
        ExtractTopicFromHeader::config_def(),
        PluginFactory::transformation(ExtractTopicFromHeader::new),
    );
    let sides = plugin_pair(CLASSES, what, ExtractTopic::config_def, ExtractTopic::new);
    sides.into_iter().chain([header]).collect()
}
