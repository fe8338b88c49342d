//! A server for tests: answers as it is told, and remembers what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use parking_lot::Mutex;

/// What the server was asked.
#[derive(Clone, Debug)]
pub(crate) struct StubRequest {
    /// Method and target.
    pub(crate) line: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl StubRequest {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(one, _)| one == name).map(|(_, value)| value.as_str())
    }
}

/// What the server does.
#[derive(Clone, Debug)]
pub(crate) enum StubReply {
    /// A status, further headers (each with its line end), a body.
    Answer(u16, &'static str, String),
    /// Closes the connection.
    Hangup,
    /// Never answers, but keeps the connection.
    Silence,
}

impl StubReply {
    pub(crate) fn ok(body: impl Into<String>) -> Self {
        Self::Answer(200, "", body.into())
    }

    pub(crate) fn status(status: u16, body: impl Into<String>) -> Self {
        Self::Answer(status, "", body.into())
    }
}

/// A server on a port of its own. It ends when this is dropped.
pub(crate) struct StubServer {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<StubRequest>>>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl StubServer {
    /// Answers each request with what `reply` says; its place counts from 0.
    pub(crate) fn start(mut reply: impl FnMut(usize, &StubRequest) -> StubReply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (asked, is_over) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (remembered, over) = (Arc::clone(&asked), Arc::clone(&is_over));
        let thread = thread::spawn(move || {
            let mut silent = Vec::new();
            while let Ok((mut stream, _)) = listener.accept() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let Some(request) = read_request(&stream) else { continue };
                let place = remembered.lock().len();
                remembered.lock().push(request.clone());
                match reply(place, &request) {
                    StubReply::Answer(status, headers, body) => {
                        let length = body.len();
                        let answer = format!("HTTP/1.1 {status} x\r\n{headers}content-length: {length}\r\n\r\n{body}");
                        // The client may have gone.
                        let _ = stream.write_all(answer.as_bytes());
                    }
                    StubReply::Hangup => {}
                    StubReply::Silence => silent.push(stream),
                }
            }
        });
        Self { address, asked, is_over, thread: Some(thread) }
    }

    /// One that always answers the same.
    pub(crate) fn answering(reply: StubReply) -> Self {
        Self::start(move |_, _| reply.clone())
    }

    /// Its URL, with user and password if they are given.
    pub(crate) fn url(&self, user_info: &str) -> String {
        let at = if user_info.is_empty() { "" } else { "@" };
        format!("http://{user_info}{at}{}", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// What it was asked so far.
    pub(crate) fn asked(&self) -> Vec<StubRequest> {
        self.asked.lock().clone()
    }

    /// How often it was asked so far.
    pub(crate) fn count(&self) -> usize {
        self.asked.lock().len()
    }
}

impl Drop for StubServer {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A URL that nobody listens at: an unusual port that only the administrator may take.
pub(crate) const NOBODY: &str = "http://127.0.0.1:1";

fn read_request(stream: &TcpStream) -> Option<StubRequest> {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut lines = lines.into_iter();
    let line = lines.next()?.trim_end_matches(" HTTP/1.1").to_owned();
    let headers =
        lines.filter_map(|line| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned())));
    let request = StubRequest { line, headers: headers.collect(), body: String::new() };
    let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(StubRequest { body: String::from_utf8(body).ok()?, ..request })
}
