//! What a consumer sees of transactions.

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
