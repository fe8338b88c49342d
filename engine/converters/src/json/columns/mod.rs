//! Columns during construction.
//!
//! ```text
//!  bytes ─ decode: one pass ─► Node (a tree for structs, lists and maps) ─ finish ─► arrays
//!                                └─ buffers, which can be cut back to any row
//! ```
//!
//! A `Node` knows which values its column accepts. Decoding a message either fills one row of the whole tree, or fails
//! and removes the row again.

mod buffers;
mod decode;
mod node;
mod temporal;

pub(crate) use buffers::{Bytes, Ends};
pub(crate) use decode::{TOO_LARGE, decode, decode_message};
pub(crate) use node::{Cells, DecimalText, MAX_DIGITS_128, Node, OnNull, StructCells, Unknown, untyped_element};
