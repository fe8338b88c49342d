//! `HoistField$Key` and `HoistField$Value`: the whole key or value becomes the only field of a struct.
//!
//! ```text
//! transforms.wrap.type=org.apache.kafka.connect.transforms.HoistField$Value
//! transforms.wrap.field=line
//! ```
//!
//! Without a schema it becomes the only entry of a map. Nulls are wrapped, too.

use std::sync::Arc;

use arrow::array::{Array, StructArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, Plugin, Records, Result, Side, Transformation,
    Transformed, schema,
};

use crate::columns::{
    Failure, Outcome, SchemaCache, SharedFields, column_of, plugin_pair, reject_rows, schema_builder_error, with_column,
};

const FIELD: &str = "field";
const CLASSES: [&str; 2] =
    ["org.apache.kafka.connect.transforms.HoistField$Key", "org.apache.kafka.connect.transforms.HoistField$Value"];

/// Wraps the key or the value.
#[derive(Debug)]
pub struct HoistField {
    side: Side,
    name: String,
    layouts: SchemaCache,
    nullable: SharedFields,
}

impl HoistField {
    /// The keys of this transformation.
    pub fn config_def() -> ConfigDef {
        let doc = "Name of the only field of the struct or map that comes out.";
        ConfigDef::new().key(ConfigKey::required(FIELD, ConfigType::String, Importance::Medium, doc))
    }

    /// From its configuration, prefix stripped.
    ///
    /// # Errors
    /// `Config` if the field is missing.
    pub fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        let config = Self::config_def().parse(config)?;
        let name = config.string(FIELD).unwrap_or_default().to_owned();
        Ok(Self { side, name, layouts: SchemaCache::default(), nullable: SharedFields::default() })
    }

    fn wrapped(&mut self, column: &Column) -> Outcome<Column> {
        let name = &self.name;
        let has_nulls = column.array.null_count() > 0;
        let layout = self.layouts.get(&column.field, || Ok(layout(&column.field, name)))?;
        let layout = if has_nulls { self.nullable.share(&with_nullable_child(layout)) } else { layout };
        let DataType::Struct(fields) = layout.data_type() else { return Ok(column.clone()) };
        let array = StructArray::try_new(fields.clone(), vec![Arc::clone(&column.array)], None)?;
        Ok(Column::new(layout, Arc::new(array)))
    }
}

fn layout(root: &FieldRef, name: &str) -> FieldRef {
    let has_schema = schema::has_schema(root);
    let mut metadata = root.metadata().clone();
    metadata.remove(schema::HAS_SCHEMA);
    let child = Field::new(name, root.data_type().clone(), root.is_nullable()).with_metadata(metadata);
    let field = Field::new(root.name(), DataType::Struct(vec![child].into()), !has_schema);
    Arc::new(if has_schema { field } else { schema::without_schema(field) })
}

/// A field without null in its schema may have some all the same, where there are tombstones between its values.
fn with_nullable_child(layout: FieldRef) -> FieldRef {
    let DataType::Struct(fields) = layout.data_type() else { return layout };
    let fields: Vec<Field> = fields.iter().map(|field| Field::clone(field).with_nullable(true)).collect();
    Arc::new(Field::clone(&layout).with_data_type(DataType::Struct(fields.into())))
}

impl Transformation for HoistField {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let column = column_of(&records, self.side);
        if self.name.is_empty() && schema::has_schema(&column.field) {
            let (column, class) = (column.clone(), CLASSES[usize::from(self.side == Side::Value)]);
            let error = schema_builder_error("fieldName cannot be null.".to_owned());
            return reject_rows(records, &column, class, &error, |_| true);
        }
        match self.wrapped(column_of(&records, self.side)) {
            Ok(column) => Ok(Transformed::of(with_column(&records, self.side, column))),
            Err(Failure::Batch(error)) => Err(error),
            Err(Failure::Rows(_)) => Ok(Transformed::of(records)),
        }
    }
}

pub(crate) fn plugins() -> [Plugin; 2] {
    let what = "Wraps the {side} in a struct or map of one field.";
    plugin_pair(CLASSES, what, HoistField::config_def, HoistField::new)
}
