//! Bytes ↔ Arrow.

use arrow::array::BinaryArray;

use crate::{Column, Header, RawBatch, RawHeader, RawHeaders, RejectedRow, Result, RowIndex};

/// Which part of the messages a converter works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Keys.
    Key,
    /// Values.
    Value,
}

/// Rows of a raw batch that share a schema.
#[derive(Clone, Debug)]
pub struct Run {
    /// Rows of the raw batch, ascending.
    pub rows: RowIndex,
    /// Their values; same length.
    pub column: Column,
}

/// A raw batch after conversion.
#[derive(Debug, Default)]
pub struct Converted {
    /// The rows. Several runs where schemas differ; each has its rows in order, and rows of different runs may stand between
    /// each other: two schemas in turns are two runs.
    pub runs: Vec<Run>,
    /// Rows that could not be converted; they are in no run. `row` is the row of the raw batch.
    pub rejected: Vec<RejectedRow>,
}

/// A column that is to be bytes.
#[derive(Clone, Copy, Debug)]
pub struct Unserialized<'a> {
    /// The topic of the records.
    pub topic: &'a str,
    /// Their keys or values.
    pub column: &'a Column,
    /// Their headers as bytes, by row; `None` when no row has any. Values are converted after keys: they see the headers that
    /// the converter of the keys has added.
    pub headers: Option<&'a RawHeaders>,
}

impl<'a> Unserialized<'a> {
    /// A column of records without headers.
    pub fn new(topic: &'a str, column: &'a Column) -> Self {
        Self { topic, column, headers: None }
    }
}

/// A column as bytes.
#[derive(Debug)]
pub struct Serialized {
    /// As long as the column; null = null key or value; anything at rejected rows.
    pub bytes: BinaryArray,
    /// Headers to be added to each row's, such as the id of a schema; `None` when no row gets any.
    pub headers: Option<RawHeaders>,
    /// Rows that could not be converted. `row` is the row of the COLUMN.
    pub rejected: Vec<RejectedRow>,
}

impl Serialized {
    /// Bytes without further headers.
    pub fn new(bytes: BinaryArray, rejected: Vec<RejectedRow>) -> Self {
        Self { bytes, headers: None, rejected }
    }
}

/// Converts keys or values. One instance serves one side of one task, on one thread at a time; state that it learns (an
/// inferred schema) is its own. Its configuration is given at creation: see [`crate::PluginFactory::Converter`].
#[allow(clippy::wrong_self_convention)] // Connect's name; it converts from Connect's data, not into Self
pub trait Converter: Send {
    /// Bytes to Arrow. A null is Connect's null.
    ///
    /// # Errors
    /// Only what concerns the whole batch (a schema registry out of reach: `Retriable`); a bad row is a rejected row.
    fn to_connect(&mut self, batch: &RawBatch, side: Side) -> Result<Converted>;

    /// Arrow to bytes.
    ///
    /// # Errors
    /// As for `to_connect`.
    fn from_connect(&mut self, rows: &Unserialized<'_>) -> Result<Serialized>;

    /// Nobody looks into the values: from now on a converter of JSON may give them as they came, in a field of
    /// [`crate::schema::checked_json_field`].
    fn allow_json_text(&mut self) {}
}

/// Converts single headers.
#[allow(clippy::wrong_self_convention)] // Connect's name; it converts from Connect's data, not into Self
pub trait HeaderConverter: Send {
    /// Bytes to a value.
    fn to_connect(&mut self, topic: &str, header: &RawHeader) -> Result<Header>;

    /// A value to bytes.
    fn from_connect(&mut self, topic: &str, header: &Header) -> Result<RawHeader>;
}
