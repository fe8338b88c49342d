//! Java's serialised `HashMap<byte[], byte[]>`: the format of Kafka Connect's offset file.
//!
//! The stream is that of the Java Object Serialization Specification, version 5 (chapter 6), for this one type: stream
//! header, one object of class `java.util.HashMap`, its fields `loadFactor` and `threshold`, a data block with capacity
//! and size, then keys and values as `[B` arrays. A repeated class description or array is a reference to a handle.

use std::collections::BTreeMap;

use volley_api::{Error, Result};

/// Keys and values.
pub type ByteMap = BTreeMap<Vec<u8>, Vec<u8>>;

const STREAM_HEADER: [u8; 4] = [0xAC, 0xED, 0x00, 0x05];
const TC_NULL: u8 = 0x70;
const TC_REFERENCE: u8 = 0x71;
const TC_CLASSDESC: u8 = 0x72;
const TC_OBJECT: u8 = 0x73;
const TC_ARRAY: u8 = 0x75;
const TC_BLOCKDATA: u8 = 0x77;
const TC_ENDBLOCKDATA: u8 = 0x78;
const BASE_HANDLE: u32 = 0x7E_0000;
const HASH_MAP: &str = "java.util.HashMap";
const HASH_MAP_UID: u64 = 0x0507_DAC1_C316_60D1;
const BYTE_ARRAY: &str = "[B";
const BYTE_ARRAY_UID: u64 = 0xACF3_17F8_0608_54E0;
const LOAD_FACTOR: f32 = 0.75;

/// The stream of a map.
pub fn write_hash_map(map: &ByteMap) -> Vec<u8> {
    let mut out = Vec::with_capacity(128 + map.iter().map(|(key, value)| key.len() + value.len() + 22).sum::<usize>());
    let size = map.len() as u32;
    let capacity = (size * 4 / 3 + 1).next_power_of_two().max(16);
    out.extend(STREAM_HEADER);
    out.push(TC_OBJECT);
    write_class(&mut out, HASH_MAP, HASH_MAP_UID, 3, &[(b'F', "loadFactor"), (b'I', "threshold")]);
    out.extend(LOAD_FACTOR.to_be_bytes());
    out.extend((capacity / 4 * 3).to_be_bytes());
    out.extend([TC_BLOCKDATA, 8]);
    out.extend(capacity.to_be_bytes());
    out.extend(size.to_be_bytes());
    let mut first = true;
    for bytes in map.iter().flat_map(|(key, value)| [key, value]) {
        out.push(TC_ARRAY);
        if std::mem::take(&mut first) {
            write_class(&mut out, BYTE_ARRAY, BYTE_ARRAY_UID, 2, &[]);
        } else {
            out.push(TC_REFERENCE);
            out.extend((BASE_HANDLE + 2).to_be_bytes());
        }
        out.extend((bytes.len() as u32).to_be_bytes());
        out.extend(bytes);
    }
    out.push(TC_ENDBLOCKDATA);
    out
}

fn write_class(out: &mut Vec<u8>, name: &str, uid: u64, flags: u8, fields: &[(u8, &str)]) {
    out.push(TC_CLASSDESC);
    write_text(out, name);
    out.extend(uid.to_be_bytes());
    out.push(flags);
    out.extend((fields.len() as u16).to_be_bytes());
    for (code, field) in fields {
        out.push(*code);
        write_text(out, field);
    }
    out.extend([TC_ENDBLOCKDATA, TC_NULL]);
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u16).to_be_bytes());
    out.extend(text.as_bytes());
}

/// The map in a stream. An entry with a null key or value is left out.
///
/// # Errors
/// If the stream is anything but such a map; the message says what was found where.
pub fn read_hash_map(bytes: &[u8]) -> Result<ByteMap> {
    let mut reader = Reader { bytes, position: 0, handles: Vec::new() };
    let map = reader.map()?;
    match reader.position == bytes.len() {
        true => Ok(map),
        false => Err(reader.unexpected("the end")),
    }
}

/// What a handle of the stream stands for.
enum Handle {
    Class(String),
    Map,
    Array(Vec<u8>),
}

struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
    handles: Vec<Handle>,
}

impl Reader<'_> {
    fn map(&mut self) -> Result<ByteMap> {
        if self.take(4)? != STREAM_HEADER {
            self.position = 0;
            return Err(self.unexpected("the header of a Java object stream"));
        }
        self.expect(TC_OBJECT, "an object")?;
        if self.class()? != HASH_MAP {
            return Err(self.unexpected("an object of class java.util.HashMap"));
        }
        self.handles.push(Handle::Map);
        self.take(8)?;
        self.expect(TC_BLOCKDATA, "a data block")?;
        self.expect(8, "a data block of 8 bytes")?;
        self.take(4)?;
        let size = self.int()?;
        let mut map = ByteMap::new();
        for _ in 0..size {
            if let (Some(key), Some(value)) = (self.array()?, self.array()?) {
                map.insert(key, value);
            }
        }
        self.expect(TC_ENDBLOCKDATA, "the end of the map")?;
        Ok(map)
    }

    fn array(&mut self) -> Result<Option<Vec<u8>>> {
        match self.byte()? {
            TC_NULL => Ok(None),
            TC_REFERENCE => match self.referenced()? {
                Handle::Array(bytes) => Ok(Some(bytes.clone())),
                _ => Err(self.unexpected("a reference to a byte array")),
            },
            TC_ARRAY => {
                if self.class()? != BYTE_ARRAY {
                    return Err(self.unexpected("an array of bytes"));
                }
                let length = self.int()? as usize;
                let bytes = self.take(length)?.to_vec();
                self.handles.push(Handle::Array(bytes.clone()));
                Ok(Some(bytes))
            }
            _ => {
                self.position -= 1;
                Err(self.unexpected("an array of bytes"))
            }
        }
    }

    fn class(&mut self) -> Result<String> {
        match self.byte()? {
            TC_CLASSDESC => {
                let name = self.text()?;
                self.handles.push(Handle::Class(name.clone()));
                self.take(9)?;
                for _ in 0..self.short()? {
                    self.byte()?;
                    self.text()?;
                }
                self.expect(TC_ENDBLOCKDATA, "the end of a class description")?;
                self.expect(TC_NULL, "a class without a superclass")?;
                Ok(name)
            }
            TC_REFERENCE => match self.referenced()? {
                Handle::Class(name) => Ok(name.clone()),
                _ => Err(self.unexpected("a reference to a class")),
            },
            _ => {
                self.position -= 1;
                Err(self.unexpected("a class description"))
            }
        }
    }

    fn referenced(&mut self) -> Result<&Handle> {
        let handle = self.int()?;
        let position = handle.checked_sub(BASE_HANDLE).map(|index| index as usize);
        match position.filter(|index| *index < self.handles.len()) {
            Some(index) => Ok(&self.handles[index]),
            None => Err(self.unexpected("a known handle")),
        }
    }

    fn take(&mut self, length: usize) -> Result<&[u8]> {
        let end = self.position.checked_add(length).filter(|end| *end <= self.bytes.len());
        let Some(end) = end else { return Err(Error::fatal(format!("it ends early, at byte {}", self.bytes.len()))) };
        let taken = &self.bytes[self.position..end];
        self.position = end;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    fn short(&mut self) -> Result<u16> {
        let bytes = self.take(2)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn int(&mut self) -> Result<u32> {
        let bytes = self.take(4)?;
        Ok(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    fn text(&mut self) -> Result<String> {
        let length = self.short()? as usize;
        Ok(String::from_utf8_lossy(self.take(length)?).into_owned())
    }

    fn expect(&mut self, byte: u8, what: &str) -> Result<()> {
        if self.byte()? == byte {
            return Ok(());
        }
        self.position -= 1;
        Err(self.unexpected(what))
    }

    fn unexpected(&self, what: &str) -> Error {
        Error::fatal(format!("expected {what} at byte {}", self.position))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_back(map in prop::collection::btree_map(any::<Vec<u8>>(), any::<Vec<u8>>(), 0..20)) {
            prop_assert_eq!(read_hash_map(&write_hash_map(&map)).unwrap(), map);
        }

        #[test]
        fn no_input_panics(bytes in any::<Vec<u8>>()) {
            let _ = read_hash_map(&bytes);
        }

        #[test]
        fn a_damaged_stream_never_panics(at in 0usize..200, byte in any::<u8>()) {
            let map = ByteMap::from([(b"key".to_vec(), b"value".to_vec()), (b"k2".to_vec(), b"v2".to_vec())]);
            let mut bytes = write_hash_map(&map);
            let at = at % bytes.len();
            bytes[at] = byte;
            let _ = read_hash_map(&bytes);
        }
    }

    #[test]
    fn entries_with_null_values_are_left_out() {
        let mut bytes = write_hash_map(&ByteMap::from([(b"k".to_vec(), b"v".to_vec())]));
        // The value: array, reference to its class, length, one byte; then the end of the map.
        let end = bytes.len() - 1;
        bytes.splice(end - (1 + 5 + 4 + 1)..end, [TC_NULL]);
        assert_eq!(read_hash_map(&bytes).unwrap(), ByteMap::new());
    }

    #[test]
    fn the_error_says_what_was_expected_where() {
        let error = read_hash_map(b"{\"a\": 1}").unwrap_err();
        assert_eq!(error.to_string(), "expected the header of a Java object stream at byte 0");
    }
}
