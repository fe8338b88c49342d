//! Headers as bytes.

use std::sync::Arc;

use volley_api::{ConfigMap, Error, Header, HeaderConverter, RawHeader, Result, Value};

use crate::keys::converter_def;

/// ByteArrayConverter for headers: bytes only, unchanged.
#[derive(Debug)]
pub struct ByteArrayHeaderConverter;

impl ByteArrayHeaderConverter {
    /// A converter.
    ///
    /// # Errors
    /// An invalid `converter.type`.
    pub fn new(config: &ConfigMap) -> Result<Self> {
        converter_def().parse(config)?;
        Ok(Self)
    }
}

impl HeaderConverter for ByteArrayHeaderConverter {
    fn to_connect(&mut self, _topic: &str, header: &RawHeader) -> Result<Header> {
        let value = header.value.clone().map_or(Value::Null, Value::Bytes);
        Ok(Header::new(Arc::clone(&header.name), value))
    }

    fn from_connect(&mut self, _topic: &str, header: &Header) -> Result<RawHeader> {
        let value = match &header.value {
            Value::Null => None,
            Value::Bytes(bytes) => Some(bytes.clone()),
            _ => {
                let message =
                    format!("invalid type of header `{}` for ByteArrayConverter: it takes bytes only", header.name);
                return Err(Error::data(message));
            }
        };
        Ok(RawHeader { name: Arc::clone(&header.name), value })
    }
}
