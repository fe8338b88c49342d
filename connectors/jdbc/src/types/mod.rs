//! From the types of a database to those of Connect.
//!
//! ```text
//!  ResultColumn ─ RecordMapping ─┬─ numeric_mapping: which type a number becomes
//!                                ├─ Conversion: how a column becomes it
//!                                └─ RecordKey: which columns are the keys
//! ```

mod conversion;
mod granularity;
mod numeric_mapping;
mod record_key;
mod record_mapping;

pub(crate) use granularity::Granularity;
pub(crate) use numeric_mapping::NumericMapping;
pub(crate) use record_mapping::{RecordMapping, TypeSettings, UnsupportedColumns};
