//! `InsertField`: adds where a record comes from, or a constant.

mod field_insertion;
#[allow(clippy::module_inception)] // the file is named after the type in it
mod insert_field;
#[cfg(test)]
mod insert_field_tests;
mod struct_insertion;
mod text_insertion;

pub use insert_field::InsertField;
pub(crate) use insert_field::plugins;
pub(crate) use struct_insertion::replaced;
