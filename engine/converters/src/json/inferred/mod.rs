//! JSON without a schema: the schema is inferred from what comes by, and only ever widened.
//!
//! ```text
//!  messages of a topic ─ Topic ─► Schemaless of each kind of value ─ decode ─► columns
//!                                    ▲                                 │ a row does not fit
//!                                    └──────── Shape ◄── infer ────────┘
//! ```
//!
//! A `Shape` is what is known of the values so far. A row that it does not cover widens it, and the batch is decoded again.
//! Columns that a user has given a type (`pins`) are never widened.

mod infer;
mod pins;
mod schemaless;
mod shape;
mod topic;

pub(crate) use pins::{Pinned, parse_pins};
pub(crate) use schemaless::{Decode, Inference, Messages, check_utf8, is_blank};
pub(crate) use topic::Topic;
