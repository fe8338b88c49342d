//! The transactions of a source task that delivers exactly once (KIP-618).
//!
//! ```text
//!  batch ─► begins one if none is open ─► messages ─┐
//!  boundary reached: offsets of its whole batches ──┴─► all acknowledged ─► commit ─► the task is told
//! ```
//! All of it happens on the produce thread. What fails fails the task: whoever starts it again goes on behind the last
//! transaction that was committed.

mod boundary;
mod commit;
mod open_transaction;

pub(crate) use boundary::{Boundary, TransactionBoundary};
pub(crate) use open_transaction::{OFFSET_PART, Transactions};
