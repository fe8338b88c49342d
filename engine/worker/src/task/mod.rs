//! Tasks: the two loops and everything that one task needs.

mod absent_partitions;
mod acknowledgements;
mod assembly;
mod assignment;
mod bounded;
mod cluster_refusal;
mod committed_offsets;
mod control;
mod convert_stage;
mod dead_letter_queue;
mod downstream;
mod error_handler;
mod fetch_stage;
mod handle;
mod idle_pacing;
mod offset_commits;
mod offset_committer;
mod own_deliveries;
mod parcels;
mod pipeline;
mod polled_batch;
mod preview;
mod produce_stage;
mod progress;
mod put_positions;
mod put_stage;
#[cfg(test)]
mod put_stage_tests;
mod read_positions;
mod rebalances;
mod record_producer;
mod record_serializer;
mod retry_policy;
mod returned_messages;
mod revocation;
mod row_order;
mod setup;
mod sink_task;
mod source_task;
#[cfg(test)]
mod source_task_tests;
#[cfg(test)]
mod source_world;
mod topic_creator;
mod topic_preparation;
mod transform_chain;

pub use bounded::BoundedEnds;
pub(crate) use handle::panic_error;
pub use handle::{StatusListener, TaskHandle, TaskSpec, TaskState, spawn};
pub use preview::{PreviewLimits, PreviewStage, preview};
pub use progress::{TaskProgress, TaskProgressSnapshot};
