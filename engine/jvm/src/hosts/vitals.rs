//! What a process says of itself each second.

use serde_json::Value;

/// The figures of a BEAT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Vitals {
    pub(crate) heap_used: u64,
    pub(crate) heap_max: u64,
    pub(crate) threads: u64,
    pub(crate) gc_ms: u64,
    pub(crate) cpu_ms: u64,
}

impl Vitals {
    /// Those of a notice; what is missing there is 0.
    pub(crate) fn of_beat(notice: &Value) -> Self {
        let figure = |name: &str| notice[name].as_u64().unwrap_or_default();
        Self {
            heap_used: figure("heap_used"),
            heap_max: figure("heap_max"),
            threads: figure("threads"),
            gc_ms: figure("gc_ms"),
            cpu_ms: figure("cpu_ms"),
        }
    }
}
