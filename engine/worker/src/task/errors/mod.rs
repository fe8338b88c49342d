//! Handling of bad rows (KIP-298): retry, log, dead letter topic, skip, or the end of the task.

pub(crate) mod cluster_refusal;
pub(crate) mod dead_letter_queue;
pub(crate) mod error_handler;
pub(crate) mod polled_letters;
mod retry_policy;
