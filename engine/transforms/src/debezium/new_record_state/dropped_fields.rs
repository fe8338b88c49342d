//! Leaving out fields that a header of the record names: `drop.fields.*`.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StructArray};
use arrow::datatypes::{DataType, FieldRef};
use volley_api::{
    Column, Config, ConfigDef, ConfigKey, ConfigMap, ConfigType, Error, Header, Importance, Records, Result, Side,
    Transformation, Transformed, Value, schema,
};

use crate::columns::{Failure, Outcome, reject_rows, struct_field, top_level};
use crate::debezium::envelope::{class_cast, null_pointer};
use crate::debezium::events::Events;
use crate::field::ReplaceField;

const HEADER: &str = "drop.fields.header.name";
const FROM_KEY: &str = "drop.fields.from.key";
const KEEP_COMPATIBLE: &str = "drop.fields.keep.schema.compatible";

/// The header, and what its fields are left out of.
#[derive(Clone, Debug)]
pub(super) struct DroppedFields {
    header: String,
    from_key: bool,
    /// Only optional fields go.
    keeps_compatible: bool,
}

impl DroppedFields {
    pub(super) fn add_keys(def: ConfigDef) -> ConfigDef {
        let header = "Header that holds a list of names of fields to leave out.";
        let from_key = "Whether these fields are left out of the key, too.";
        let keep = "Whether only optional fields are left out. If not, all are that the header names.";
        let flag =
            |name, default, doc| ConfigKey::with_default(name, ConfigType::Boolean, default, Importance::Low, doc);
        def.key(ConfigKey::optional(HEADER, ConfigType::String, Importance::Low, header))
            .key(flag(FROM_KEY, "false", from_key))
            .key(flag(KEEP_COMPATIBLE, "true", keep))
    }

    /// `None` if no header is named.
    pub(super) fn of(config: &Config) -> Option<Self> {
        let header = config.string(HEADER).filter(|header| !header.trim().is_empty())?.to_owned();
        Some(Self { header, from_key: config.boolean(FROM_KEY), keeps_compatible: config.boolean(KEEP_COMPATIBLE) })
    }

    /// The rows by what their headers name. Rows whose header is no list are rejected.
    pub(super) fn by_names(
        &self,
        events: &mut Events<'_>,
        records: &Records,
        rows: &[u32],
    ) -> Vec<(Vec<String>, Vec<u32>)> {
        let mut places: HashMap<Vec<String>, usize> = HashMap::new();
        let mut parts: Vec<(Vec<String>, Vec<u32>)> = Vec::new();
        for row in rows {
            let headers = records.headers.as_ref().map_or(&[][..], |headers| &headers[*row as usize]);
            match self.names(headers) {
                Ok(names) => {
                    let place = *places.entry(names.clone()).or_insert_with(|| {
                        parts.push((names, Vec::new()));
                        parts.len() - 1
                    });
                    parts[place].1.push(*row);
                }
                Err(error) => events.reject_row(*row as usize, error),
            }
        }
        parts
    }

    fn names(&self, headers: &[Header]) -> Result<Vec<String>> {
        match headers.iter().find(|header| *header.name == *self.header).map(|header| &header.value) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(items)) => Ok(items.iter().map(name_of).collect()),
            Some(_) => Err(class_cast(Error::data(format!("header `{}` is no list", self.header)))),
        }
    }

    /// The value without the fields; what else is null gets its default, as in Kafka Connect's ReplaceField. A null without a
    /// schema cannot be looked at where only optional fields may go.
    pub(super) fn without(&self, value: &Column, names: &[String]) -> Outcome<Column> {
        if names.is_empty() {
            return Ok(value.clone());
        }
        let DataType::Struct(fields) = value.field.data_type() else {
            return match self.keeps_compatible {
                false => Ok(value.clone()),
                true if schema::has_schema(&value.field) => Ok(value.clone()),
                true => {
                    let error = null_pointer("a value without a schema has no fields to leave out".to_owned());
                    Err(Failure::Rows((0..value.len()).map(|row| (row, error.clone())).collect()))
                }
            };
        };
        let dropped = self.dropped(fields.iter(), names);
        if dropped.is_empty() {
            return Ok(value.clone());
        }
        let structs = value.array.as_struct();
        let arrays = top_level(structs, true)?;
        let kept = fields.iter().zip(arrays).filter(|(field, _)| !dropped.contains(field.name()));
        let (fields, arrays): (Vec<FieldRef>, Vec<ArrayRef>) =
            kept.map(|(field, array)| (Arc::clone(field), array)).unzip();
        let field = struct_field(&value.field, fields.clone().into());
        let array = StructArray::try_new_with_length(fields.into(), arrays, structs.nulls().cloned(), structs.len())?;
        Ok(Column::new(field, Arc::new(array)))
    }

    /// Names to leave out of a struct. One with a comma in it counts as several.
    fn dropped<'a>(&self, fields: impl Iterator<Item = &'a FieldRef>, names: &[String]) -> Vec<String> {
        let optional: Vec<&str> =
            fields.filter(|field| field.is_nullable()).map(|field| field.name().as_str()).collect();
        let meant = names.iter().filter(|name| !self.keeps_compatible || optional.contains(&name.as_str()));
        meant.flat_map(|name| name.split(',')).map(|name| name.trim().to_owned()).collect()
    }

    /// The records without the fields in their keys, if they go from there, too.
    pub(super) fn without_in_key(&self, records: Records, names: &[String], class: &str) -> Result<Transformed> {
        if !self.from_key || names.is_empty() || (0..records.len()).all(|row| records.key.is_null(row)) {
            return Ok(Transformed::of(records));
        }
        let field = Arc::clone(&records.key.field);
        let dropped = match field.data_type() {
            DataType::Struct(fields) if schema::has_schema(&field) => self.dropped(fields.iter(), names),
            _ if !self.keeps_compatible => self.dropped([].iter(), names),
            _ => {
                let error = match schema::has_schema(&field) {
                    true => Error::data("Cannot list fields on non-struct type"),
                    false => null_pointer("a key without a schema has no fields to leave out".to_owned()),
                };
                let key = records.key.clone();
                return reject_rows(records, &key, class, &error, |_| true);
            }
        };
        if dropped.is_empty() {
            return Ok(Transformed::of(records));
        }
        let config = ConfigMap::from_iter([("exclude".to_owned(), dropped.join(","))]);
        ReplaceField::new(&config, Side::Key)?.apply(records)
    }
}

fn name_of(item: &Value) -> String {
    match item {
        Value::String(text) => text.clone(),
        Value::Boolean(flag) => flag.to_string(),
        Value::Int8(number) => number.to_string(),
        Value::Int16(number) => number.to_string(),
        Value::Int32(number) => number.to_string(),
        Value::Int64(number) => number.to_string(),
        other => format!("{other:?}"),
    }
}
