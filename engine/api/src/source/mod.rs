//! Source tasks, and what they may ask of the worker.

mod source_task;

pub use source_task::{Polled, SourceBatch, SourceContext, SourceTask};
