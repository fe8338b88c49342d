//! What a consumer sees of transactions.

use std::collections::HashSet;

use super::error::Fault;
use super::reader::Reader;

/// A transaction that was aborted, as a fetch response names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AbortedTransaction {
    /// Who wrote it.
    pub(crate) producer_id: i64,
    /// The offset of its first record in the partition.
    pub(crate) first_offset: i64,
}

/// `isolation.level`. The markers of transactions are never records.
#[derive(Clone, Debug)]
pub(crate) enum Isolation {
    /// Records of aborted and of open transactions are records like all others.
    ReadUncommitted,
    /// Records of aborted transactions are skipped. The broker does not send those of open ones.
    ReadCommitted {
        /// The aborted transactions that the response names for this partition, in any order.
        aborted: Vec<AbortedTransaction>,
    },
}

/// Which producers' transactions are aborted where the cursor stands.
#[derive(Debug)]
pub(super) struct AbortedProducers {
    /// Transactions that begin further on; the next one is the last.
    ahead: Vec<AbortedTransaction>,
    producers: HashSet<i64>,
}

impl AbortedProducers {
    pub(super) fn new(mut aborted: Vec<AbortedTransaction>) -> Self {
        aborted.sort_unstable_by_key(|transaction| std::cmp::Reverse(transaction.first_offset));
        Self { ahead: aborted, producers: HashSet::new() }
    }

    /// Passes the beginnings of transactions up to and with `offset`.
    pub(super) fn advance_to(&mut self, offset: i64) {
        while let Some(next) = self.ahead.pop_if(|next| next.first_offset <= offset) {
            self.producers.insert(next.producer_id);
        }
    }

    /// Passes the marker that ends an aborted transaction.
    pub(super) fn end(&mut self, producer_id: i64) {
        self.producers.remove(&producer_id);
    }

    pub(super) fn contains(&self, producer_id: i64) -> bool {
        self.producers.contains(&producer_id)
    }
}

/// What a control record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MarkerType {
    /// A transaction was aborted.
    Abort,
    /// A transaction was committed, or a record of the cluster's own.
    Other,
}

/// The type in the key of the marker of an aborted transaction.
const ABORT: i16 = 0;

impl MarkerType {
    /// The type that the key of a control record names: a version, and the type.
    pub(super) fn of_key(key: &[u8]) -> Result<Self, Fault> {
        let mut reader = Reader::new(key);
        let version = reader.i16().filter(|version| *version >= 0);
        match version.and_then(|_| reader.i16()).ok_or(Fault::Marker)? {
            ABORT => Ok(Self::Abort),
            _ => Ok(Self::Other),
        }
    }
}
