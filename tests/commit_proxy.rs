//! A network that breaks where a database is about to commit.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// When the connection breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The server never hears of the commit.
    BeforeCommit,
    /// The server commits, and nobody hears of it.
    AfterCommit,
}

#[derive(Debug, Default)]
struct Plan {
    next: Option<Cut>,
    struck: usize,
}

/// Stands before a database whose protocol shows its statements: without TLS.
pub(crate) struct CommitProxy {
    port: u16,
    plan: Arc<Mutex<Plan>>,
}

impl CommitProxy {
    /// Passes everything on to a port of 127.0.0.1 for now.
    pub(crate) fn before(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let (port, plan) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(Plan::default())));
        let serving = Arc::clone(&plan);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { continue };
                pass(client, server, &serving);
            }
        });
        Self { port, plan }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Breaks the connection with the next commit.
    pub(crate) fn cut(&self, cut: Cut) {
        self.plan.lock().unwrap().next = Some(cut);
    }

    /// How many connections it has broken.
    pub(crate) fn struck(&self) -> usize {
        self.plan.lock().unwrap().struck
    }
}

/// Both directions, until one of them ends.
fn pass(client: TcpStream, server: TcpStream, plan: &Arc<Mutex<Plan>>) {
    let is_mute = Arc::new(Mutex::new(false));
    let (from_server, to_client, silence) =
        (server.try_clone().unwrap(), client.try_clone().unwrap(), Arc::clone(&is_mute));
    thread::spawn(move || {
        // the first that the server says after a commit is that it is done
        copy(from_server, to_client, |_| !*silence.lock().unwrap());
    });
    let plan = Arc::clone(plan);
    thread::spawn(move || {
        copy(client, server, |bytes| {
            if !bytes.windows(6).any(|window| window == b"COMMIT") {
                return true;
            }
            let mut plan = plan.lock().unwrap();
            let cut = plan.next.take();
            plan.struck += usize::from(cut.is_some());
            *is_mute.lock().unwrap() = cut == Some(Cut::AfterCommit);
            cut != Some(Cut::BeforeCommit)
        });
    });
}

/// Passes bytes on as long as `may_pass` says so; then ends both connections.
fn copy(mut from: TcpStream, mut to: TcpStream, mut may_pass: impl FnMut(&[u8]) -> bool) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(length) = from.read(&mut buffer) {
        if length == 0 || !may_pass(&buffer[..length]) || to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    for stream in [from, to] {
        let _ = stream.shutdown(Shutdown::Both);
    }
}
