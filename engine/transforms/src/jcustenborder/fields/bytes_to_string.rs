//! `BytesToString$Key` and `BytesToString$Value`: bytes as texts.
//!
//! ```text
//! transforms.text.type=com.github.jcustenborder.kafka.connect.transform.common.BytesToString$Value
//! transforms.text.fields=payload
//! transforms.text.charset=UTF-8
//! ```

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use arrow::datatypes::{DataType, Field};
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, ConfigValue, Error, Importance, Plugin, Records, Result, Side,
    Transformation, Transformed, Validator, schema,
};
use volley_java::Charset;

use crate::columns::{ColumnWise, Failure, Outcome, as_connect, of_members};
use crate::jcustenborder::supported::{bare_root, members, pair, require_schema_struct};

const CHARSET: &str = "charset";
const FIELDS: &str = "fields";
const CLASSES: [&str; 2] = [
    "com.github.jcustenborder.kafka.connect.transform.common.BytesToString$Key",
    "com.github.jcustenborder.kafka.connect.transform.common.BytesToString$Value",
];

/// Makes texts of bytes.
#[derive(Debug)]
pub(in crate::jcustenborder) struct BytesToString {
    columns: ColumnWise,
    charset: Charset,
    names: Vec<String>,
}

impl BytesToString {
    pub(in crate::jcustenborder) fn config_def() -> ConfigDef {
        let charset = "Character set that the bytes are in.";
        let fields = "Fields whose bytes become texts. Where the whole is bytes, it becomes a text whatever they are.";
        ConfigDef::new()
            .key(
                ConfigKey::with_default(CHARSET, ConfigType::String, "UTF-8", Importance::High, charset)
                    .validated(Validator::custom(is_charset)),
            )
            .key(ConfigKey::with_default(FIELDS, ConfigType::List, "", Importance::High, fields))
    }

    /// # Errors
    /// `Config` if the character set is none that is known.
    pub(in crate::jcustenborder) fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        let config = Self::config_def().parse(config)?;
        let charset = Charset::named(config.string(CHARSET).unwrap_or_default())
            .ok_or_else(|| Error::config(format!("`{CHARSET}` is no character set that is known")))?;
        Ok(Self { columns: ColumnWise::new(side, CLASSES), charset, names: config.list(FIELDS).to_vec() })
    }
}

fn is_charset(value: &ConfigValue) -> std::result::Result<(), String> {
    match value {
        ConfigValue::String(name) if Charset::named(name).is_none() => {
            Err(format!("the character set `{name}` is not known"))
        }
        _ => Ok(()),
    }
}

impl Transformation for BytesToString {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let Self { columns, charset, names } = self;
        columns.apply_to_column(
            records,
            |_| false,
            |column| {
                let column = &as_connect(column)?;
                match column.field.data_type() {
                    DataType::Binary => Ok(whole(column, *charset)),
                    _ => of_fields(column, *charset, names),
                }
            },
        )
    }
}

fn whole(column: &Column, charset: Charset) -> Column {
    let field = Field::new(column.field.name(), DataType::Utf8, column.field.is_nullable());
    let field = if schema::has_schema(&column.field) { field } else { schema::without_schema(field) };
    Column::new(Arc::new(field), texts(&column.array, charset))
}

fn of_fields(column: &Column, charset: Charset, names: &[String]) -> Outcome<Column> {
    let structs = require_schema_struct(column)?;
    let mut members = members(column, structs)?;
    for (at, (field, values)) in members.iter_mut().enumerate() {
        if !names.contains(field.name()) {
            continue;
        }
        // Without its default, as in Java.
        let bytes = as_connect(&Column::new(Arc::clone(field), Arc::clone(structs.column(at))))?;
        if bytes.field.data_type() != &DataType::Binary {
            let error = Error::data(format!("Field '{}' is not of type BYTES", field.name()));
            return Err(Failure::of_values(column, &error));
        }
        *values = texts(&bytes.array, charset);
        *field = Arc::new(Field::new(field.name(), DataType::Utf8, field.is_nullable()));
    }
    Ok(of_members(bare_root(column), structs, members)?)
}

/// Value by value: what a character set does not know becomes another length.
fn texts(bytes: &ArrayRef, charset: Charset) -> ArrayRef {
    let bytes = bytes.as_binary::<i32>();
    let mut texts = StringBuilder::with_capacity(bytes.len(), bytes.value_data().len());
    for bytes in bytes {
        texts.append_option(bytes.map(|bytes| charset.decode(bytes)));
    }
    Arc::new(texts.finish())
}

pub(in crate::jcustenborder) fn plugins() -> [Plugin; 2] {
    pair(CLASSES, "Makes texts of bytes of the {side}.", BytesToString::config_def, BytesToString::new)
}
