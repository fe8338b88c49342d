//! What becomes of a bad row (KIP-298): tried again, logged, sent to the dead letter topic, skipped, or the end of the task.

pub(crate) mod cluster_refusal;
pub(crate) mod dead_letter_queue;
pub(crate) mod error_handler;
mod retry_policy;
