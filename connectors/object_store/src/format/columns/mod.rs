//! Values as columns: for the formats that have columns.
//!
//! ```text
//!  Column ─ Shape (columns of a file) ─► rows of a schema
//! ```
//!
//! A `Shape` says what a file can hold of a value and turns values into rows. `Agreement` says whether a file with other
//! columns takes them. `ColumnRows` keeps the columns of a topic's files and widens them where values need it.

mod agreement;
mod column_rows;
mod mixed_values;
mod project;
mod shape;

pub(crate) use column_rows::ColumnRows;
