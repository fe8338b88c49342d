//! The task against a local disk.

mod completion;
mod present_files;
mod started_task;
mod trouble;
mod values;
