//! What the tools print: JSON objects, one a line, on the standard output of the worker.

use serde_json::Value;

/// Lines that are printed together, so that those of several tasks do not run into each other.
#[derive(Debug, Default)]
pub(super) struct MessageLines(Vec<u8>);

impl MessageLines {
    /// Adds a line, without its end.
    pub(super) fn line(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.0);
        self.0.push(b'\n');
    }

    /// The lines.
    #[cfg(test)]
    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Prints the lines in one piece. Nobody may be listening: a closed output is no failure.
    #[cfg(not(test))]
    pub(super) fn print(self) {
        use std::io::Write;

        let mut output = std::io::stdout().lock();
        let _ = output.write_all(&self.0).and_then(|()| output.flush());
    }

    /// Prints the lines where the test harness captures them.
    #[cfg(test)]
    pub(super) fn print(self) {
        print!("{}", self.text());
    }
}

/// The text as a JSON string, with its quotes.
pub(super) fn json_string(text: &str) -> String {
    Value::from(text).to_string()
}
