//! Text. UTF-8 is validated, but neither copied nor decoded.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BinaryBuilder, StringArray};
use arrow::datatypes::{DataType, Field};
use volley_api::{
    Column, Config, ConfigDef, ConfigKey, ConfigMap, ConfigType, Converted, Converter, Error, Importance, RawBatch,
    Result, Serialized, Side, Unserialized, Width,
};
use volley_java::Charset;

use crate::cell::value_at;
use crate::keys::converter_def;
use crate::rejections::{Rejections, bytes_of};
use crate::value_display::java_text;

const ENCODING: &str = "converter.encoding";

/// `org.apache.kafka.connect.storage.StringConverter`: reads optional strings, writes any value as its text
/// (`Struct{a=1}`, `{k=v}`, `[1, 2]`). Bytes are written as base64 and times in ISO form, since Java's own text for
/// them is useless.
#[derive(Debug)]
pub struct StringConverter {
    side: Side,
    charset: Charset,
}

impl StringConverter {
    /// Java class name.
    pub const CLASS: &'static str = "org.apache.kafka.connect.storage.StringConverter";

    /// A converter of one side.
    ///
    /// # Errors
    /// An unknown `converter.encoding`.
    pub fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        Ok(Self { side, charset: charset_of(&string_converter_def().parse(config)?)? })
    }
}

/// The keys of a StringConverter.
pub(crate) fn string_converter_def() -> ConfigDef {
    let mut encoding = ConfigKey::with_default(
        ENCODING,
        ConfigType::String,
        "UTF-8",
        Importance::High,
        "Character set of the text: UTF-8, ISO-8859-1, US-ASCII, UTF-16, UTF-16BE or UTF-16LE.",
    );
    encoding.width = Width::Medium;
    "Encoding".clone_into(&mut encoding.display_name);
    converter_def().key(encoding)
}

/// The configured character set.
pub(crate) fn charset_of(config: &Config) -> Result<Charset> {
    let name = config.string(ENCODING).unwrap_or("UTF-8");
    Charset::named(name).ok_or_else(|| {
        Error::config(format!(
            "unknown `converter.encoding` {name}: use UTF-8, ISO-8859-1, US-ASCII, UTF-16, UTF-16BE or UTF-16LE"
        ))
    })
}

impl Converter for StringConverter {
    fn to_connect(&mut self, batch: &RawBatch, side: Side) -> Result<Converted> {
        let bytes = bytes_of(batch, side);
        let checked = match self.charset {
            Charset::Utf8 => StringArray::try_from_binary(bytes.clone()).ok(),
            _ => None,
        };
        let text = checked.unwrap_or_else(|| bytes.iter().map(|row| row.map(|row| self.charset.decode(row))).collect());
        let column = Column::new(Arc::new(Field::new("value", DataType::Utf8, true)), Arc::new(text) as ArrayRef);
        Ok(Rejections::new(Self::CLASS, side).into_converted(bytes.len(), column))
    }

    fn from_connect(&mut self, rows: &Unserialized<'_>) -> Result<Serialized> {
        let column = rows.column;
        if let (Charset::Utf8, Some(text)) = (self.charset, column.array.as_string_opt::<i32>()) {
            return Ok(Serialized::new(BinaryArray::from(text.clone()), Vec::new()));
        }
        let mut rejections = Rejections::new(Self::CLASS, self.side);
        let mut builder = BinaryBuilder::with_capacity(column.len(), column.len() * 16);
        // Values of any type cannot be converted to text by column.
        for row in 0..column.len() {
            match value_at(&column.field, &column.array, row) {
                _ if column.is_null(row) => builder.append_null(),
                Ok(value) => builder.append_value(self.charset.encode(&java_text(&value))),
                Err(error) => {
                    rejections.push(row, error);
                    builder.append_null();
                }
            }
        }
        Ok(Serialized::new(builder.finish(), rejections.into_rows()))
    }
}
