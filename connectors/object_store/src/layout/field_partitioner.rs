//! `FieldPartitioner`: a directory for each value of some fields.

use std::sync::Arc;

use arrow::array::Array;
use volley_api::{Records, Result};

use super::assignment::{Assignment, REJECTED};
use super::field_path::{FieldColumn, FieldPath};
use super::field_values::FieldValues;
use super::partitioner::{Partitioner, Split};
use super::path_text::{MAX_NAME_LENGTH, escaped, whole_name};

/// Which fields make a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldLayout {
    /// At least one.
    pub(crate) fields: Vec<FieldPath>,
    /// Whether a value stands behind the name of its field: `country=DE` instead of `DE`.
    pub(crate) with_names: bool,
    /// Stands between the fields.
    pub(crate) delim: String,
}

impl FieldLayout {
    /// The directory of each row. Values without a schema are structs too, so they have fields as well.
    pub(crate) fn assign(&self, records: &Records) -> Result<Assignment> {
        let mut joined: Option<Assignment> = None;
        for field in &self.fields {
            let next = self.assign_field(field, records)?;
            joined = Some(match joined {
                None => next,
                Some(outer) => outer.join(next, &self.delim),
            });
        }
        Ok(joined.unwrap_or_else(|| Assignment::all_rejected(records.len(), "no field makes the directory")))
    }

    /// A text that differs for layouts that differ.
    pub(crate) fn signature(&self) -> String {
        let names: Vec<_> = self.fields.iter().map(FieldPath::name).collect();
        format!("{names:?} {} {:?}", self.with_names, self.delim)
    }

    fn assign_field(&self, field: &FieldPath, records: &Records) -> Result<Assignment> {
        let rows = records.len();
        let column = match field.find(&records.value) {
            Ok(column) => column,
            Err(message) => return Ok(Assignment::all_rejected(rows, &message)),
        };
        let without_value = |row: usize| {
            let reason =
                || format!("the value is null, so that it has no field `{}` to name its directory after", field.name());
            records.value.is_null(row).then(reason)
        };
        let has_nulls = records.value.array.null_count() > 0;
        assign_values(field.name(), &column, self.with_names, has_nulls.then_some(&without_value))
    }
}

/// A directory for each value of a column. `objection`: what else there is against a row, if there may be something.
pub(crate) fn assign_values(
    field: &str,
    column: &FieldColumn,
    with_names: bool,
    objection: Option<&dyn Fn(usize) -> Option<String>>,
) -> Result<Assignment> {
    let Some(values) = FieldValues::of(column)? else {
        let message = format!(
            "field `{field}` is of type {}: directories are named after text, integers, booleans, dates, times",
            column.field.data_type()
        );
        return Ok(Assignment::all_rejected(column.array.len(), &message));
    };
    let FieldValues { mut codes, texts } = values;
    let name = |value: &String| match with_names {
        true => format!("{}={}", escaped(field), escaped(value)),
        false => whole_name(value),
    };
    let names: Vec<Arc<str>> = texts.iter().map(|text| name(text).into()).collect();
    let too_long = |name: &str| {
        (name.len() > MAX_NAME_LENGTH).then(|| {
            let bytes = name.len();
            format!("a directory named after field `{field}` would have {bytes} bytes; at most {MAX_NAME_LENGTH} do")
        })
    };
    let mut rejected = Vec::new();
    // mostly there is nothing against any row
    if objection.is_some() || names.iter().any(|name| name.len() > MAX_NAME_LENGTH) {
        for (row, code) in codes.iter_mut().enumerate() {
            let message = objection.and_then(|objection| objection(row));
            if let Some(message) = message.or_else(|| too_long(&names[*code as usize])) {
                rejected.push((row, message));
                *code = REJECTED;
            }
        }
    }
    Ok(Assignment::coded(codes, names, rejected))
}

/// Names the directory after values of the record: `country=DE/city=Berlin`.
#[derive(Debug)]
pub(crate) struct FieldPartitioner {
    layout: FieldLayout,
}

impl FieldPartitioner {
    /// A partitioner with these fields.
    pub(crate) fn new(layout: FieldLayout) -> Self {
        Self { layout }
    }
}

impl Partitioner for FieldPartitioner {
    fn split(&self, records: &Records, _now_ms: i64) -> Result<Split> {
        Ok(self.layout.assign(records)?.into_split(None))
    }

    fn signature(&self) -> String {
        format!("field {}", self.layout.signature())
    }
}
