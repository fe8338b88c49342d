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

use arrow::array::{Array, AsArray};
use arrow::datatypes::DataType;
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, Records, Result, Transformation, Transformed,
};

use super::delete_handling::DeleteHandling;
use super::dropped_fields::DroppedFields;
use super::new_state::with_event_fields;
use super::state_parts::{Part, StateRules};
use crate::columns::{Failure, Outcome, SharedFields, replace_null_key, replaces_null};
use crate::debezium::envelope::{class_cast, is_envelope, no_struct, refused};
use crate::debezium::event_headers::with_event_headers;
use crate::debezium::events::{Events, Kind, taken, with_shared_schemas};
use crate::debezium::field_reference::FieldReference;
use crate::debezium::topics::by_topic;

const CLASS: &str = "io.debezium.transforms.ExtractNewRecordState";
const ADD_FIELDS: &str = "add.fields";
const ADD_FIELDS_PREFIX: &str = "add.fields.prefix";
const ADD_HEADERS: &str = "add.headers";
const ADD_HEADERS_PREFIX: &str = "add.headers.prefix";
const ROUTE_BY_FIELD: &str = "route.by.field";

/// Replaces change events by the state of their row.
#[derive(Clone, Debug)]
pub struct ExtractNewRecordState {
    rules: StateRules,
    fields: Vec<FieldReference>,
    headers: Vec<FieldReference>,
    dropped: Option<DroppedFields>,
    schemas: SharedFields,
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
        let dropped = DroppedFields::of(&config);
        let rules = StateRules {
            handling: DeleteHandling::of(given, &config),
            route: Some(text(ROUTE_BY_FIELD)).filter(|field| !field.is_empty()).map(str::to_owned),
            replaces_null: replaces_null(&config),
            drops_fields: dropped.is_some(),
        };
        Ok(Self {
            rules,
            fields: FieldReference::parse_all(config.list(ADD_FIELDS), text(ADD_FIELDS_PREFIX))?,
            headers: FieldReference::parse_all(config.list(ADD_HEADERS), text(ADD_HEADERS_PREFIX))?,
            dropped,
            schemas: SharedFields::default(),
        })
    }
}

impl Transformation for ExtractNewRecordState {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let transformed = self.transformed(records)?;
        Ok(with_shared_schemas(&mut self.schemas, transformed))
    }
}

impl ExtractNewRecordState {
    fn transformed(&self, mut records: Records) -> Result<Transformed> {
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
        let parts = match self.rules.states(&mut events, structs)? {
            Some((after, before)) => self.rules.parts(&mut events, &after, &before)?,
            None => Vec::new(),
        };
        self.finish(events, &records, parts)
    }

    fn without_tombstones(&self, records: Records) -> Result<Transformed> {
        let present: Vec<u32> = (0..records.len() as u32).filter(|row| !records.value.is_null(*row as usize)).collect();
        match self.rules.handling.keeps_tombstones {
            true => Ok(Transformed::of(records)),
            false => {
                Ok(Transformed { records: taken(&records, &present)?.into_iter().collect(), rejected: Vec::new() })
            }
        }
    }

    /// The records of the parts, and the tombstones.
    fn finish(&self, mut events: Events<'_>, records: &Records, parts: Vec<Part>) -> Result<Transformed> {
        let mut done = Transformed::default();
        let mut tombstones = match self.rules.handling.keeps_tombstones {
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
