//! Runs of bounded connectors: where they begin and end, what their tasks have done, and when they are over.

mod run_completion;
mod run_offsets;
mod task_run_notes;

pub(crate) use run_completion::{CompletionStep, next_step};
pub(crate) use run_offsets::{read_run_offsets, with_run_offsets, without_run_offsets};
pub(crate) use task_run_notes::TaskRunNotes;
