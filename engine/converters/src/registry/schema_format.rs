//! What a format of messages has to know.

use std::fmt::Debug;

use arrow::datatypes::Field;
use volley_api::{Column, Result};
use volley_registry::{ResolvedReference, Schema, SchemaKind};

use crate::json::{Decoded, Failure};

/// A parsed schema, or why it is none.
pub(crate) type Parsed<T> = std::result::Result<T, String>;

/// A format of messages whose schemas are in a registry.
pub(crate) trait SchemaFormat: Debug + Send + Sized {
    /// Java class name of the converter.
    const CLASS: &'static str;
    /// What the registry calls its schemas.
    const KIND: SchemaKind;
    /// What Kafka's messages call it.
    const NAME: &'static str;

    /// A parsed schema.
    type Schema: Debug + Send + Sync;
    /// What reads messages.
    type Reader: SectionReader;

    /// Parses a schema. What it refers to comes before it, in an order in which each knows those that it needs.
    ///
    /// # Errors
    /// What is wrong with it.
    fn parse(&self, schema: &Schema, references: &[ResolvedReference]) -> Parsed<Self::Schema>;

    /// The name of the record that the schema describes.
    fn record_name(schema: &Self::Schema) -> Option<&str>;

    /// What reads messages of a schema; of none, it refuses each with the reason. `version` is that of the schema, unless it
    /// says one itself.
    fn reader(&self, schema: Parsed<&Self::Schema>, version: Option<i32>) -> Result<Self::Reader>;

    /// The schema of a column, and what it is registered as.
    ///
    /// # Errors
    /// `Data` if the format cannot express it.
    fn schema_of(&self, field: &Field) -> Result<(Self::Schema, Schema)>;

    /// What writes the values of a column.
    ///
    /// # Errors
    /// `Data` if they do not fit the schema.
    fn writer(&self, schema: &Self::Schema, column: &Column) -> Result<Box<dyn RowWriter>>;

    /// Kafka Connect's first words about a message that cannot be read.
    fn unreadable(topic: &str) -> String;

    /// Kafka Connect's first words about a value that cannot be written.
    fn unwritable(topic: &str) -> String;
}

/// Rows of a section, ascending, and their values.
pub(crate) type Part = (Vec<usize>, Column);

/// Reads messages of one schema.
pub(crate) trait SectionReader: Debug + Send {
    /// The values of messages without their frames (`None` = null). `reject` gets the index of each that is left out.
    ///
    /// # Errors
    /// None caused by messages.
    fn read(
        &mut self,
        topic: &str,
        messages: &[Option<&[u8]>],
        reject: &mut dyn FnMut(usize, Failure),
    ) -> Result<Vec<Part>>;

    /// A message in Avro's JSON in the usual encoding; no other format has such messages.
    ///
    /// # Errors
    /// It is no value of the schema.
    fn usual(&self, json: &[u8]) -> Decoded<Vec<u8>> {
        Ok(json.to_vec())
    }
}

/// Writes the values of one column.
pub(crate) trait RowWriter {
    /// Appends the value of a row that is not null.
    ///
    /// # Errors
    /// Why it cannot be written. Parts of it may have been.
    fn write(&self, row: usize, out: &mut Vec<u8>) -> std::result::Result<(), String>;
}

/// The rows of `len` that were not rejected; `rejected` is ascending.
pub(crate) fn kept_rows(len: usize, rejected: &[usize]) -> Vec<usize> {
    let mut rejected = rejected.iter().copied().peekable();
    (0..len).filter(|row| rejected.next_if_eq(row).is_none()).collect()
}
