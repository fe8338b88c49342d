//! `SetSchemaMetadata$Key` and `SetSchemaMetadata$Value`: gives the schema of the key or value a name, a version, or both.
//!
//! ```text
//! transforms.name.type=org.apache.kafka.connect.transforms.SetSchemaMetadata$Value
//! transforms.name.schema.name=shop.Order
//! transforms.name.schema.version=2
//! ```

use std::sync::Arc;

use arrow::array::{Array, AsArray, StructArray};
use arrow::datatypes::{DataType, Field};
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, Error, Importance, Plugin, Records, Result, Side,
    Transformation, Transformed, schema,
};

use crate::columns::{
    ColumnWise, Failure, Outcome, SchemaCache, plugin_pair, replace_null_key, replaces_null, top_level,
};

const SCHEMA_NAME: &str = "schema.name";
const SCHEMA_VERSION: &str = "schema.version";
const CLASSES: [&str; 2] = [
    "org.apache.kafka.connect.transforms.SetSchemaMetadata$Key",
    "org.apache.kafka.connect.transforms.SetSchemaMetadata$Value",
];

/// Names the schema of the key or the value.
#[derive(Debug)]
pub struct SetSchemaMetadata {
    columns: ColumnWise,
    name: Option<String>,
    version: Option<i64>,
    replaces_null: bool,
    layouts: SchemaCache,
}

impl SetSchemaMetadata {
    /// The keys of this transformation.
    pub fn config_def() -> ConfigDef {
        ConfigDef::new()
            .key(ConfigKey::optional(SCHEMA_NAME, ConfigType::String, Importance::High, "Name of the schema."))
            .key(ConfigKey::optional(SCHEMA_VERSION, ConfigType::Int, Importance::High, "Version of the schema."))
            .key(replace_null_key())
    }

    /// From its configuration, prefix stripped.
    ///
    /// # Errors
    /// `Config` if there is neither a name nor a version.
    pub fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        let config = Self::config_def().parse(config)?;
        let (name, version) = (config.string(SCHEMA_NAME).map(str::to_owned), config.long(SCHEMA_VERSION));
        if name.is_none() && version.is_none() {
            return Err(Error::config("Neither schema name nor version configured"));
        }
        let (columns, layouts) = (ColumnWise::new(side, CLASSES), SchemaCache::default());
        Ok(Self { columns, name, version, replaces_null: replaces_null(&config), layouts })
    }
}

impl Transformation for SetSchemaMetadata {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let Self { columns, name, version, replaces_null, layouts } = self;
        columns.apply_to_column(
            records,
            |_| false,
            |column| {
                if !schema::has_schema(&column.field) {
                    let error = Error::data("Schema required for [updating schema metadata]");
                    return Err(Failure::of_values(column, &error));
                }
                let layout =
                    layouts.get(&column.field, || Ok(Arc::new(named(&column.field, name.as_deref(), *version))))?;
                let array = match column.field.data_type() {
                    DataType::Struct(_) => with_defaults(column, *replaces_null)?,
                    _ => Arc::clone(&column.array),
                };
                Ok(Column::new(layout, array))
            },
        )
    }
}

fn named(field: &Field, name: Option<&str>, version: Option<i64>) -> Field {
    let mut metadata = field.metadata().clone();
    if let Some(name) = name {
        metadata.insert(schema::NAME.to_owned(), name.to_owned());
    }
    if let Some(version) = version {
        metadata.insert(schema::VERSION.to_owned(), version.to_string());
    }
    field.clone().with_metadata(metadata)
}

fn with_defaults(column: &Column, replaces_null: bool) -> Outcome<arrow::array::ArrayRef> {
    let structs = column.array.as_struct();
    let arrays = top_level(structs, replaces_null)?;
    let fields = structs.fields().clone();
    Ok(Arc::new(StructArray::try_new_with_length(fields, arrays, structs.nulls().cloned(), structs.len())?))
}

pub(crate) fn plugins() -> [Plugin; 2] {
    let what = "Gives the schema of the {side} a name, a version, or both.";
    plugin_pair(CLASSES, what, SetSchemaMetadata::config_def, SetSchemaMetadata::new)
}
