//! Sink tasks in a process.

mod altered_offsets;
pub(crate) mod group_calls;
mod preparing;
mod put_frame;
mod puts;
mod sink_task;

pub(crate) use altered_offsets::altered_offsets;
pub(crate) use sink_task::JavaSinkTask;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod sink_task_tests;
