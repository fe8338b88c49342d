//! Between Connect's schemas and Protobuf's.

pub(crate) mod defaults;
pub(crate) mod from_connect_schema;
pub(crate) mod numbering;
pub(crate) mod to_connect_schema;
