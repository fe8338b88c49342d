//! `EventRouter`: what is inserted into an outbox table becomes messages.
//!
//! ```text
//! transforms.outbox.type=io.debezium.transforms.outbox.EventRouter
//! transforms.outbox.route.topic.replacement=${routedByValue}.events
//! transforms.outbox.table.fields.additional.placement=type:header:eventType
//!
//!  after {id, aggregatetype, aggregateid, type, payload}
//!          │        │             │        │       └─► value
//!          │        │             │        └─► header `eventType`
//!          │        │             └─► key
//!          │        └─► topic
//!          └─► header `id`
//! ```
//!
//! Inserts and reads count. Deletes, and tombstones, are left out. There is no tracing.

use std::sync::Arc;

use arrow::array::{Array, AsArray, Int32Array, StructArray};
use arrow::datatypes::{DataType, Field};
use volley_api::{Column, ConfigDef, ConfigMap, Error, Headers, Records, Result, Transformation, Transformed, schema};

use super::additional_fields::Placement;
use super::event_time::event_times;
use super::expanded_payloads::ExpandedPayloads;
use super::messages::{Destination, Destinations, Shape, column_at, enveloped};
use super::outbox_config::OutboxConfig;
use super::outbox_rows::{int32_column, outbox_column};
use crate::columns::SharedFields;
use crate::debezium::envelope::{is_envelope, member, no_struct, null_pointer, refused, text_member, unknown_field};
use crate::debezium::event_headers::{add_header, headers_of};
use crate::debezium::events::{Events, Kind, taken, with_shared_schemas};

const CLASS: &str = "io.debezium.transforms.outbox.EventRouter";

/// Routes the events of an outbox.
#[derive(Clone, Debug)]
pub struct EventRouter {
    config: OutboxConfig,
    schemas: SharedFields,
}

impl EventRouter {
    /// The keys of this transformation.
    pub fn config_def() -> ConfigDef {
        OutboxConfig::config_def()
    }

    /// From its configuration, prefix stripped.
    ///
    /// # Errors
    /// `Config` if a value is none that its key may have.
    pub fn new(config: &ConfigMap) -> Result<Self> {
        Ok(Self { config: OutboxConfig::new(config)?, schemas: SharedFields::default() })
    }
}

impl Transformation for EventRouter {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let mut events = Events::of(&records, CLASS);
        events.leave_out(Kind::Tombstone);
        let field = &records.value.field;
        if !is_envelope(field) {
            let rows = events.rows(|kind| kind == Kind::State);
            return Ok(Transformed { records: taken(&records, &rows)?.into_iter().collect(), rejected: Vec::new() });
        }
        let messages = match field.data_type() {
            DataType::Struct(_) => self.messages(&mut events, &records)?,
            _ => {
                events.reject(Kind::State, &no_struct(&records.value, "Detect Debezium Operation"));
                Vec::new()
            }
        };
        let transformed = Transformed { records: messages, rejected: events.rejected };
        Ok(with_shared_schemas(&mut self.schemas, transformed))
    }
}

/// What Java has against all rows, or what is there.
type Found<T> = std::result::Result<T, Error>;

/// The rows of the outbox, and what of them goes into messages, all of the length of the batch.
struct Outbox {
    rows: StructArray,
    state_name: Option<String>,
    payloads: Column,
    beside: Vec<Column>,
    versions: Option<Int32Array>,
    partitions: Option<Int32Array>,
}

impl EventRouter {
    fn messages(&self, events: &mut Events<'_>, records: &Records) -> Result<Vec<Records>> {
        let envelopes = records.value.array.as_struct();
        let Some(after) = self.inserted(events, envelopes)? else { return Ok(Vec::new()) };
        let rows = after.array.as_struct();
        let times = match rows.fields().find(&self.config.payload) {
            Some(_) => event_times(events, envelopes, rows, self.config.timestamp.as_deref())?,
            None => {
                let message = format!("Unable to find payload field {} in event", self.config.payload);
                events.reject(Kind::State, &refused(Error::data(message)));
                return Ok(Vec::new());
            }
        };
        let found = self.outbox(&after, rows)?.and_then(|outbox| {
            let headers = self.headers(records, rows)?;
            Ok((outbox, headers))
        });
        let keys = outbox_column(rows, &self.config.key)?;
        let routes = text_member(rows, &self.config.route_by)?;
        let found = found.and_then(|(outbox, headers)| Ok((outbox, headers, keys?, routes?)));
        let (outbox, headers, key, routes) = match found {
            Ok(found) => found,
            Err(error) => {
                events.reject(Kind::State, &error);
                return Ok(Vec::new());
            }
        };
        let no_route = null_pointer(format!("field `{}` is null", self.config.route_by));
        for row in events.rows(|kind| kind == Kind::State) {
            if routes.is_null(row as usize) {
                events.reject_row(row as usize, no_route.clone());
            }
        }
        let base = Records { key, timestamps: times.into(), headers: Some(Arc::new(headers)), ..records.clone() };
        let expanded = match self.config.expands_json {
            true => ExpandedPayloads::of(&outbox.payloads, &self.config.payload, self.config.keeps_json_nulls),
            false => ExpandedPayloads::default(),
        };
        let destinations = Destinations {
            routes: &routes.array,
            partitions: outbox.partitions.as_ref(),
            versions: outbox.versions.as_ref(),
            payloads: &outbox.payloads,
            expanded: &expanded,
            makes_tombstones: self.config.makes_tombstones,
        };
        let mut messages = Vec::new();
        for (destination, rows) in destinations.group(&events.rows(|kind| kind == Kind::State)) {
            match self.message(&base, &outbox, &expanded, &destination, &rows)? {
                Ok(records) => messages.extend(records),
                Err(error) => rows.into_iter().for_each(|row| events.reject_row(row as usize, error.clone())),
            }
        }
        Ok(messages)
    }

    /// The rows that were inserted. All others are left out or rejected.
    fn inserted(&self, events: &mut Events<'_>, envelopes: &StructArray) -> Result<Option<Column>> {
        let operations = match text_member(envelopes, "op")? {
            Ok(operations) => operations,
            Err(error) => {
                events.reject(Kind::State, &error);
                return Ok(None);
            }
        };
        let operations = operations.array.as_string::<i32>();
        let is = |row: usize, operation: &str| operations.is_valid(row) && operations.value(row) == operation;
        events.turn(Kind::State, Kind::Gone, |row| is(row, "d"));
        if self.config.fails_on_update {
            events.turn(Kind::State, Kind::Delete, |row| is(row, "u"));
            let error = Error::data("Unexpected update message received, fail.");
            events.reject(Kind::Delete, &error.with_exception("java.lang.IllegalStateException"));
        }
        events.turn(Kind::State, Kind::Gone, |row| is(row, "u"));
        let Some(after) = member(envelopes, "after", true)? else {
            events.reject(Kind::State, &unknown_field("after"));
            return Ok(None);
        };
        events.turn(Kind::State, Kind::Delete, |row| after.is_null(row));
        events.reject(Kind::Delete, &Error::data("Only Struct objects supported for [Read Outbox Event], found: null"));
        if !matches!(after.field.data_type(), DataType::Struct(_)) {
            events.reject(Kind::State, &no_struct(&after, "Read Outbox Event"));
            return Ok(None);
        }
        Ok(Some(after))
    }

    fn outbox(&self, after: &Column, rows: &StructArray) -> Result<Found<Outbox>> {
        let versions = match &self.config.schema_version {
            Some(name) if self.config.has_envelope() => Some(int32_column(rows, name)?),
            _ => None,
        };
        let mut beside = Vec::new();
        for field in self.config.placed(Placement::Envelope) {
            match outbox_column(rows, &field.field)? {
                Ok(column) => {
                    let field = Field::clone(&column.field).with_name(&field.alias);
                    beside.push(Column::new(Arc::new(field), column.array));
                }
                Err(_) => return Ok(Err(null_pointer(format!("the outbox has no field `{}`", field.field)))),
            }
        }
        let mut partitions = None;
        for field in self.config.placed(Placement::Partition) {
            if self.config.fails_on_missing || rows.fields().find(&field.field).is_some() {
                match int32_column(rows, &field.field)? {
                    Ok(numbers) => partitions = Some(numbers),
                    Err(error) => return Ok(Err(error)),
                }
            }
        }
        let payloads = outbox_column(rows, &self.config.payload)?;
        let state_name = after.field.metadata().get(schema::NAME).cloned();
        Ok(payloads.and_then(|payloads| {
            let versions = versions.transpose()?;
            Ok(Outbox { rows: rows.clone(), state_name, payloads, beside, versions, partitions })
        }))
    }

    /// The headers of each row: its id, and what else is to be there.
    fn headers(&self, records: &Records, rows: &StructArray) -> Found<Headers> {
        let mut headers = headers_of(records);
        let placed = self.config.placed(Placement::Header).map(|field| (&field.field, field.alias.as_str(), false));
        for (name, alias, is_needed) in std::iter::once((&self.config.id, "id", true)).chain(placed) {
            if !is_needed && !self.config.fails_on_missing && rows.fields().find(name).is_none() {
                continue;
            }
            let column = outbox_column(rows, name)??;
            let field = Field::clone(&column.field).with_name(alias);
            add_header(&mut headers, &field, &column.array, |row| rows.is_valid(row))?;
        }
        Ok(headers)
    }

    /// The messages of rows that go to one place.
    fn message(
        &self,
        base: &Records,
        outbox: &Outbox,
        expanded: &ExpandedPayloads,
        destination: &Destination,
        rows: &[u32],
    ) -> Result<Found<Option<Records>>> {
        let topic = match self.config.topics.rewrite(&destination.route) {
            Ok(topic) => topic.unwrap_or_else(|| destination.route.clone()),
            Err(error) => return Ok(Err(error)),
        };
        if topic.is_empty() {
            return Ok(Err(Error::data(format!("route `{}` gives an empty name of a topic", destination.route))));
        }
        debug_assert_eq!(outbox.rows.len(), base.len());
        let value = match destination.shape {
            Shape::Tombstone => Column::nulls(rows.len()),
            shape => {
                let expanded = match shape {
                    Shape::Expanded(schema) => expanded.column(schema, rows),
                    _ => None,
                };
                let payload = expanded.map_or_else(|| column_at(&outbox.payloads, rows), Ok)?;
                match self.config.has_envelope() {
                    false => payload,
                    true => {
                        let beside = outbox.beside.iter().map(|column| column_at(column, rows));
                        let beside = beside.collect::<Result<Vec<_>>>()?;
                        match enveloped(payload, &beside, outbox.state_name.as_deref(), destination)? {
                            Ok(value) => value,
                            Err(error) => return Ok(Err(error)),
                        }
                    }
                }
            }
        };
        // A sink keeps the partition that it read: Debezium's class is none for sinks, and fails there without a partition.
        let partition = destination.partition.or(base.kafka_partition.filter(|_| base.origin.is_some()));
        let taken = taken(base, rows)?;
        Ok(Ok(taken.map(|records| Records { topic: topic.into(), kafka_partition: partition, value, ..records })))
    }
}
