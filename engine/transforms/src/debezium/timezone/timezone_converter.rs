//! `TimezoneConverter`: the times of change events in another time zone.
//!
//! ```text
//! transforms.local.type=io.debezium.transforms.TimezoneConverter
//! transforms.local.converted.timezone=Europe/Berlin
//! transforms.local.include.list=source:orders:at
//!
//! "2020-01-01T11:55:30Z"  ─►  "2020-01-01T12:55:30+01:00"
//! 1577879730123           ─►  1577876130123, the instant at which clocks there show 11:55:30
//! ```
//!
//! Dates, and times without a date that have no offset, stay as they are. Only change events count.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray, StructArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Int64Type};
use chrono::DateTime;
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, Error, Importance, Records, Result, Transformation,
    Transformed, schema,
};

use super::offset_text::{date_time_text, parse_date_time, parse_time, time_text};
use super::rules::{Fitting, Rules};
use super::zone::Zone;
use crate::clock::now_ms;
use crate::columns::{Failure, Outcome, child_values, defaulted};
use crate::debezium::envelope::{is_envelope, member};
use crate::debezium::events::{Events, Kind};

const CLASS: &str = "io.debezium.transforms.TimezoneConverter";
const TIMEZONE: &str = "converted.timezone";
const INCLUDE: &str = "include.list";
const EXCLUDE: &str = "exclude.list";

/// Converts the times of change events.
#[derive(Clone, Debug)]
pub struct TimezoneConverter {
    zone: Zone,
    rules: Option<Rules>,
}

impl TimezoneConverter {
    /// The keys of this transformation.
    pub fn config_def() -> ConfigDef {
        let list = |name, doc| ConfigKey::optional(name, ConfigType::List, Importance::High, doc);
        let zone = "The time zone: a place like Europe/Berlin, or an offset like +08:00.";
        ConfigDef::new()
            .key(ConfigKey::required(TIMEZONE, ConfigType::String, Importance::High, zone))
            .key(list(INCLUDE, "Which times are converted: source:table, source:table:field, topic:name, topic:name:field, or name:field."))
            .key(list(EXCLUDE, "Which times are not converted, written like include.list."))
    }

    /// From its configuration, prefix stripped.
    ///
    /// # Errors
    /// `Config` if there is no such time zone, or a list has what is no rule.
    pub fn new(given: &ConfigMap) -> Result<Self> {
        let config = Self::config_def().parse(given)?;
        let zone = config.string(TIMEZONE).filter(|zone| !zone.is_empty());
        let zone = zone.ok_or_else(|| Error::config(format!("`{TIMEZONE}` must have a value")))?;
        // A list of commas has no rule and counts as none; a list that is empty is refused.
        let list =
            |key: &str| given.get(key).filter(|text| text.is_empty() || text.chars().any(|c| c != ',' && c != ' '));
        let rules = match (list(INCLUDE), list(EXCLUDE)) {
            (Some(_), Some(_)) => {
                let message = format!("`{INCLUDE}` and `{EXCLUDE}` cannot both be given");
                return Err(Error::config(message).with_exception("io.debezium.DebeziumException"));
            }
            (Some(_), None) => Some(Rules::parse(config.list(INCLUDE), false)?),
            (None, Some(_)) => Some(Rules::parse(config.list(EXCLUDE), true)?),
            (None, None) => None,
        };
        Ok(Self { zone: Zone::parse(zone)?, rules })
    }
}

impl Transformation for TimezoneConverter {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let field = &records.value.field;
        if !is_envelope(field) || !matches!(field.data_type(), DataType::Struct(_)) {
            return Ok(Transformed::of(records));
        }
        let mut events = Events::of(&records, CLASS);
        let mut done = Vec::new();
        for (fitting, rows) in self.fittings(&events, &records)? {
            let converted = events.attempt(&records, rows, |_, records| {
                let value = self.converted(&records.value, fitting.as_ref())?;
                Ok(Records { value, ..records.clone() })
            });
            done.extend(converted?);
        }
        Ok(Transformed { records: done, rejected: events.rejected })
    }
}

impl TimezoneConverter {
    /// The rows by what of them is converted. Tombstones go with the first.
    fn fittings(&self, events: &Events<'_>, records: &Records) -> Result<Vec<(Option<Fitting>, Vec<u32>)>> {
        let rows = events.rows(|kind| kind != Kind::Gone);
        let Some(rules) = &self.rules else { return Ok(vec![(None, rows)]) };
        let source = member(records.value.array.as_struct(), "source", false)?;
        let tables = match source.as_ref().map(|source| (source.field.data_type(), source)) {
            Some((DataType::Struct(_), source)) => member(source.array.as_struct(), "table", false)?,
            _ => None,
        };
        let tables = tables.filter(|tables| tables.field.data_type() == &DataType::Utf8);
        let table = |row: usize| {
            let tables = tables.as_ref()?.array.as_string::<i32>();
            tables.is_valid(row).then(|| tables.value(row))
        };
        let mut places: HashMap<Option<&str>, usize> = HashMap::new();
        let mut parts: Vec<(Option<Fitting>, Vec<u32>)> = Vec::new();
        for row in rows {
            let table = table(row as usize);
            let place = *places.entry(table).or_insert_with(|| {
                let fitting = Some(rules.fitting(table, &records.topic));
                parts.iter().position(|(known, _)| *known == fitting).unwrap_or_else(|| {
                    parts.push((fitting, Vec::new()));
                    parts.len() - 1
                })
            });
            parts[place].1.push(row);
        }
        Ok(parts)
    }

    /// The events with the times of their states converted.
    fn converted(&self, events: &Column, fitting: Option<&Fitting>) -> Outcome<Column> {
        let structs = events.array.as_struct();
        let mut arrays = Vec::with_capacity(structs.num_columns());
        for (field, values) in structs.fields().iter().zip(structs.columns()) {
            let is_state = field.name() == "before" || field.name() == "after";
            arrays.push(match field.data_type() {
                DataType::Struct(_) if is_state => {
                    self.converted_state(child_values(structs, values)?.as_struct(), fitting)?
                }
                _ => Arc::clone(values),
            });
        }
        let (fields, nulls) = (structs.fields().clone(), structs.nulls().cloned());
        let array = StructArray::try_new_with_length(fields, arrays, nulls, structs.len())?;
        Ok(Column::new(Arc::clone(&events.field), Arc::new(array)))
    }

    fn converted_state(&self, states: &StructArray, fitting: Option<&Fitting>) -> Outcome<ArrayRef> {
        let is_wanted = |name: &str| match (&self.rules, fitting) {
            (Some(rules), Some(fitting)) => rules.converts(fitting, name),
            _ => true,
        };
        let mut arrays = Vec::with_capacity(states.num_columns());
        for (field, values) in states.fields().iter().zip(states.columns()) {
            arrays.push(match is_wanted(field.name()) {
                true => self.converted_times(field, &child_values(states, values)?, states)?,
                false => Arc::clone(values),
            });
        }
        let (fields, nulls) = (states.fields().clone(), states.nulls().cloned());
        Ok(Arc::new(StructArray::try_new_with_length(fields, arrays, nulls, states.len())?))
    }

    /// The values of a field in the zone, if they are times. A null that has a default gets it.
    fn converted_times(&self, field: &Field, values: &ArrayRef, states: &StructArray) -> Outcome<ArrayRef> {
        let name = field.metadata().get(schema::NAME).map(String::as_str).unwrap_or_default();
        let values = || -> Result<ArrayRef> { child_values(states, &defaulted(field, values)?) };
        Ok(match (name, field.data_type()) {
            ("io.debezium.time.ZonedTimestamp", DataType::Utf8) => self.texts(&values()?, |text| {
                let (time, offset) = parse_date_time(text)?;
                date_time_text(time, offset, self.zone.offset_of_local(time))
            })?,
            ("io.debezium.time.ZonedTime", DataType::Utf8) => {
                let today = self.zone.offset_at(now_ms());
                self.texts(&values()?, |text| {
                    let (time, offset) = parse_time(text)?;
                    Some(time_text(time, offset, today))
                })?
            }
            ("io.debezium.time.Timestamp", DataType::Int64) => self.instants(&values()?, 1_000)?,
            ("io.debezium.time.MicroTimestamp", DataType::Int64) => self.instants(&values()?, 1_000_000)?,
            ("io.debezium.time.NanoTimestamp", DataType::Int64) => self.instants(&values()?, 1_000_000_000)?,
            (_, DataType::Timestamp(..)) => {
                let instants = self.instants(&cast(&values()?, &DataType::Int64)?, 1_000)?;
                cast(&instants, field.data_type())?
            }
            _ => values_as_they_are(states, field)?,
        })
    }

    fn texts(&self, values: &ArrayRef, convert: impl Fn(&str) -> Option<String>) -> Outcome<ArrayRef> {
        let mut failed = Vec::new();
        let mut converted = Vec::with_capacity(values.len());
        for (row, text) in values.as_string::<i32>().iter().enumerate() {
            let new = text.map(|text| convert(text).ok_or(text));
            converted.push(new.transpose().unwrap_or_else(|text| {
                let error = Error::data(format!("Text '{text}' could not be parsed"));
                failed.push((row, error.with_exception("java.time.format.DateTimeParseException")));
                None
            }));
        }
        if failed.is_empty() { Ok(Arc::new(StringArray::from(converted))) } else { Err(Failure::Rows(failed)) }
    }

    /// Instants at which clocks in the zone show what they show at the given ones in UTC.
    fn instants(&self, values: &ArrayRef, per_second: i64) -> Outcome<ArrayRef> {
        let mut failed = Vec::new();
        let moved = values.as_primitive::<Int64Type>().iter().enumerate().map(|(row, value)| {
            let value = value?;
            let local = DateTime::from_timestamp(value.div_euclid(per_second), 0);
            let offset = local.map(|local| i64::from(self.zone.offset_of_local(local.naive_utc())));
            let moved = offset.and_then(|offset| value.checked_sub(offset * per_second));
            if moved.is_none() {
                let error = Error::data(format!("time {value} is too far away"));
                failed.push((row, error.with_exception("java.lang.ArithmeticException")));
            }
            moved
        });
        let moved: Int64Array = moved.collect();
        if failed.is_empty() { Ok(Arc::new(moved)) } else { Err(Failure::Rows(failed)) }
    }
}

fn values_as_they_are(states: &StructArray, field: &Field) -> Result<ArrayRef> {
    match states.fields().find(field.name()) {
        Some((place, _)) => Ok(Arc::clone(states.column(place))),
        None => Err(Error::data(format!("there is no field `{}`", field.name()))),
    }
}
