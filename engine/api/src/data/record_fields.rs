//! The types of records, before there are any.

use arrow::datatypes::FieldRef;

/// The fields of the key and the value of records: names, types, nullability, schemas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordFields {
    /// Of the key.
    pub key: FieldRef,
    /// Of the value.
    pub value: FieldRef,
}
