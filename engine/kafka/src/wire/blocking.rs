//! Requests of callers that block.

use std::thread;

use tokio::runtime::Builder;
use volley_api::{Error, Result};

/// Runs a future to its end on a thread of its own, so that it matters not whether the caller's belongs to a runtime.
pub(crate) fn block_on<T: Send, F: Future<Output = Result<T>>>(future: impl FnOnce() -> F + Send) -> Result<T> {
    let run = || {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::fatal("could not start a runtime for a request").with_source(error))?;
        runtime.block_on(future())
    };
    thread::scope(|scope| scope.spawn(run).join())
        .unwrap_or_else(|_| Err(Error::fatal("a request to a broker panicked")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_works_inside_a_runtime_too() {
        let answer = || block_on(|| async { Ok(1) }).unwrap();
        assert_eq!(answer(), 1);
        Builder::new_current_thread().build().unwrap().block_on(async { assert_eq!(answer(), 1) });
    }

    #[test]
    fn a_panic_is_an_error() {
        let outcome: Result<()> = block_on(|| async { panic!("as a test") });
        assert!(outcome.is_err());
    }
}
