//! The worker's single byte budget. When it is used up, fetching pauses, for any number of partitions and connectors.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that consumers, batches and sink buffers of all tasks may hold together. What waits in the consumers is counted apart:
/// it only becomes less by being read, so that it must never keep a task from reading.
#[derive(Debug)]
pub struct MemoryBudget {
    limit: usize,
    used: AtomicUsize,
    unread: AtomicUsize,
}

/// A share of the budget; released when dropped.
#[derive(Debug)]
pub struct Reservation {
    budget: Arc<MemoryBudget>,
    of: Use,
    bytes: usize,
}

#[derive(Clone, Copy, Debug)]
enum Use {
    Batches,
    Unread,
}

impl MemoryBudget {
    /// A budget of `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self { limit, used: AtomicUsize::new(0), unread: AtomicUsize::new(0) }
    }

    /// Reserves `bytes` for batches or buffers, even beyond the limit, since a message larger than the budget must still pass.
    /// Check [`MemoryBudget::is_exhausted`] before reading.
    pub fn reserve(self: &Arc<Self>, bytes: usize) -> Reservation {
        self.share_of(Use::Batches, bytes)
    }

    /// A share for what a consumer has fetched and nobody has read. Empty until it is resized.
    pub fn reserve_unread(self: &Arc<Self>) -> Reservation {
        self.share_of(Use::Unread, 0)
    }

    fn share_of(self: &Arc<Self>, of: Use, bytes: usize) -> Reservation {
        self.counter(of).fetch_add(bytes, Ordering::Relaxed);
        Reservation { budget: Arc::clone(self), of, bytes }
    }

    fn counter(&self, of: Use) -> &AtomicUsize {
        match of {
            Use::Batches => &self.used,
            Use::Unread => &self.unread,
        }
    }

    /// Whether reading should pause: batches and buffers have used the budget up.
    pub fn is_exhausted(&self) -> bool {
        self.used.load(Ordering::Relaxed) >= self.limit
    }

    /// Whether consumers should ask for no more than they need to go on.
    pub fn is_scarce(&self) -> bool {
        self.used() >= self.limit
    }

    /// Bytes in use, with what waits in consumers.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed) + self.unread.load(Ordering::Relaxed)
    }

    /// The limit, in bytes.
    pub fn limit(&self) -> usize {
        self.limit
    }
}

impl Reservation {
    /// Changes the share to `bytes`.
    pub fn resize(&mut self, bytes: usize) {
        let counter = self.budget.counter(self.of);
        if bytes >= self.bytes {
            counter.fetch_add(bytes - self.bytes, Ordering::Relaxed);
        } else {
            counter.fetch_sub(self.bytes - bytes, Ordering::Relaxed);
        }
        self.bytes = bytes;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.resize(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_to_be_read_makes_memory_scarce_and_keeps_nobody_from_reading() {
        let budget = Arc::new(MemoryBudget::new(100));
        let mut unread = budget.reserve_unread();
        unread.resize(100);
        assert!(budget.is_scarce() && !budget.is_exhausted());
        let batch = budget.reserve(100);
        unread.resize(0);
        assert!(budget.is_scarce() && budget.is_exhausted());
        drop(batch);
        assert_eq!(budget.used(), 0);
        assert!(!budget.is_scarce() && !budget.is_exhausted());
    }

    #[test]
    fn every_share_is_given_back() {
        let budget = Arc::new(MemoryBudget::new(100));
        let (mut unread, mut batch) = (budget.reserve_unread(), budget.reserve(10));
        unread.resize(30);
        batch.resize(40);
        unread.resize(20);
        assert_eq!(budget.used(), 60);
        drop((unread, batch));
        assert_eq!(budget.used(), 0);
    }
}
