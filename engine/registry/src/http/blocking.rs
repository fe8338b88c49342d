//! Futures for callers that block.

use std::fmt;
use std::future::Future;
use std::thread;

use tokio::runtime::{Builder, Handle, Runtime};
use volley_api::{Error, Result};

/// A runtime that has no thread of its own: whoever waits drives it.
pub(super) struct Blocking {
    /// There until it is dropped.
    runtime: Option<Runtime>,
}

impl fmt::Debug for Blocking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Blocking")
    }
}

impl Blocking {
    pub(super) fn new() -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| {
            Error::fatal("could not start a runtime for the client of the Schema Registry").with_source(error)
        })?;
        Ok(Self { runtime: Some(runtime) })
    }

    /// Runs a future to its end; on a thread of its own if the caller's belongs to a runtime, which must not wait for another.
    pub(super) fn wait<T: Send>(&self, future: impl Future<Output = Result<T>> + Send) -> Result<T> {
        let Some(runtime) = &self.runtime else { return Err(panicked()) };
        if Handle::try_current().is_err() {
            return runtime.block_on(future);
        }
        thread::scope(|scope| scope.spawn(|| runtime.block_on(future)).join()).unwrap_or_else(|_| Err(panicked()))
    }
}

impl Drop for Blocking {
    /// Does not wait for what the runtime still does, which inside another runtime is not allowed.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn panicked() -> Error {
    Error::fatal("a request to the Schema Registry panicked")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_works_inside_a_runtime_too() {
        let answer = || Blocking::new().unwrap().wait(async { Ok(1) }).unwrap();
        assert_eq!(answer(), 1);
        Builder::new_current_thread().build().unwrap().block_on(async { assert_eq!(answer(), 1) });
    }

    #[test]
    fn several_threads_may_wait_at_once() {
        let blocking = Blocking::new().unwrap();
        thread::scope(|scope| {
            let waiting: Vec<_> = (0..4)
                .map(|n| {
                    scope.spawn({
                        let blocking = &blocking;
                        move || {
                            blocking
                                .wait(async move {
                                    tokio::task::yield_now().await;
                                    Ok(n)
                                })
                                .unwrap()
                        }
                    })
                })
                .collect();
            let sum: i32 = waiting.into_iter().map(|waiting| waiting.join().unwrap()).sum();
            assert_eq!(sum, 6);
        });
    }
}
