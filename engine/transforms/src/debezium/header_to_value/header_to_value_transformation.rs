//! `HeaderToValue`: copies or moves headers into fields of the value.
//!
//! ```text
//! transforms.stamp.type=io.debezium.transforms.HeaderToValue
//! transforms.stamp.headers=time,id
//! transforms.stamp.fields=timestamp,source.event_id
//! transforms.stamp.operation=copy
//! ```
//!
//! Row by row, since headers are: rows whose headers have the same types are one part.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::DataType;
use volley_api::{
    ConfigDef, ConfigKey, ConfigMap, ConfigType, ConfigValue, Error, Header, Importance, Records, Result,
    Transformation, Transformed, Validator, schema,
};
use volley_java::class_of;

use super::header_columns::{array_of_values, type_of};
use super::inserted_fields::{InsertedField, with_fields};
use crate::columns::{Failure, Outcome, SharedFields};
use crate::debezium::events::{Events, Kind, taken, with_shared_schemas};

const CLASS: &str = "io.debezium.transforms.HeaderToValue";
const HEADERS: &str = "headers";
const FIELDS: &str = "fields";
const OPERATION: &str = "operation";
const MOVE: &str = "move";

/// Puts headers into the value.
#[derive(Clone, Debug)]
pub struct HeaderToValue {
    /// Headers with the ways to the fields that they become.
    pairs: Vec<(String, Vec<String>)>,
    removes: bool,
    schemas: SharedFields,
}

impl HeaderToValue {
    /// The keys of this transformation.
    pub fn config_def() -> ConfigDef {
        let list = |name, doc| {
            ConfigKey::required(name, ConfigType::List, Importance::High, doc).validated(Validator::custom(required))
        };
        let operation = "Whether the headers stay (copy) or not (move).";
        ConfigDef::new()
            .key(list(HEADERS, "Headers that become fields."))
            .key(list(FIELDS, "Names of the fields, one for each of the headers; with dots for fields within structs."))
            .key(
                ConfigKey::required(OPERATION, ConfigType::String, Importance::High, operation)
                    .validated(Validator::custom(is_operation)),
            )
    }

    /// From its configuration, prefix stripped.
    ///
    /// # Errors
    /// `Config` if a key is missing, or there are not as many fields as headers.
    pub fn new(config: &ConfigMap) -> Result<Self> {
        let config = Self::config_def().parse(config)?;
        let (headers, fields) = (named(config.list(HEADERS)), named(config.list(FIELDS)));
        if headers.len() != fields.len() {
            let message = format!("'{FIELDS}' config must have the same number of elements as '{HEADERS}' config.");
            return Err(Error::config(message));
        }
        let pairs = headers.iter().cloned().zip(fields.iter().map(|field| path(field))).collect();
        let removes = config.string(OPERATION).is_some_and(|operation| operation.eq_ignore_ascii_case(MOVE));
        Ok(Self { pairs, removes, schemas: SharedFields::default() })
    }
}

/// The items but for empty ones at the end.
fn named(items: &[String]) -> &[String] {
    let len = items.iter().rposition(|item| !item.is_empty()).map_or(0, |last| last + 1);
    &items[..len]
}

fn path(field: &str) -> Vec<String> {
    let mut steps: Vec<String> = field.split('.').map(str::to_owned).collect();
    while steps.len() > 1 && steps.last().is_some_and(String::is_empty) {
        steps.pop();
    }
    steps
}

fn required(value: &ConfigValue) -> std::result::Result<(), String> {
    match value {
        ConfigValue::List(items) if items.iter().any(|item| !item.is_empty()) => Ok(()),
        _ => Err("A value is required".to_owned()),
    }
}

fn is_operation(value: &ConfigValue) -> std::result::Result<(), String> {
    match value {
        ConfigValue::String(text) if ["move", "copy"].iter().any(|known| known.eq_ignore_ascii_case(text)) => Ok(()),
        _ => Err("Value must be one of move, copy".to_owned()),
    }
}

/// Which headers of a row count, by their place in the configuration, and their types.
type Shape = Vec<(usize, DataType)>;

impl Transformation for HeaderToValue {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let mut events = Events::of(&records, CLASS);
        let value = &records.value;
        let is_struct = schema::has_schema(&value.field) && matches!(value.field.data_type(), DataType::Struct(_));
        if !is_struct {
            for row in (0..records.len()).filter(|row| !value.is_null(*row)) {
                events.reject_row(row, no_struct(&records, row));
            }
        }
        let mut done = Vec::new();
        for (shape, rows) in self.shapes(&mut events, &records) {
            match shape.is_empty() {
                true => done.extend(taken(&records, &rows)?),
                false => {
                    done.extend(events.attempt(&records, rows, |rows, records| self.inserted(records, &shape, rows))?);
                }
            }
        }
        let tombstones = events.rows(|kind| kind == Kind::Tombstone);
        done.extend(taken(&records, &tombstones)?);
        let transformed = Transformed { records: done, rejected: events.rejected };
        Ok(with_shared_schemas(&mut self.schemas, transformed))
    }
}

fn no_struct(records: &Records, row: usize) -> Error {
    let value = &records.value;
    let is_object = schema::is_json_text(&value.field)
        && arrow::array::AsArray::as_string::<i32>(&value.array).value(row).starts_with('{');
    let is_map = !schema::has_schema(&value.field) && matches!(value.field.data_type(), DataType::Struct(_));
    let found = if is_map || is_object { "java.util.HashMap" } else { class_of(value.field.data_type()) };
    Error::data(format!("Only Struct objects supported for [Header field insertion], found: {found}"))
}

impl HeaderToValue {
    /// The rows by the headers that count in them. Rows with headers that have no type are rejected.
    fn shapes(&self, events: &mut Events<'_>, records: &Records) -> Vec<(Shape, Vec<u32>)> {
        let mut places: HashMap<Shape, usize> = HashMap::new();
        let mut shapes: Vec<(Shape, Vec<u32>)> = Vec::new();
        for row in events.rows(|kind| kind == Kind::State) {
            let headers = records.headers.as_ref().map_or(&[][..], |headers| &headers[row as usize]);
            match self.shape(headers) {
                Err(error) => events.reject_row(row as usize, error),
                Ok(shape) => {
                    let place = *places.entry(shape).or_insert_with_key(|shape| {
                        shapes.push((shape.clone(), Vec::new()));
                        shapes.len() - 1
                    });
                    shapes[place].1.push(row);
                }
            }
        }
        shapes
    }

    fn shape(&self, headers: &[Header]) -> Result<Shape> {
        let meant = headers.iter().filter_map(|header| Some((self.place(header)?, header)));
        let typed = meant.map(|(place, header)| {
            let field = self.pairs[place].1.last().map_or("", String::as_str);
            Ok((place, type_of(field, &header.value)?))
        });
        typed.collect()
    }

    fn place(&self, header: &Header) -> Option<usize> {
        self.pairs.iter().position(|(name, _)| **name == *header.name)
    }

    /// Records of one shape with the fields, and without the headers if these are moved. `rows` are their rows in the batch.
    fn inserted(&self, records: &Records, shape: &Shape, rows: &[u32]) -> Outcome<Records> {
        let headers = records.headers.as_ref().map_or(&[][..], |headers| &headers[..]);
        debug_assert_eq!(headers.len(), rows.len());
        let mut fields = Vec::with_capacity(shape.len());
        for (nth, (place, data_type)) in shape.iter().enumerate() {
            let value = |headers: &'_ Vec<Header>| -> Option<usize> {
                headers.iter().enumerate().filter(|(_, header)| self.place(header).is_some()).nth(nth).map(|(at, _)| at)
            };
            let values: Vec<_> = headers
                .iter()
                .map(|headers| value(headers).map_or(&volley_api::Value::Null, |at| &headers[at].value))
                .collect();
            let values = array_of_values(data_type, &values).map_err(Failure::Batch)?;
            fields.push(InsertedField { path: &self.pairs[*place].1, data_type: data_type.clone(), values });
        }
        let mut done = Records { value: with_fields(&records.value, &fields, true)?, ..records.clone() };
        if self.removes {
            let kept = |headers: &Vec<Header>| -> Vec<Header> {
                headers.iter().filter(|header| self.place(header).is_none()).cloned().collect()
            };
            done.headers = Some(Arc::new(headers.iter().map(kept).collect()));
        }
        Ok(done)
    }
}
