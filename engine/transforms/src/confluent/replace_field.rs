//! Confluent's `ReplaceField$Key` and `ReplaceField$Value`: leaves fields out and renames them, also those of nested structs.
//!
//! ```text
//! transforms.slim.type=io.confluent.connect.transforms.ReplaceField$Value
//! transforms.slim.exclude=secret,address.street
//! transforms.slim.renames=foo.a3.c1:bar
//! ```
//!
//! A path is made of names with dots between them. A field whose own name has the dots is meant, too.

use volley_api::{
    ConfigDef, ConfigKey, ConfigMap, ConfigType, Error, Importance, Plugin, Records, Result, Side, Transformation,
    Transformed, Validator,
};

use super::nested::PathRules;
use crate::columns::{ColumnWise, no_empty_item, plugin_pair, require_struct};
use crate::field::{Renames, validate_renames};

const EXCLUDE: &str = "exclude";
const INCLUDE: &str = "include";
const RENAMES: &str = "renames";
const PURPOSE: &str = "field replacement";
const CLASSES: [&str; 2] =
    ["io.confluent.connect.transforms.ReplaceField$Key", "io.confluent.connect.transforms.ReplaceField$Value"];

/// Leaves out and renames fields by their paths.
#[derive(Debug)]
pub(super) struct ReplaceField {
    columns: ColumnWise,
    rules: PathRules,
}

impl ReplaceField {
    pub(super) fn config_def() -> ConfigDef {
        let list = |name, doc| {
            ConfigKey::with_default(name, ConfigType::List, "", Importance::Medium, doc)
                .validated(Validator::custom(no_empty_item))
        };
        ConfigDef::new()
            .key(list(EXCLUDE, "Paths of fields to leave out, also where `include` names them."))
            .key(
                list(RENAMES, "Pairs of the path of a field and its new name: `foo.a3.c1:bar`.")
                    .validated(Validator::custom(validate_renames)),
            )
            .key(list(INCLUDE, "Paths of fields to keep. If there are any, all others are left out."))
    }

    /// # Errors
    /// `Config` if `renames` has something that is no pair.
    pub(super) fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        let config = Self::config_def().parse(config)?;
        let paths = |key| config.list(key).iter().cloned().collect();
        let renames = Renames::parse(config.list(RENAMES))
            .map_err(|pair| Error::config(format!("`{pair}` in `{RENAMES}` is no pair of names")))?;
        let rules =
            PathRules { exclude: paths(EXCLUDE), include: paths(INCLUDE), renames: renames.into_pairs().collect() };
        Ok(Self { columns: ColumnWise::new(side, CLASSES), rules })
    }
}

impl Transformation for ReplaceField {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let Self { columns, rules } = self;
        let is_wanted = |name: &str| rules.looks_into(name);
        columns.apply_to_column(records, is_wanted, |column| rules.applied(column, require_struct(column, PURPOSE)?))
    }
}

pub(super) fn plugins() -> [Plugin; 2] {
    let what = "Leaves fields of the {side} out, and renames them, also those of nested structs.";
    plugin_pair(CLASSES, what, ReplaceField::config_def, ReplaceField::new)
}
