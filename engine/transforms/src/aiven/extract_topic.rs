//! `ExtractTopic$Key` and `ExtractTopic$Value`: the topic is what the key, the value or a field of them says.
//!
//! ```text
//! transforms.route.type=io.aiven.kafka.connect.transforms.ExtractTopic$Value
//! transforms.route.field.name=country
//! ```
//!
//! Numbers and flags are topics by their texts.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::DataType;
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, Error, Importance, Plugin, Records, Result, Side,
    Transformation, Transformed, schema,
};
use volley_java::ColumnText;

use super::places::{FIELD_NAME, SKIP_MISSING_OR_NULL, is_primitive, place};
use super::plugins::pair;
use crate::columns::{ColumnReader, Fate, carry_out, field_column};

const CLASSES: [&str; 2] =
    ["io.aiven.kafka.connect.transforms.ExtractTopic$Key", "io.aiven.kafka.connect.transforms.ExtractTopic$Value"];
const TYPES: &str = "[INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING]";
const TYPE_CLASSES: &str = "[class java.lang.Byte, class java.lang.Short, class java.lang.Integer, class java.lang.Long, class \
                            java.lang.Double, class java.lang.Float, class java.lang.Boolean, class java.lang.String]";

/// Takes the topic from the key or the value.
#[derive(Debug)]
pub(super) struct ExtractTopic {
    reader: ColumnReader,
    source: Source,
}

#[derive(Debug)]
struct Source {
    side: Side,
    /// Otherwise the whole.
    field: Option<String>,
    skips: bool,
}

impl ExtractTopic {
    pub(super) fn config_def() -> ConfigDef {
        let field = "Field whose value is the topic. Without one the whole key or value is.";
        let skip = "Whether records without the field, or with a null there, stay in their topic. If not they fail.";
        ConfigDef::new()
            .key(ConfigKey::optional(FIELD_NAME, ConfigType::String, Importance::High, field))
            .key(ConfigKey::with_default(SKIP_MISSING_OR_NULL, ConfigType::Boolean, "false", Importance::Low, skip))
    }

    /// # Errors
    /// `Config` if a value is none that its key may have.
    pub(super) fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        let config = Self::config_def().parse(config)?;
        let field = config.string(FIELD_NAME).filter(|field| !field.is_empty()).map(str::to_owned);
        let source = Source { side, field, skips: config.boolean(SKIP_MISSING_OR_NULL) };
        Ok(Self { reader: ColumnReader::new(side, CLASSES), source })
    }
}

impl Transformation for ExtractTopic {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let source = &self.source;
        let is_wanted = |name: &str| source.field.as_deref() == Some(name);
        let fates = self.reader.each_row(&records, is_wanted, |column| source.fates(column))?;
        carry_out(records, self.reader.class, fates)
    }
}

impl Source {
    fn fates(&self, column: &Column) -> Result<Vec<Fate>> {
        let place = place(self.side);
        let Some(name) = &self.field else { return self.fates_of_whole(column) };
        let has_schema = schema::has_schema(&column.field);
        let is_struct = matches!(column.field.data_type(), DataType::Struct(_));
        let failed = |row: usize| match (column.is_null(row), has_schema) {
            (_, true) if !is_struct => Some(format!("{place} schema type must be STRUCT if field name is specified")),
            (true, _) => Some(format!("{place} can't be null if field name is specified")),
            (false, _) if !is_struct => Some(format!("{place} type must be Map if field name is specified")),
            _ => None,
        };
        let missing = match has_schema {
            true => format!("{name} in {place} schema can't be missing"),
            false => format!("{name} in {place} can't be null or empty"),
        };
        let fates = match field_column(column, name)? {
            None => vec![self.missing(&missing); column.len()],
            Some(values) if !is_primitive(&values) => {
                let fate = |row: usize| match values.is_null(row) && !has_schema {
                    true => self.missing(&missing),
                    false if has_schema => fails(format!("{name} schema type in {place} must be {TYPES}")),
                    false => fails(format!("{name} type in {place} must be {TYPE_CLASSES}")),
                };
                (0..values.len()).map(fate).collect()
            }
            Some(values) => self.topics(&values, has_schema, &format!("{name} in {place} can't be null or empty"))?,
        };
        let checked = fates.into_iter().enumerate().map(|(row, fate)| failed(row).map_or(fate, fails));
        Ok(checked.collect())
    }

    fn fates_of_whole(&self, column: &Column) -> Result<Vec<Fate>> {
        let place = place(self.side);
        let has_schema = schema::has_schema(&column.field);
        let missing = format!("{place} can't be null or empty");
        if is_primitive(column) {
            return self.topics(column, has_schema, &missing);
        }
        let fate = |row: usize| match column.is_null(row) {
            _ if has_schema => fails(format!("{place} schema type must be {TYPES} if field name is not specified")),
            true => self.missing(&missing),
            false => fails(format!("type in {place} must be {TYPE_CLASSES}")),
        };
        Ok((0..column.len()).map(fate).collect())
    }

    /// A topic is made once for each name. A text of blanks is one where there is a schema, as in Java.
    fn topics(&self, values: &Column, has_schema: bool, missing: &str) -> Result<Vec<Fate>> {
        let texts = ColumnText::of(values)?;
        let mut topics: HashMap<Vec<u8>, Arc<str>> = HashMap::new();
        let mut written = Vec::new();
        let fate = |row: usize| {
            if values.is_null(row) {
                return self.missing(missing);
            }
            written.clear();
            texts.write(row, &mut written);
            if let Some(topic) = topics.get(&written) {
                return Fate::Goes(Arc::clone(topic));
            }
            let topic = String::from_utf8_lossy(&written);
            if topic.is_empty() || !has_schema && topic.trim().is_empty() {
                return self.missing(missing);
            }
            let topic: Arc<str> = topic.into();
            topics.insert(written.clone(), Arc::clone(&topic));
            Fate::Goes(topic)
        };
        Ok((0..values.len()).map(fate).collect())
    }

    fn missing(&self, message: &str) -> Fate {
        if self.skips { Fate::Stays } else { fails(message.to_owned()) }
    }
}

fn fails(message: String) -> Fate {
    Fate::Fails(Error::data(message))
}

pub(super) fn plugins() -> [Plugin; 2] {
    pair(CLASSES, "Takes the topic of records from their {side}.", ExtractTopic::config_def, ExtractTopic::new)
}
