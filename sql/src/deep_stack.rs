//! Runs recursive work over a user's query on a stack that is large enough for the deepest query that is accepted.

use volley_api::{Error, Result};

/// Virtual size; only used pages are allocated.
const STACK_BYTES: usize = 128 << 20;

/// Runs `work` on a thread of its own with a deep stack and waits for it.
///
/// # Errors
/// `Fatal` if the thread could not be started, or `work` panicked.
pub(crate) fn on_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name("volley-sql-plan".to_owned())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, work)
            .map_err(|error| Error::fatal("could not start a thread to plan the query").with_source(error))?;
        thread.join().map_err(|_| Error::fatal("planning the query panicked; please report it with the query"))
    })
}
