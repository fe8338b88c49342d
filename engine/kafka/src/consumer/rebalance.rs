//! What a consumer is told when partitions come and go.

use volley_api::{Offsets, TopicPartition};

/// Told of changes of the assignment, on the polling thread, inside [`Fetcher::poll`](crate::Fetcher::poll).
///
/// Implementations MUST NOT call the fetcher; they may use its [`Committer`](crate::Committer).
pub trait RebalanceListener: Send + Sync {
    /// New partitions, before their first message is fetched, each with the offset at which it begins: the committed one,
    /// or what `auto.offset.reset` says. Empty when the group has nothing for this member, no topic matches the pattern, or
    /// none of the topics exists.
    fn assigned(&self, positions: &Offsets);

    /// These partitions are about to be given up and still owned: the last chance to flush and commit. Rows of theirs that
    /// the fetcher still buffers are dropped.
    fn revoked(&self, partitions: &[TopicPartition]);

    /// These partitions are gone already, and may belong to another member: a commit would be refused.
    fn lost(&self, partitions: &[TopicPartition]);
}
