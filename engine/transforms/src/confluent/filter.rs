//! `Filter$Key` and `Filter$Value`: keeps or drops the records that a JSONPath finds something in.
//!
//! ```text
//! transforms.large.type=io.confluent.connect.transforms.Filter$Value
//! transforms.large.filter.condition=$[?(@.amount > 1000 && @.state in ['paid', 'sent'])]
//! transforms.large.filter.type=include
//! ```

use volley_api::{
    ConfigDef, ConfigKey, ConfigMap, ConfigType, ConfigValue, Error, Importance, Plugin, Records, Result, Side,
    Transformation, Transformed, Validator,
};

use super::json_path::{Found, JsonPath};
use crate::columns::{ColumnReader, Fate, carry_out, plugin_pair};

const CONDITION: &str = "filter.condition";
const TYPE: &str = "filter.type";
const INCLUDE: &str = "include";
const EXCLUDE: &str = "exclude";
const MISSING_OR_NULL: &str = "missing.or.null.behavior";
const FAIL: &str = "fail";
const CLASSES: [&str; 2] =
    ["io.confluent.connect.transforms.Filter$Key", "io.confluent.connect.transforms.Filter$Value"];

/// Keeps the records that match, or drops them.
#[derive(Debug)]
pub(super) struct Filter {
    reader: ColumnReader,
    path: JsonPath,
    written: String,
    keeps_matches: bool,
    missing: Missing,
}

/// What becomes of records in which the path has nothing to look at.
#[derive(Clone, Copy, Debug)]
enum Missing {
    Fails,
    IsKept,
    IsDropped,
}

impl Filter {
    pub(super) fn config_def() -> ConfigDef {
        let condition = "JSONPath, after Jayway's JsonPath, that finds something in the records that match: \
                         `$[?(@.amount > 10)]`.";
        let filter_type = "Whether the records that match are kept (include) or dropped (exclude).";
        let missing = "What becomes of records without the fields that the path leads through, or with nulls there: \
                       they fail, are kept (include) or dropped (exclude). What a condition `[?()]` looks for may be missing.";
        ConfigDef::new()
            .key(
                ConfigKey::required(CONDITION, ConfigType::String, Importance::High, condition)
                    .validated(Validator::custom(is_path)),
            )
            .key(
                ConfigKey::required(TYPE, ConfigType::String, Importance::High, filter_type)
                    .validated(Validator::one_of([INCLUDE, EXCLUDE])),
            )
            .key(
                ConfigKey::with_default(MISSING_OR_NULL, ConfigType::String, FAIL, Importance::Medium, missing)
                    .validated(Validator::one_of([FAIL, INCLUDE, EXCLUDE])),
            )
    }

    /// # Errors
    /// `Config` if a key is missing, or the condition is no path that is accepted.
    pub(super) fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        let config = Self::config_def().parse(config)?;
        let written = config.string(CONDITION).unwrap_or_default().to_owned();
        let path = JsonPath::parse(&written)
            .map_err(|reason| Error::config(format!("`{CONDITION}` is not accepted: {reason}")))?;
        let missing = match config.string(MISSING_OR_NULL) {
            Some(INCLUDE) => Missing::IsKept,
            Some(EXCLUDE) => Missing::IsDropped,
            _ => Missing::Fails,
        };
        let keeps_matches = config.string(TYPE) == Some(INCLUDE);
        Ok(Self { reader: ColumnReader::new(side, CLASSES), path, written, keeps_matches, missing })
    }

    fn fate(&self, found: Found) -> Fate {
        match (found, self.missing) {
            (Found::Something, _) => Fate::kept_if(self.keeps_matches),
            (Found::NoMatch, _) => Fate::kept_if(!self.keeps_matches),
            (Found::Missing, Missing::IsKept) => Fate::Stays,
            (Found::Missing, Missing::IsDropped) => Fate::IsDropped,
            (Found::Missing, Missing::Fails) => {
                let message = format!("there is nothing, or null, where `{CONDITION}` looks: {}", self.written);
                let place = format!("`{MISSING_OR_NULL}` says what is to become of such records");
                Fate::Fails(Error::data(message).with_place(place))
            }
        }
    }
}

fn is_path(value: &ConfigValue) -> std::result::Result<(), String> {
    match value {
        ConfigValue::String(text) => JsonPath::parse(text).map(drop),
        _ => Ok(()),
    }
}

impl Transformation for Filter {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let path = &self.path;
        let found = self.reader.each_row(&records, |name| path.looks_into(name), |column| path.find(column))?;
        let fates = found.into_iter().map(|found| self.fate(found)).collect();
        carry_out(records, self.reader.class, fates)
    }
}

pub(super) fn plugins() -> [Plugin; 2] {
    plugin_pair(CLASSES, "Keeps or drops records after a condition on their {side}.", Filter::config_def, Filter::new)
}
