//! Time in directories: when a record was, in which bucket that is, and what the bucket is called.
//!
//! ```text
//!  Records ─ TimestampExtractor ─► RowTimes ─ Buckets (Zone) ─► start of the bucket, local ─ PathPattern ─► 2026/11/30/20
//! ```
//!
//! Times are milliseconds since 1970-01-01. A *local* time is what a clock in the zone shows, counted as if it were
//! UTC.

mod buckets;
mod civil_time;
mod iso_text;
#[cfg(test)]
mod joda_facts;
mod language;
mod path_pattern;
mod pattern_letters;
mod timestamp_extractor;
mod zone;

pub(crate) use buckets::Buckets;
pub(crate) use civil_time::CivilTime;
pub(crate) use path_pattern::PathPattern;
pub(crate) use timestamp_extractor::{ExtractedTimes, RowTimes, TimestampExtractor};
pub(crate) use zone::Zone;
