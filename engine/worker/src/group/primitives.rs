//! Kafka's primitive encoding, as far as the group's messages need it: big-endian integers, strings, bytes, arrays.

use volley_api::{Error, Result};

/// Reads values in sequence. Every error names the field.
#[derive(Debug)]
pub(super) struct PrimitiveReader<'a> {
    rest: &'a [u8],
}

impl<'a> PrimitiveReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Whether the message is at its end: trailing fields may be missing.
    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn int16(&mut self, field: &str) -> Result<i16> {
        Ok(i16::from_be_bytes(self.array(field)?))
    }

    pub(super) fn int32(&mut self, field: &str) -> Result<i32> {
        Ok(i32::from_be_bytes(self.array(field)?))
    }

    pub(super) fn int64(&mut self, field: &str) -> Result<i64> {
        Ok(i64::from_be_bytes(self.array(field)?))
    }

    /// A string; bytes that are not UTF-8 are replaced, as in Java.
    pub(super) fn string(&mut self, field: &str) -> Result<String> {
        let length = self.int16(field)?;
        let length = usize::try_from(length).map_err(|_| malformed(field, &format!("has the length {length}")))?;
        Ok(String::from_utf8_lossy(self.take(length, field)?).into_owned())
    }

    /// Bytes; `None` is null.
    pub(super) fn nullable_bytes(&mut self, field: &str) -> Result<Option<&'a [u8]>> {
        match usize::try_from(self.int32(field)?) {
            Ok(length) => self.take(length, field).map(Some),
            Err(_) => Ok(None),
        }
    }

    /// The number of elements of an array; `None` is null. Each element takes a byte at least.
    pub(super) fn nullable_count(&mut self, field: &str) -> Result<Option<usize>> {
        match usize::try_from(self.int32(field)?) {
            Ok(count) if count > self.rest.len() => Err(malformed(field, &format!("has {count} elements, and ends"))),
            Ok(count) => Ok(Some(count)),
            Err(_) => Ok(None),
        }
    }

    fn array<const N: usize>(&mut self, field: &str) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        bytes.copy_from_slice(self.take(N, field)?);
        Ok(bytes)
    }

    fn take(&mut self, length: usize, field: &str) -> Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(|| malformed(field, "is cut off"))?;
        self.rest = rest;
        Ok(taken)
    }
}

/// The error of a field with an invalid value.
pub(super) fn malformed(field: &str, what: &str) -> Error {
    Error::data(format!("a message of the worker group is malformed: `{field}` {what}"))
}

/// Appends a string.
///
/// # Errors
/// If it is longer than 32767 bytes, which the format can't hold.
pub(super) fn put_string(out: &mut Vec<u8>, field: &str, text: &str) -> Result<()> {
    let length = i16::try_from(text.len()).map_err(|_| {
        let start: String = text.chars().take(40).collect();
        Error::fatal(format!(
            "`{field}` is too long for the worker group, {} bytes, at most 32767: {start}…",
            text.len()
        ))
    })?;
    out.extend(length.to_be_bytes());
    out.extend(text.as_bytes());
    Ok(())
}

/// Appends a length or count.
pub(super) fn put_count(out: &mut Vec<u8>, field: &str, count: usize) -> Result<()> {
    let count = i32::try_from(count)
        .map_err(|_| Error::fatal(format!("`{field}` is too large for the worker group: {count} elements")))?;
    out.extend(count.to_be_bytes());
    Ok(())
}
