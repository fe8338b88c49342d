//! The standard input of the worker, without blocking a task on it.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use tracing::error;

use super::line_splitter::LineSplitter;

/// Chunks read ahead of the task: enough to keep the reader busy, little memory.
const CHUNKS_AHEAD: usize = 4;

const CHUNK_BYTES: usize = 64 * 1024;

/// The process has one standard input: one thread reads it, from the first use on, and a task that is started again goes on
/// where the one before it stopped.
static STDIN: OnceLock<Mutex<StdinChunks>> = OnceLock::new();

struct StdinChunks {
    /// What an earlier task took and did not use.
    given_back: Vec<u8>,
    chunks: Receiver<io::Result<Vec<u8>>>,
}

/// Adds what has come in, waiting at most `wait` for it; the number of bytes, 0 if there is nothing for now or ever.
pub(super) fn fill(splitter: &mut LineSplitter, wait: Duration) -> io::Result<usize> {
    let mut stdin = lock();
    let given_back = std::mem::take(&mut stdin.given_back);
    if !given_back.is_empty() {
        splitter.push(&given_back);
        return Ok(given_back.len());
    }
    match stdin.chunks.recv_timeout(wait) {
        Ok(chunk) => {
            let chunk = chunk?;
            splitter.push(&chunk);
            Ok(chunk.len())
        }
        Err(RecvTimeoutError::Timeout) => Ok(0),
        Err(RecvTimeoutError::Disconnected) => {
            drop(stdin);
            thread::sleep(wait);
            Ok(0)
        }
    }
}

/// Takes bytes back that a task did not use, for the next one.
pub(super) fn give_back(bytes: &[u8]) {
    lock().given_back.extend_from_slice(bytes);
}

fn lock() -> MutexGuard<'static, StdinChunks> {
    STDIN.get_or_init(spawn_reader).lock().unwrap_or_else(PoisonError::into_inner)
}

fn spawn_reader() -> Mutex<StdinChunks> {
    let (sender, chunks) = sync_channel(CHUNKS_AHEAD);
    let spawned = thread::Builder::new().name("volley-stdin".into()).spawn(move || read_all(&sender));
    if let Err(error) = spawned {
        error!(%error, "could not start the thread that reads the standard input");
    }
    Mutex::new(StdinChunks { given_back: Vec::new(), chunks })
}

fn read_all(sender: &SyncSender<io::Result<Vec<u8>>>) {
    let mut stdin = io::stdin().lock();
    loop {
        let mut chunk = vec![0; CHUNK_BYTES];
        let read = match stdin.read(&mut chunk) {
            Ok(0) => return,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read,
        };
        let failed = read.is_err();
        let sent = sender.send(read.map(|length| {
            chunk.truncate(length);
            chunk
        }));
        if failed || sent.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::line_splitter::Lines;
    use super::*;

    #[test]
    fn what_a_task_did_not_use_goes_to_the_next_one() {
        give_back(b"half a li");
        let mut splitter = LineSplitter::new(100);
        assert_eq!(fill(&mut splitter, Duration::ZERO).unwrap(), 9);
        splitter.push(b"ne\n");
        let mut lines = Lines::new();
        splitter.take_into(&mut lines, 1).unwrap();
        assert_eq!(lines.into_array().unwrap().value(0), "half a line");
    }
}
