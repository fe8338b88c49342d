//! `PatternFilter$Key` and `PatternFilter$Value`: drops records in which the text of a field matches an expression.
//!
//! ```text
//! transforms.tests.type=com.github.jcustenborder.kafka.connect.transform.common.PatternFilter$Value
//! transforms.tests.fields=name
//! transforms.tests.pattern=test-.*
//! ```

use arrow::array::{Array, AsArray};
use arrow::datatypes::DataType;
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, ConfigValue, Error, Importance, Plugin, Records, Result, Side,
    Transformation, Transformed, Validator, schema,
};
use volley_java::JavaRegex;

use crate::columns::{ColumnReader, Fate, carry_out, plain_field_column};
use crate::jcustenborder::supported::{pair, regex};

const PATTERN: &str = "pattern";
const FIELDS: &str = "fields";
const CLASSES: [&str; 2] = [
    "com.github.jcustenborder.kafka.connect.transform.common.PatternFilter$Key",
    "com.github.jcustenborder.kafka.connect.transform.common.PatternFilter$Value",
];

/// Drops records after the texts of fields.
#[derive(Debug)]
pub(in crate::jcustenborder) struct PatternFilter {
    reader: ColumnReader,
    regex: JavaRegex,
    names: Vec<String>,
}

impl PatternFilter {
    pub(in crate::jcustenborder) fn config_def() -> ConfigDef {
        let pattern = "Java regular expression that the whole text of a field must match.";
        let fields = "Fields whose texts count; a record is dropped if one of them matches.";
        ConfigDef::new()
            .key(
                ConfigKey::required(PATTERN, ConfigType::String, Importance::High, pattern)
                    .validated(Validator::custom(is_regex)),
            )
            .key(ConfigKey::with_default(FIELDS, ConfigType::List, "", Importance::High, fields))
    }

    /// # Errors
    /// `Config` if the pattern is no regular expression.
    pub(in crate::jcustenborder) fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        let config = Self::config_def().parse(config)?;
        let regex = regex(&config, PATTERN, None)?;
        Ok(Self { reader: ColumnReader::new(side, CLASSES), regex, names: config.list(FIELDS).to_vec() })
    }
}

fn is_regex(value: &ConfigValue) -> std::result::Result<(), String> {
    match value {
        ConfigValue::String(text) if JavaRegex::compile(text).is_err() => {
            Err(format!("Could not compile regex '{text}'."))
        }
        _ => Ok(()),
    }
}

impl Transformation for PatternFilter {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let Self { reader, regex, names } = self;
        let is_named = |name: &str| names.iter().any(|named| named == name);
        let fates = reader.each_row(&records, is_named, |column| fates(column, names, regex))?;
        carry_out(records, self.reader.class, fates)
    }
}

fn fates(column: &Column, names: &[String], regex: &JavaRegex) -> Result<Vec<Fate>> {
    let mut fates = vec![Fate::Stays; column.len()];
    for name in names {
        let Some(values) = plain_field_column(column, name)? else { continue };
        if values.field.data_type() != &DataType::Utf8
            || !schema::has_schema(&values.field) && schema::is_json_text(&values.field)
        {
            continue;
        }
        let texts = values.array.as_string::<i32>();
        for (row, fate) in fates.iter_mut().enumerate() {
            if !matches!(fate, Fate::Stays) || texts.is_null(row) {
                continue;
            }
            match regex.matches(texts.value(row)) {
                Ok(false) => {}
                Ok(true) => *fate = Fate::IsDropped,
                Err(error) => {
                    let failed = Error::data(format!("could not match `{name}` against `{PATTERN}`"));
                    *fate = Fate::Fails(failed.with_source(error));
                }
            }
        }
    }
    Ok(fates)
}

pub(in crate::jcustenborder) fn plugins() -> [Plugin; 2] {
    let what = "Drops records in which the text of a field of the {side} matches a regular expression.";
    pair(CLASSES, what, PatternFilter::config_def, PatternFilter::new)
}
