//! Sink tasks, and what they may ask of the worker.

mod sink_task;

pub use sink_task::{SinkBatch, SinkContext, SinkProgress, SinkTask};
