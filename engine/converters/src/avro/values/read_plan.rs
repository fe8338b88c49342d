//! How the bytes of a schema's values get into columns: made once for each schema.

use std::sync::Arc;

/// How a value is read. What it is read into has the shape of the Connect schema that was made with it.
#[derive(Debug)]
pub(crate) enum ReadPlan {
    Boolean,
    /// An int or long: INT8 to INT64, Date, Time, Timestamp.
    Integer,
    Float,
    Double,
    /// STRING.
    Text,
    /// BYTES, or Decimal.
    Bytes,
    /// BYTES of one length, or Decimal.
    Fixed(usize),
    /// STRING, one of these.
    Symbol(Arc<[String]>),
    Array(Box<ReadPlan>),
    /// A map with keys of STRING.
    Map(Box<ReadPlan>),
    /// An array of entries: the plans of key and value.
    Entries(Box<(ReadPlan, ReadPlan)>),
    Struct(Vec<ReadPlan>),
    /// Null, or another value: the number of null's branch, and the other.
    Optional(u64, Box<ReadPlan>),
    /// The only branch of a union.
    Only(Box<ReadPlan>),
    /// A struct of which one field has a value: for each branch the field's number, and its plan. `None` is null.
    Union(Vec<Option<(usize, ReadPlan)>>),
    /// STRING: a value that may contain values of its own type, as JSON text.
    Json(Arc<crate::avro::values::json_text::JsonPlan>),
}
