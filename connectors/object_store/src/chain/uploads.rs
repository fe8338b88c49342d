//! Complete files on their way to the store, beside the task's thread.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;
use tracing::warn;
use volley_api::{Error, Result};

use super::names::{RowSpan, StreamFiles};
use super::open_file::SiblingFile;
use crate::format::FileIdentity;
use crate::store::{Contents, Retries, RetryPolicy, Storage, StorageError, runtime};

/// Files of one task that are sent at the same time; the others wait their turn.
const PARALLEL_UPLOADS: usize = 8;

/// A file to be created.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    /// Names this upload to its task.
    pub(crate) ticket: u64,
    /// Names the stream's files.
    pub(crate) files: Arc<StreamFiles>,
    /// What the file says of itself.
    pub(crate) identity: FileIdentity,
    /// Offset of its last row.
    pub(crate) last_offset: i64,
    /// What it says of itself as a text, for a file that has no place for it.
    pub(crate) label: Option<String>,
    /// The file.
    pub(crate) contents: Contents,
    /// What its object is tagged with.
    pub(crate) tags: Vec<(&'static str, String)>,
    /// The files beside it, written when it is there.
    pub(crate) siblings: Vec<SiblingFile>,
    /// Where the file is already.
    pub(crate) path: Option<String>,
}

impl Upload {
    /// Its rows.
    pub(crate) fn rows(&self) -> RowSpan {
        RowSpan { first: self.identity.start, last: self.last_offset }
    }
}

/// How an upload ended.
#[derive(Debug)]
pub(crate) enum UploadOutcome {
    /// The file is in the store, complete and for good.
    Created {
        /// Its path there.
        path: String,
    },
    /// Another writer of the same stream was first with a file that begins at the same row; ours was not written.
    Beaten {
        /// The path of the other file.
        path: String,
        /// What the other file says of itself.
        winner: FileIdentity,
    },
    /// It failed for good.
    Failed(Error),
}

/// Takes uploads and tells how they ended. The caller gives it one file of a stream at a time.
pub(crate) trait Uploads: Send {
    /// Begins an upload. Returns at once.
    fn begin(&mut self, upload: Upload) -> Result<()>;

    /// The uploads that have ended since the last call: tickets and outcomes.
    fn ended(&mut self) -> Vec<(u64, UploadOutcome)>;

    /// Waits until an upload has ended, at most this long.
    fn wait(&mut self, limit: Duration);

    /// Gives an upload up. The file may come into being nevertheless.
    fn abandon(&mut self, ticket: u64);
}

#[derive(Debug, Default)]
struct Ended {
    outcomes: Mutex<Vec<(u64, UploadOutcome)>>,
    changed: Condvar,
}

/// Uploads on the crate's runtime, repeated until they succeed or the time for that is over.
#[derive(Debug)]
pub(crate) struct BackgroundUploads {
    storage: Arc<dyn Storage>,
    retry: RetryPolicy,
    permits: Arc<Semaphore>,
    ended: Arc<Ended>,
    /// Each upload is owned by this map, and ends with it.
    running: HashMap<u64, AbortHandle>,
}

impl BackgroundUploads {
    /// Uploads to `storage`.
    pub(crate) fn new(storage: Arc<dyn Storage>, retry: RetryPolicy) -> Self {
        let permits = Arc::new(Semaphore::new(PARALLEL_UPLOADS));
        Self { storage, retry, permits, ended: Arc::default(), running: HashMap::new() }
    }
}

impl Uploads for BackgroundUploads {
    fn begin(&mut self, upload: Upload) -> Result<()> {
        let (storage, permits, ended) = (Arc::clone(&self.storage), Arc::clone(&self.permits), Arc::clone(&self.ended));
        let (ticket, retry) = (upload.ticket, self.retry);
        let task = runtime::handle()?.spawn(async move {
            // an error would mean a closed semaphore, which this one never is
            let _permit = permits.acquire().await;
            let outcome = upload_until_done(storage.as_ref(), &upload, retry).await;
            ended.outcomes.lock().push((ticket, outcome));
            ended.changed.notify_all();
        });
        self.running.insert(ticket, task.abort_handle());
        Ok(())
    }

    fn ended(&mut self) -> Vec<(u64, UploadOutcome)> {
        let ended = std::mem::take(&mut *self.ended.outcomes.lock());
        for (ticket, _) in &ended {
            self.running.remove(ticket);
        }
        ended
    }

    fn wait(&mut self, limit: Duration) {
        let mut outcomes = self.ended.outcomes.lock();
        if outcomes.is_empty() && !self.running.is_empty() {
            self.ended.changed.wait_for(&mut outcomes, limit);
        }
    }

    fn abandon(&mut self, ticket: u64) {
        if let Some(task) = self.running.remove(&ticket) {
            task.abort();
        }
    }
}

impl Drop for BackgroundUploads {
    fn drop(&mut self) {
        self.running.values().for_each(AbortHandle::abort);
    }
}

async fn upload_until_done(storage: &dyn Storage, upload: &Upload, retry: RetryPolicy) -> UploadOutcome {
    let mut retries = Retries::new(retry);
    let path = upload.files.path(upload.rows());
    loop {
        let error = match try_upload(storage, upload).await {
            Ok(outcome) => return outcome,
            Err(error) => error,
        };
        let Some(wait) = retries.next_wait() else {
            let seconds = retries.elapsed().as_secs();
            return UploadOutcome::Failed(Error::fatal(format!(
                "could not write {path} to {} within {seconds} s: {error}; its records are not committed and will be \
                 written after a restart of the task: restore the store, or raise `retry.timeout.ms`",
                storage.url()
            )));
        };
        warn!(path, %error, retry_in_ms = wait.as_millis() as u64, "could not write a file, trying again");
        tokio::time::sleep(wait).await;
    }
}

/// One try. Also right when an earlier try has succeeded without our knowing.
///
/// # Cancellation
/// The file may come into being nevertheless.
pub(crate) async fn try_upload(
    storage: &dyn Storage,
    upload: &Upload,
) -> std::result::Result<UploadOutcome, StorageError> {
    let outcome = match &upload.path {
        Some(path) => UploadOutcome::Created { path: path.clone() },
        None => try_create(storage, upload).await?,
    };
    // whoever writes a sibling of this file has the very rows that it holds: so it may be written again and again
    if let UploadOutcome::Created { path } = &outcome {
        for sibling in &upload.siblings {
            let path = upload.files.sibling(path, &sibling.extension);
            storage.write_over(&path, sibling.contents.clone()).await?;
        }
    }
    Ok(outcome)
}

async fn try_create(storage: &dyn Storage, upload: &Upload) -> std::result::Result<UploadOutcome, StorageError> {
    let ours = &upload.identity;
    let paths = [upload.files.path(upload.rows()), upload.files.path_beside_another_origin(upload.rows())];
    for path in &paths {
        match create(storage, upload, path).await {
            Ok(()) => return Ok(UploadOutcome::Created { path: path.clone() }),
            Err(StorageError::AlreadyExists { .. }) => {}
            Err(error) => return Err(error),
        }
        match find_winner(storage, &upload.files, path).await? {
            Some((path, theirs)) if theirs.file_id == ours.file_id => return Ok(UploadOutcome::Created { path }),
            Some((path, winner)) if winner.origin == ours.origin => return Ok(UploadOutcome::Beaten { path, winner }),
            Some(_) => {}
            None => return Ok(UploadOutcome::Failed(foreign_file(storage, path))),
        }
    }
    Ok(UploadOutcome::Failed(foreign_file(storage, &paths[1])))
}

async fn create(storage: &dyn Storage, upload: &Upload, path: &str) -> std::result::Result<(), StorageError> {
    let (contents, id, label) = (upload.contents.clone(), upload.identity.file_id.as_str(), upload.label.as_deref());
    match (upload.files.claim_of(path), label) {
        (Some(claim), Some(label)) => storage.create_claimed(&claim, path, contents, id, label).await,
        _ => storage.create_tagged(path, contents, id, label, &upload.tags).await,
    }
}

/// The file because of which the one at `path` could not be created, and what it says of itself; `None`: it says
/// nothing.
async fn find_winner(
    storage: &dyn Storage,
    files: &StreamFiles,
    path: &str,
) -> std::result::Result<Option<(String, FileIdentity)>, StorageError> {
    let Some(claim) = files.claim_of(path) else {
        return Ok(FileIdentity::read(storage, path).await?.map(|winner| (path.to_owned(), winner)));
    };
    if let Some(file) = storage.read_claim(&claim).await? {
        return Ok(FileIdentity::from_label(&file.label).map(|winner| (file.path, winner)));
    }
    // a file of an earlier version, which has claimed nothing
    match FileIdentity::read(storage, &claim).await {
        Err(StorageError::NotFound { .. }) => Ok(None),
        outcome => Ok(outcome?.map(|winner| (claim, winner))),
    }
}

fn foreign_file(storage: &dyn Storage, path: &str) -> Error {
    Error::config(format!(
        "{path} in {} exists and was not written by this sink: move it away, or set `topics.dir` or `store.url` to \
         another place",
        storage.url()
    ))
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;
    use object_store::path::Path;
    use volley_api::TopicPartition;

    use super::*;
    use crate::chain::names::{FileNaming, StreamKey};
    use crate::store::{RemoteStorage, look};
    use crate::test_records::file_contents;

    fn upload(origin: &str, file_id: &str) -> Upload {
        let origin = TopicPartition::new(origin, 0);
        let identity = FileIdentity {
            file_id: file_id.to_owned(),
            connector: "c".into(),
            origin: origin.clone(),
            start: 5,
            end: 9,
            rows: 1,
            start_timestamp: 0,
        };
        let key = StreamKey { topic: Arc::from("t"), directory: Arc::from("partition=0") };
        let naming = FileNaming::Directories {
            topics_dir: Arc::from(""),
            delimiter: Arc::from("+"),
            offset_digits: 10,
            suffix: Arc::from(""),
            has_last_offset: false,
        };
        let files = Arc::new(StreamFiles::new(&naming, ".parquet", &key, &origin));
        Upload {
            ticket: 0,
            files,
            contents: file_contents(&identity).into(),
            label: None,
            tags: Vec::new(),
            siblings: Vec::new(),
            path: None,
            last_offset: 8,
            identity,
        }
    }

    fn try_now(storage: &Arc<dyn Storage>, upload: &Upload) -> UploadOutcome {
        let shared = upload.clone();
        let call =
            look("", Arc::clone(storage), move |storage| Box::pin(async move { try_upload(storage, &shared).await }));
        call.unwrap()
    }

    fn created(outcome: UploadOutcome) -> String {
        match outcome {
            UploadOutcome::Created { path } => path,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_file_of_ours_is_found_again_and_that_of_another_writer_stands() {
        let storage: Arc<dyn Storage> =
            Arc::new(RemoteStorage::new("memory:///", Arc::new(InMemory::new()), Path::default()));
        let ours = upload("t", "one");
        assert_eq!(created(try_now(&storage, &ours)), "t/partition=0/t+0+0000000005.parquet");
        assert_eq!(created(try_now(&storage, &ours)), "t/partition=0/t+0+0000000005.parquet");
        match try_now(&storage, &upload("t", "two")) {
            UploadOutcome::Beaten { winner, .. } => assert_eq!(winner, ours.identity),
            other => panic!("{other:?}"),
        }
        let beside = upload("other", "three");
        assert_eq!(created(try_now(&storage, &beside)), "t/partition=0/t+0+0000000005.other.parquet");
        assert_eq!(created(try_now(&storage, &beside)), "t/partition=0/t+0+0000000005.other.parquet");
        assert!(matches!(try_now(&storage, &upload("other", "four")), UploadOutcome::Beaten { .. }));
    }
}
