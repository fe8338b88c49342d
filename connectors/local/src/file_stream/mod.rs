//! Lines of a file, in and out: Kafka's `FileStreamSource` and `FileStreamSink`.
//!
//! ```text
//!  source:  file or stdin ─► LineSplitter ─► Lines ─► one STRING column
//!  sink:    columns ─► ColumnText ─► LineOutput ─► file or stdout
//! ```
//!
//! ```properties
//! connector.class=FileStreamSource
//! file=input.txt
//! topic=lines
//! ```

mod config;
mod file_identity;
mod file_input;
mod line_output;
mod line_splitter;
mod open_file;
mod output_target;
#[cfg(test)]
mod replaced_file_tests;
mod sink;
mod source;
mod stdin_input;

pub(crate) use sink::sink_plugin;
pub(crate) use source::source_plugin;
