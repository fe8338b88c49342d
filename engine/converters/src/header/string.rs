//! Headers as text.

use std::sync::Arc;

use volley_api::{ConfigMap, Header, HeaderConverter, RawHeader, Result, Value};
use volley_java::Charset;

use crate::string_converter::{charset_of, string_converter_def};
use crate::value_display::java_text;

/// StringConverter for headers: writes any value as its text, reads text as a string.
#[derive(Debug)]
pub struct StringHeaderConverter {
    charset: Charset,
}

impl StringHeaderConverter {
    /// A converter.
    ///
    /// # Errors
    /// An unknown `converter.encoding`.
    pub fn new(config: &ConfigMap) -> Result<Self> {
        Ok(Self { charset: charset_of(&string_converter_def().parse(config)?)? })
    }
}

impl HeaderConverter for StringHeaderConverter {
    fn to_connect(&mut self, _topic: &str, header: &RawHeader) -> Result<Header> {
        let text = header.value.as_deref().map(|bytes| self.charset.decode(bytes).into_owned());
        Ok(Header::new(Arc::clone(&header.name), text.map_or(Value::Null, Value::String)))
    }

    fn from_connect(&mut self, _topic: &str, header: &Header) -> Result<RawHeader> {
        let value = match &header.value {
            Value::Null => None,
            value => Some(self.charset.encode(&java_text(value)).into_owned()),
        };
        Ok(RawHeader { name: Arc::clone(&header.name), value })
    }
}
