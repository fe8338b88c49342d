//! The standard input of the worker, without blocking a task on it.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use tracing::error;

use super::line_splitter::LineSplitter;

/// Chunks read ahead of the task: enough to keep the reader busy, little memory.
const CHUNKS_AHEAD: usize = 4;

const CHUNK_BYTES: usize = 64 * 1024;

/// The process has one standard input: one thread reads it, from the first use on, and a task that is started again goes on
/// where the one before it stopped.
static CHUNKS: OnceLock<Mutex<Receiver<io::Result<Vec<u8>>>>> = OnceLock::new();

/// Adds what has come in, waiting at most `wait` for it; the number of bytes, 0 if there is nothing for now or ever.
pub(super) fn fill(splitter: &mut LineSplitter, wait: Duration) -> io::Result<usize> {
    let chunks = CHUNKS.get_or_init(spawn_reader).lock().unwrap_or_else(PoisonError::into_inner);
    match chunks.recv_timeout(wait) {
        Ok(chunk) => {
            let chunk = chunk?;
            splitter.push(&chunk);
            Ok(chunk.len())
        }
        Err(RecvTimeoutError::Timeout) => Ok(0),
        Err(RecvTimeoutError::Disconnected) => {
            thread::sleep(wait);
            Ok(0)
        }
    }
}

fn spawn_reader() -> Mutex<Receiver<io::Result<Vec<u8>>>> {
    let (sender, receiver) = sync_channel(CHUNKS_AHEAD);
    let spawned = thread::Builder::new().name("volley-stdin".into()).spawn(move || read_all(&sender));
    if let Err(error) = spawned {
        error!(%error, "could not start the thread that reads the standard input");
    }
    Mutex::new(receiver)
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
