//! The headers of records as a column: a list of names and texts for each record.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, StringBuilder, StructBuilder};
use arrow::datatypes::{DataType, Field, Fields};
use volley_api::{Error, Header, HeaderConverter, Records, Result, Value};
use volley_converters::SimpleHeaderConverter;

/// Why the headers of a record cannot be written; `None`: they can.
pub(super) fn lack_of_headers(headers: Option<&[Header]>) -> Option<String> {
    match headers {
        None | Some([]) => Some("the record has no headers".to_owned()),
        Some(headers) => {
            let null = headers.iter().find(|header| header.text.is_none() && header.value == Value::Null)?;
            Some(format!("the value of header `{}` is null", null.name))
        }
    }
}

/// The headers of the records, each of which has some.
pub(super) fn headers_column(records: &Records, converter: &mut SimpleHeaderConverter) -> Result<ArrayRef> {
    let field = |name: &str| Field::new(name, DataType::Utf8, false);
    let fields = Fields::from(vec![field("key"), field("value")]);
    let item = Arc::new(Field::new("item", DataType::Struct(fields.clone()), false));
    let texts = || Box::new(StringBuilder::new()) as Box<dyn arrow::array::ArrayBuilder>;
    let mut lists = ListBuilder::new(StructBuilder::new(fields, vec![texts(), texts()])).with_field(item);
    // row by row: headers are no columns
    for row in 0..records.len() {
        let headers = records.headers.as_ref().map_or(&[][..], |headers| headers[row].as_slice());
        for header in headers {
            let text = text_of(header, &records.topic, converter)?;
            let pair = lists.values();
            for (position, part) in [&*header.name, &text].into_iter().enumerate() {
                if let Some(texts) = pair.field_builder::<StringBuilder>(position) {
                    texts.append_value(part);
                }
            }
            pair.append(true);
        }
        lists.append(true);
    }
    Ok(Arc::new(lists.finish()))
}

/// As Connect's `Values` writes it.
fn text_of(header: &Header, topic: &str, converter: &mut SimpleHeaderConverter) -> Result<String> {
    if let Some(text) = &header.text {
        return Ok(text.to_string());
    }
    let written = converter.from_connect(topic, header)?.value.unwrap_or_default();
    String::from_utf8(written).map_err(|error| Error::data(format!("header `{}`: {error}", header.name)))
}
