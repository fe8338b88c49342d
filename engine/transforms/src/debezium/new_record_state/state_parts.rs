//! Which column the new states are, and which rows go together.
//!
//! ```text
//!  after non-null                          ─► after
//!  after null, before non-null: a delete   ─► left out, null, or before with `__deleted`
//!  both null: a truncation                 ─► left out
//! ```

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, StringArray, StructArray};
use arrow::compute::is_not_null;
use arrow::compute::kernels::zip::zip;
use arrow::datatypes::DataType;
use volley_api::{Column, Error, Result};

use super::delete_handling::{DeleteHandling, Deletes};
use super::new_state::{routes, with_deleted};
use crate::columns::{Failure, Outcome};
use crate::debezium::envelope::{member, unknown_field, wrong_type};
use crate::debezium::events::{Events, Kind};

/// What states are made of events by.
#[derive(Clone, Debug)]
pub(super) struct StateRules {
    pub(super) handling: DeleteHandling,
    /// Field that topics are named after.
    pub(super) route: Option<String>,
    pub(super) replaces_null: bool,
    /// Fields may be left out, which happens at another time with deletes.
    pub(super) drops_fields: bool,
}

/// Rows that go the same way, and columns of the whole batch: their values, and the topics that they go to.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) rows: Vec<u32>,
    pub(super) values: Column,
    pub(super) topics: Option<ArrayRef>,
    /// Fields are left out before others are added, not behind that.
    pub(super) drops_first: bool,
}

impl StateRules {
    /// The states after and before, once the rows have their kinds: what is neither is left out. `None` if no event remains.
    pub(super) fn states(&self, events: &mut Events<'_>, structs: &StructArray) -> Result<Option<(Column, Column)>> {
        let Some(after) = member(structs, "after", self.replaces_null)? else {
            events.reject(Kind::State, &unknown_field("after"));
            return Ok(None);
        };
        events.turn(Kind::State, Kind::Delete, |row| after.is_null(row));
        let Some(before) = member(structs, "before", self.replaces_null)? else {
            events.reject(Kind::Delete, &unknown_field("before"));
            return Ok(Some((after, Column::nulls(structs.len()))));
        };
        events.turn(Kind::Delete, Kind::Gone, |row| before.is_null(row));
        if self.handling.deletes == Deletes::Drop {
            events.leave_out(Kind::Delete);
        }
        Ok(Some((after, before)))
    }

    /// The rows that remain, in parts that have one schema each.
    pub(super) fn parts(&self, events: &mut Events<'_>, after: &Column, before: &Column) -> Result<Vec<Part>> {
        let rewrites = self.handling.deletes == Deletes::Rewrite;
        let before_routes = match events.has(Kind::Delete) {
            true => self.routes_of_deletes(events, before)?,
            false => None,
        };
        if rewrites && !self.drops_fields && is_same_schema(after, before) {
            return self.rewritten_together(events, after, before);
        }
        let mut parts = Vec::new();
        let mut states = after.clone();
        if rewrites {
            let deleted = StringArray::from_iter_values((0..after.len()).map(|_| "false"));
            states =
                attempt(events, &[Kind::State], with_deleted(after, deleted, self.replaces_null))?.unwrap_or(states);
        }
        let routed = match &self.route {
            Some(field) if events.has(Kind::State) => attempt_kind(events, Kind::State, routes(&states, field)?),
            _ => None,
        };
        let joins = |kind| kind == Kind::State || (kind == Kind::Delete && self.handling.deletes == Deletes::Null);
        let topics = match (routed, before_routes.clone()) {
            (Some(one), Some(other)) => Some(zip(&is_not_null(&after.array)?, &one, &other)?),
            (one, other) => one.or(other.filter(|_| self.handling.deletes == Deletes::Null)),
        };
        parts.push(Part { rows: events.rows(joins), values: states, topics, drops_first: false });
        match self.handling.deletes {
            Deletes::Rewrite => {
                let deleted = StringArray::from_iter_values((0..before.len()).map(|_| "true"));
                let values = attempt(events, &[Kind::Delete], with_deleted(before, deleted, self.replaces_null))?;
                if let Some(values) = values {
                    let rows = events.rows(|kind| kind == Kind::Delete);
                    parts.push(Part { rows, values, topics: before_routes, drops_first: true });
                }
            }
            Deletes::Tombstone => {
                let (rows, values) = (events.rows(|kind| kind == Kind::Delete), Column::nulls(before.len()));
                parts.push(Part { rows, values, topics: before_routes, drops_first: true });
            }
            Deletes::Drop | Deletes::Null => {}
        }
        Ok(parts)
    }

    /// What deletes are routed by, which is a field of the row before.
    fn routes_of_deletes(&self, events: &mut Events<'_>, before: &Column) -> Result<Option<ArrayRef>> {
        let Some(field) = &self.route else { return Ok(None) };
        let routes = match before.field.data_type() {
            DataType::Struct(_) => routes(before, field)?,
            _ => Err(wrong_type("before", "STRUCT")),
        };
        Ok(attempt_kind(events, Kind::Delete, routes))
    }

    /// Deletes among the others, as they have one schema.
    fn rewritten_together(&self, events: &mut Events<'_>, after: &Column, before: &Column) -> Result<Vec<Part>> {
        let is_state = is_not_null(&after.array)?;
        let values = match events.has(Kind::Delete) {
            true => Column::new(Arc::clone(&after.field), zip(&is_state, &after.array, &before.array)?),
            false => after.clone(),
        };
        let kinds = [Kind::State, Kind::Delete];
        let deleted = with_deleted(&values, deleted_texts(&is_state), self.replaces_null);
        let Some(values) = attempt(events, &kinds, deleted)? else { return Ok(Vec::new()) };
        let topics = match &self.route {
            None => None,
            Some(field) => match routes(&values, field)? {
                Ok(topics) => Some(topics),
                Err(error) => {
                    events.reject(Kind::State, &error);
                    None
                }
            },
        };
        let rows = events.rows(|kind| kinds.contains(&kind));
        Ok(vec![Part { rows, values, topics, drops_first: false }])
    }
}

/// The values, unless the rows of these kinds fail with them; they are rejected then.
fn attempt(events: &mut Events<'_>, kinds: &[Kind], outcome: Outcome<Column>) -> Result<Option<Column>> {
    match outcome {
        Ok(values) => Ok(Some(values)),
        Err(Failure::Batch(error)) => Err(error),
        Err(Failure::Rows(failed)) => {
            for (row, error) in failed {
                if kinds.contains(&events.kind(row)) {
                    events.reject_row(row, error);
                }
            }
            Ok(None)
        }
    }
}

fn attempt_kind<T>(events: &mut Events<'_>, kind: Kind, outcome: std::result::Result<T, Error>) -> Option<T> {
    outcome.map_err(|error| events.reject(kind, &error)).ok()
}

fn is_same_schema(one: &Column, other: &Column) -> bool {
    let is_struct = matches!(one.field.data_type(), DataType::Struct(_));
    is_struct && one.field.data_type() == other.field.data_type() && one.field.metadata() == other.field.metadata()
}

fn deleted_texts(is_state: &BooleanArray) -> StringArray {
    is_state.iter().map(|is_state| is_state.map(|is_state| if is_state { "false" } else { "true" })).collect()
}
