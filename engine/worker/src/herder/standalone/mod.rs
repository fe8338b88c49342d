//! The herder of a standalone worker, which is a group of one.
//!
//! ```text
//!  REST ─► StandaloneHerder ─┐                  ┌─► config store in memory
//!                            ├─► LocalGroup ────┤
//!     LocalPublisher ────────┘   (one writer)   └─► desired states ─► AssignedWork
//!           ▲                                                             │
//!           └──────────── task configurations, ends of bounded runs ◄─────┘
//! ```
//! Every connector and task is assigned to this worker. What is written to the config store is the desired state at once.
//! A request waits until the desired state is reached where the one of a Java worker does.

mod local_group;
mod local_publisher;
mod standalone_herder;
#[cfg(test)]
mod tests;

pub use standalone_herder::StandaloneHerder;
