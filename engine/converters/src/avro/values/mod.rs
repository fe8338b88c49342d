//! The bytes of values.
//!
//! ```text
//!  message ─ input ─► read ─► builders            a ReadPlan says how, made once for each schema
//!                     ├─ json_text: what contains itself
//!                     └─ anything:  what has no schema
//!            ↕ json_encoding: the same value in JSON
//!  block of a file ─ boundaries ─► messages
//!  columns ─ write ─► message
//! ```

pub(crate) mod anything;
pub(crate) mod boundaries;
pub(crate) mod input;
pub(crate) mod json_encoding;
pub(crate) mod json_text;
pub(crate) mod read;
pub(crate) mod read_plan;
pub(crate) mod write;
