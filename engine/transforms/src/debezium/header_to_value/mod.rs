//! Headers as fields of the value.

mod header_columns;
mod header_to_value_transformation;
mod inserted_fields;

pub use header_to_value_transformation::HeaderToValue;
