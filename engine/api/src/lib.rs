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
pub mod metrics;
mod plugin;
mod sink;
mod source;
#[cfg(feature = "testing")]
pub mod testing;

pub use config::{
    Config, ConfigData, ConfigDef, ConfigIssue, ConfigKey, ConfigMap, ConfigProvider, ConfigType, ConfigValue,
    CustomCheck, Given, Importance, Secret, Validator, Width,
};
pub use connector::{
    ConfigAnswer, Connector, ConnectorContext, ConnectorKind, EndedRun, KeyAnswer, OwnChain, RunningConnector, Support,
    identical_tasks, single_task,
};
pub use data::{
    Column, Header, Headers, OffsetMetadata, OffsetRange, Offsets, Origin, RawBatch, RawHeader, RawHeaders,
    RecordFields, Records, RecordsSlice, RejectedRow, RowIndex, Semantics, SourceOffset, SourcePartition, Stage,
    TimestampType, TopicPartition, Value, as_meant, decimal_texts, in_row_order, is_null_map, meant_field,
    mixed_as_text, null_map, schema,
};
pub use error::{Error, ErrorKind, Result};
pub use metrics::Metrics;
pub use plugin::{
    Converted, Converter, Extension, FindPlugin, HeaderConverter, KAFKA_VERSION, Plugin, PluginFactory, PluginKind,
    Predicate, Run, Serialized, Side, TakeRecord, TopicReader, Transformation, TransformationContext, Transformed,
    Unserialized, WorkerPlugins,
};
pub use sink::{
    BoundedQuery, GroupMetadata, LateRejection, QueryEngine, QueryResult, QuerySettings, ReadyQuery, SinkBatch,
    SinkContext, SinkGroup, SinkRequests, SinkTask, TakeReport,
};
pub use source::{
    AcknowledgedBatch, AcknowledgedRow, DeliveryListener, OffsetReader, Polled, SourceBatch, SourceContext, SourceTask,
    TransactionContext, TransactionEnd, TransactionEnds,
};
