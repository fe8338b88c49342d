//! Record headers of a batch: raw as consumed, and converted.

use std::sync::Arc;

use crate::Value;

/// A header as it stands in Kafka.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawHeader {
    /// Header key.
    pub name: Arc<str>,
    /// Header value; `None` is Kafka's null.
    pub value: Option<Vec<u8>>,
}

/// A header after conversion.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// Header key; several headers of a record may share it.
    pub name: Arc<str>,
    /// Converted value.
    pub value: Value,
}

/// The headers of each row of a batch, in row order; a row may have none.
pub type RawHeaders = Vec<Vec<RawHeader>>;

/// The converted headers of each row of a batch, in row order; a row may have none.
pub type Headers = Vec<Vec<Header>>;
