//! A source task: it polls on one thread, and produces on a second.
//!
//! ```text
//!  SourceTask ─ poll ─► transform chain ─► produce_stage: serialize ─► topic there? ─► producer ─► Kafka
//!      ▲                                                                                  │
//!      └── commit ◄── offset_committer ◄── acknowledgements: in order ◄───────────────────┘
//! ```

mod acknowledgements;
mod committed_offsets;
mod idle_pacing;
mod offset_commits;
mod offset_committer;
mod parcels;
pub(crate) mod polled_batch;
mod produce_stage;
mod record_producer;
mod record_serializer;
mod returned_messages;
pub(crate) mod source_task;
#[cfg(test)]
mod source_task_tests;
#[cfg(test)]
mod source_world;
mod topic_creator;
mod topic_preparation;
