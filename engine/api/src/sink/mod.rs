//! Sink tasks, and what they may ask of the worker.

mod bounded_query;
mod sink_context;
mod sink_group;
mod sink_requests;
mod sink_task;

pub use bounded_query::{BoundedQuery, QueryEngine, QueryResult, QuerySettings, ReadyQuery};
pub use sink_context::{LateRejection, SinkContext, TakeReport};
pub use sink_group::{GroupMetadata, SinkGroup};
pub use sink_requests::SinkRequests;
pub use sink_task::{SinkBatch, SinkTask};
