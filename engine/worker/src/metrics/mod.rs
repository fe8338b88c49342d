//! Metrics: one registry for the worker, from which REST's progress and `/metrics` are read.
//!
//! ```text
//!  stages of a task ─► TaskMetrics ─┬─► snapshot: /volley/connectors/{name}/progress, of all workers of the group
//!  herder ─► WorkerMetrics ─────────┴─► Exposition ─► /metrics: Prometheus' text, of this worker
//! ```
//! Rates, averages and maxima are of the last `metrics.num.samples` windows of `metrics.sample.window.ms`, as in Kafka
//! (`windowed`). All names stand in `names`.

mod exposition;
mod java;
pub(crate) mod names;
mod process;
mod stage_counters;
mod starts;
mod state_times;
mod task_metrics;
mod windowed;
mod worker_metrics;

pub(crate) use exposition::{CONTENT_TYPE, Exposition, Family};
pub(crate) use java::expose as expose_java;
pub(crate) use process::expose as expose_process;
pub use task_metrics::TaskMetrics;
pub use windowed::Windows;
pub use worker_metrics::WorkerMetrics;
