//! JSON without a schema. The schema is inferred from the messages, and can only become wider.
//!
//! ```text
//!  messages of a topic ─ Topic ─► Schemaless of each kind of value ─ decode ─► columns
//!                                    ▲                                 │ a row does not fit
//!                                    └──────── Shape ◄── infer ────────┘
//! ```
//!
//! A `Shape` describes the values so far. A row that does not fit widens it, and the batch is decoded again. Columns
//! with a type from the user (`pins`) are never widened.

mod infer;
mod pins;
mod schemaless;
mod shape;
mod topic;

pub(crate) use pins::{Pinned, parse_pins};
pub(crate) use schemaless::{Decode, Inference, Messages, check_utf8, is_blank};
pub(crate) use topic::Topic;
