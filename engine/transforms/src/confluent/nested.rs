//! Fields of structs within structs, left out and renamed by their paths: `foo.a3.b1`.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StructArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use volley_api::{Column, Result, schema};

use crate::columns::{Failure, Outcome, schema_builder_error, with_members};
use crate::insert_field::replaced;

/// What becomes of fields, by their paths. Exclusions go before inclusions; all know the old names.
#[derive(Debug, Default)]
pub(super) struct PathRules {
    pub(super) exclude: HashSet<String>,
    /// If it is empty, all fields.
    pub(super) include: HashSet<String>,
    /// New names by paths.
    pub(super) renames: HashMap<String, String>,
}

type Member = (FieldRef, ArrayRef);

impl PathRules {
    /// The struct of a column with what the rules make of its fields.
    pub(super) fn applied(&self, column: &Column, structs: &StructArray) -> Outcome<Column> {
        let has_schema = schema::has_schema(&column.field);
        let members = self.members(structs, "", self.include.is_empty(), has_schema)?;
        if let Some(name) = duplicate(&members) {
            let message = format!("Cannot create field because of field name duplication {name}");
            return Err(Failure::of_values(column, &schema_builder_error(message)));
        }
        Ok(with_members(column, structs, members)?)
    }

    /// Whether a rule is about what is within this field.
    pub(super) fn looks_into(&self, name: &str) -> bool {
        self.speaks_of(&format!("{name}."))
    }

    /// `is_included`: because what they are in is. Of entries of maps that get one name, the later counts where it is there.
    fn members(&self, structs: &StructArray, prefix: &str, is_included: bool, has_schema: bool) -> Result<Vec<Member>> {
        let mut done: Vec<Member> = Vec::with_capacity(structs.fields().len());
        for (field, values) in structs.fields().iter().zip(structs.columns()) {
            let path = format!("{prefix}{}", field.name());
            let is_included = is_included || self.include.contains(&path);
            if self.exclude.contains(&path) || !is_included && !self.includes_within(&path) {
                continue;
            }
            let within = format!("{path}.");
            let (field, values) = match field.data_type() {
                DataType::Struct(_) if self.speaks_of(&within) => {
                    self.nested(field, values, &within, is_included, has_schema)?
                }
                _ if !is_included => continue,
                _ => (Arc::clone(field), Arc::clone(values)),
            };
            let field = match self.renames.get(&path) {
                Some(name) => Arc::new(Field::clone(&field).with_name(name)),
                None => field,
            };
            match done.iter().position(|(known, _)| !has_schema && known.name() == field.name()) {
                Some(known) => done[known] = replaced(&done[known].0, &done[known].1, field, values)?,
                None => done.push((field, values)),
            }
        }
        Ok(done)
    }

    fn nested(
        &self,
        field: &FieldRef,
        values: &ArrayRef,
        within: &str,
        is_included: bool,
        has_schema: bool,
    ) -> Result<Member> {
        let structs = values.as_struct();
        let members = self.members(structs, within, is_included, has_schema)?;
        let nested = with_members(&Column::new(Arc::clone(field), Arc::clone(values)), structs, members)?;
        Ok((nested.field, nested.array))
    }

    fn includes_within(&self, path: &str) -> bool {
        let is_within = |included: &String| included.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
        self.include.iter().any(is_within)
    }

    /// Whether a rule is about a field that is within.
    fn speaks_of(&self, within: &str) -> bool {
        let paths = self.exclude.iter().chain(&self.include).chain(self.renames.keys());
        paths.into_iter().any(|path| path.starts_with(within))
    }
}

/// The name of two fields of one struct, at any depth.
fn duplicate(members: &[Member]) -> Option<String> {
    let mut names = HashSet::new();
    for (field, _) in members {
        if !names.insert(field.name()) {
            return Some(field.name().clone());
        }
        if let DataType::Struct(fields) = field.data_type() {
            let mut within = HashSet::new();
            if let Some(field) = fields.iter().find(|field| !within.insert(field.name())) {
                return Some(field.name().clone());
            }
        }
    }
    None
}
