//! SIGINT and SIGTERM end a command in order.

use std::future::Future;

use tokio::signal::unix::{SignalKind, signal};

/// The outcome of `work`, or `None` if the user wants the program to end.
///
/// # Errors
/// If signals cannot be received.
pub(super) fn unless_interrupted<T>(work: impl Future<Output = T>) -> std::io::Result<Option<T>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            outcome = work => Ok(Some(outcome)),
            _ = interrupt.recv() => Ok(None),
            _ = terminate.recv() => Ok(None),
        }
    })
}
