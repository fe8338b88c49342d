//! Starts of connectors or tasks, and how they ended.

use std::sync::atomic::{AtomicU64, Ordering};

use super::exposition::{Exposition, Family};

/// How often something was started, and how that went.
#[derive(Debug, Default)]
pub(crate) struct Starts {
    succeeded: AtomicU64,
    failed: AtomicU64,
}

impl Starts {
    /// Something was started, or could not be.
    pub(crate) fn note(&self, has_succeeded: bool) {
        let counter = if has_succeeded { &self.succeeded } else { &self.failed };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Adds a sample of each of these metrics.
    pub(crate) fn expose(&self, attempts: &Family, success: &Family, failure: &Family, to: &mut Exposition) {
        let succeeded = self.succeeded.load(Ordering::Relaxed) as f64;
        let failed = self.failed.load(Ordering::Relaxed) as f64;
        to.add(attempts, &[], succeeded + failed);
        to.add(success, &[], succeeded);
        to.add(failure, &[], failed);
    }
}
