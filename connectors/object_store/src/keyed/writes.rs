//! Files of keys on their way to the store, beside the task's thread.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::{Condvar, Mutex};
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;
use tracing::warn;
use volley_api::{Error, Result};

use crate::store::{Retries, RetryPolicy, Storage, runtime};

/// Files of one task that are sent at the same time; the others wait their turn. They are small.
const PARALLEL_WRITES: usize = 16;

/// Takes files and tells how it ended. The caller gives it one file of a path at a time.
pub(super) trait Writes: Send {
    /// Begins to write a file over what may be there. Returns at once.
    fn begin(&mut self, path: String, contents: Bytes) -> Result<()>;

    /// The writes that have ended since the last call.
    fn ended(&mut self) -> Vec<(String, Result<()>)>;

    /// Waits until a write has ended, at most this long.
    fn wait(&mut self, limit: Duration);

    /// Gives a write up. The file may come into being nevertheless.
    fn abandon(&mut self, path: &str);
}

#[derive(Debug, Default)]
struct Ended {
    outcomes: Mutex<Vec<Outcome>>,
    changed: Condvar,
}

/// How a write has ended.
#[derive(Debug)]
struct Outcome {
    path: String,
    ticket: u64,
    result: Result<()>,
}

/// Writes on the crate's runtime, repeated until they succeed or the time for that is over.
#[derive(Debug)]
pub(super) struct BackgroundWrites {
    storage: Arc<dyn Storage>,
    retry: RetryPolicy,
    permits: Arc<Semaphore>,
    ended: Arc<Ended>,
    /// Each write is owned by this map, and ends with it. Its ticket tells it from one of the same path that was given up.
    running: HashMap<String, (u64, AbortHandle)>,
    next_ticket: u64,
}

impl BackgroundWrites {
    /// Writes to `storage`.
    pub(super) fn new(storage: Arc<dyn Storage>, retry: RetryPolicy) -> Self {
        let permits = Arc::new(Semaphore::new(PARALLEL_WRITES));
        Self { storage, retry, permits, ended: Arc::default(), running: HashMap::new(), next_ticket: 0 }
    }
}

impl Writes for BackgroundWrites {
    fn begin(&mut self, path: String, contents: Bytes) -> Result<()> {
        let (storage, permits, ended) = (Arc::clone(&self.storage), Arc::clone(&self.permits), Arc::clone(&self.ended));
        let (retry, name, ticket) = (self.retry, path.clone(), self.next_ticket);
        self.next_ticket += 1;
        let task = runtime::handle()?.spawn(async move {
            // an error would mean a closed semaphore, which this one never is
            let _permit = permits.acquire().await;
            let result = write_until_done(storage.as_ref(), &name, &contents, retry).await;
            ended.outcomes.lock().push(Outcome { path: name, ticket, result });
            ended.changed.notify_all();
        });
        self.running.insert(path, (ticket, task.abort_handle()));
        Ok(())
    }

    fn ended(&mut self) -> Vec<(String, Result<()>)> {
        let ended = std::mem::take(&mut *self.ended.outcomes.lock());
        let mut ours = Vec::with_capacity(ended.len());
        for Outcome { path, ticket, result } in ended {
            if self.running.get(&path).is_some_and(|(running, _)| *running == ticket) {
                self.running.remove(&path);
                ours.push((path, result));
            }
        }
        ours
    }

    fn wait(&mut self, limit: Duration) {
        let mut outcomes = self.ended.outcomes.lock();
        if outcomes.is_empty() && !self.running.is_empty() {
            self.ended.changed.wait_for(&mut outcomes, limit);
        }
    }

    fn abandon(&mut self, path: &str) {
        if let Some((_, task)) = self.running.remove(path) {
            task.abort();
        }
    }
}

impl Drop for BackgroundWrites {
    fn drop(&mut self) {
        self.running.values().for_each(|(_, task)| task.abort());
    }
}

async fn write_until_done(storage: &dyn Storage, path: &str, contents: &Bytes, retry: RetryPolicy) -> Result<()> {
    let mut retries = Retries::new(retry);
    loop {
        let Err(error) = storage.write_over(path, contents.clone().into()).await else { return Ok(()) };
        let Some(wait) = retries.next_wait() else {
            let seconds = retries.elapsed().as_secs();
            return Err(Error::fatal(format!(
                "could not write {path} to {} within {seconds} s: {error}; its record is not committed and will be \
                 written after a restart of the task: restore the store, or raise `retry.timeout.ms`",
                storage.url()
            )));
        };
        warn!(path, %error, retry_in_ms = wait.as_millis() as u64, "could not write the file of a key, trying again");
        tokio::time::sleep(wait).await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use object_store::memory::InMemory;
    use object_store::path::Path;

    use super::*;
    use crate::store::{RemoteStorage, look};

    #[test]
    fn what_was_given_up_is_not_taken_for_the_write_after_it() {
        let storage: Arc<dyn Storage> =
            Arc::new(RemoteStorage::new("memory:///", Arc::new(InMemory::new()), Path::default()));
        let retry = RetryPolicy { backoff: Duration::from_millis(1), timeout: Duration::from_secs(20) };
        let mut writes = BackgroundWrites::new(Arc::clone(&storage), retry);
        for round in 0..50u8 {
            writes.begin("a".to_owned(), Bytes::from(vec![round, 1])).unwrap();
            writes.wait(Duration::from_secs(20));
            writes.abandon("a");
            writes.begin("a".to_owned(), Bytes::from(vec![round, 2])).unwrap();
            let deadline = Instant::now() + Duration::from_secs(20);
            while writes.ended().is_empty() {
                assert!(Instant::now() < deadline);
                writes.wait(Duration::from_millis(10));
            }
            let read = look("a", Arc::clone(&storage), |storage| Box::pin(async { storage.read_all("a").await }));
            assert_eq!(read.unwrap().unwrap(), vec![round, 2]);
        }
    }
}
