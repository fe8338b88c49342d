//! `TimestampConverter$Key` and `TimestampConverter$Value`: times of one type as times of another.
//!
//! ```text
//! transforms.time.type=org.apache.kafka.connect.transforms.TimestampConverter$Value
//! transforms.time.field=created
//! transforms.time.target.type=string
//! transforms.time.format=yyyy-MM-dd'T'HH:mm:ss.SSSX
//! ```
//!
//! Everything is UTC. Without a schema, numbers are of type `unix`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StructArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, Error, Importance, Plugin, Records, Result, Side,
    Transformation, Transformed, Validator, schema,
};

use super::from_instants::from_instants;
use super::instants::{instants, no_time};
use super::time_type::{Precision, TimeType};
use crate::columns::{
    ColumnWise, Failure, Outcome, SchemaCache, as_connect, child_values, default_text, default_value, plugin_pair,
    replace_null_key, replaces_null, require_struct, top_level,
};
use crate::date_format::DateFormat;

const FIELD: &str = "field";
const TARGET_TYPE: &str = "target.type";
const FORMAT: &str = "format";
const UNIX_PRECISION: &str = "unix.precision";
const PURPOSE: &str = "converting timestamp formats";
const CLASSES: [&str; 2] = [
    "org.apache.kafka.connect.transforms.TimestampConverter$Key",
    "org.apache.kafka.connect.transforms.TimestampConverter$Value",
];

/// Converts the times of a field, or of the whole key or value.
#[derive(Debug)]
pub struct TimestampConverter {
    columns: ColumnWise,
    conversion: Conversion,
    field: String,
    replaces_null: bool,
    layouts: SchemaCache,
}

#[derive(Debug)]
struct Conversion {
    target: TimeType,
    format: Option<DateFormat>,
    precision: Precision,
}

impl TimestampConverter {
    /// The keys of this transformation.
    pub fn config_def() -> ConfigDef {
        let format = "Pattern of Java's SimpleDateFormat, for texts that are written or read.";
        let precision = "Unit of numbers that are written or read. There is nothing below a millisecond in between.";
        ConfigDef::new()
            .key(ConfigKey::with_default(
                FIELD,
                ConfigType::String,
                "",
                Importance::High,
                "Field with the time; empty if the whole key or value is one.",
            ))
            .key(
                ConfigKey::required(
                    TARGET_TYPE,
                    ConfigType::String,
                    Importance::High,
                    "What times become: string, unix (a number), Date, Time or Timestamp.",
                )
                .validated(Validator::one_of(TimeType::NAMES)),
            )
            .key(ConfigKey::with_default(FORMAT, ConfigType::String, "", Importance::Medium, format))
            .key(
                ConfigKey::with_default(UNIX_PRECISION, ConfigType::String, "milliseconds", Importance::Low, precision)
                    .validated(Validator::one_of(Precision::NAMES)),
            )
            .key(replace_null_key())
    }

    /// From its configuration, prefix stripped.
    ///
    /// # Errors
    /// `Config` if the type is missing, or a format that it needs, or the format is none of SimpleDateFormat.
    pub fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        let config = Self::config_def().parse(config)?;
        let pattern = config.string(FORMAT).unwrap_or_default();
        let target = config.string(TARGET_TYPE).and_then(TimeType::named).unwrap_or(TimeType::Timestamp);
        let precision = config.string(UNIX_PRECISION).and_then(Precision::named).unwrap_or(Precision::Milliseconds);
        let is_blank = pattern.trim().is_empty();
        if target == TimeType::String && is_blank {
            return Err(Error::config(
                "TimestampConverter requires format option to be specified when using string timestamps",
            ));
        }
        let format =
            if is_blank { None } else { Some(DateFormat::of(pattern).map_err(|reason| bad_format(pattern, &reason))?) };
        Ok(Self {
            columns: ColumnWise::new(side, CLASSES),
            conversion: Conversion { target, format, precision },
            field: config.string(FIELD).unwrap_or_default().to_owned(),
            replaces_null: replaces_null(&config),
            layouts: SchemaCache::default(),
        })
    }
}

fn bad_format(pattern: &str, reason: &str) -> Error {
    Error::config(format!(
        "Invalid value java.lang.IllegalArgumentException: {reason} for configuration \
         TimestampConverter requires a SimpleDateFormat-compatible pattern for string timestamps: {pattern}"
    ))
}

impl Transformation for TimestampConverter {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let Self { columns, conversion, field: name, replaces_null, layouts } = self;
        columns.apply_to_column(
            records,
            |field| field == name,
            |column| {
                if name.is_empty() {
                    return whole(column, conversion, layouts);
                }
                let structs = require_struct(column, PURPOSE)?;
                let Some((place, _)) = structs.fields().find(name) else {
                    return Ok(unchanged(column, structs, *replaces_null)?);
                };
                match schema::has_schema(&column.field) {
                    true => of_struct(column, structs, place, conversion, layouts, *replaces_null),
                    false => of_map(column, structs, place, conversion),
                }
            },
        )
    }
}

impl Conversion {
    fn values(&self, column: &Column) -> Outcome<ArrayRef> {
        let instants = instants(column, self.format.as_ref(), self.precision)?;
        Ok(from_instants(&instants, self.target, self.format.as_ref(), self.precision))
    }

    /// A field of the same name and optionality.
    fn field(&self, field: &Field) -> Field {
        Field::new(field.name(), self.target.data_type(), field.is_nullable())
    }
}

/// Nothing to convert; yet nulls get their defaults.
fn unchanged(column: &Column, structs: &StructArray, replaces_null: bool) -> Result<Column> {
    if !replaces_null || !schema::has_schema(&column.field) {
        return Ok(column.clone());
    }
    let arrays = top_level(structs, true)?;
    let array =
        StructArray::try_new_with_length(structs.fields().clone(), arrays, structs.nulls().cloned(), structs.len())?;
    Ok(Column::new(Arc::clone(&column.field), Arc::new(array)))
}

fn whole(column: &Column, conversion: &Conversion, layouts: &mut SchemaCache) -> Outcome<Column> {
    let array = conversion.values(column)?;
    if column.field.data_type() == &DataType::Null {
        return Ok(column.clone());
    }
    let layout = layouts.get(&column.field, || {
        let field = conversion.field(&column.field);
        Ok(Arc::new(if schema::has_schema(&column.field) { field } else { schema::without_schema(field) }))
    })?;
    Ok(Column::new(layout, array))
}

fn of_struct(
    column: &Column,
    structs: &StructArray,
    place: usize,
    conversion: &Conversion,
    layouts: &mut SchemaCache,
    replaces_null: bool,
) -> Outcome<Column> {
    let layout = layouts.get(&column.field, || layout(column, structs, place, conversion))?;
    let DataType::Struct(fields) = layout.data_type() else { return Ok(column.clone()) };
    let mut arrays = top_level(structs, replaces_null)?;
    arrays[place] = converted(structs, &structs.fields()[place], &arrays[place], conversion)?;
    let array = StructArray::try_new_with_length(fields.clone(), arrays, structs.nulls().cloned(), structs.len())?;
    Ok(Column::new(layout, Arc::new(array)))
}

fn converted(structs: &StructArray, field: &FieldRef, values: &ArrayRef, conversion: &Conversion) -> Outcome<ArrayRef> {
    let column = Column::new(Arc::clone(field), child_values(structs, values)?);
    let column = as_connect(&column)?;
    let field = &column.field;
    if schema::has_schema(field) && field.data_type() != &DataType::Null && TimeType::of(field.data_type()).is_none() {
        // With a schema, a field of another type fails also where it is null.
        let error = no_time(&column);
        let rows = (0..structs.len()).filter(|row| structs.is_valid(*row));
        return Err(Failure::Rows(rows.map(|row| (row, error.clone())).collect()));
    }
    conversion.values(&column)
}

/// The field loses its default; that of the whole is converted with it.
fn layout(column: &Column, structs: &StructArray, place: usize, conversion: &Conversion) -> Outcome<FieldRef> {
    let mut fields: Vec<FieldRef> = structs.fields().iter().cloned().collect();
    fields[place] = Arc::new(conversion.field(&fields[place]));
    let field = column.field.as_ref().clone().with_data_type(DataType::Struct(fields.into()));
    let mut metadata = field.metadata().clone();
    metadata.remove(schema::DEFAULT);
    let field = field.with_metadata(metadata);
    let Some(default) = default_value(&column.field) else { return Ok(Arc::new(field)) };
    let default = default.into_inner();
    let default = default.as_struct();
    let mut arrays = default.columns().to_vec();
    arrays[place] = converted(default, &structs.fields()[place], &arrays[place], conversion)?;
    let DataType::Struct(fields) = field.data_type() else { return Ok(Arc::new(field)) };
    let default = StructArray::try_new_with_length(fields.clone(), arrays, default.nulls().cloned(), default.len())?;
    let default = default_text(&Column::new(Arc::new(field.clone()), Arc::new(default)))?;
    let mut metadata = field.metadata().clone();
    metadata.extend(default.map(|text| (schema::DEFAULT.to_owned(), text)));
    Ok(Arc::new(field.with_metadata(metadata)))
}

fn of_map(column: &Column, structs: &StructArray, place: usize, conversion: &Conversion) -> Outcome<Column> {
    let mut fields: Vec<FieldRef> = structs.fields().iter().cloned().collect();
    let mut arrays = structs.columns().to_vec();
    let field = Arc::new(schema::without_schema(Field::clone(&fields[place])));
    arrays[place] = converted(structs, &field, &arrays[place], conversion)?;
    fields[place] = Arc::new(conversion.field(&fields[place]));
    let array = StructArray::try_new_with_length(fields.into(), arrays, structs.nulls().cloned(), structs.len())?;
    let field = column.field.as_ref().clone().with_data_type(array.data_type().clone());
    Ok(Column::new(Arc::new(field), Arc::new(array)))
}

pub(crate) fn plugins() -> [Plugin; 2] {
    let what = "Converts times in the {side} between text, numbers, Date, Time and Timestamp.";
    plugin_pair(CLASSES, what, TimestampConverter::config_def, TimestampConverter::new)
}
