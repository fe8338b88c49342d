//! The bytes of values.
//!
//! ```text
//!  message ─ wire ─► read ─► builders            a MessagePlan says how, made once for each schema
//!                     └─ json_text: what contains itself
//!  columns ─ write ─► message                    writers of fields, made once for each batch
//! ```

pub(crate) mod json_text;
pub(crate) mod read;
pub(crate) mod read_plan;
pub(crate) mod read_scalar;
pub(crate) mod scalar_cells;
pub(crate) mod special;
pub(crate) mod wire;
pub(crate) mod write;
pub(crate) mod write_cells;
