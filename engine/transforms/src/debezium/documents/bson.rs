//! A value of a MongoDB document, as far as schemas tell values apart.

use volley_api::{Error, Result};

use super::bson_reader::read;

/// One value. Members are in the order of the document.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Bson {
    Null,
    /// It is left out.
    Undefined,
    Flag(bool),
    Int32(i32),
    Int64(i64),
    Double(f64),
    /// A string, an ObjectId, a decimal or code.
    Text(Kind, String),
    Bytes(Vec<u8>),
    /// Milliseconds since 1970-01-01 UTC.
    Time(Kind, i64),
    Regex {
        pattern: String,
        options: String,
    },
    Document(Vec<(String, Bson)>),
    Array(Vec<Bson>),
    /// What Debezium has no schema for.
    Unsupported,
}

/// What a value is in BSON where several kinds have one schema: lists must not mix them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    String,
    ObjectId,
    Decimal,
    Code,
    Date,
    Timestamp,
}

impl Bson {
    /// A document written as extended JSON.
    ///
    /// # Errors
    /// `Data` for what is none.
    pub(super) fn document(text: &str) -> Result<Vec<(String, Bson)>> {
        match Self::parse(text)? {
            Self::Document(members) => Ok(members),
            _ => {
                let message = "the value is no document, which `after` and `before` must have";
                Err(Error::data(message).with_exception("org.bson.BsonInvalidOperationException"))
            }
        }
    }

    /// Any value written as extended JSON.
    ///
    /// # Errors
    /// `Data` for what is none.
    pub(super) fn parse(text: &str) -> Result<Self> {
        read(text).map_err(|reason| {
            let error = Error::data(format!("the text is no extended JSON: {reason}"));
            error.with_exception("org.bson.json.JsonParseException")
        })
    }

    /// Whether two values may be in one list.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(one, _), Self::Text(other, _)) | (Self::Time(one, _), Self::Time(other, _)) => one == other,
            (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
        }
    }
}
