//! Headers in one text: `name:value;name:value;`, both as Base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use volley_api::{Error, Header, Result, Value};

/// Appends the headers of a record.
///
/// # Errors
/// `Data` if a value is no bytes.
pub(super) fn write_headers(headers: &[Header], out: &mut Vec<u8>) -> Result<()> {
    for header in headers {
        let value = match &header.value {
            Value::Bytes(bytes) => bytes.as_slice(),
            Value::Null => &[],
            _ => {
                let message = format!(
                    "header `{}` is not bytes, and a CSV file of records takes no others: set `header.converter` to \
                     org.apache.kafka.connect.converters.ByteArrayConverter",
                    header.name
                );
                return Err(Error::data(message));
            }
        };
        write_base64(header.name.as_bytes(), out);
        out.push(b':');
        write_base64(value, out);
        out.push(b';');
    }
    Ok(())
}

/// Appends bytes as Base64.
pub(super) fn write_base64(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
}
