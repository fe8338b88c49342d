//! What travels through a task: batches of columns, where they stand, and rows that are rejected.

mod batch;
mod headers;
mod mixed;
mod offsets;
mod record_fields;
mod reject;
mod row_order;
pub mod schema;
mod semantic_types;
mod timestamp_type;
mod value;

pub use batch::{Column, Origin, RawBatch, Records, RowIndex};
pub use headers::{Header, Headers, RawHeader, RawHeaders};
pub use mixed::mixed_as_text;
pub use offsets::{
    OffsetMetadata, OffsetRange, Offsets, SourceOffset, SourcePartition, TopicPartition, is_null_map, null_map,
};
pub use record_fields::RecordFields;
pub use reject::{RejectedRow, Stage};
pub use row_order::{RecordsSlice, in_row_order};
pub use semantic_types::{Semantics, as_meant, decimal_texts, meant_field};
pub use timestamp_type::TimestampType;
pub use value::Value;
