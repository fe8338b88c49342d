//! Waiting without sleeping for long.

use std::future::Future;
use std::time::{Duration, Instant};

/// Asks until the answer is yes; panics after a time that no healthy machine needs.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut asked: impl FnMut() -> F) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !asked().await {
        assert!(Instant::now() < deadline, "never happened: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
