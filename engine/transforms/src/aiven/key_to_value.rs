//! `KeyToValue`: copies fields of the key, or all of it, into the value.
//!
//! ```text
//! transforms.keep.type=io.aiven.kafka.connect.transforms.KeyToValue
//! transforms.keep.key.fields=id,*
//! transforms.keep.value.fields=order_id,key
//! ```

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StructArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, Error, Importance, Plugin, PluginFactory, Records, Result,
    Side, Transformation, Transformed, schema,
};
use volley_java::class_of;

use super::places::AIVEN_VERSION;
use crate::columns::{
    ColumnWise, Failure, Outcome, all_rows, field_column, give_same_types, top_level, type_name, with_members,
};

const KEY_FIELDS: &str = "key.fields";
const VALUE_FIELDS: &str = "value.fields";
const WHOLE: &str = "*";
const WHOLE_FIELD: &str = "_key";
const CLASS: &str = "io.aiven.kafka.connect.transforms.KeyToValue";
const NULL_POINTER: &str = "java.lang.NullPointerException";

/// Copies from the key into the value.
#[derive(Debug)]
pub(super) struct KeyToValue {
    keys: ColumnWise,
    values: ColumnWise,
    copies: Copies,
}

/// Fields of the key, or `*`, with the fields of the value that they become.
#[derive(Debug)]
struct Copies(Vec<(String, String)>);

impl KeyToValue {
    pub(super) fn config_def() -> ConfigDef {
        let keys = "Fields of the key to copy; `*` is the whole key.";
        let values = "Fields of the value that they become, in the same order. Without one it is that of the key.";
        ConfigDef::new()
            .key(ConfigKey::required(KEY_FIELDS, ConfigType::List, Importance::High, keys))
            .key(ConfigKey::with_default(VALUE_FIELDS, ConfigType::List, "", Importance::High, values))
    }

    /// # Errors
    /// `Config` if two fields of the key would become one.
    pub(super) fn new(config: &ConfigMap) -> Result<Self> {
        let config = Self::config_def().parse(config)?;
        let values = config.list(VALUE_FIELDS);
        let mut copies: Vec<(String, String)> = Vec::new();
        for (at, of_key) in config.list(KEY_FIELDS).iter().enumerate() {
            let of_value = values.get(at).unwrap_or(of_key);
            let of_value = if of_value == WHOLE { WHOLE_FIELD } else { of_value };
            if copies.iter().any(|(_, known)| known == of_value) {
                let message = format!("More than one key value is copied to the value field name '{of_value}'");
                return Err(Error::config(message).with_exception("org.apache.kafka.connect.errors.DataException"));
            }
            copies.push((of_key.clone(), of_value.to_owned()));
        }
        let columns = |side| ColumnWise::new(side, [CLASS; 2]);
        Ok(Self { keys: columns(Side::Key), values: columns(Side::Value), copies: Copies(copies) })
    }
}

impl Transformation for KeyToValue {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let Self { keys, values, copies } = self;
        let mut done = Transformed::default();
        let parts = keys.parts(records, |name| copies.0.iter().any(|(of_key, _)| of_key == name))?;
        for part in parts {
            let mut copied = values.apply(part, |_| false, |records| copies.copied(records))?;
            done.records.append(&mut copied.records);
            done.rejected.append(&mut copied.rejected);
        }
        done.rejected.sort_by_key(|rejected| rejected.row);
        if done.records.len() > 1 {
            give_same_types(&mut done.records)?;
        }
        Ok(done)
    }
}

type Member = (FieldRef, ArrayRef);

impl Copies {
    fn copied(&self, records: &Records) -> Outcome<Records> {
        let (key, value) = (&records.key, &records.value);
        self.check_key(key)?;
        let value_has_schema = schema::has_schema(&value.field);
        let is_struct = matches!(value.field.data_type(), DataType::Struct(_));
        let copies_whole = self.0.iter().any(|(of_key, _)| of_key == WHOLE);
        if copies_whole && value_has_schema && is_struct && is_map(key) {
            let message = "The value requires a schema, but the key class is a schemaless Map";
            return Err(Failure::of_values(key, &Error::data(message)));
        }
        if !is_struct {
            return Err(all_rows(value, &no_fields()));
        }
        if value.array.null_count() > 0 {
            let null = || Error::data("there is no value that fields could be added to").with_exception(NULL_POINTER);
            let error = if value_has_schema { null() } else { no_fields() };
            return Err(Failure::of_nulls(value, &error));
        }
        let structs = value.array.as_struct();
        let value = match value_has_schema {
            true => self.of_struct(value, structs, key)?,
            false => self.of_map(value, structs, key)?,
        };
        Ok(Records { value, ..records.clone() })
    }

    /// Fields can only be copied from a struct or a map.
    fn check_key(&self, key: &Column) -> Outcome<()> {
        let is_struct = matches!(key.field.data_type(), DataType::Struct(_));
        let has_schema = schema::has_schema(&key.field);
        if self.0.iter().all(|(of_key, _)| of_key == WHOLE) || is_struct && (has_schema || key.array.null_count() == 0)
        {
            return Ok(());
        }
        let names = self.0.iter().map(|(of_key, _)| of_key.as_str()).collect::<Vec<_>>().join(", ");
        let from = |what: &str| Error::data(format!("Named key fields [{names}] cannot be copied from the key {what}"));
        if has_schema {
            return Err(all_rows(key, &from(&format!("schema: {}", type_name(key.field.data_type())))));
        }
        let null =
            Error::data(format!("there is no key that [{names}] could be copied from")).with_exception(NULL_POINTER);
        let class = from(&format!("class: {}", class_of(key.field.data_type())));
        let error = |row| match key.is_null(row) {
            true => Some((row, null.clone())),
            false if is_struct => None,
            false => Some((row, class.clone())),
        };
        Err(Failure::Rows((0..key.len()).filter_map(error).collect()))
    }

    fn of_struct(&self, value: &Column, structs: &StructArray, key: &Column) -> Outcome<Column> {
        if !schema::has_schema(&key.field) && key.array.logical_null_count() > 0 {
            let error = Error::data("there is no key that a schema could be made for").with_exception(NULL_POINTER);
            return Err(Failure::of_nulls(key, &error));
        }
        let arrays = top_level(structs, true)?;
        let mut members: Vec<Member> = structs.fields().iter().cloned().zip(arrays).collect();
        for (of_key, of_value) in &self.0 {
            let member = match of_key.as_str() {
                WHOLE => whole(key, of_value),
                _ if is_map(key) => {
                    let error = Error::data("Cannot look up fields on non-struct type");
                    return Err(all_rows(value, &error));
                }
                _ => match field_column(key, of_key)? {
                    Some(copied) => nullable(copied, of_value),
                    None => {
                        let error = Error::data(format!("Key field '{of_key}' not found in key schema"));
                        return Err(all_rows(value, &error));
                    }
                },
            };
            put(&mut members, member);
        }
        Ok(with_members(value, structs, members)?)
    }

    fn of_map(&self, value: &Column, structs: &StructArray, key: &Column) -> Outcome<Column> {
        let mut members: Vec<Member> =
            structs.fields().iter().cloned().zip(structs.columns().iter().cloned()).collect();
        for (of_key, of_value) in &self.0 {
            let member = match of_key.as_str() {
                WHOLE => whole(key, of_value),
                _ => match field_column(key, of_key)? {
                    Some(copied) => nullable(copied, of_value),
                    None if schema::has_schema(&key.field) => {
                        let error = Error::data(format!("{of_key} is not a valid field name"));
                        return Err(Failure::of_values(key, &error));
                    }
                    None => nullable(Column::nulls(key.len()), of_value),
                },
            };
            let (field, array) = member;
            put(&mut members, (Arc::new(Field::clone(&field).with_nullable(true)), array));
        }
        Ok(with_members(value, structs, members)?)
    }
}

fn no_fields() -> Error {
    Error::data("The value needs to be a Struct or Map in order to append fields")
}

/// Whether the column has maps without a schema.
fn is_map(column: &Column) -> bool {
    !schema::has_schema(&column.field) && matches!(column.field.data_type(), DataType::Struct(_))
}

/// The key as a field.
fn whole(key: &Column, name: &str) -> Member {
    nullable(key.clone(), name)
}

/// The column as a field, which may be null where some of it is.
fn nullable(column: Column, name: &str) -> Member {
    let mut metadata = column.field.metadata().clone();
    metadata.remove(schema::HAS_SCHEMA);
    let has_nulls = column.array.logical_null_count() > 0;
    let is_nullable = has_nulls || schema::has_schema(&column.field) && column.field.is_nullable();
    let field = Field::new(name, column.field.data_type().clone(), is_nullable).with_metadata(metadata);
    (Arc::new(field), column.array)
}

fn put(members: &mut Vec<Member>, member: Member) {
    match members.iter_mut().find(|(field, _)| field.name() == member.0.name()) {
        Some(known) => *known = member,
        None => members.push(member),
    }
}

pub(super) fn plugin() -> Plugin {
    Plugin::new(
        CLASS,
        AIVEN_VERSION,
        "Copies fields of the key, or all of it, into the value.",
        KeyToValue::config_def(),
        PluginFactory::transformation(KeyToValue::new),
    )
}
