//! The callbacks for partitions that come and go.

use volley_api::{Offsets, TopicPartition};

/// Receives changes of the assignment, on the polling thread, inside [`Fetcher::poll`](crate::Fetcher::poll).
///
/// Implementations MUST NOT call the fetcher; they may use its [`Committer`](crate::Committer).
pub trait RebalanceListener: Send + Sync {
    /// New partitions, before their first message is fetched. Each comes with its start offset: the committed one, or
    /// that of `auto.offset.reset`. Empty when the group has nothing for this member, no topic matches the pattern, or
    /// none of the topics exists.
    fn assigned(&self, positions: &Offsets);

    /// These partitions are about to be given up, but still owned: the last chance to flush and commit. The fetcher
    /// drops their buffered rows.
    fn revoked(&self, partitions: &[TopicPartition]);

    /// These partitions are gone already, and may belong to another member: a commit would be refused.
    fn lost(&self, partitions: &[TopicPartition]);
}
