//! Nested values as JSON text.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray, StringBuilder};
use arrow::datatypes::{DataType, FieldRef};
use arrow::error::ArrowError;
use arrow::json::writer::make_encoder;
use arrow::json::{Encoder, EncoderFactory, EncoderOptions, writer::NullableEncoder};
use arrow::util::display::array_value_to_string;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use volley_api::{Result, schema};

/// The values of a column, each as its JSON text; null stays null. Bytes are Base64, decimals are numbers, points in time
/// are texts of RFC 3339.
///
/// # Errors
/// `Data` for a type that has no JSON.
pub(super) fn json_texts(field: &FieldRef, array: &ArrayRef) -> Result<StringArray> {
    let options = EncoderOptions::default().with_explicit_nulls(true).with_encoder_factory(Arc::new(ConnectJson));
    let mut encoder = make_encoder(field, array, &options)?;
    let mut texts = StringBuilder::with_capacity(array.len(), array.len() * 16);
    let mut text = Vec::new();
    for row in 0..array.len() {
        if array.is_null(row) {
            texts.append_null();
            continue;
        }
        text.clear();
        encoder.encode(row, &mut text);
        texts.append_value(String::from_utf8_lossy(&text));
    }
    Ok(texts.finish())
}

/// What Connect writes otherwise than Arrow.
#[derive(Debug)]
struct ConnectJson;

impl EncoderFactory for ConnectJson {
    fn make_default_encoder<'a>(
        &self,
        field: &'a FieldRef,
        array: &'a dyn Array,
        _options: &'a EncoderOptions,
    ) -> std::result::Result<Option<NullableEncoder<'a>>, ArrowError> {
        let encoder: Box<dyn Encoder + 'a> = match array.data_type() {
            DataType::Binary => Box::new(Base64Bytes(array)),
            DataType::Decimal128(..) | DataType::Decimal256(..) => Box::new(Digits(array)),
            DataType::Utf8 if schema::is_json_text(field) => Box::new(Verbatim(array.as_string())),
            _ => return Ok(None),
        };
        Ok(Some(NullableEncoder::new(encoder, array.nulls().cloned())))
    }
}

struct Base64Bytes<'a>(&'a dyn Array);

impl Encoder for Base64Bytes<'_> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        out.push(b'"');
        out.extend(STANDARD.encode(self.0.as_binary::<i32>().value(row)).into_bytes());
        out.push(b'"');
    }
}

struct Digits<'a>(&'a dyn Array);

impl Encoder for Digits<'_> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        // every decimal has digits
        out.extend(array_value_to_string(self.0, row).unwrap_or_else(|_| "null".to_owned()).into_bytes());
    }
}

struct Verbatim<'a>(&'a StringArray);

impl Encoder for Verbatim<'_> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        out.extend(self.0.value(row).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{BinaryArray, Decimal128Array, StructArray};
    use arrow::datatypes::Field;

    use super::*;

    #[test]
    fn bytes_decimals_and_json_are_as_connect_writes_them() {
        let bytes: ArrayRef = Arc::new(BinaryArray::from_iter([Some(&b"\x00\xff"[..])]));
        let price: ArrayRef = Arc::new(Decimal128Array::from(vec![1234]).with_precision_and_scale(38, 2).unwrap());
        let document: ArrayRef = Arc::new(StringArray::from(vec![r#"{"a":1}"#]));
        let none: ArrayRef = Arc::new(StringArray::from(vec![None::<&str>]));
        let fields = vec![
            Field::new("b", bytes.data_type().clone(), true),
            Field::new("p", price.data_type().clone(), true),
            schema::json_text_field("d"),
            Field::new("n", DataType::Utf8, true),
        ];
        let value: ArrayRef =
            Arc::new(StructArray::try_new(fields.into(), vec![bytes, price, document, none], None).unwrap());
        let field = Arc::new(Field::new("v", value.data_type().clone(), true));
        let texts = json_texts(&field, &value).unwrap();
        assert_eq!(texts.value(0), r#"{"b":"AP8=","p":12.34,"d":{"a":1},"n":null}"#);
    }
}
