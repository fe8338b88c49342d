//! What a format of messages has to know.

use std::fmt::Debug;
use std::hash::Hash;

use arrow::datatypes::Field;
use volley_api::{Column, RawHeader, Result, Side};
use volley_registry::{DataEncoding, Frame, Framing, ResolvedReference, Schema, SchemaId, SchemaKind};

use crate::json::{Decoded, Failure};

/// A parsed schema, or why it is none.
pub(crate) type Parsed<T> = std::result::Result<T, String>;

/// A schema that others refer to.
#[derive(Clone, Debug)]
pub(crate) struct Import {
    /// How it is called where it is referred to.
    pub(crate) name: String,
    pub(crate) subject: String,
    pub(crate) text: String,
    /// What it refers to itself, by name.
    pub(crate) needs: Vec<String>,
}

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
    /// Which of the types in a schema a message is of, where a schema has several.
    type Place: Clone + Debug + Default + Eq + Hash + Send;

    /// Takes a message apart. `headers` are all of the message.
    ///
    /// # Errors
    /// `Data` if it has no id.
    fn take_apart<'a>(
        framing: &Framing,
        headers: &[RawHeader],
        side: Side,
        message: &'a [u8],
    ) -> Result<(Frame<'a>, Self::Place, DataEncoding)> {
        let (frame, encoding) = framing.read(headers, side, message)?;
        Ok((frame, Self::Place::default(), encoding))
    }

    /// Appends what stands before the data of a message that is written with this schema.
    fn write_head(_: &Self::Schema, framing: &Framing, id: SchemaId, out: &mut Vec<u8>) {
        out.extend(framing.head(id));
    }

    /// Parses a schema. What it refers to comes before it, in an order in which each knows those that it needs.
    ///
    /// # Errors
    /// What is wrong with it.
    fn parse(&self, schema: &Schema, references: &[ResolvedReference]) -> Parsed<Self::Schema>;

    /// The name of the record that the schema describes.
    fn record_name<'a>(schema: &'a Self::Schema, place: &Self::Place) -> Option<&'a str>;

    /// Which record of a schema is written.
    fn written_place(_: &Self::Schema) -> Self::Place {
        Self::Place::default()
    }

    /// A schema of the registry with which data is written whose own schema is another.
    fn in_place_of(_own: &Self::Schema, other: Self::Schema) -> Self::Schema {
        other
    }

    /// What a schema that is written refers to, and must be in the registry: each after what it refers to itself.
    fn imports(&self, _: &Self::Schema) -> Vec<Import> {
        Vec::new()
    }

    /// What reads messages of a schema; of none, it refuses each with the reason. `version` is that of the schema, unless it
    /// says one itself.
    fn reader(&self, schema: Parsed<&Self::Schema>, place: &Self::Place, version: Option<i32>) -> Result<Self::Reader>;

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
    /// Appends the value of a row. Messages have none for null; in a file of Avro a null has a value too.
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
