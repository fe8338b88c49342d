//! Records of a source as dead letters: JSON with its schema, which everybody can read. Those of a task that converts by itself
//! are messages already.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use arrow::array::Array;
use volley_api::{Column, ConfigMap, Converter, HeaderConverter, RawHeader, Result, Side, Unserialized, WorkerPlugins};

use crate::task::source::own_bytes;
use crate::task::source::polled_batch::PolledRecord;

const JSON: &str = "org.apache.kafka.connect.json.JsonConverter";
const HEADERS: &str = "org.apache.kafka.connect.storage.SimpleHeaderConverter";

/// Writes records as bytes.
pub(crate) enum PolledLetters {
    /// As JSON.
    AsJson(Mutex<Converters>),
    /// They are bytes.
    AsTheyAre,
}

/// The JSON converters of the worker.
pub(crate) struct Converters {
    key: Box<dyn Converter>,
    value: Box<dyn Converter>,
    header: Box<dyn HeaderConverter>,
}

/// A record as bytes.
#[derive(Debug)]
pub(crate) struct Letter {
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<RawHeader>,
}

impl fmt::Debug for PolledLetters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PolledLetters")
    }
}

impl PolledLetters {
    /// With the JSON converters of the worker.
    ///
    /// # Errors
    /// The worker has none.
    pub(crate) fn as_json(plugins: &WorkerPlugins) -> Result<Self> {
        let config = ConfigMap::new();
        Ok(Self::AsJson(Mutex::new(Converters {
            key: plugins.new_converter(JSON, &config, Side::Key)?,
            value: plugins.new_converter(JSON, &config, Side::Value)?,
            header: plugins.new_header_converter(HEADERS, &config)?,
        })))
    }

    /// A record as bytes. What cannot be written as JSON is written as text.
    ///
    /// # Errors
    /// None caused by records.
    pub(crate) fn letter(&self, record: &PolledRecord<'_>) -> Result<Letter> {
        let PolledRecord { records, row } = record;
        let converters = match self {
            Self::AsTheyAre => return message(record),
            Self::AsJson(converters) => converters,
        };
        let mut converters = converters.lock().unwrap_or_else(PoisonError::into_inner);
        let Converters { key, value, header } = &mut *converters;
        let headers = records.headers.as_ref().and_then(|headers| headers.get(*row));
        let headers = headers.into_iter().flatten().map(|one| header.from_connect(&records.topic, one));
        Ok(Letter {
            key: bytes(key.as_mut(), &records.topic, &records.key, *row)?,
            value: bytes(value.as_mut(), &records.topic, &records.value, *row)?,
            headers: headers.collect::<Result<_>>()?,
        })
    }
}

/// A record that is a message.
fn message(record: &PolledRecord<'_>) -> Result<Letter> {
    let row = record.records.slice(record.row, 1);
    let bytes = own_bytes(&row)?;
    let (key, value, headers) = bytes.row(0).unwrap_or_default();
    let [key, value] = [key, value].map(|bytes| bytes.map(<[u8]>::to_vec));
    Ok(Letter { key, value, headers: headers.to_vec() })
}

fn bytes(converter: &mut dyn Converter, topic: &str, column: &Column, row: usize) -> Result<Option<Vec<u8>>> {
    if column.is_null(row) {
        return Ok(None);
    }
    let one = column.slice(row, 1);
    let serialized = converter.from_connect(&Unserialized::new(topic, &one))?;
    if serialized.rejected.is_empty() {
        return Ok(serialized.bytes.is_valid(0).then(|| serialized.bytes.value(0).to_vec()));
    }
    let text = arrow::util::display::array_value_to_string(&one.array, 0);
    Ok(Some(text.unwrap_or_else(|error| error.to_string()).into_bytes()))
}
