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
    /// The text that the value was read from, where it looked like something else: `007` beside the number 7. Who asks for
    /// the header as text gets this.
    pub text: Option<Arc<str>>,
}

impl Header {
    /// A header whose value is all that there is.
    pub fn new(name: impl Into<Arc<str>>, value: Value) -> Self {
        Self { name: name.into(), value, text: None }
    }
}

/// The headers of each row of a batch, in row order; a row may have none.
pub type RawHeaders = Vec<Vec<RawHeader>>;

/// The converted headers of each row of a batch, in row order; a row may have none.
pub type Headers = Vec<Vec<Header>>;
