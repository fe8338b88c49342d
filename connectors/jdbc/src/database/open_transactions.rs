//! The transactions that are under way.

use super::Timestamp;

/// The transactions of other sessions that are under way, as far as they may write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenTransactions {
    /// A transaction that had begun before this time, by the database's clock, has ended or is named here.
    pub at: Timestamp,
    /// Their names. A name MUST stay the same until its transaction ends, unless it moves to `renamed`.
    pub names: Vec<String>,
    /// The names of those that may have had another name before, such as prepared ones.
    pub renamed: Vec<String>,
}
