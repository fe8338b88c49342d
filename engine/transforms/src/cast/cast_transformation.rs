//! `Cast$Key` and `Cast$Value`: gives fields, or the whole key or value, another type.
//!
//! ```text
//! transforms.cast.type=org.apache.kafka.connect.transforms.Cast$Value
//! transforms.cast.spec=id:string,amount:float64
//! ```
//!
//! | from | to a number | to BOOLEAN | to STRING |
//! |---|---|---|---|
//! | integer | its lowest bits | not 0 | digits |
//! | float | towards 0, the bound where it does not fit | not 0 before the point | as Java writes it |
//! | BOOLEAN | 1, 0 | | `true`, `false` |
//! | STRING | if it is one | whether it is `true`, in any case | |
//! | Date, Time, Timestamp | days, milliseconds | not 0 | ISO 8601 |
//! | BYTES | | | base64 |

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StructArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, Error, Importance, Plugin, Records, Result, Side,
    Transformation, Transformed, Validator, schema,
};

use super::cast_type::{CastSpec, CastType, validate_spec};
use super::cast_values::cast_values;
use crate::columns::{
    ColumnWise, Failure, Outcome, SchemaCache, child_values, default_text, default_value, plugin_pair,
    replace_null_key, replaces_null, require_struct, struct_field, top_level,
};

const SPEC: &str = "spec";
const PURPOSE: &str = "cast types";
const CLASSES: [&str; 2] =
    ["org.apache.kafka.connect.transforms.Cast$Key", "org.apache.kafka.connect.transforms.Cast$Value"];

/// Casts fields of the key or the value, or the whole.
#[derive(Debug)]
pub struct Cast {
    columns: ColumnWise,
    spec: CastSpec,
    replaces_null: bool,
    layouts: SchemaCache,
}

impl Cast {
    /// The keys of this transformation.
    pub fn config_def() -> ConfigDef {
        let doc = "Fields and their types, `field:type`, or one type for the whole. Types are int8, int16, int32, int64, \
                   float32, float64, boolean and string.";
        ConfigDef::new()
            .key(
                ConfigKey::required(SPEC, ConfigType::List, Importance::High, doc)
                    .validated(Validator::custom(validate_spec)),
            )
            .key(replace_null_key())
    }

    /// From its configuration, prefix stripped.
    ///
    /// # Errors
    /// `Config` if there is nothing to cast, or a type that nothing can be cast to.
    pub fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        if let Some(text) = config.get(SPEC) {
            let items: Vec<String> =
                text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect();
            CastSpec::parse(&items)?;
        }
        let config = Self::config_def().parse(config)?;
        let spec = CastSpec::parse(config.list(SPEC))?;
        let (columns, layouts) = (ColumnWise::new(side, CLASSES), SchemaCache::default());
        Ok(Self { columns, spec, replaces_null: replaces_null(&config), layouts })
    }
}

impl Transformation for Cast {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let Self { columns, spec, replaces_null, layouts } = self;
        let spec = &*spec;
        columns.apply_to_column(
            records,
            |name| spec.of_field(name).is_some(),
            |column| match spec {
                CastSpec::Whole(target) => whole(column, *target, layouts),
                CastSpec::Fields(_) if schema::has_schema(&column.field) => {
                    if !matches!(column.field.data_type(), DataType::Struct(_)) {
                        let error = Error::data("Cannot list fields on non-struct type");
                        return Err(Failure::of_values(column, &error));
                    }
                    let structs = require_struct(column, PURPOSE)?;
                    of_struct(column, structs, spec, layouts, *replaces_null)
                }
                CastSpec::Fields(fields) => of_map(column, require_struct(column, PURPOSE)?, fields),
            },
        )
    }
}

/// The whole keeps the name and all else that its schema has.
fn whole(column: &Column, target: CastType, layouts: &mut SchemaCache) -> Outcome<Column> {
    if column.field.data_type() == &DataType::Null {
        return Ok(column.clone());
    }
    let layout = layouts.get(&column.field, || {
        let mut metadata = column.field.metadata().clone();
        metadata.remove(schema::DEFAULT);
        metadata.remove(schema::EXTENSION_NAME);
        let field = cast_field(&column.field, target).map_err(|failure| all_fail(column, failure))?;
        metadata.extend(field.metadata().clone());
        Ok(Arc::new(field.with_metadata(metadata)))
    })?;
    Ok(Column::new(layout, cast_values(column, target)?))
}

/// The field with another type: its name, whether it is optional, and its default, which is cast, too.
fn cast_field(field: &Field, target: CastType) -> Outcome<Field> {
    let cast = Field::new(field.name(), target.data_type(), field.is_nullable());
    let Some(default) = default_value(field) else { return Ok(cast) };
    let default: ArrayRef = default.into_inner();
    let default = cast_values(&Column::new(Arc::new(field.clone()), default), target)?;
    let metadata =
        default_text(&Column::new(Arc::new(cast.clone()), default))?.map(|text| (schema::DEFAULT.to_owned(), text));
    Ok(cast.with_metadata(metadata.into_iter().collect()))
}

fn of_struct(
    column: &Column,
    structs: &StructArray,
    spec: &CastSpec,
    layouts: &mut SchemaCache,
    replaces_null: bool,
) -> Outcome<Column> {
    let layout = layouts.get(&column.field, || layout(column, structs, spec))?;
    let DataType::Struct(fields) = layout.data_type() else { return Ok(column.clone()) };
    let mut arrays = top_level(structs, replaces_null)?;
    for (place, field) in structs.fields().iter().enumerate() {
        if let Some(target) = spec.of_field(field.name()) {
            arrays[place] = cast_child(structs, field, &arrays[place], target)?;
        }
    }
    let array = StructArray::try_new_with_length(fields.clone(), arrays, structs.nulls().cloned(), structs.len())?;
    Ok(Column::new(layout, Arc::new(array)))
}

fn cast_child(structs: &StructArray, field: &FieldRef, values: &ArrayRef, target: CastType) -> Outcome<ArrayRef> {
    cast_values(&Column::new(Arc::clone(field), child_values(structs, values)?), target)
}

fn layout(column: &Column, structs: &StructArray, spec: &CastSpec) -> Outcome<FieldRef> {
    let mut fields = Vec::with_capacity(structs.fields().len());
    for field in structs.fields() {
        fields.push(match spec.of_field(field.name()) {
            Some(target) => Arc::new(cast_field(field, target).map_err(|failure| all_fail(column, failure))?),
            None => Arc::clone(field),
        });
    }
    Ok(struct_field(&column.field, fields.into()))
}

/// A default that cannot be cast fails with every record.
fn all_fail(column: &Column, failure: Failure) -> Failure {
    match failure {
        Failure::Rows(failed) => match failed.into_iter().next() {
            Some((_, error)) => Failure::of_values(column, &error),
            None => Failure::Rows(Vec::new()),
        },
        failure => failure,
    }
}

/// Fields that are missing are null, which is the same as missing.
fn of_map(column: &Column, structs: &StructArray, casts: &[(String, CastType)]) -> Outcome<Column> {
    let mut fields: Vec<FieldRef> = structs.fields().iter().cloned().collect();
    let mut arrays = structs.columns().to_vec();
    for (name, target) in casts {
        if let Some((place, field)) = structs.fields().find(name) {
            let field = Arc::new(schema::without_schema(Field::clone(field)));
            arrays[place] = cast_child(structs, &field, structs.column(place), *target)?;
            fields[place] = Arc::new(Field::new(name, target.data_type(), true));
        }
    }
    let field = struct_field(&column.field, fields.into());
    let DataType::Struct(fields) = field.data_type() else { return Ok(column.clone()) };
    let array = StructArray::try_new_with_length(fields.clone(), arrays, structs.nulls().cloned(), structs.len())?;
    Ok(Column::new(field, Arc::new(array)))
}

pub(crate) fn plugins() -> [Plugin; 2] {
    plugin_pair(CLASSES, "Gives fields of the {side}, or all of it, another type.", Cast::config_def, Cast::new)
}
