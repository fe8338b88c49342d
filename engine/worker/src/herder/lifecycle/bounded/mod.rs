//! Runs of bounded connectors: where they end, what their tasks have done, and when they are over.

mod run_completion;
mod run_ends;
mod task_run_notes;

pub(crate) use run_completion::{CompletionStep, next_step};
pub(crate) use run_ends::{read_ends, with_ends, without_ends};
pub(crate) use task_run_notes::TaskRunNotes;
