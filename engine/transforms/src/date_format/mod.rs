//! Java's `SimpleDateFormat`, in English and UTC: what users of TimestampConverter and TimestampRouter write patterns for.
//!
//! ```text
//!  pattern ─ Pattern::parse ─► tokens ─┬─ format ─► text of a time
//!                                      └─ parse  ─► DateFields ─► time
//! ```
//!
//! Dates before 15 October 1582 are those of the Julian calendar, as in Java.

mod calendar;
mod century;
mod date_fields;
mod format;
mod names;
mod parse;
mod pattern;
mod zone;

pub(crate) use format::iso_text;
pub(crate) use pattern::DateFormat;
