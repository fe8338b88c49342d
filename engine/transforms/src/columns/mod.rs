//! What transformations share: their side of a record, defaults, and rows that fail.

mod default_value;
mod rejection;

pub(crate) use default_value::default_value;
pub(crate) use rejection::reject_rows;
