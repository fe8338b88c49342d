//! A session of a database's own client, which stays open: its transactions begin and end when a test says so.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A client that is told its statements one by one.
pub(crate) struct SqlSession {
    client: Child,
    statements: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// What makes the client write a text.
    echo: fn(&str) -> String,
    count: usize,
}

impl SqlSession {
    /// Starts the client; `echo` gives what makes it write a text.
    pub(crate) fn start(mut command: Command, echo: fn(&str) -> String) -> Self {
        let mut client = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (statements, answers) = (client.stdin.take().unwrap(), BufReader::new(client.stdout.take().unwrap()));
        Self { client, statements, answers, echo, count: 0 }
    }

    /// Executes SQL, each statement with its semicolon; the lines that it answers.
    pub(crate) fn sql(&mut self, text: &str) -> Vec<String> {
        self.count += 1;
        let mark = format!("end-of-{}", self.count);
        writeln!(self.statements, "{text}\n{}", (self.echo)(&mark)).unwrap();
        self.statements.flush().unwrap();
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            let length = self.answers.read_line(&mut line).unwrap();
            assert!(length > 0, "the client has ended at {text}");
            match line.trim_end() {
                line if line == mark => return lines,
                line => lines.push(line.to_owned()),
            }
        }
    }
}

impl Drop for SqlSession {
    fn drop(&mut self) {
        let _ = self.client.kill();
        let _ = self.client.wait();
    }
}
