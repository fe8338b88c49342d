//! Which of Connect's schemas is which of Avro's.

pub(crate) mod defaults;
pub(crate) mod from_connect_schema;
pub(crate) mod semantic_types;
pub(crate) mod settings;
pub(crate) mod to_connect_schema;
