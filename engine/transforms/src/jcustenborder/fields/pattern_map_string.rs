//! `PatternMapString$Key` and `PatternMapString$Value`: a text with what an expression finds in it replaced, in the same or another field.
//!
//! ```text
//! transforms.clean.type=com.github.jcustenborder.kafka.connect.transform.common.PatternMapString$Value
//! transforms.clean.src.field.name=name
//! transforms.clean.dest.field.name=clean_name
//! transforms.clean.value.pattern=[^a-z]
//! transforms.clean.value.replacement=_
//! ```

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use arrow::datatypes::{DataType, Field};
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, Error, Importance, Plugin, Records, Result, Side,
    Transformation, Transformed, schema,
};
use volley_java::{JavaRegex, Replacement, class_of};

use crate::columns::{ColumnWise, Failure, Outcome, field_column, schema_builder_error, with_members};
use crate::jcustenborder::supported::{
    check_flags, flags_key, members, pair, regex, replacement_error, require_fields, without_version,
};

const PATTERN: &str = "value.pattern";
const FLAGS: &str = "value.pattern.flags";
const REPLACEMENT: &str = "value.replacement";
const SOURCE: &str = "src.field.name";
const DESTINATION: &str = "dest.field.name";
const CLASSES: [&str; 2] = [
    "com.github.jcustenborder.kafka.connect.transform.common.PatternMapString$Key",
    "com.github.jcustenborder.kafka.connect.transform.common.PatternMapString$Value",
];

/// Replaces parts of texts.
#[derive(Debug)]
pub(in crate::jcustenborder) struct PatternMapString {
    columns: ColumnWise,
    rule: Rule,
}

#[derive(Debug)]
struct Rule {
    regex: JavaRegex,
    /// What is wrong with it only shows with the first text that matches.
    replacement: std::result::Result<Replacement, String>,
    source: String,
    destination: String,
}

impl PatternMapString {
    pub(in crate::jcustenborder) fn config_def() -> ConfigDef {
        let key = |name, doc| ConfigKey::required(name, ConfigType::String, Importance::High, doc);
        ConfigDef::new()
            .key(key(PATTERN, "Java regular expression that is looked for in the text."))
            .key(flags_key(FLAGS))
            .key(key(REPLACEMENT, "What each place that it is found at is replaced by; $1, $2 … stand for its groups."))
            .key(key(SOURCE, "Field with the text."))
            .key(key(DESTINATION, "Field for the new text; the same to replace the text."))
    }

    /// # Errors
    /// `Config` if the pattern is no regular expression.
    pub(in crate::jcustenborder) fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        check_flags(config, FLAGS)?;
        let config = Self::config_def().parse(config)?;
        let text = |key| config.string(key).unwrap_or_default();
        let regex = regex(&config, PATTERN, Some(FLAGS))?;
        let replacement = Replacement::parse(text(REPLACEMENT), &regex);
        let (source, destination) = (text(SOURCE).to_owned(), text(DESTINATION).to_owned());
        Ok(Self { columns: ColumnWise::new(side, CLASSES), rule: Rule { regex, replacement, source, destination } })
    }
}

impl Transformation for PatternMapString {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let Self { columns, rule } = self;
        columns.apply_to_column(records, |name| name == rule.source, |column| rule.mapped(column))
    }
}

impl Rule {
    fn mapped(&self, column: &Column) -> Outcome<Column> {
        let is_same = self.source == self.destination;
        let column = &if is_same { column.clone() } else { without_version(column) };
        let structs = require_fields(column)?;
        let has_schema = schema::has_schema(&column.field);
        let Some(source) = field_column(column, &self.source)? else {
            return match has_schema && is_same {
                false => Ok(with_members(column, structs, members(column, structs)?)?),
                true => {
                    let error = Error::data(format!("{} is not a valid field name", self.source));
                    Err(Failure::of_values(column, &error))
                }
            };
        };
        let is_text =
            source.field.data_type() == &DataType::Utf8 && (has_schema || !schema::is_json_text(&source.field));
        if !is_text {
            let message = format!("the field `{}` is no text, but {}", self.source, class_of(source.field.data_type()));
            let error = Error::data(message).with_exception("java.lang.ClassCastException");
            let failed = Failure::of_values(&source, &error);
            return match failed {
                Failure::Rows(rows) if rows.is_empty() => Ok(column.clone()),
                failed => Err(failed),
            };
        }
        let texts = self.texts(&source)?;
        let mut members = members(column, structs)?;
        let nullable = |field: &Field| {
            Field::new(&self.destination, DataType::Utf8, field.is_nullable()).with_metadata(field.metadata().clone())
        };
        let at = members.iter().position(|(field, _)| *field.name() == self.source).unwrap_or_default();
        match members.iter().position(|(field, _)| *field.name() == self.destination) {
            Some(known) if is_same || !has_schema => members[known] = (Arc::new(nullable(&members[at].0)), texts),
            Some(_) => {
                let message = format!("Cannot create field because of field name duplication {}", self.destination);
                return Err(Failure::of_values(column, &schema_builder_error(message)));
            }
            None => {
                let field = Arc::new(nullable(&members[at].0));
                members.insert(at + 1, (field, texts));
            }
        }
        Ok(with_members(column, structs, members)?)
    }

    /// Text by text. A null stays one.
    fn texts(&self, source: &Column) -> Outcome<ArrayRef> {
        let texts = source.array.as_string::<i32>();
        let mut mapped = StringBuilder::with_capacity(texts.len(), texts.value_data().len());
        let mut failed = Vec::new();
        for (row, text) in texts.iter().enumerate() {
            match text.map(|text| self.text(text)).transpose() {
                Ok(text) => mapped.append_option(text),
                Err(error) => {
                    failed.push((row, error));
                    mapped.append_null();
                }
            }
        }
        if failed.is_empty() { Ok(Arc::new(mapped.finish())) } else { Err(Failure::Rows(failed)) }
    }

    fn text(&self, text: &str) -> Result<String> {
        let failed =
            |error| Error::data(format!("could not look for `{PATTERN}` in `{}`", self.source)).with_source(error);
        match &self.replacement {
            Ok(replacement) => replacement.apply_everywhere(text, &self.regex).map_err(failed),
            Err(_) if self.regex.first(text).map_err(failed)?.is_none() => Ok(text.to_owned()),
            Err(reason) => Err(replacement_error(reason)),
        }
    }
}

pub(in crate::jcustenborder) fn plugins() -> [Plugin; 2] {
    let what = "Replaces what a regular expression finds in a text of the {side}.";
    pair(CLASSES, what, PatternMapString::config_def, PatternMapString::new)
}
