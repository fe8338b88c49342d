//! `ReplaceField$Key` and `ReplaceField$Value`: leaves fields out, and renames them.
//!
//! ```text
//! transforms.slim.type=org.apache.kafka.connect.transforms.ReplaceField$Value
//! transforms.slim.exclude=secret
//! transforms.slim.renames=id:order_id
//! ```

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StructArray};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, Error, Importance, Plugin, Records, Result, Side,
    Transformation, Transformed, Validator, schema,
};
use volley_java::hash_map_order;

use super::renames::{Renames, validate_renames};
use crate::columns::{
    ColumnWise, Failure, Outcome, SchemaCache, check_lists, no_empty_item, plugin_pair, replace_null_key,
    replaces_null, require_struct, schema_builder_error, struct_field, top_level,
};
use crate::insert_field::replaced;

const EXCLUDE: &str = "exclude";
const INCLUDE: &str = "include";
const RENAMES: &str = "renames";
const PURPOSE: &str = "field replacement";
const CLASSES: [&str; 2] =
    ["org.apache.kafka.connect.transforms.ReplaceField$Key", "org.apache.kafka.connect.transforms.ReplaceField$Value"];

/// Leaves out and renames fields of the key or the value. Exclusions go before inclusions; both know the old names.
#[derive(Debug)]
pub struct ReplaceField {
    columns: ColumnWise,
    choice: Choice,
    replaces_null: bool,
    layouts: SchemaCache,
}

#[derive(Debug)]
struct Choice {
    exclude: HashSet<String>,
    include: HashSet<String>,
    renames: Renames,
}

impl ReplaceField {
    /// The keys of this transformation.
    pub fn config_def() -> ConfigDef {
        let list = |name, doc| {
            ConfigKey::with_default(name, ConfigType::List, "", Importance::Medium, doc)
                .validated(Validator::custom(no_empty_item))
        };
        ConfigDef::new()
            .key(list(EXCLUDE, "Fields to leave out, also where `include` names them."))
            .key(list(INCLUDE, "Fields to keep. If there are any, all others are left out."))
            .key(
                list(RENAMES, "Pairs of an old and a new name: `old:new`.")
                    .validated(Validator::custom(validate_renames)),
            )
            .key(replace_null_key())
    }

    /// From its configuration, prefix stripped.
    ///
    /// # Errors
    /// `Config` if `renames` has something that is no pair.
    pub fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        check_lists(config, &[EXCLUDE, INCLUDE], true)?;
        let config = Self::config_def().parse(config)?;
        let names = |key| config.list(key).iter().cloned().collect();
        let renames = Renames::parse(config.list(RENAMES))
            .map_err(|pair| Error::config(format!("`{pair}` in `{RENAMES}` is no pair of names")))?;
        let choice = Choice { exclude: names(EXCLUDE), include: names(INCLUDE), renames };
        let replaces_null = replaces_null(&config);
        Ok(Self { columns: ColumnWise::new(side, CLASSES), choice, replaces_null, layouts: SchemaCache::default() })
    }
}

impl Transformation for ReplaceField {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let Self { columns, choice, replaces_null, layouts } = self;
        columns.apply_to_column(
            records,
            |_| false,
            |column| {
                let structs = require_struct(column, PURPOSE)?;
                match schema::has_schema(&column.field) {
                    true => choice.of_struct(column, structs, layouts, *replaces_null),
                    false => choice.of_map(column, structs),
                }
            },
        )
    }
}

impl Choice {
    fn keeps(&self, name: &str) -> bool {
        !self.exclude.contains(name) && (self.include.is_empty() || self.include.contains(name))
    }

    fn kept(&self, fields: &Fields) -> Vec<usize> {
        (0..fields.len()).filter(|place| self.keeps(fields[*place].name())).collect()
    }

    fn of_struct(
        &self,
        column: &Column,
        structs: &StructArray,
        layouts: &mut SchemaCache,
        replaces_null: bool,
    ) -> Outcome<Column> {
        let kept = self.kept(structs.fields());
        let layout = layouts.get(&column.field, || self.layout(column, structs.fields(), &kept))?;
        let DataType::Struct(fields) = layout.data_type() else { return Ok(column.clone()) };
        let values = top_level(structs, replaces_null)?;
        let arrays = kept.iter().map(|place| Arc::clone(&values[*place])).collect();
        let array = StructArray::try_new_with_length(fields.clone(), arrays, structs.nulls().cloned(), structs.len())?;
        Ok(Column::new(layout, Arc::new(array)))
    }

    fn layout(&self, column: &Column, fields: &Fields, kept: &[usize]) -> Outcome<FieldRef> {
        let mut known = HashSet::new();
        let mut renamed: Vec<FieldRef> = Vec::with_capacity(kept.len());
        for place in kept {
            let field = &fields[*place];
            let name = self.renames.renamed(field.name());
            if !known.insert(name) {
                let message = format!("Cannot create field because of field name duplication {name}");
                return Err(Failure::of_values(column, &schema_builder_error(message)));
            }
            renamed.push(named(field, name));
        }
        // Java looks every value up by the old name of its new one, also of a field that has kept its name.
        for field in &renamed {
            if let Some(old) = self.renames.old_name_of(field.name())
                && fields.find(old).is_none()
            {
                let error = Error::data(format!("{old} is not a valid field name"));
                return Err(Failure::of_values(column, &error));
            }
        }
        Ok(struct_field(&column.field, renamed.into()))
    }

    /// Of fields that get the same name, the one that counts in each row is the last in the order of Java's map.
    fn of_map(&self, column: &Column, structs: &StructArray) -> Outcome<Column> {
        let fields = structs.fields();
        let kept = self.kept(fields);
        let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
        let order = hash_map_order(names.iter().copied());
        let mut done: Vec<(FieldRef, ArrayRef)> = Vec::with_capacity(kept.len());
        for place in in_order(&kept, &names, &order, |name| self.renames.renamed(name)) {
            let field = named(&fields[place], self.renames.renamed(fields[place].name()));
            let values = Arc::clone(structs.column(place));
            match done.iter().position(|(known, _)| known.name() == field.name()) {
                Some(known) => done[known] = replaced(&done[known].0, &done[known].1, field, values)?,
                None => done.push((field, values)),
            }
        }
        let (fields, arrays): (Vec<_>, Vec<_>) = done.into_iter().unzip();
        let field = struct_field(&column.field, fields.into());
        let DataType::Struct(fields) = field.data_type() else { return Ok(column.clone()) };
        let array = StructArray::try_new_with_length(fields.clone(), arrays, structs.nulls().cloned(), structs.len())?;
        Ok(Column::new(field, Arc::new(array)))
    }
}

/// The places as they are, unless two get one name: then in the order of Java's map.
fn in_order<'a>(kept: &[usize], names: &[&'a str], order: &[&str], renamed: impl Fn(&'a str) -> &'a str) -> Vec<usize> {
    let mut known = HashSet::new();
    let mut places = kept.to_vec();
    if !kept.iter().all(|place| known.insert(renamed(names[*place]))) {
        places.sort_by_key(|place| order.iter().position(|name| *name == names[*place]));
    }
    places
}

fn named(field: &FieldRef, name: &str) -> FieldRef {
    match field.name() == name {
        true => Arc::clone(field),
        false => Arc::new(Field::clone(field).with_name(name)),
    }
}

pub(crate) fn plugins() -> [Plugin; 2] {
    let what = "Leaves fields of the {side} out, and renames them.";
    plugin_pair(CLASSES, what, ReplaceField::config_def, ReplaceField::new)
}
