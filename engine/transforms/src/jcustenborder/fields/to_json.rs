//! `ToJSON$Key` and `ToJSON$Value`: structs and maps as JSON, as JsonConverter writes it.
//!
//! ```text
//! transforms.json.type=com.github.jcustenborder.kafka.connect.transform.common.ToJSON$Value
//! transforms.json.schemas.enable=false
//! ```
//!
//! Texts and bytes stay as they are. All keys of JsonConverter count.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringBuilder};
use arrow::datatypes::{DataType, Field};
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, Converter, Importance, Plugin, Records, Result, Side,
    Transformation, Transformed, Unserialized, Validator, schema,
};
use volley_converters::JsonConverter;

use crate::columns::{ColumnWise, Failure, Outcome};
use crate::jcustenborder::supported::{pair, unsupported};

const OUTPUT: &str = "output.schema.type";
const SCHEMAS_ENABLE: &str = "schemas.enable";
const STRING: &str = "STRING";
const BYTES: &str = "BYTES";
const CLASSES: [&str; 2] = [
    "com.github.jcustenborder.kafka.connect.transform.common.ToJSON$Key",
    "com.github.jcustenborder.kafka.connect.transform.common.ToJSON$Value",
];

/// Writes JSON.
#[derive(Debug)]
pub(in crate::jcustenborder) struct ToJson {
    columns: ColumnWise,
    converter: JsonConverter,
    is_text: bool,
}

impl ToJson {
    pub(in crate::jcustenborder) fn config_def() -> ConfigDef {
        let output = "Whether the JSON is a text (STRING) or BYTES.";
        let schemas = "Whether the JSON has the schema, too.";
        ConfigDef::new()
            .key(
                ConfigKey::with_default(OUTPUT, ConfigType::String, STRING, Importance::Medium, output)
                    .validated(Validator::one_of([STRING, BYTES])),
            )
            .key(ConfigKey::with_default(SCHEMAS_ENABLE, ConfigType::Boolean, "false", Importance::Medium, schemas))
    }

    /// # Errors
    /// `Config` if a value is none that its key may have.
    pub(in crate::jcustenborder) fn new(given: &ConfigMap, side: Side) -> Result<Self> {
        let config = Self::config_def().parse(given)?;
        let mut settings = given.clone();
        settings.shift_remove(OUTPUT);
        settings.insert(SCHEMAS_ENABLE.to_owned(), config.boolean(SCHEMAS_ENABLE).to_string());
        let converter = JsonConverter::new(&settings, Side::Value)?;
        Ok(Self { columns: ColumnWise::new(side, CLASSES), converter, is_text: config.string(OUTPUT) != Some(BYTES) })
    }
}

impl Transformation for ToJson {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let Self { columns, converter, is_text } = self;
        columns.apply_to_column(
            records,
            |_| false,
            |column| {
                let is_json = schema::is_json_text(&column.field) && !schema::has_schema(&column.field);
                match column.field.data_type() {
                    DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 if !is_json => Ok(with_schema(column)),
                    DataType::Binary | DataType::BinaryView | DataType::LargeBinary => Ok(with_schema(column)),
                    DataType::Struct(_) | DataType::Map(..) => written(column, converter, *is_text),
                    _ => Err(unsupported(column)),
                }
            },
        )
    }
}

/// A text or bytes have a schema, whether they had one or not.
fn with_schema(column: &Column) -> Column {
    let mut metadata = column.field.metadata().clone();
    metadata.remove(schema::HAS_SCHEMA);
    Column::new(Arc::new(Field::clone(&column.field).with_metadata(metadata)), Arc::clone(&column.array))
}

fn written(column: &Column, converter: &mut JsonConverter, is_text: bool) -> Outcome<Column> {
    let written = converter.from_connect(&Unserialized::new("dummy", column))?;
    if !written.rejected.is_empty() {
        let failed = written.rejected.into_iter().map(|rejected| (rejected.row, rejected.error));
        return Err(Failure::Rows(failed.collect()));
    }
    let nulls = column.array.nulls();
    let (data_type, array): (DataType, ArrayRef) = match is_text {
        false => (DataType::Binary, Arc::new(written.bytes)),
        true => {
            let mut texts = StringBuilder::with_capacity(written.bytes.len(), written.bytes.value_data().len());
            for (row, json) in written.bytes.iter().enumerate() {
                let json = json.filter(|_| nulls.is_none_or(|nulls| nulls.is_valid(row)));
                texts.append_option(json.map(String::from_utf8_lossy));
            }
            (DataType::Utf8, Arc::new(texts.finish()))
        }
    };
    Ok(Column::new(Arc::new(Field::new(column.field.name(), data_type, true)), array))
}

pub(in crate::jcustenborder) fn plugins() -> [Plugin; 2] {
    pair(CLASSES, "Writes the {side} as JSON.", ToJson::config_def, ToJson::new)
}
