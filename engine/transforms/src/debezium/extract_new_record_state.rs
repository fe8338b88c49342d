//! `ExtractNewRecordState`: change events become the state of their row.
//!
//! ```text
//! transforms.unwrap.type=io.debezium.transforms.ExtractNewRecordState
//! transforms.unwrap.delete.tombstone.handling.mode=rewrite
//! transforms.unwrap.add.fields=op,source.ts_ms
//!
//! {"before":null,"after":{"id":1},"op":"c",…}  ─►  {"id":1,"__deleted":"false","__op":"c","__source_ts_ms":1700000000123}
//! ```
//!
//! The state is a column that the batch has already. Truncations are left out.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StringArray, StructArray};
use arrow::compute::is_not_null;
use arrow::compute::kernels::zip::zip;
use arrow::datatypes::DataType;
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, Error, Importance, Records, Result, Transformation,
    Transformed,
};

use super::delete_handling::{DeleteHandling, Deletes};
use super::dropped_fields::DroppedFields;
use super::envelope::{class_cast, is_envelope, member, no_struct, refused, unknown_field, wrong_type};
use super::event_headers::with_event_headers;
use super::events::{Events, Kind, taken};
use super::field_reference::FieldReference;
use super::new_state::{routes, with_deleted, with_event_fields};
use super::topics::by_topic;
use crate::columns::{Failure, Outcome, replace_null_key, replaces_null};

const CLASS: &str = "io.debezium.transforms.ExtractNewRecordState";
const ADD_FIELDS: &str = "add.fields";
const ADD_FIELDS_PREFIX: &str = "add.fields.prefix";
const ADD_HEADERS: &str = "add.headers";
const ADD_HEADERS_PREFIX: &str = "add.headers.prefix";
const ROUTE_BY_FIELD: &str = "route.by.field";

/// Replaces change events by the state of their row.
#[derive(Clone, Debug)]
pub struct ExtractNewRecordState {
    handling: DeleteHandling,
    fields: Vec<FieldReference>,
    headers: Vec<FieldReference>,
    route: Option<String>,
    dropped: Option<DroppedFields>,
    replaces_null: bool,
}

impl ExtractNewRecordState {
    /// The keys of this transformation.
    pub fn config_def() -> ConfigDef {
        let fields =
            "Fields of the event to add to the row: `op`, `source.ts_ms`, or `source.ts_ms:name` for another name.";
        let headers = "Fields of the event to add as headers, written like `add.fields`.";
        let route = "Field of the row whose value is the topic of the record.";
        let key =
            |name, config_type, default, doc| ConfigKey::with_default(name, config_type, default, Importance::Low, doc);
        let def = ConfigDef::new()
            .key(key(ADD_FIELDS, ConfigType::List, "", fields))
            .key(key(ADD_FIELDS_PREFIX, ConfigType::String, "__", "What the names of added fields begin with."))
            .key(key(ADD_HEADERS, ConfigType::List, "", headers))
            .key(key(ADD_HEADERS_PREFIX, ConfigType::String, "__", "What the names of added headers begin with."))
            .key(key(ROUTE_BY_FIELD, ConfigType::String, "", route))
            .key(replace_null_key());
        DroppedFields::add_keys(DeleteHandling::add_keys(def))
    }

    /// From its configuration, prefix stripped.
    ///
    /// # Errors
    /// `Config` if a value is none that its key may have.
    pub fn new(given: &ConfigMap) -> Result<Self> {
        let config = Self::config_def().parse(given).map_err(refused)?;
        let text = |key| config.string(key).unwrap_or_default();
        Ok(Self {
            handling: DeleteHandling::of(given, &config),
            fields: FieldReference::parse_all(config.list(ADD_FIELDS), text(ADD_FIELDS_PREFIX))?,
            headers: FieldReference::parse_all(config.list(ADD_HEADERS), text(ADD_HEADERS_PREFIX))?,
            route: Some(text(ROUTE_BY_FIELD)).filter(|field| !field.is_empty()).map(str::to_owned),
            dropped: DroppedFields::of(&config),
            replaces_null: replaces_null(&config),
        })
    }
}

impl Transformation for ExtractNewRecordState {
    fn apply(&mut self, mut records: Records) -> Result<Transformed> {
        let values = records.value.clone();
        if !is_envelope(&values.field) {
            return self.without_tombstones(records);
        }
        let DataType::Struct(_) = values.field.data_type() else {
            let mut events = Events::of(&records, CLASS);
            let error = no_struct(&values, "field extraction");
            events.reject(Kind::State, &if self.headers.is_empty() { error } else { class_cast(error) });
            return self.finish(events, &records, Vec::new());
        };
        let structs = values.array.as_struct();
        let mut failed = None;
        if !self.headers.is_empty() {
            match with_event_headers(&records, &self.headers, structs)? {
                Ok(headers) => records.headers = Some(Arc::new(headers)),
                Err(error) => failed = Some(error),
            }
        }
        let mut events = Events::of(&records, CLASS);
        if let Some(error) = failed {
            events.reject(Kind::State, &error);
        }
        let parts = match self.states(&mut events, structs)? {
            Some((after, before)) => self.parts(&mut events, &after, &before)?,
            None => Vec::new(),
        };
        self.finish(events, &records, parts)
    }
}

/// Rows that go the same way, and columns of the whole batch: their values, and the topics that they go to.
struct Part {
    rows: Vec<u32>,
    values: Column,
    topics: Option<ArrayRef>,
    /// Fields are left out before others are added, not behind that.
    drops_first: bool,
}

impl ExtractNewRecordState {
    fn without_tombstones(&self, records: Records) -> Result<Transformed> {
        let present: Vec<u32> = (0..records.len() as u32).filter(|row| !records.value.is_null(*row as usize)).collect();
        match self.handling.keeps_tombstones {
            true => Ok(Transformed::of(records)),
            false => {
                Ok(Transformed { records: taken(&records, &present)?.into_iter().collect(), rejected: Vec::new() })
            }
        }
    }

    /// The states after and before, once the rows have their kinds: what is neither is left out. `None` if no event remains.
    fn states(&self, events: &mut Events<'_>, structs: &StructArray) -> Result<Option<(Column, Column)>> {
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

    fn parts(&self, events: &mut Events<'_>, after: &Column, before: &Column) -> Result<Vec<Part>> {
        let rewrites = self.handling.deletes == Deletes::Rewrite;
        let before_routes = match events.has(Kind::Delete) {
            true => self.routes_of_deletes(events, before)?,
            false => None,
        };
        if rewrites && self.dropped.is_none() && is_same_schema(after, before) {
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

    /// The records of the parts, and the tombstones.
    fn finish(&self, mut events: Events<'_>, records: &Records, parts: Vec<Part>) -> Result<Transformed> {
        let mut done = Transformed::default();
        let mut tombstones = match self.handling.keeps_tombstones {
            true => events.rows(|kind| kind == Kind::Tombstone),
            false => Vec::new(),
        };
        for part in parts {
            self.finish_part(&mut events, records, part, &mut tombstones, &mut done)?;
        }
        done.records.extend(taken(records, &tombstones)?);
        done.rejected.append(&mut events.rejected);
        Ok(done)
    }

    fn finish_part(
        &self,
        events: &mut Events<'_>,
        records: &Records,
        part: Part,
        tombstones: &mut Vec<u32>,
        done: &mut Transformed,
    ) -> Result<()> {
        let Some(dropped) = &self.dropped else {
            let Some((mut rows, values)) = self.completed(events, records, &part, part.rows.clone(), &[])? else {
                return Ok(());
            };
            if part.topics.is_none() && values.field.data_type() != &DataType::Null && !rows.is_empty() {
                rows.append(tombstones);
                rows.sort_unstable();
            }
            let records = Records { value: values, ..records.clone() };
            done.records.append(&mut by_topic(&records, &rows, part.topics.as_ref())?);
            return Ok(());
        };
        for (names, rows) in dropped.by_names(events, records, &part.rows) {
            let Some((rows, values)) = self.completed(events, records, &part, rows, &names)? else { continue };
            let records = Records { value: values, ..records.clone() };
            for records in by_topic(&records, &rows, part.topics.as_ref())? {
                let mut without = dropped.without_in_key(records, &names, CLASS)?;
                done.records.append(&mut without.records);
                done.rejected.append(&mut without.rejected);
            }
        }
        Ok(())
    }

    /// The values of these rows with fields added and left out. Rows that fail are rejected; `None` if none remains.
    fn completed(
        &self,
        events: &mut Events<'_>,
        records: &Records,
        part: &Part,
        rows: Vec<u32>,
        names: &[String],
    ) -> Result<Option<(Vec<u32>, Column)>> {
        let mut rows = events.remaining(&rows);
        while !rows.is_empty() {
            match self.complete(records, part, &rows, names) {
                Ok(values) => return Ok(Some((rows, values))),
                Err(Failure::Batch(error)) => return Err(error),
                Err(Failure::Rows(failed)) => {
                    let before = rows.len();
                    failed
                        .into_iter()
                        .filter(|(row, _)| rows.binary_search(&(*row as u32)).is_ok())
                        .for_each(|(row, error)| events.reject_row(row, error));
                    rows = events.remaining(&rows);
                    if rows.len() == before {
                        return Ok(Some((rows, part.values.clone())));
                    }
                }
            }
        }
        Ok(None)
    }

    fn complete(&self, records: &Records, part: &Part, rows: &[u32], names: &[String]) -> Outcome<Column> {
        let without = |values: &Column| match &self.dropped {
            Some(dropped) => dropped.without(values, names),
            None => Ok(values.clone()),
        };
        let with = |values: &Column| match values.array.data_type() {
            DataType::Null => Ok(values.clone()),
            _ => with_event_fields(values, records.value.array.as_struct(), &self.fields, rows),
        };
        match part.drops_first {
            true => with(&without(&part.values)?),
            false => without(&with(&part.values)?),
        }
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
