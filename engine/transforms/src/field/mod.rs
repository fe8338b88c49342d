//! Transformations that choose, rename or mask fields of keys and values.

mod extract_field;
mod field_path;
mod mask;
mod mask_field;
mod renames;
mod replace_field;
mod value_to_key;

pub use extract_field::ExtractField;
pub use mask_field::MaskField;
pub use replace_field::ReplaceField;
pub use value_to_key::ValueToKey;
use volley_api::Plugin;

pub(crate) fn plugins() -> Vec<Plugin> {
    let pairs = [extract_field::plugins(), replace_field::plugins(), mask_field::plugins()];
    pairs.into_iter().flatten().chain([value_to_key::plugin()]).collect()
}
