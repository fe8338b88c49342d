//! `ValueToKey`: makes a key of fields of the value.
//!
//! ```text
//! transforms.key.type=org.apache.kafka.connect.transforms.ValueToKey
//! transforms.key.fields=customer,id
//! ```

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, StructArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use volley_api::{
    Column, ConfigDef, ConfigMap, Error, KAFKA_VERSION, Plugin, PluginFactory, Records, Result, Side, Transformation,
    Transformed, schema,
};

use crate::columns::{
    ColumnWise, Failure, Outcome, SchemaCache, check_lists, child_values, defaulted, field_list, replace_null_key,
    replaces_null, require_values,
};

const FIELDS: &str = "fields";
const PURPOSE: &str = "copying fields from value to key";
const CLASS: &str = "org.apache.kafka.connect.transforms.ValueToKey";

/// Replaces the key by a struct (without a schema: a map) of some fields of the value.
#[derive(Debug)]
pub struct ValueToKey {
    columns: ColumnWise,
    names: Vec<String>,
    replaces_null: bool,
    layouts: SchemaCache,
}

impl ValueToKey {
    /// The keys of this transformation.
    pub fn config_def() -> ConfigDef {
        ConfigDef::new().key(field_list(FIELDS, "Fields of the value that the key is made of.")).key(replace_null_key())
    }

    /// From its configuration, prefix stripped.
    ///
    /// # Errors
    /// `Config` if no field is named.
    pub fn new(config: &ConfigMap) -> Result<Self> {
        check_lists(config, &[FIELDS], false)?;
        let config = Self::config_def().parse(config)?;
        let mut known = HashSet::new();
        let names = config.list(FIELDS).iter().filter(|name| known.insert(name.as_str())).cloned().collect();
        let replaces_null = replaces_null(&config);
        let columns = ColumnWise::new(Side::Value, [CLASS; 2]);
        Ok(Self { columns, names, replaces_null, layouts: SchemaCache::default() })
    }
}

impl Transformation for ValueToKey {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let Self { columns, names, replaces_null, layouts } = self;
        columns.apply(
            records,
            |_| false,
            |records| {
                let structs = require_values(&records.value, PURPOSE)?;
                let key = match schema::has_schema(&records.value.field) {
                    true => {
                        let layout = layouts.get(&records.value.field, || layout(&records.value, structs, names))?;
                        key_of_struct(structs, layout, *replaces_null)?
                    }
                    false => key_of_map(structs, names)?,
                };
                Ok(Records { key, ..records.clone() })
            },
        )
    }
}

fn layout(value: &Column, structs: &StructArray, names: &[String]) -> Outcome<FieldRef> {
    let mut fields = Vec::with_capacity(names.len());
    for name in names {
        let Some((_, field)) = structs.fields().find(name) else {
            let error = Error::data(format!("Field does not exist: {name}"));
            return Err(Failure::of_values(value, &error));
        };
        fields.push(Arc::clone(field));
    }
    Ok(Arc::new(Field::new("key", DataType::Struct(fields.into()), false)))
}

fn key_of_struct(structs: &StructArray, layout: FieldRef, replaces_null: bool) -> Outcome<Column> {
    let DataType::Struct(fields) = layout.data_type() else { return Ok(Column::nulls(0)) };
    let mut arrays = Vec::with_capacity(fields.len());
    for field in fields {
        let Some(values) = structs.column_by_name(field.name()) else { continue };
        arrays.push(if replaces_null { defaulted(field, values)? } else { Arc::clone(values) });
    }
    let array = StructArray::try_new(fields.clone(), arrays, None)?;
    Ok(Column::new(layout, Arc::new(array)))
}

/// Fields that are missing are null.
fn key_of_map(structs: &StructArray, names: &[String]) -> Outcome<Column> {
    let (mut fields, mut arrays) = (Vec::new(), Vec::new());
    for name in names {
        let column = match structs.fields().find(name) {
            Some((place, field)) => Column::new(Arc::clone(field), child_values(structs, structs.column(place))?),
            None => Column::new(Arc::new(Field::new(name, DataType::Null, true)), Column::nulls(structs.len()).array),
        };
        fields.push(column.field);
        arrays.push(column.array);
    }
    let array = StructArray::try_new(fields.into(), arrays, None)?;
    let field = Field::new("key", array.data_type().clone(), true);
    Ok(Column::new(Arc::new(schema::without_schema(field)), Arc::new(array)))
}

pub(crate) fn plugin() -> Plugin {
    Plugin::new(
        CLASS,
        KAFKA_VERSION,
        "Replaces the key by some fields of the value.",
        ValueToKey::config_def(),
        PluginFactory::transformation(ValueToKey::new),
    )
}
