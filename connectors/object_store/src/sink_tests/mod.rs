//! The task against a local disk.

mod avro;
mod columns;
mod completion;
mod large_files;
mod layouts;
mod lines;
mod present_files;
mod record_formats;
mod siblings;
mod started_task;
mod takeover;
mod trouble;
mod values;
mod versions;
