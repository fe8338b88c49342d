//! Tasks: the two loops, and everything that one task needs.
//!
//! ```text
//!  spawn ─► TaskHandle ◄── control ──► sink/ or source/: one task, its stages each on a thread
//!             │                              │
//!             └─ TaskMetrics ◄───────────────┤
//!                                            ├─► transform/: the chain of transformations
//!                                            └─► errors/: what becomes of a bad row
//! ```

mod call_watch;
mod control;
mod errors;
mod handle;
mod preview;
mod setup;
mod sink;
mod source;
mod told_fields;
mod transform;

pub(crate) use handle::panic_error;
pub use handle::{ReadConfig, StatusListener, TaskHandle, TaskSpec, TaskState, spawn};
pub use preview::{Preview, PreviewLimits, PreviewStage, preview};
pub(crate) use sink::read_positions::{ReadPositions, Unread};
pub use sink::{BoundedRun, RunOffsets, RunShare};
pub use source::ExactlyOnceGuard;
pub use told_fields::{ToldFields, told_fields};
