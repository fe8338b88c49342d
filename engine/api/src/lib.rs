//! What the author of a connector, converter, transformation, predicate or config provider implements.
//!
//! ```text
//!  sink:    RawBatch ─ Converter ─► Records ─ Transformation… ─► SinkTask::put
//!  source:  SourceTask::poll ─► Records ─ Transformation… ─► Converter ─► messages
//! ```
//!
//! Everything here is synchronous and free of I/O: the worker gives each stage of a task its own thread, and a plug-in
//! that needs an async runtime brings it along. No borrowed state crosses a call, so that a connector may one day run in
//! another process.

mod config;
mod connector;
mod data;
mod error;
mod plugin;
mod sink;
mod source;

pub use config::{
    Config, ConfigDef, ConfigIssue, ConfigKey, ConfigMap, ConfigProvider, ConfigType, ConfigValue, Given, Importance,
    Secret, Validator, Width,
};
pub use connector::{Connector, ConnectorContext, ConnectorKind, Support, task_configs_for_all};
pub use data::{
    Column, Header, Headers, OffsetRange, Offsets, Origin, RawBatch, RawHeader, RawHeaders, Records, RejectedRow,
    RowIndex, SourceOffset, SourcePartition, Stage, TimestampType, TopicPartition, Value, mixed_as_text, schema,
};
pub use error::{Error, ErrorKind, Result};
pub use plugin::{
    Converted, Converter, HeaderConverter, KAFKA_VERSION, Plugin, PluginFactory, PluginKind, Predicate, Run,
    Serialized, Side, Transformation, Transformed,
};
pub use sink::{SinkBatch, SinkContext, SinkProgress, SinkTask};
pub use source::{Polled, SourceBatch, SourceContext, SourceTask};
