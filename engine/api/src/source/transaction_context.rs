//! Where the transactions of a source end that defines them itself (KIP-618).

use std::sync::{Arc, Mutex, PoisonError};

/// How a transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionEnd {
    /// Its records become visible, and their offsets are stored.
    Commit,
    /// Its records are dropped; their offsets are stored all the same.
    Abort,
}

/// Ends transactions. A clone is the same context.
///
/// A task that is to end one in the middle of what it has returns the batches before that place by themselves.
#[derive(Clone, Debug, Default)]
pub struct TransactionContext(Arc<Mutex<Option<TransactionEnd>>>);

impl TransactionContext {
    /// Commits the transaction behind the batches of the poll under way, or of the next one.
    pub fn commit(&self) {
        self.end(TransactionEnd::Commit);
    }

    /// Aborts the transaction behind the batches of the poll under way, or of the next one.
    pub fn abort(&self) {
        self.end(TransactionEnd::Abort);
    }

    fn end(&self, end: TransactionEnd) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(end);
    }

    /// For the worker: how the transaction is to end behind the batches of the last poll; `None`: it goes on.
    pub fn take_end(&self) -> Option<TransactionEnd> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
