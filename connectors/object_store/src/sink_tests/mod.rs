//! The task against a local disk.

mod completion;
mod lines;
mod present_files;
mod started_task;
mod trouble;
mod values;
