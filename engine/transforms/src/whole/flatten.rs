//! `Flatten$Key` and `Flatten$Value`: the fields of nested structs and maps become fields of the whole, under long names.
//!
//! ```text
//! transforms.flat.type=org.apache.kafka.connect.transforms.Flatten$Value
//! transforms.flat.delimiter=_
//!
//! {"id":1,"address":{"city":"Ulm"}}  ─►  {"id":1,"address_city":"Ulm"}
//! ```

use arrow::datatypes::DataType;
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, Plugin, Records, Result, Side, Transformation,
    Transformed, schema,
};

use super::flat_struct::{flat_map, flat_struct, layout};
use crate::columns::{ColumnWise, Outcome, SchemaCache, plugin_pair, require_struct};

const DELIMITER: &str = "delimiter";
const PURPOSE: &str = "flattening";
const CLASSES: [&str; 2] =
    ["org.apache.kafka.connect.transforms.Flatten$Key", "org.apache.kafka.connect.transforms.Flatten$Value"];

/// Flattens the key or the value. Arrays stay as they are.
#[derive(Debug)]
pub struct Flatten {
    columns: ColumnWise,
    delimiter: String,
    layouts: SchemaCache,
}

impl Flatten {
    /// The keys of this transformation.
    pub fn config_def() -> ConfigDef {
        let doc = "What stands between the names that a flat name is made of.";
        ConfigDef::new().key(ConfigKey::with_default(DELIMITER, ConfigType::String, ".", Importance::Medium, doc))
    }

    /// From its configuration, prefix stripped.
    ///
    /// # Errors
    /// None; the delimiter may be any text.
    pub fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        let config = Self::config_def().parse(config)?;
        let delimiter = config.string(DELIMITER).unwrap_or(".").to_owned();
        Ok(Self { columns: ColumnWise::new(side, CLASSES), delimiter, layouts: SchemaCache::default() })
    }
}

impl Transformation for Flatten {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let Self { columns, delimiter, layouts } = self;
        columns.apply_to_column(records, |_| true, |column| flattened(column, delimiter, layouts))
    }
}

fn flattened(column: &Column, delimiter: &str, layouts: &mut SchemaCache) -> Outcome<Column> {
    let structs = require_struct(column, PURPOSE)?;
    if !schema::has_schema(&column.field) {
        return flat_map(column, structs, delimiter);
    }
    let layout = layouts.get(&column.field, || layout(column, delimiter))?;
    match layout.data_type() {
        DataType::Struct(fields) => flat_struct(structs, &layout, fields),
        _ => Ok(column.clone()),
    }
}

pub(crate) fn plugins() -> [Plugin; 2] {
    let what = "Makes the fields of nested structs and maps fields of the {side} itself.";
    plugin_pair(CLASSES, what, Flatten::config_def, Flatten::new)
}
