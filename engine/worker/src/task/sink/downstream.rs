//! Detects whether the put stage still runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::task::control::Control;

/// Watches the later stages of a sink task.
#[derive(Clone)]
pub(crate) struct Downstream {
    control: Arc<Control>,
    is_put_running: Arc<AtomicBool>,
}

impl Downstream {
    /// Watches the put stage of this task, from before it starts.
    pub(crate) fn new(control: &Arc<Control>) -> Self {
        Self { control: Arc::clone(control), is_put_running: Arc::new(AtomicBool::new(true)) }
    }

    /// Whether the put stage has ended, or was abandoned with the task: then its thread may hang without end.
    pub(crate) fn is_gone(&self) -> bool {
        !self.is_put_running.load(Ordering::Acquire) || self.control.is_abandoned()
    }

    /// Held by the thread of the put stage. Its drop reports the end of the stage, also after a panic.
    pub(crate) fn ends_put(&self) -> EndsPut {
        EndsPut(Arc::clone(&self.is_put_running))
    }
}

/// See [`Downstream::ends_put`].
pub(crate) struct EndsPut(Arc<AtomicBool>);

impl Drop for EndsPut {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}
