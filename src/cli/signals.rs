//! SIGINT, SIGTERM and SIGHUP end a command in order, as they end a JVM.

use std::future::{Future, poll_fn};
use std::io;
use std::task::Poll;
use std::thread;

use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

/// What ends a command since [`Signals::listen`].
pub(super) struct Signals {
    runtime: Runtime,
    /// SIGINT, SIGTERM, and SIGHUP unless it is ignored.
    streams: Vec<Signal>,
}

impl Signals {
    /// From now on no signal ends the process at once.
    ///
    /// # Errors
    /// If signals cannot be received.
    pub(super) fn listen() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut kinds = vec![SignalKind::interrupt(), SignalKind::terminate()];
        if !is_hang_up_ignored() {
            kinds.push(SignalKind::hangup());
        }
        let streams = runtime.block_on(async { kinds.into_iter().map(signal).collect::<io::Result<_>>() })?;
        Ok(Self { runtime, streams })
    }

    /// What `start` gives, or `None` if the user wants the program to end before that. Then `start` is left alone: it may
    /// wait for a server that is away.
    pub(super) fn unless_interrupted_at_start<T: Send + 'static>(
        &mut self,
        start: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (sender, receiver) = oneshot::channel();
        let thread = thread::spawn(move || sender.send(start()).is_ok());
        match self.unless_interrupted(receiver)? {
            Ok(started) => Some(started),
            Err(_) => std::panic::resume_unwind(thread.join().expect_err("it has sent nothing")),
        }
    }

    /// The outcome of `work`, or `None` if the user wants the program to end, or wanted it before.
    pub(super) fn unless_interrupted<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let streams = &mut self.streams;
        let interrupted = poll_fn(|context| {
            let is_any = streams.iter_mut().any(|stream| stream.poll_recv(context).is_ready());
            if is_any { Poll::Ready(()) } else { Poll::Pending }
        });
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = interrupted => None,
                outcome = work => Some(outcome),
            }
        })
    }
}

/// Whether whoever started the program wants it to outlive his terminal, as `nohup` does.
fn is_hang_up_ignored() -> bool {
    // other systems say it nowhere without unsafe code
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}
