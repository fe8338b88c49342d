//! A sink task: three stages, each on a thread of its own, joined by bounded channels. The one in the middle has its thread only
//! while there is work.
//!
//! ```text
//!  Kafka ─► fetch_stage ─ RawBatch ─► convert_stage ─ SinkBatch ─► put_stage ─► SinkTask
//!              ▲  ▲                                                  │
//!              │  └── rewinds, deliveries (bounded/) ◄───────────────┤
//!  Kafka ◄── offsets (put_positions) ◄── pre_commit ◄────────────────┘
//! ```
//! Signals (assigned, revoked, commit, stop, end) travel in line with the batches: see `pipeline`.

pub(crate) mod assembly;
mod assignment;
mod bounded;
pub(crate) mod convert_stage;
mod converting;
mod downstream;
mod fetch_stage;
mod partition_pauses;
pub(crate) mod pipeline;
mod put;
pub(crate) mod read_positions;
mod rebalances;
mod revocation;
mod shared_state;
mod sink_chain;
pub(crate) mod sink_task;
mod task_group;

pub use bounded::{BoundedRun, RunOffsets, RunShare};
