//! What transformations share: the side of records that they work on, rows that fail, defaults, and schemas that are made once.
//!
//! ```text
//!  Records ─ ColumnWise ─► parts whose values have one type each ─ the transformation ─► Records
//!                              └── rows that fail: rejected, the others go on
//! ```

mod cell;
mod column_reader;
mod column_wise;
mod config_keys;
mod connect_type;
mod default_value;
mod failure;
mod fate;
mod field_column;
mod fields;
mod plugin_pair;
mod rejection;
mod requirements;
mod schema_cache;
mod side;
mod type_name;
mod typed_parts;

pub(crate) use cell::value_at;
pub(crate) use column_reader::ColumnReader;
pub(crate) use column_wise::{ColumnWise, give_same_types};
pub(crate) use config_keys::{check_lists, field_list, no_empty_item, replace_null_key, replaces_null};
pub(crate) use connect_type::as_connect;
pub(crate) use default_value::{array_of, default_text, default_value};
pub(crate) use failure::{Failure, Outcome};
pub(crate) use fate::{Fate, carry_out};
pub(crate) use field_column::{field_column, plain_field_column};
pub(crate) use fields::{child_values, defaulted, of_members, struct_field, top_level, with_members};
pub(crate) use plugin_pair::{plugin_pair, versioned_pair};
pub(crate) use rejection::{reject, reject_rows};
pub(crate) use requirements::{all_rows, require_struct, require_values, schema_builder_error};
pub(crate) use schema_cache::{SchemaCache, SharedFields};
pub(crate) use side::{column_of, with_column};
pub(crate) use type_name::type_name;
pub(crate) use typed_parts::json_texts;
