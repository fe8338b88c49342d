//! `ExtractTopicFromSchemaName$Value`: the topic is the name of the value's schema, or what is made of it.
//!
//! ```text
//! transforms.route.type=io.aiven.kafka.connect.transforms.ExtractTopicFromSchemaName$Value
//! transforms.route.schema.name.regex=(?:[.]|^)([^.]*)$
//! ```

use std::collections::HashMap;

use volley_api::{
    ConfigDef, ConfigKey, ConfigMap, ConfigType, Error, Importance, Plugin, PluginFactory, Records, Result,
    Transformation, Transformed, schema,
};
use volley_java::JavaRegex;

use super::places::AIVEN_VERSION;
use crate::columns::{Fate, carry_out};

const TOPIC_MAP: &str = "schema.name.topic-map";
const REGEX: &str = "schema.name.regex";
const CLASS: &str = "io.aiven.kafka.connect.transforms.ExtractTopicFromSchemaName$Value";

/// Takes the topic from the name of the value's schema.
#[derive(Debug)]
pub(super) struct ExtractTopicFromSchemaName {
    topics: HashMap<String, String>,
    regex: Option<JavaRegex>,
}

impl ExtractTopicFromSchemaName {
    pub(super) fn config_def() -> ConfigDef {
        let map = "Topics by names of schemas: `name1:topic1,name2:topic2`.";
        let regex =
            "Java regular expression of one group: what the group finds first in the name of the schema is the topic.";
        let key = |name, doc| ConfigKey::optional(name, ConfigType::String, Importance::Low, doc);
        ConfigDef::new().key(key(TOPIC_MAP, map)).key(key(REGEX, regex))
    }

    /// # Errors
    /// `Config` if there are both a map and an expression, or one that cannot be read.
    pub(super) fn new(config: &ConfigMap) -> Result<Self> {
        let config = Self::config_def().parse(config)?;
        let (map, regex) = (config.string(TOPIC_MAP), config.string(REGEX));
        if map.is_some() && regex.is_some() {
            return Err(Error::config(format!("{TOPIC_MAP} and {REGEX} should not be defined together.")));
        }
        let regex = regex.filter(|regex| !regex.is_empty()).map(|regex| {
            JavaRegex::compile(regex).map_err(|error| {
                Error::config(format!("{regex} set as {REGEX} is not valid regex.")).with_source(error)
            })
        });
        Ok(Self { topics: map.map(topics).transpose()?.unwrap_or_default(), regex: regex.transpose()? })
    }

    fn topic(&self, name: &str) -> Result<String> {
        if let Some(topic) = self.topics.get(name) {
            return Ok(topic.clone());
        }
        let Some(regex) = &self.regex else { return Ok(name.to_owned()) };
        let failed = |error| Error::data(format!("could not look for `{REGEX}` in `{name}`")).with_source(error);
        match regex.first(name).map_err(failed)? {
            Some(found) if regex.groups() == 1 => {
                Ok(found.get(1).map_or(String::new(), |group| group.as_str().to_owned()))
            }
            _ => Ok(name.to_owned()),
        }
    }
}

fn topics(map: &str) -> Result<HashMap<String, String>> {
    let message = || {
        let format = "\"SchemaValue1:NewValue1,SchemaValue2:NewValue2\"";
        Error::config(format!("{TOPIC_MAP} is not valid. Format should be: {format}"))
    };
    if !map.contains(':') {
        return Err(message());
    }
    let mut topics = HashMap::new();
    for pair in map.trim_end_matches(',').split(',') {
        let mut parts = pair.split(':');
        let (Some(name), Some(topic)) = (parts.next(), parts.next()) else { return Err(message()) };
        if topics.insert(name.to_owned(), topic.to_owned()).is_some() {
            return Err(Error::config(format!("{TOPIC_MAP} has two topics for the schema {name}"))
                .with_exception("java.lang.IllegalStateException"));
        }
    }
    Ok(topics)
}

impl Transformation for ExtractTopicFromSchemaName {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let field = &records.value.field;
        let name = field.metadata().get(schema::NAME).filter(|_| schema::has_schema(field));
        let fate = match name.map(|name| self.topic(name)) {
            None => no_name(),
            Some(Ok(topic)) if topic.is_empty() => {
                Fate::Fails(Error::data(format!("`{REGEX}` finds an empty name in the name of the schema")))
            }
            Some(Ok(topic)) => Fate::Goes(topic.into()),
            Some(Err(error)) => Fate::Fails(error),
        };
        // A tombstone has no schema.
        let of_row = |row| if records.value.is_null(row) { no_name() } else { fate.clone() };
        let fates = (0..records.len()).map(of_row).collect();
        carry_out(records, CLASS, fates)
    }
}

fn no_name() -> Fate {
    Fate::Fails(Error::data(" value schema name can't be null"))
}

pub(super) fn plugin() -> Plugin {
    Plugin::new(
        CLASS,
        AIVEN_VERSION,
        "Takes the topic of records from the name of their value's schema.",
        ExtractTopicFromSchemaName::config_def(),
        PluginFactory::transformation(ExtractTopicFromSchemaName::new),
    )
    .alias("io.aiven.kafka.connect.transforms.ExtractTopicFromValueSchema")
}
