//! Files beside each file, with the keys of its records or their headers, row for row: `store.kafka.keys`, `store.kafka.headers`.
//!
//! ```text
//!  orders+0+0000000042.json            values
//!  orders+0+0000000042.keys.avro       keys
//!  orders+0+0000000042.headers.avro    headers
//! ```

mod config;
mod headers_column;
mod sibling;
mod sibling_rows;

pub(crate) use config::{SiblingConfig, sibling_issues, sibling_keys, siblings_of};
pub(crate) use sibling::Sibling;
pub(crate) use sibling_rows::SiblingRows;
