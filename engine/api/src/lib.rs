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

mod batch;
mod config;
mod config_def;
mod config_provider;
mod connector;
mod converter;
mod error;
mod headers;
mod mixed;
mod offsets;
mod plugin;
mod predicate;
mod reject;
pub mod schema;
mod secret;
mod sink;
mod source;
mod timestamp_type;
mod transformation;
mod validator;
mod value;

pub use batch::{Column, Origin, RawBatch, Records, RowIndex};
pub use config::{Config, ConfigMap, ConfigValue};
pub use config_def::{ConfigDef, ConfigIssue, ConfigKey, ConfigType, Given, Importance, Width};
pub use config_provider::ConfigProvider;
pub use connector::{Connector, ConnectorContext, ConnectorKind, Support, task_configs_for_all};
pub use converter::{Converted, Converter, HeaderConverter, Run, Serialized, Side};
pub use error::{Error, ErrorKind, Result};
pub use headers::{Header, Headers, RawHeader, RawHeaders};
pub use mixed::mixed_as_text;
pub use offsets::{OffsetRange, Offsets, SourceOffset, SourcePartition, TopicPartition};
pub use plugin::{KAFKA_VERSION, Plugin, PluginFactory, PluginKind};
pub use predicate::Predicate;
pub use reject::{RejectedRow, Stage};
pub use secret::Secret;
pub use sink::{SinkBatch, SinkContext, SinkProgress, SinkTask};
pub use source::{Polled, SourceBatch, SourceContext, SourceTask};
pub use timestamp_type::TimestampType;
pub use transformation::{Transformation, Transformed};
pub use validator::Validator;
pub use value::Value;
