//! `MaskField$Key` and `MaskField$Value`: hides the values of fields.
//!
//! ```text
//! transforms.mask.type=org.apache.kafka.connect.transforms.MaskField$Value
//! transforms.mask.fields=ssn,salary
//! ```
//!
//! Nulls stay nulls. Without `replacement` a value becomes 0, false, empty or 1970-01-01.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Scalar, StructArray};
use arrow::compute::is_null;
use arrow::compute::kernels::zip::zip;
use arrow::datatypes::{DataType, FieldRef};
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, Plugin, Records, Result, Side, Transformation,
    Transformed, Validator, schema,
};
use volley_java::hash_set_copy_order;

use super::mask::mask;
use crate::columns::{
    ColumnWise, Failure, Outcome, check_lists, child_values, field_list, plugin_pair, replace_null_key, replaces_null,
    require_values, top_level,
};

const FIELDS: &str = "fields";
const REPLACEMENT: &str = "replacement";
const PURPOSE: &str = "mask fields";
const CLASSES: [&str; 2] =
    ["org.apache.kafka.connect.transforms.MaskField$Key", "org.apache.kafka.connect.transforms.MaskField$Value"];

/// Hides the values of fields of the key or the value.
#[derive(Debug)]
pub struct MaskField {
    columns: ColumnWise,
    masked: Masked,
}

#[derive(Debug)]
struct Masked {
    names: Vec<String>,
    replacement: Option<String>,
    replaces_null: bool,
}

impl MaskField {
    /// The keys of this transformation.
    pub fn config_def() -> ConfigDef {
        let replacement = "Value of the hidden fields, for numbers and texts. Not given: 0, false, no text, and so on.";
        ConfigDef::new()
            .key(field_list(FIELDS, "Fields to hide."))
            .key(
                ConfigKey::optional(REPLACEMENT, ConfigType::String, Importance::Low, replacement)
                    .validated(Validator::NonEmpty),
            )
            .key(replace_null_key())
    }

    /// From its configuration, prefix stripped.
    ///
    /// # Errors
    /// `Config` if no field is named, or the replacement is empty.
    pub fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        check_lists(config, &[FIELDS], false)?;
        let config = Self::config_def().parse(config)?;
        let masked = Masked {
            names: config.list(FIELDS).to_vec(),
            replacement: config.string(REPLACEMENT).map(str::to_owned),
            replaces_null: replaces_null(&config),
        };
        Ok(Self { columns: ColumnWise::new(side, CLASSES), masked })
    }
}

impl Transformation for MaskField {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let Self { columns, masked } = self;
        columns.apply_to_column(
            records,
            |name| masked.names.iter().any(|known| known == name),
            |column| masked.column(column),
        )
    }
}

impl Masked {
    fn column(&self, column: &Column) -> Outcome<Column> {
        let structs = require_values(column, PURPOSE)?;
        let has_schema = schema::has_schema(&column.field);
        let mut arrays = top_level(structs, self.replaces_null && has_schema)?;
        let mut masked: Vec<(usize, &FieldRef)> = structs.fields().iter().enumerate().collect();
        masked.retain(|(_, field)| self.names.contains(field.name()) && field.data_type() != &DataType::Null);
        if !has_schema {
            // Of several errors the first in the order of Java's set is told.
            let order = hash_set_copy_order(&self.names);
            masked.sort_by_key(|(_, field)| order.iter().position(|name| name == field.name()));
        }
        for (place, field) in masked {
            arrays[place] = self.values(structs, field, &arrays[place], has_schema)?;
        }
        let array = StructArray::try_new_with_length(
            structs.fields().clone(),
            arrays,
            structs.nulls().cloned(),
            structs.len(),
        )?;
        Ok(Column::new(Arc::clone(&column.field), Arc::new(array)))
    }

    fn values(
        &self,
        structs: &StructArray,
        field: &FieldRef,
        values: &ArrayRef,
        has_schema: bool,
    ) -> Outcome<ArrayRef> {
        if values.null_count() == values.len() {
            return Ok(Arc::clone(values));
        }
        match mask(field, self.replacement.as_deref(), has_schema) {
            Ok(mask) => Ok(zip(&is_null(values)?, values, &Scalar::new(mask))?),
            Err(error) => {
                let values = Column::new(Arc::clone(field), child_values(structs, values)?);
                Err(Failure::of_values(&values, &error))
            }
        }
    }
}

pub(crate) fn plugins() -> [Plugin; 2] {
    plugin_pair(CLASSES, "Hides the values of fields of the {side}.", MaskField::config_def, MaskField::new)
}
