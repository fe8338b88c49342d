//! Headers as an array of JSON: `[{"key":"name","value":…},…]`.

use std::sync::Arc;

use arrow::array::StringArray;
use arrow::datatypes::{DataType, Field};
use volley_api::{Column, ConfigMap, Converter, Header, HeaderConverter, Result, Side, Unserialized};
use volley_converters::{JsonConverter, JsonHeaderConverter};

/// Writes headers.
pub(super) struct HeaderTexts {
    names: JsonConverter,
    values: JsonHeaderConverter,
}

impl HeaderTexts {
    /// As Connect's JsonConverter writes them without schemas.
    pub(super) fn new(config: &ConfigMap) -> Result<Self> {
        Ok(Self { names: JsonConverter::new(config, Side::Key)?, values: JsonHeaderConverter::new(config)? })
    }

    /// Appends the headers of a record.
    pub(super) fn write(&mut self, topic: &str, headers: &[Header], out: &mut Vec<u8>) -> Result<()> {
        let names = StringArray::from_iter_values(headers.iter().map(|header| &*header.name));
        let names = Column::new(Arc::new(Field::new("name", DataType::Utf8, false)), Arc::new(names));
        let names = self.names.from_connect(&Unserialized::new(topic, &names))?.bytes;
        out.push(b'[');
        for (position, header) in headers.iter().enumerate() {
            out.extend_from_slice(if position == 0 { br#"{"key":"# } else { br#",{"key":"# });
            out.extend_from_slice(names.value(position));
            out.extend_from_slice(br#","value":"#);
            let value = self.values.from_connect(topic, header)?.value;
            out.extend_from_slice(value.as_deref().unwrap_or(b"null"));
            out.push(b'}');
        }
        out.push(b']');
        Ok(())
    }
}
