//! The small runtime on which this crate talks to object stores.

use std::future::Future;
use std::sync::OnceLock;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use volley_api::{Error, Result};

/// Uploads mostly wait for the network.
const THREADS: usize = 2;
/// Local file systems block; more of them at once than this only queue up at the disk.
const BLOCKING_THREADS: usize = 16;

static RUNTIME: OnceLock<std::result::Result<Runtime, String>> = OnceLock::new();

/// The runtime, started at first use.
pub(crate) fn handle() -> Result<&'static Handle> {
    let runtime = RUNTIME.get_or_init(|| {
        Builder::new_multi_thread()
            .worker_threads(THREADS)
            .max_blocking_threads(BLOCKING_THREADS)
            .thread_name("volley-store")
            .enable_all()
            .build()
            .map_err(|error| error.to_string())
    });
    match runtime {
        Ok(runtime) => Ok(runtime.handle()),
        Err(reason) => Err(Error::fatal(format!("could not start the threads for object stores: {reason}"))),
    }
}

/// Runs `future` on the runtime and waits for it; `None` if it has not finished within `limit`: then it is dropped.
///
/// Unlike tokio's `block_on` this may be called on any thread.
pub(crate) fn wait<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
    limit: Duration,
) -> Result<Option<T>> {
    let (sender, receiver) = sync_channel(1);
    let task = handle()?.spawn(async move {
        // the receiver is gone when the limit has passed
        let _ = sender.send(future.await);
    });
    match receiver.recv_timeout(limit) {
        Ok(value) => Ok(Some(value)),
        Err(RecvTimeoutError::Timeout) => {
            task.abort();
            Ok(None)
        }
        Err(RecvTimeoutError::Disconnected) => Err(Error::fatal("a call on the object store ended without an answer")),
    }
}
