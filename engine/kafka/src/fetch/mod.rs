//! Fetching over connections of one's own: from leaders to the record batches of partitions, whole and still compressed.
//!
//! ```text
//!  assign, seek, pause ─► Shared ◄─ leaders ── metadata task ── Metadata ──► any broker
//!                           │ ▲
//!                 what to   │ │ what came                   (a task for each broker, on a runtime that all consumers share)
//!                 fetch     ▼ │
//!                       broker task ── Fetch, in a session (KIP-227) ──► leader, or the replica nearby (KIP-392)
//!                           │
//!                           └─ FetchedPartition … ─► NativeFetch::read_into ─► BatchBuilder of each partition
//! ```
//!
//! A `NativeFetch` belongs to a `Fetcher`, which is in charge of groups and start offsets. What is fetched goes through one
//! queue, bounded by bytes. The next request is sent before the answer to the last is decompressed: where to go on is
//! told by the headers of the batches. A change of a partition (a seek, a pause, another assignment) ends its generation:
//! what comes of an earlier one is dropped.

mod batch_headers;
mod broker_task;
#[cfg(test)]
mod broker_task_tests;
mod leaders;
#[cfg(test)]
mod leaders_tests;
mod metadata_task;
mod native_fetch;
mod partition;
mod partition_answer;
#[cfg(test)]
mod partition_answer_tests;
mod runtime;
mod session;
#[cfg(test)]
mod session_tests;
mod settings;
mod shared;
mod trouble;

pub(crate) use native_fetch::NativeFetch;
pub(crate) use runtime::shared as shared_runtime;
pub(crate) use settings::{FetchClient, NativeSettings};
pub(crate) use trouble::Trouble;
