//! Source tasks, and what they may ask of the worker.

pub(crate) mod offset_reader;
mod source_context;
mod source_task;
mod transaction_context;

pub use offset_reader::OffsetReader;
pub use source_context::SourceContext;
pub use source_task::{AcknowledgedBatch, AcknowledgedRow, DeliveryListener, Polled, SourceBatch, SourceTask};
pub use transaction_context::{TransactionContext, TransactionEnd, TransactionEnds};
