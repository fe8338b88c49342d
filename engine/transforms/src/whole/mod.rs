//! Transformations of keys and values as a whole: their shape, and their schema.

mod flat_struct;
pub(crate) mod flatten;
pub(crate) mod hoist_field;
pub(crate) mod set_schema_metadata;

pub use flatten::Flatten;
pub use hoist_field::HoistField;
pub use set_schema_metadata::SetSchemaMetadata;
