//! A source task polls on one thread and produces on a second, which starts with the first batch.
//!
//! ```text
//!            task thread: source_task                      produce thread: produce/
//!  SourceTask ─ poll ─► transform chain ── batches ──► serialize ─► topic there? ─► producer ─► Kafka
//!      ▲          ▲                    (produce_thread)                                │
//!      │     idle_pacing                                                               │
//!      └── commit ◄── committed_offsets ◄── offsets stored ◄── acknowledged in order ◄─┘
//! ```
//!
//! A task that delivers exactly once begins with `take_over`. Its transactions are the produce thread's.
//!
//! `polled_batch` is what stays of a batch until all its messages are acknowledged: errors are reported with it. The task's
//! thread calls the plug-in only: poll, and commit once offsets are stored. Neither waits for the other, except that a full
//! channel holds up polling. A task that has a listener has it told of commits and acknowledged batches on a third thread
//! (`listener_thread`), also while it polls.

#[cfg(test)]
mod exactly_once_tests;
#[cfg(test)]
mod fake_producer;
mod idle_commits;
mod idle_pacing;
#[cfg(test)]
mod listener_tests;
mod listener_thread;
pub(crate) mod polled_batch;
mod produce;
mod produce_thread;
pub(crate) mod source_task;
#[cfg(test)]
mod source_task_tests;
#[cfg(test)]
mod source_world;
mod take_over;

pub(crate) use produce::own_bytes::own_bytes;
pub use take_over::ExactlyOnceGuard;
