//! `ExtractChangedRecordState`: headers with the names of the fields that an update has changed, and of those that it has not.
//!
//! ```text
//! transforms.changes.type=io.debezium.transforms.ExtractChangedRecordState
//! transforms.changes.header.changed.name=Changed
//! transforms.changes.header.unchanged.name=Unchanged
//! ```
//!
//! Where the event has no state before, or none after, the headers are empty lists.

use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray, StructArray};
use arrow::compute::kernels::cmp::not_distinct;
use arrow::datatypes::DataType;
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, Error, Header, Importance, Records, Result, Transformation,
    Transformed, Value,
};

use super::envelope::{is_envelope, member, no_struct, no_such_field};
use super::event_headers::headers_of;
use super::events::{Events, Kind};
use crate::columns::value_at;

const CLASS: &str = "io.debezium.transforms.ExtractChangedRecordState";
const CHANGED: &str = "header.changed.name";
const UNCHANGED: &str = "header.unchanged.name";

/// Adds headers that tell what an update has changed.
#[derive(Clone, Debug)]
pub struct ExtractChangedRecordState {
    changed: Option<Arc<str>>,
    unchanged: Option<Arc<str>>,
}

impl ExtractChangedRecordState {
    /// The keys of this transformation.
    pub fn config_def() -> ConfigDef {
        let header = |name, doc| ConfigKey::optional(name, ConfigType::String, Importance::Low, doc);
        ConfigDef::new()
            .key(header(CHANGED, "Header for the names of changed fields. Without a name there is none."))
            .key(header(UNCHANGED, "Header for the names of the other fields. Without a name there is none."))
    }

    /// From its configuration, prefix stripped.
    ///
    /// # Errors
    /// None.
    pub fn new(config: &ConfigMap) -> Result<Self> {
        let config = Self::config_def().parse(config)?;
        let name = |key| config.string(key).filter(|name| !name.trim().is_empty()).map(Arc::from);
        Ok(Self { changed: name(CHANGED), unchanged: name(UNCHANGED) })
    }
}

impl Transformation for ExtractChangedRecordState {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        if !is_envelope(&records.value.field) {
            return Ok(Transformed::of(records));
        }
        let mut events = Events::of(&records, CLASS);
        let comparison = match records.value.field.data_type() {
            DataType::Struct(_) => compared(&mut events, records.value.array.as_struct())?,
            _ => {
                events.reject(Kind::State, &no_struct(&records.value, "Record value should be struct."));
                Comparison::default()
            }
        };
        let mut headers = headers_of(&records);
        for (row, headers) in headers.iter_mut().enumerate().filter(|(row, _)| !records.value.is_null(*row)) {
            let named = [(&self.changed, false), (&self.unchanged, true)];
            for (name, is_same) in named.into_iter().filter_map(|(name, is_same)| Some((name.as_ref()?, is_same))) {
                headers.push(Header::new(Arc::clone(name), Value::Array(comparison.names(row, is_same))));
            }
        }
        let headers = Some(Arc::new(headers));
        events.transform(|_, records| Ok(records.clone()), &Records { headers, ..records.clone() })
    }
}

/// For each field whether its values before and after are the same, in the rows that have both states.
#[derive(Default)]
struct Comparison {
    has_both: Vec<bool>,
    fields: Vec<(String, BooleanArray)>,
}

impl Comparison {
    fn names(&self, row: usize, is_same: bool) -> Vec<Value> {
        if !self.has_both.get(row).copied().unwrap_or_default() {
            return Vec::new();
        }
        let named = self.fields.iter().filter(|(_, same)| same.value(row) == is_same);
        named.map(|(name, _)| Value::String(name.clone())).collect()
    }
}

/// Compares the states of events. Rows whose states cannot be are rejected.
fn compared(events: &mut Events<'_>, envelopes: &StructArray) -> Result<Comparison> {
    let mut states = Vec::with_capacity(2);
    for name in ["after", "before"] {
        match member(envelopes, name, true)? {
            Some(state) => states.push(state),
            None => {
                events.reject(Kind::State, &no_such_field(name));
                return Ok(Comparison::default());
            }
        }
    }
    let (after, before) = (&states[0], &states[1]);
    let has_both: Vec<bool> = (0..envelopes.len()).map(|row| !after.is_null(row) && !before.is_null(row)).collect();
    let mut reject = |error: Error| {
        for row in (0..has_both.len()).filter(|row| has_both[*row]) {
            events.reject_row(row, error.clone());
        }
        Comparison::default()
    };
    for (state, purpose) in [(after, "After value should be struct."), (before, "Before value should be struct.")] {
        if !matches!(state.field.data_type(), DataType::Struct(_)) {
            return Ok(match has_both.contains(&true) {
                true => reject(no_struct(state, purpose)),
                false => Comparison::default(),
            });
        }
    }
    let (after, before) = (after.array.as_struct(), before.array.as_struct());
    let mut fields = Vec::with_capacity(after.num_columns());
    for field in after.fields() {
        let (Some(new), Some(old)) = (member(after, field.name(), false)?, member(before, field.name(), false)?) else {
            return Ok(reject(no_such_field(field.name())));
        };
        fields.push((field.name().clone(), same_values(&old, &new)?));
    }
    Ok(Comparison { has_both, fields })
}

/// Whether the values are the same, row by row where they are made of others: maps have no order.
fn same_values(old: &Column, new: &Column) -> Result<BooleanArray> {
    let both_null = |row| old.is_null(row) && new.is_null(row);
    if old.field.data_type() != new.field.data_type() {
        return Ok((0..old.len()).map(|row| Some(both_null(row))).collect());
    }
    if !old.field.data_type().is_nested() && old.field.data_type() != &DataType::Null {
        return Ok(not_distinct(&old.array, &new.array)?);
    }
    let same = (0..old.len()).map(|row| {
        let value = |column: &Column| value_at(&column.field, &column.array, row, true).map(sorted);
        Ok(Some(value(old)? == value(new)?))
    });
    same.collect()
}

/// The value with the entries of maps in an order that is the same for the same entries.
fn sorted(value: Value) -> Value {
    match value {
        Value::Map(entries) => {
            let mut entries: Vec<_> = entries.into_iter().map(|(key, value)| (sorted(key), sorted(value))).collect();
            entries.sort_by_cached_key(|(key, _)| format!("{key:?}"));
            Value::Map(entries)
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        Value::Struct(members) => {
            Value::Struct(members.into_iter().map(|(name, value)| (name, sorted(value))).collect())
        }
        other => other,
    }
}
