//! Transformations that choose, rename or mask fields of keys and values.

pub(crate) mod extract_field;
mod field_path;
mod mask;
pub(crate) mod mask_field;
mod renames;
pub(crate) mod replace_field;
pub(crate) mod value_to_key;

pub use extract_field::ExtractField;
pub use mask_field::MaskField;
pub(crate) use renames::{Renames, validate_renames};
pub use replace_field::ReplaceField;
pub use value_to_key::ValueToKey;
