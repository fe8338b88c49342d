//! Large objects, sent in parts.
//!
//! A part that fails is sent again by itself. The object is there with the last call, complete, or not at all. What an
//! upload that was given up has left in the store is removed.

use std::sync::Arc;

use futures::stream::{FuturesUnordered, TryStreamExt};
use object_store::path::Path;
use object_store::{
    Attributes, MultipartUpload, ObjectStore, ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload,
    Result, TagSet,
};
use tokio::sync::Semaphore;
use tracing::debug;
use uuid::Uuid;
use volley_store::{Creator, error_text};

use super::contents::Contents;
use super::runtime;

/// Bytes of a part, and of what is sent at once. The last part of an object is smaller; all others have the same size.
pub(super) const PART: u64 = 8 * 1024 * 1024;
/// S3 takes no more parts of one object. Azure takes more, and Google counts none.
const MOST_PARTS: u64 = 10_000;
/// What the size of a part is a multiple of: Google asks for it.
const PART_UNIT: u64 = 256 * 1024;
/// Objects of one task that are sent in parts at the same time; the others wait their turn.
const PARALLEL_OBJECTS: usize = 2;
/// How often it is tried to remove what others have left.
const ATTEMPTS: usize = 3;
/// What S3 calls a condition that does not hold.
const PRECONDITION_FAILED: &str = "PreconditionFailed";
/// Names of the objects by which the store's ability is found out.
const PROBE: &str = ".volley-probe-";

/// Sends objects in parts, for one task.
#[derive(Clone, Debug)]
pub(super) struct Multipart {
    creator: Creator,
    turns: Arc<Semaphore>,
}

/// What an object has beside its bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Beside {
    pub(super) attributes: Attributes,
    pub(super) tags: TagSet,
}

impl Multipart {
    /// By `creator`.
    pub(super) fn new(creator: Creator) -> Self {
        Self { creator, turns: Arc::new(Semaphore::new(PARALLEL_OBJECTS)) }
    }

    /// Whether the server keeps the condition. It is tried out on an object below `prefix`, which is removed again.
    ///
    /// # Errors
    /// If it cannot be found out now.
    pub(super) async fn is_conditional(&self, prefix: &Path) -> Result<bool> {
        let location = prefix.clone().join(format!("{PROBE}{}", Uuid::new_v4().simple()));
        let options = PutOptions::from(PutMode::Create);
        match self.creator.store.put_opts(&location, PutPayload::from_static(b"probe"), options).await {
            // the name is nobody else's: an answer was lost, and the client has asked again
            Ok(_) | Err(object_store::Error::AlreadyExists { .. }) => {}
            Err(error) => return Err(error),
        }
        let outcome = self.create(&location, &Contents::from(&b"again"[..]), Beside::default()).await;
        if let Err(error) = self.creator.store.delete(&location).await {
            debug!(path = %location, %error, "could not remove the object by which the store was tried out");
        }
        match outcome {
            Ok(()) => Ok(false),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Removes the parts that others have sent of an object that is there now, so that none of their uploads can end. Before,
    /// one might be that of its rightful writer.
    pub(super) async fn remove_parts_of_others(&self, location: &Path) {
        let Some(unfinished) = &self.creator.unfinished else { return };
        for attempt in 1..=ATTEMPTS {
            match unfinished.abort(location).await {
                Ok(0) => return,
                Ok(uploads) => return debug!(path = %location, uploads, "removed the parts that others have left"),
                Err(error) => {
                    let error = error_text(&error);
                    debug!(path = %location, attempt, error, "could not remove parts that others may have left");
                }
            }
        }
    }

    /// Creates an object, or fails with `AlreadyExists` and changes nothing.
    ///
    /// # Cancellation
    /// The object may come into being nevertheless.
    pub(super) async fn create(&self, location: &Path, contents: &Contents, beside: Beside) -> Result<()> {
        self.send(&self.creator.store, location, contents, beside).await.map_err(of_condition)
    }

    /// Writes an object, whatever is there.
    ///
    /// # Cancellation
    /// The object may come into being nevertheless.
    pub(super) async fn write_over(&self, location: &Path, contents: &Contents) -> Result<()> {
        self.send(&self.creator.overwriting, location, contents, Beside::default()).await
    }

    async fn send(
        &self,
        store: &Arc<dyn ObjectStore>,
        location: &Path,
        contents: &Contents,
        beside: Beside,
    ) -> Result<()> {
        // those that wait hold none, so that nobody waits for somebody who waits
        let _turn = self.turns.acquire().await;
        let options =
            PutMultipartOptions { tags: beside.tags, attributes: beside.attributes, ..PutMultipartOptions::default() };
        let mut upload = Unfinished(Some(store.put_multipart_opts(location, options).await?));
        let mut sending = FuturesUnordered::new();
        for range in contents.ranges(part_size(contents.len())) {
            if sending.len() == self.creator.parallel_parts {
                sending.try_next().await?;
            }
            let bytes = contents.read_beside(range).await.map_err(|error| failed(error.into()))?;
            sending.push(upload.get()?.put_part(PutPayload::from_bytes(bytes)));
        }
        while sending.try_next().await?.is_some() {}
        upload.complete().await
    }
}

/// An upload that is given up when it is dropped.
#[derive(Debug)]
struct Unfinished(Option<Box<dyn MultipartUpload>>);

impl Unfinished {
    /// `None` once it is complete or given up.
    fn get(&mut self) -> Result<&mut Box<dyn MultipartUpload>> {
        self.0.as_mut().ok_or_else(|| failed("the upload has ended".into()))
    }

    async fn complete(mut self) -> Result<()> {
        self.get()?.complete().await?;
        self.0 = None;
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let (Some(mut upload), Ok(runtime)) = (self.0.take(), runtime::handle()) else { return };
        runtime.spawn(async move {
            if let Err(error) = upload.abort().await {
                debug!(%error, "could not remove the parts of an upload that was given up");
            }
        });
    }
}

/// Bytes of each part of so large an object but the last.
fn part_size(length: u64) -> u64 {
    PART.max(length.div_ceil(MOST_PARTS)).next_multiple_of(PART_UNIT)
}

/// The error of a condition that does not hold, as it is that of a PUT.
fn of_condition(error: object_store::Error) -> object_store::Error {
    match error {
        object_store::Error::Precondition { path, source } => object_store::Error::AlreadyExists { path, source },
        // S3 may say so after it has begun to answer
        error if error_text(&error).contains(PRECONDITION_FAILED) => {
            object_store::Error::AlreadyExists { path: String::new(), source: Box::new(error) }
        }
        error => error,
    }
}

fn failed(source: Box<dyn std::error::Error + Send + Sync>) -> object_store::Error {
    object_store::Error::Generic { store: "object store", source }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use object_store::memory::InMemory;

    use super::*;
    use crate::store::SpoolPlace;

    fn of_store(store: &Arc<InMemory>) -> Multipart {
        let store: Arc<dyn ObjectStore> = Arc::clone(store) as _;
        Multipart::new(Creator { overwriting: Arc::clone(&store), store, unfinished: None, parallel_parts: 4 })
    }

    #[test]
    fn parts_are_few_enough_for_s3_and_of_a_size_that_google_takes() {
        for length in [0, 1, PART, 10_000 * PART, 10_000 * PART + 1, 5 << 40] {
            let part = part_size(length);
            assert!(
                part >= PART && part.is_multiple_of(PART_UNIT) && length.div_ceil(part) <= MOST_PARTS,
                "{length}: {part}"
            );
        }
    }

    #[test]
    fn an_object_has_its_bytes_however_many_parts_there_are() {
        let store = Arc::new(InMemory::new());
        let multipart = of_store(&store);
        let directory = tempfile::tempdir().unwrap();
        for length in [0, 1, PART, PART + 1, 5 * PART + 17] {
            let mut spool = SpoolPlace::Unnamed(directory.path().to_owned()).begin().unwrap();
            let bytes: Vec<u8> = (0..length).map(|place| (place % 251) as u8).collect();
            let (on_disk, rest) = bytes.split_at(bytes.len() / 3 * 2);
            spool.append(on_disk).unwrap();
            let contents = Contents::new(Some(spool), rest.to_vec().into());
            let (multipart, store, expected) = (multipart.clone(), Arc::clone(&store), contents.bytes());
            let sent = async move {
                let location = Path::from("t/f");
                multipart.create(&location, &contents, Beside::default()).await?;
                store.get(&location).await?.bytes().await
            };
            let sent = runtime::wait(sent, Duration::from_secs(60)).unwrap().unwrap().unwrap();
            assert!(sent == expected, "{length}");
        }
    }

    #[test]
    fn a_server_that_does_not_look_at_the_condition_is_found_out_and_left_as_it_was() {
        let store = Arc::new(InMemory::new());
        let multipart = of_store(&store);
        let asked = async move { multipart.is_conditional(&Path::from("lake")).await };
        assert!(!runtime::wait(asked, Duration::from_secs(60)).unwrap().unwrap().unwrap());
        let listed = async move { store.list(None).try_collect::<Vec<_>>().await };
        assert!(runtime::wait(listed, Duration::from_secs(60)).unwrap().unwrap().unwrap().is_empty());
    }
}
