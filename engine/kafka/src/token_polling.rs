//! librdkafka asks for a token when its client is polled. Clients that nobody polls all the time are polled here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use volley_api::{Error, Result};

use crate::connection::Connection;

/// Between two polls: librdkafka looks once a second whether a token is to be renewed.
const PAUSE: Duration = Duration::from_millis(500);

/// A thread that polls a client. Where it is kept beside the client it MUST be dropped first, so that it is the owner who
/// closes the client.
#[derive(Debug)]
pub(crate) struct TokenPolling {
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl TokenPolling {
    /// Starts polling, if the client shows tokens at all. `poll` MUST not wait.
    ///
    /// # Errors
    /// `Fatal` if there can be no thread.
    pub(crate) fn start(connection: &Connection, poll: impl Fn() + Send + 'static) -> Result<Option<Self>> {
        if !connection.shows_tokens() {
            return Ok(None);
        }
        let stopping = Arc::new(AtomicBool::new(false));
        let is_stopping = Arc::clone(&stopping);
        let run = move || {
            while !is_stopping.load(Ordering::Acquire) {
                poll();
                thread::park_timeout(PAUSE);
            }
        };
        let spawned = thread::Builder::new().name("token polling".to_owned()).spawn(run);
        let thread = spawned.map_err(|error| {
            Error::fatal("could not start the thread that renews the token of a client").with_source(error)
        })?;
        Ok(Some(Self { stopping, thread: Some(thread) }))
    }
}

impl Drop for TokenPolling {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}
