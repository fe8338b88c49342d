//! `PatternRename$Key` and `PatternRename$Value`: renames the fields whose names an expression is found in.
//!
//! ```text
//! transforms.rename.type=com.github.jcustenborder.kafka.connect.transform.common.PatternRename$Value
//! transforms.rename.field.pattern=^prefix_
//! transforms.rename.field.replacement=
//! ```

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::Array;
use arrow::datatypes::Field;
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, Error, Importance, Plugin, Records, Result, Side,
    Transformation, Transformed, schema,
};
use volley_java::{JavaRegex, Replacement, sort_in_hash_order};

use crate::columns::{ColumnWise, Failure, Outcome, all_rows, schema_builder_error, with_members};
use crate::insert_field::replaced;
use crate::jcustenborder::supported::{
    Member, check_flags, flags_key, members, pair, regex, replacement_error, require_fields, without_version,
};

const PATTERN: &str = "field.pattern";
const FLAGS: &str = "field.pattern.flags";
const REPLACEMENT: &str = "field.replacement";
const CLASSES: [&str; 2] = [
    "com.github.jcustenborder.kafka.connect.transform.common.PatternRename$Key",
    "com.github.jcustenborder.kafka.connect.transform.common.PatternRename$Value",
];

/// Renames fields.
#[derive(Debug)]
pub(in crate::jcustenborder) struct PatternRename {
    columns: ColumnWise,
    rule: Rule,
}

#[derive(Debug)]
struct Rule {
    regex: JavaRegex,
    /// What is wrong with it only shows with the first name that matches.
    replacement: std::result::Result<Replacement, String>,
}

impl PatternRename {
    pub(in crate::jcustenborder) fn config_def() -> ConfigDef {
        let pattern = "Java regular expression that is found in the names of the fields to rename.";
        let replacement = "What each place that it is found at is replaced by; $1, $2 … stand for its groups.";
        ConfigDef::new()
            .key(ConfigKey::required(PATTERN, ConfigType::String, Importance::High, pattern))
            .key(flags_key(FLAGS))
            .key(ConfigKey::required(REPLACEMENT, ConfigType::String, Importance::High, replacement))
    }

    /// # Errors
    /// `Config` if the pattern is no regular expression.
    pub(in crate::jcustenborder) fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        check_flags(config, FLAGS)?;
        let config = Self::config_def().parse(config)?;
        let regex = regex(&config, PATTERN, Some(FLAGS))?;
        let replacement = Replacement::parse(config.string(REPLACEMENT).unwrap_or_default(), &regex);
        Ok(Self { columns: ColumnWise::new(side, CLASSES), rule: Rule { regex, replacement } })
    }
}

impl Transformation for PatternRename {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let Self { columns, rule } = self;
        columns.apply_to_column(records, |_| false, |column| rule.renamed(column))
    }
}

impl Rule {
    fn renamed(&self, column: &Column) -> Outcome<Column> {
        let structs = require_fields(column)?;
        let mut renamed: Vec<Member> = Vec::with_capacity(structs.fields().len());
        for (field, values) in members(column, structs)? {
            let name = match self.name(field.name()) {
                Ok(name) => name,
                Err(error) if schema::has_schema(&column.field) => return Err(all_rows(column, &error)),
                Err(error) => {
                    // Only the maps that have it.
                    let has_it = |row: &usize| {
                        structs.is_valid(*row) && !Column::new(Arc::clone(&field), Arc::clone(&values)).is_null(*row)
                    };
                    let failed: Vec<_> = (0..column.len()).filter(has_it).map(|row| (row, error.clone())).collect();
                    match failed.is_empty() {
                        true => field.name().clone(),
                        false => return Err(Failure::Rows(failed)),
                    }
                }
            };
            let field = if name == *field.name() { field } else { Arc::new(Field::clone(&field).with_name(name)) };
            renamed.push((field, values));
        }
        let mut names = HashSet::new();
        let twice = renamed.iter().map(|(field, _)| field.name()).find(|name| !names.insert(name.as_str())).cloned();
        match twice {
            None => Ok(with_members(&without_version(column), structs, renamed)?),
            Some(name) if schema::has_schema(&column.field) => {
                let message = format!("Cannot create field because of field name duplication {name}");
                Err(Failure::of_values(column, &schema_builder_error(message)))
            }
            Some(_) => {
                let old = structs.fields().iter().map(|field| field.name().clone());
                Ok(with_members(column, structs, last_of_each(old.zip(renamed).collect())?)?)
            }
        }
    }

    fn name(&self, name: &str) -> Result<String> {
        let failed = |error| Error::data(format!("could not look for `{PATTERN}` in `{name}`")).with_source(error);
        if self.regex.first(name).map_err(failed)?.is_none() {
            return Ok(name.to_owned());
        }
        match &self.replacement {
            Ok(replacement) => replacement.apply_everywhere(name, &self.regex).map_err(failed),
            Err(reason) => Err(replacement_error(reason)),
        }
    }
}

/// Of entries that get one name, the last in the order of Java's map counts, where it is there.
fn last_of_each(mut renamed: Vec<(String, Member)>) -> Result<Vec<Member>> {
    sort_in_hash_order(&mut renamed, |(old, _)| old);
    let mut done: Vec<Member> = Vec::with_capacity(renamed.len());
    for (_, (field, values)) in renamed {
        match done.iter().position(|(known, _)| known.name() == field.name()) {
            Some(known) => done[known] = replaced(&done[known].0, &done[known].1, field, values)?,
            None => done.push((field, values)),
        }
    }
    Ok(done)
}

pub(in crate::jcustenborder) fn plugins() -> [Plugin; 2] {
    let what = "Renames the fields of the {side} whose names a regular expression is found in.";
    pair(CLASSES, what, PatternRename::config_def, PatternRename::new)
}
