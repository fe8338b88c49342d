//! One large object of Google Cloud Storage, sent in a resumable upload.
//!
//! Uploads in parts take no condition there ("Preconditions are not supported in the requests", XML API multipart uploads). A
//! resumable upload does: the one that it is begun with (`ifGenerationMatch`) is looked at when its last bytes are there
//! (JSON API, Objects: insert; Resumable uploads). Its parts are sent one behind the other; what has arrived of a part
//! whose answer was lost is asked for. An upload that nobody goes on with is dropped by the store after a week.
//!
//! ```text
//!  POST …/o?uploadType=resumable&name=…&ifGenerationMatch=0 ─► address of the upload
//!  PUT address, Content-Range: bytes 0-8388607/*            ─► 308, Range: bytes=0-8388607
//!  PUT address, Content-Range: bytes 8388608-9000000/9000001 ─► 200, the object is there; 412, there was one
//! ```

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::channel::oneshot;
use object_store::path::Path;
use object_store::{Error, MultipartUpload, PutPayload, PutResult, Result, UploadPart};
use volley_api::Secret;

use crate::google_requests::{Answer, GoogleRequests, STORE};

/// What a part that is not the last is a multiple of (Resumable uploads, "Multiple chunk upload").
const UNIT: u64 = 256 * 1024;
/// Repetitions without a byte more in the store.
const QUICK_RETRIES: u32 = 3;
/// Wait before the first repetition; doubles with each further one.
const BACKOFF: Duration = Duration::from_millis(100);

/// An object that comes into being with its last bytes.
pub(crate) struct ResumableUpload {
    requests: Arc<GoogleRequests>,
    /// Whoever knows it may write the object.
    address: Secret,
    location: Path,
    /// Gives the progress, once the parts so far are there.
    progress: oneshot::Receiver<Progress>,
}

/// What is there of an object.
#[derive(Debug)]
struct Progress {
    requests: Arc<GoogleRequests>,
    address: Secret,
    location: Path,
    /// Number of bytes in the store.
    stored: u64,
    /// What follows them. It waits, since only who knows the end can send the last part.
    waiting: Bytes,
}

impl ResumableUpload {
    /// The upload with this address, of which nothing has been sent.
    pub(crate) fn new(requests: Arc<GoogleRequests>, address: Secret, location: Path) -> Self {
        let (sender, progress) = oneshot::channel();
        let begun = Progress {
            requests: Arc::clone(&requests),
            address: address.clone(),
            location: location.clone(),
            stored: 0,
            waiting: Bytes::new(),
        };
        // the receiver is right here
        let _ = sender.send(begun);
        Self { requests, address, location, progress }
    }
}

impl fmt::Debug for ResumableUpload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResumableUpload").field("location", &self.location).finish_non_exhaustive()
    }
}

#[async_trait]
impl MultipartUpload for ResumableUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let (sender, progress) = oneshot::channel();
        let before = std::mem::replace(&mut self.progress, progress);
        Box::pin(async move {
            let mut progress = before.await.map_err(|_| a_part_is_missing())?;
            progress.add(Bytes::from(data)).await?;
            // nobody may wait for it any more
            let _ = sender.send(progress);
            Ok(())
        })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let progress = (&mut self.progress).await.map_err(|_| a_part_is_missing())?;
        progress.complete().await
    }

    async fn abort(&mut self) -> Result<()> {
        self.requests.cancel(&self.address, &self.location).await
    }
}

impl Progress {
    /// Sends what came before, and keeps what comes now.
    async fn add(&mut self, data: Bytes) -> Result<()> {
        let before = std::mem::replace(&mut self.waiting, data);
        if before.is_empty() {
            return Ok(());
        }
        if !(before.len() as u64).is_multiple_of(UNIT) {
            return Err(failed(format!("a part that is not the last has {} bytes", before.len())));
        }
        self.send(&before, None).await.map(|_| ())
    }

    async fn complete(mut self) -> Result<PutResult> {
        let last = std::mem::take(&mut self.waiting);
        let total = self.stored + last.len() as u64;
        self.send(&last, Some(total)).await
    }

    /// Sends the bytes that follow what is stored, until all of them are. `total`: the object's, if these are its last.
    async fn send(&mut self, bytes: &Bytes, total: Option<u64>) -> Result<PutResult> {
        let end = self.stored + bytes.len() as u64;
        let (mut failures, mut asks) = (0, false);
        loop {
            let rest = if asks { Bytes::new() } else { bytes.slice((bytes.len() - (end - self.stored) as usize)..) };
            let answer = self.requests.send(&self.address, &self.location, rest, self.stored, total).await?;
            match (answer, total) {
                (Answer::Complete, Some(_)) => return Ok(PutResult { e_tag: None, version: None }),
                (Answer::Complete, None) => return Err(failed("the upload has ended before its last part".to_owned())),
                (Answer::Stored(stored), _) if stored < self.stored || stored > end => {
                    return Err(failed(format!("{stored} bytes are there, where {} to {end} are sent", self.stored)));
                }
                (Answer::Stored(stored), None) if stored == end => {
                    self.stored = end;
                    return Ok(PutResult { e_tag: None, version: None });
                }
                (Answer::Stored(stored), _) => {
                    if stored > self.stored {
                        failures = 0;
                    } else if !asks {
                        failures += 1;
                    }
                    (self.stored, asks) = (stored, false);
                    if failures > QUICK_RETRIES {
                        return Err(failed(format!("no more than {stored} bytes of {end} are taken")));
                    }
                }
                (Answer::Failed(error), _) => {
                    if failures == QUICK_RETRIES {
                        return Err(error);
                    }
                    tokio::time::sleep(BACKOFF * 2_u32.pow(failures)).await;
                    failures += 1;
                    asks = true;
                }
            }
        }
    }
}

fn a_part_is_missing() -> Error {
    failed("a part before has not been sent".to_owned())
}

fn failed(reason: String) -> Error {
    Error::Generic { store: STORE, source: reason.into() }
}
