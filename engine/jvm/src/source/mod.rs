//! Source tasks in a process.

mod acknowledgements;
mod grouping;
mod polled_messages;
mod source_task;

pub(crate) use source_task::JavaSourceTask;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod source_task_tests;
