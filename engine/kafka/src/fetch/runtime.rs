//! The runtime of all fetching in this process.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use volley_api::{Error, Result};

/// Threads that wait for brokers, for all consumers together. They only pass on what comes: two have time for many gigabits.
const THREADS: usize = 2;

/// Threads that look up names of hosts. They end when they have nothing to do.
const LOOKUP_THREADS: usize = 4;
const LOOKUP_IDLE: Duration = Duration::from_secs(5);

/// The runtime, which the first consumer starts.
///
/// # Errors
/// `Fatal` when the system has no thread for it.
pub(crate) fn shared() -> Result<Handle> {
    static RUNTIME: OnceLock<std::io::Result<Runtime>> = OnceLock::new();
    let start = || {
        Builder::new_multi_thread()
            .worker_threads(THREADS)
            .max_blocking_threads(LOOKUP_THREADS)
            .thread_keep_alive(LOOKUP_IDLE)
            .thread_name("kafka-fetch")
            .enable_all()
            .build()
    };
    match RUNTIME.get_or_init(start) {
        Ok(runtime) => Ok(runtime.handle().clone()),
        Err(error) => Err(Error::fatal("could not start the threads that fetch").with_source(error.to_string())),
    }
}
