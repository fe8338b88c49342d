//! Where the transactions of a source end that defines them itself (KIP-618).
//!
//! ```text
//!  poll: batch 0 │ batch 1 ╫ batch 2 │ ╫          ╫ commit_behind(1), commit()
//! ```

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How a transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionEnd {
    /// Its records become visible, and their offsets are stored.
    Commit,
    /// Its records are dropped; their offsets are stored all the same.
    Abort,
}

/// Ends transactions. A clone is the same context. If the same place is named twice, the last call counts.
///
/// A transaction that is to end in the middle of some records needs a batch of its own for those before that place, with the
/// offset behind them: offsets are those of whole batches.
#[derive(Clone, Debug, Default)]
pub struct TransactionContext(Arc<Mutex<TransactionEnds>>);

/// For the worker: where transactions end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransactionEnds {
    /// Behind these batches of the poll, by their number in it.
    pub behind_batches: BTreeMap<usize, TransactionEnd>,
    /// Behind everything that was polled.
    pub behind_poll: Option<TransactionEnd>,
}

impl TransactionContext {
    /// Commits the transaction behind the batches of the poll under way, or of the next one.
    pub fn commit(&self) {
        self.change(|ends| ends.behind_poll = Some(TransactionEnd::Commit));
    }

    /// Aborts the transaction behind the batches of the poll under way, or of the next one.
    pub fn abort(&self) {
        self.change(|ends| ends.behind_poll = Some(TransactionEnd::Abort));
    }

    /// Commits the transaction behind a batch of the poll under way, by its number from 0.
    pub fn commit_behind(&self, batch: usize) {
        self.end_behind(batch, TransactionEnd::Commit);
    }

    /// Aborts the transaction behind a batch of the poll under way, by its number from 0.
    pub fn abort_behind(&self, batch: usize) {
        self.end_behind(batch, TransactionEnd::Abort);
    }

    fn end_behind(&self, batch: usize, end: TransactionEnd) {
        self.change(|ends| {
            ends.behind_batches.insert(batch, end);
        });
    }

    fn change(&self, change: impl FnOnce(&mut TransactionEnds)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// For the worker: how transactions are to end within the last poll and behind it.
    pub fn take_ends(&self) -> TransactionEnds {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_taken_once_and_the_last_word_counts() {
        let context = TransactionContext::default();
        context.clone().commit();
        context.commit_behind(1);
        context.abort_behind(1);
        let ends = context.take_ends();
        assert_eq!(ends.behind_poll, Some(TransactionEnd::Commit));
        assert_eq!(ends.behind_batches, BTreeMap::from([(1, TransactionEnd::Abort)]));
        assert_eq!(context.take_ends(), TransactionEnds::default());
    }
}
