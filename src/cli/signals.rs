//! SIGINT, SIGTERM and SIGHUP end a command in order, as they end a JVM.

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
        let mut hang_up = if is_hang_up_ignored() { None } else { Some(signal(SignalKind::hangup())?) };
        let hung_up = async {
            match &mut hang_up {
                Some(hang_up) => hang_up.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            outcome = work => Ok(Some(outcome)),
            _ = interrupt.recv() => Ok(None),
            _ = terminate.recv() => Ok(None),
            _ = hung_up => Ok(None),
        }
    })
}

/// Whether whoever started the program wants it to outlive his terminal, as `nohup` does.
fn is_hang_up_ignored() -> bool {
    // other systems say it nowhere without unsafe code
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}
