//! Sink tasks in a process.

mod put_frame;
mod sink_task;

pub(crate) use sink_task::JavaSinkTask;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod sink_task_tests;
