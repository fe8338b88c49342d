//! What users of Kafka Connect know from Java, as Java does it: configurations, files, texts and orders that depend on its
//! classes.
//!
//! | Java | here |
//! |---|---|
//! | `java.util.regex` | [`JavaRegex`], [`Replacement`] |
//! | `java.util.Properties` | [`read_properties`], [`parse_properties`] |
//! | login configurations | [`LoginModule`], [`parse_login_file`] |
//! | `toString` of numbers and of Connect's values | [`double_text`], [`float_text`], [`ColumnText`] |
//! | `Object.getClass` of Connect's values | [`class_of`] |
//! | `Charset` | [`Charset`] |
//! | `Base64.getDecoder` | [`decode_base64`] |
//! | order of `String`, `HashMap`, `HashSet` | [`compare_strings`], [`JavaHash`], [`hash_map_order`], [`hash_set_copy_order`], [`sort_in_hash_order`] |
//! | a serialised `HashMap` | [`read_hash_map`], [`write_hash_map`] |

mod base64_decoder;
mod charset;
mod class_name;
mod column_text;
mod file_text;
mod float_text;
mod hash_order;
mod login_file;
mod login_module;
mod properties;
mod regex;
mod replacement;
mod serialized_map;
mod string_order;

pub use base64_decoder::decode_base64;
pub use charset::Charset;
pub use class_name::class_of;
pub use column_text::ColumnText;
pub use file_text::{file_text, without_mark};
pub use float_text::{double_text, float_text};
pub use hash_order::{JavaHash, hash_map_order, hash_set_copy_order, sort_in_hash_order};
pub use login_file::parse_login_file;
pub use login_module::LoginModule;
pub use properties::{parse_properties, read_properties};
pub use regex::{JavaRegex, JavaRegexError, validate_java_regex};
pub use replacement::Replacement;
pub use serialized_map::{ByteMap, read_hash_map, write_hash_map};
pub use string_order::compare_strings;
