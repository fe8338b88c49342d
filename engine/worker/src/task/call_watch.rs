//! Which call of a plug-in is under way, for those who wait for it.

use std::sync::atomic::{AtomicU64, Ordering};

/// Watches calls that are made one after the other, by one thread. Any thread may look.
#[derive(Debug, Default)]
pub(crate) struct CallWatch {
    /// Odd while a call is under way; counts begins and ends.
    changes: AtomicU64,
}

/// A call that is under way. Its drop ends it.
#[derive(Debug)]
pub(crate) struct WatchedCall<'a>(&'a CallWatch);

impl CallWatch {
    /// Begins a call.
    pub(crate) fn begin(&self) -> WatchedCall<'_> {
        self.changes.fetch_add(1, Ordering::Relaxed);
        WatchedCall(self)
    }

    /// The number of the call that is under way.
    pub(crate) fn under_way(&self) -> Option<u64> {
        let changes = self.changes.load(Ordering::Relaxed);
        (changes % 2 == 1).then_some(changes)
    }
}

impl Drop for WatchedCall<'_> {
    fn drop(&mut self) {
        self.0.changes.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_has_its_number_while_it_is_under_way_and_no_other_has_it() {
        let watch = CallWatch::default();
        assert_eq!(watch.under_way(), None);
        let call = watch.begin();
        let first = watch.under_way();
        assert!(first.is_some() && watch.under_way() == first);
        drop(call);
        assert_eq!(watch.under_way(), None);
        let _call = watch.begin();
        assert!(watch.under_way().is_some_and(|second| Some(second) != first));
    }
}
