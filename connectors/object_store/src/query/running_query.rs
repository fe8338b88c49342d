//! A query that is executed beside the task's thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};

use volley_api::{Error, QueryResult, ReadyQuery, Result};

/// Ends early if it is dropped.
pub(super) struct RunningQuery {
    is_cancelled: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<Box<dyn QueryResult>>>>,
}

impl RunningQuery {
    /// Begins.
    pub(super) fn start(query: Box<dyn ReadyQuery>) -> Result<Self> {
        let is_cancelled = Arc::new(AtomicBool::new(false));
        let shared = Arc::clone(&is_cancelled);
        let thread = Builder::new().name("volley-query".to_owned());
        let thread = thread.spawn(move || query.execute(&|| shared.load(Ordering::Relaxed)));
        let thread =
            thread.map_err(|error| Error::fatal("could not start a thread for the query").with_source(error))?;
        Ok(Self { is_cancelled, thread: Some(thread) })
    }

    /// The result, once it is there.
    pub(super) fn result(&mut self) -> Result<Option<Box<dyn QueryResult>>> {
        match self.thread.take_if(|thread| thread.is_finished()) {
            None => Ok(None),
            Some(thread) => match thread.join() {
                Ok(result) => result.map(Some),
                Err(_) => Err(Error::fatal("executing the query panicked; please report it with the query")),
            },
        }
    }
}

impl Drop for RunningQuery {
    fn drop(&mut self) {
        self.is_cancelled.store(true, Ordering::Relaxed);
    }
}
