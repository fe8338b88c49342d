//! Transformations of keys and values as a whole: their shape, and their schema.

mod flat_struct;
mod flatten;
mod hoist_field;
mod set_schema_metadata;

pub use flatten::Flatten;
pub use hoist_field::HoistField;
pub use set_schema_metadata::SetSchemaMetadata;
use volley_api::Plugin;

pub(crate) fn plugins() -> Vec<Plugin> {
    [set_schema_metadata::plugins(), flatten::plugins(), hoist_field::plugins()].into_iter().flatten().collect()
}
