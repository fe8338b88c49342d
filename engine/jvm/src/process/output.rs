//! What a process prints: line by line into the log.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;
use tracing::{info, warn};

use super::host_process::spawn;

/// Lines of standard error that are shown with the failure of a process.
const KEPT_LINES: usize = 20;
/// A line is cut here: native code may print anything.
const LINE_LIMIT: u64 = 16 * 1024;

/// The last lines of standard error.
#[derive(Debug)]
pub(super) struct LastLines {
    lines: Mutex<VecDeque<String>>,
    /// Ends when both streams have.
    ended: Receiver<()>,
}

impl LastLines {
    /// Starts to log what comes from both streams of the process called `name`.
    pub(super) fn of(
        name: &str,
        stdout: impl Read + Send + 'static,
        stderr: impl Read + Send + 'static,
    ) -> std::io::Result<Arc<Self>> {
        let (end, ended) = bounded(0);
        let this = Arc::new(Self { lines: Mutex::default(), ended });
        let (java, end_of_output): (String, Sender<()>) = (name.to_owned(), end.clone());
        spawn("java-stdout", move || {
            each_line(stdout, |line| info!(target: "volley_jvm", java, "{line}"));
            drop(end_of_output);
        })?;
        let (java, kept) = (name.to_owned(), Arc::clone(&this));
        spawn("java-stderr", move || {
            each_line(stderr, |line| {
                warn!(target: "volley_jvm", java, "{line}");
                kept.keep(line);
            });
            drop(end);
        })?;
        Ok(this)
    }

    fn keep(&self, line: &str) {
        let mut lines = self.lines.lock();
        if lines.len() == KEPT_LINES {
            lines.pop_front();
        }
        lines.push_back(line.to_owned());
    }

    /// Waits until everything is read that was printed, as long as `limit` at most: a process of its own that a plug-in
    /// left behind may keep the streams open.
    pub(super) fn await_end(&self, limit: std::time::Duration) {
        let _ = self.ended.recv_timeout(limit);
    }

    /// The lines, joined.
    pub(super) fn text(&self) -> String {
        Vec::from(self.lines.lock().clone()).join("\n")
    }
}

fn each_line(from: impl Read, mut each: impl FnMut(&str)) {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    loop {
        line.clear();
        match from.by_ref().take(LINE_LIMIT).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => each(String::from_utf8_lossy(&line).trim_end()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_last_lines_of_standard_error_are_kept() {
        let printed: String = (0..30).map(|line| format!("line {line}\n")).collect();
        let lines = LastLines::of("c", std::io::empty(), std::io::Cursor::new(printed.into_bytes())).unwrap();
        lines.await_end(Duration::from_secs(10));
        assert!(lines.text().starts_with("line 10\n") && lines.text().ends_with("\nline 29"));
    }
}
