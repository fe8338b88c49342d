//! A source task: it polls on one thread, and produces on a second (`produce/`).
//!
//! ```text
//!  SourceTask ─ poll ─► transform chain ─► produce: serialize ─► topic there? ─► producer ─► Kafka
//!      ▲                                                                            │
//!      └── commit ◄── offsets stored ◄── acknowledged in order ◄────────────────────┘
//! ```

mod idle_pacing;
pub(crate) mod polled_batch;
mod produce;
pub(crate) mod source_task;
#[cfg(test)]
mod source_task_tests;
#[cfg(test)]
mod source_world;
