//! `ChangeCase$Key` and `ChangeCase$Value`: the names of all fields in another case format.
//!
//! ```text
//! transforms.case.type=com.github.jcustenborder.kafka.connect.transform.common.ChangeCase$Value
//! transforms.case.from=LOWER_UNDERSCORE
//! transforms.case.to=LOWER_CAMEL
//! ```

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, StructArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use volley_api::{Column, ConfigDef, ConfigMap, Plugin, Records, Result, Side, Transformation, Transformed, schema};

use super::{CaseFormat, case_formats, case_key};
use crate::columns::{ColumnWise, Failure, Outcome, defaulted, schema_builder_error};
use crate::jcustenborder::supported::{pair, require_schema_struct};

const FROM: &str = "from";
const TO: &str = "to";
const CLASSES: [&str; 2] = [
    "com.github.jcustenborder.kafka.connect.transform.common.ChangeCase$Key",
    "com.github.jcustenborder.kafka.connect.transform.common.ChangeCase$Value",
];

/// Renames fields, also those of structs within structs and lists.
#[derive(Debug)]
pub(in crate::jcustenborder) struct ChangeCase {
    columns: ColumnWise,
    change: Change,
}

#[derive(Clone, Copy, Debug)]
struct Change {
    from: CaseFormat,
    to: CaseFormat,
}

impl ChangeCase {
    pub(in crate::jcustenborder) fn config_def() -> ConfigDef {
        let from =
            "The format that names have: LOWER_HYPHEN, LOWER_UNDERSCORE, LOWER_CAMEL, UPPER_CAMEL or UPPER_UNDERSCORE.";
        ConfigDef::new().key(case_key(FROM, from)).key(case_key(TO, "The format that they get."))
    }

    /// # Errors
    /// `Config` if a format is none that there is.
    pub(in crate::jcustenborder) fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        let [from, to] = case_formats(config, &Self::config_def(), [FROM, TO])?;
        Ok(Self { columns: ColumnWise::new(side, CLASSES), change: Change { from, to } })
    }
}

impl Transformation for ChangeCase {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let Self { columns, change } = self;
        columns.apply_to_column(
            records,
            |_| false,
            |column| {
                require_schema_struct(column)?;
                if let Some(name) = change.duplicate(&column.field) {
                    let message = format!("Cannot create field because of field name duplication {name}");
                    return Err(Failure::of_values(column, &schema_builder_error(message)));
                }
                change.column(column)
            },
        )
    }
}

impl Change {
    fn name(self, name: &str) -> String {
        self.from.to(self.to, name)
    }

    /// A name that two fields of one struct get.
    fn duplicate(self, field: &Field) -> Option<String> {
        match field.data_type() {
            DataType::Struct(fields) => {
                let mut names = HashSet::new();
                let twice = fields.iter().map(|field| self.name(field.name())).find(|name| !names.insert(name.clone()));
                twice.or_else(|| fields.iter().find_map(|field| self.duplicate(field)))
            }
            DataType::List(item) => self.duplicate(item),
            _ => None,
        }
    }

    /// Of the schemas of structs and lists, the names stay, of structs alone, and whether they are optional.
    fn column(self, column: &Column) -> Outcome<Column> {
        Ok(match column.field.data_type() {
            DataType::Struct(_) => {
                let structs = column.array.as_struct();
                let mut fields: Vec<FieldRef> = Vec::with_capacity(structs.fields().len());
                let mut arrays: Vec<ArrayRef> = Vec::with_capacity(structs.fields().len());
                for (field, values) in structs.fields().iter().zip(structs.columns()) {
                    let changed = self.column(&Column::new(Arc::clone(field), defaulted(field, values)?))?;
                    fields.push(Arc::new(Field::clone(&changed.field).with_name(self.name(field.name()))));
                    arrays.push(changed.array);
                }
                let array =
                    StructArray::try_new_with_length(fields.into(), arrays, structs.nulls().cloned(), structs.len())?;
                with_type(&column.field, Arc::new(array), true)
            }
            DataType::List(item) => {
                let lists = column.array.as_list::<i32>();
                let items = self.column(&Column::new(Arc::clone(item), Arc::clone(lists.values())))?;
                let array =
                    ListArray::try_new(items.field, lists.offsets().clone(), items.array, lists.nulls().cloned())?;
                with_type(&column.field, Arc::new(array), false)
            }
            _ => column.clone(),
        })
    }
}

fn with_type(field: &Field, array: ArrayRef, keeps_name: bool) -> Column {
    let name = field.metadata().get(schema::NAME).filter(|name| keeps_name && !name.is_empty());
    let metadata = name.map(|name| (schema::NAME.to_owned(), name.clone())).into_iter().collect();
    let field = Field::new(field.name(), array.data_type().clone(), field.is_nullable()).with_metadata(metadata);
    Column::new(Arc::new(field), array)
}

pub(in crate::jcustenborder) fn plugins() -> [Plugin; 2] {
    pair(
        CLASSES,
        "Puts the names of the fields of the {side} into another case.",
        ChangeCase::config_def,
        ChangeCase::new,
    )
}
