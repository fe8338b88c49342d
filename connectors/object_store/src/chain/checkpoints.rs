//! Reads and writes the checkpoints of a task's partitions.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tracing::{debug, warn};
use volley_api::{Offsets, TopicPartition};

use super::chain_ends::ChainEnds;
use super::checkpoint::Checkpoint;
use crate::store::{Storage, look, look_within};

/// The checkpoint of a partition is written at most this often, unless the partition is closed.
const PAUSE_MS: i64 = 30_000;
/// How long a commit, or giving a partition up, waits for checkpoints to be written.
const WRITE_LIMIT: Duration = Duration::from_secs(3);

/// The checkpoints of a task.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    storage: Arc<dyn Storage>,
    connector: String,
    /// Says which directory a row goes to. `None`: there is one directory, and no need for checkpoints.
    layout: Option<String>,
    /// Offset of the last checkpoint of each partition, and when it was written.
    written: HashMap<TopicPartition, (i64, i64)>,
}

impl Checkpoints {
    /// Checkpoints of `connector` in `storage`.
    pub(crate) fn new(storage: Arc<dyn Storage>, connector: &str, layout: Option<String>) -> Self {
        Self { storage, connector: connector.to_owned(), layout, written: HashMap::new() }
    }

    /// What is known of the chains of `partition`, opened at `offset`. Without a checkpoint of this very offset, nothing.
    pub(crate) fn read(&self, partition: &TopicPartition, offset: i64) -> ChainEnds {
        let nothing = ChainEnds::default();
        let Some(layout) = &self.layout else { return nothing };
        let path = Checkpoint::path(&self.connector, partition);
        let shared = path.clone();
        let found = look(&path, Arc::clone(&self.storage), move |storage| {
            Box::pin(async move { storage.read_all(&shared).await })
        });
        let checkpoint = match found {
            Ok(bytes) => bytes.and_then(|bytes| Checkpoint::from_bytes(&bytes)),
            Err(error) => {
                warn!(path, %error, "could not read a checkpoint, listing directories in its place");
                None
            }
        };
        match checkpoint {
            Some(checkpoint) if checkpoint.layout != *layout => {
                let ends = checkpoint.ends.iter().filter_map(|(_, file)| Some(file.as_ref()?.identity.end));
                if let Some(end) = ends.max() {
                    warn!(
                        %partition, offset = checkpoint.offset, end,
                        "the directories are named in another way than before: records between these offsets may be in files of \
                         both ways"
                    );
                }
                nothing
            }
            Some(checkpoint) if checkpoint.offset == offset => checkpoint.ends,
            _ => nothing,
        }
    }

    /// Those of these offsets, about to be committed, of which a checkpoint is to be written; `is_last`: of all that have none.
    pub(crate) fn due(&self, offsets: &Offsets, is_last: bool, now: i64) -> Vec<(TopicPartition, i64)> {
        if self.layout.is_none() {
            return Vec::new();
        }
        let is_due = |partition: &TopicPartition, offset: i64| match self.written.get(partition) {
            None => true,
            Some((last, at)) => *last != offset && (is_last || now.saturating_sub(*at) >= PAUSE_MS),
        };
        let due = offsets.iter().filter(|(partition, offset)| is_due(partition, **offset));
        due.map(|(partition, offset)| (partition.clone(), *offset)).collect()
    }

    /// Writes these, all at the same time. A failure is only logged: see [`Checkpoint`].
    pub(crate) fn write(&mut self, checkpoints: Vec<(TopicPartition, Checkpoint)>, now: i64) {
        if checkpoints.is_empty() {
            return;
        }
        for (partition, checkpoint) in &checkpoints {
            self.written.insert(partition.clone(), (checkpoint.offset, now));
        }
        let connector = self.connector.clone();
        let outcome = look_within(WRITE_LIMIT, ".volley", Arc::clone(&self.storage), move |storage| {
            Box::pin(async move {
                let writes = checkpoints.into_iter().map(|(partition, checkpoint)| {
                    let path = Checkpoint::path(&connector, &partition);
                    async move { storage.write_over(&path, checkpoint.to_bytes().into()).await }
                });
                join_all(writes).await.into_iter().collect::<Result<Vec<_>, _>>()
            })
        });
        match outcome {
            Ok(written) => debug!(written = written.len(), "checkpoints written"),
            Err(error) => warn!(%error, "could not write a checkpoint: the next start may list more directories"),
        }
    }

    /// The layout that the checkpoints are for.
    pub(crate) fn layout(&self) -> &str {
        self.layout.as_deref().unwrap_or_default()
    }

    /// Forgets a partition.
    pub(crate) fn forget(&mut self, partition: &TopicPartition) {
        self.written.remove(partition);
    }
}
