//! A server of objects on a bad day: passes requests on to a real one, and does to some of them what networks and busy stores do.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::S3;

/// No request takes so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Fault {
    /// 503, which asks for fewer requests.
    SlowDown,
    /// 403.
    Denied,
    /// 409 to a conditional PUT, as S3 answers while another one of the same name is under way. There need not be an object.
    Conflict,
    /// The connection is reset before the request has been read.
    Reset,
    /// The server does what it is asked for, and its answer is lost.
    LostAnswer,
    /// The answer breaks off in the middle.
    HalfAnswer,
    /// The server does what it is asked for when the client has given up waiting.
    Late,
}

impl Fault {
    /// All that pass by themselves.
    pub(crate) const PASSING: [Self; 6] =
        [Self::SlowDown, Self::Conflict, Self::Reset, Self::LostAnswer, Self::HalfAnswer, Self::Late];

    /// What is answered in place of the server.
    fn answer(self) -> Option<&'static str> {
        match self {
            Self::SlowDown => Some("503 SlowDown"),
            Self::Denied => Some("403 AccessDenied"),
            Self::Conflict => Some("409 ConditionalRequestConflict"),
            Self::Reset | Self::LostAnswer | Self::HalfAnswer | Self::Late => None,
        }
    }
}

#[derive(Debug, Default)]
struct Weather {
    faults: Vec<Fault>,
    percent: u64,
    random: u64,
    struck: HashMap<Fault, usize>,
    /// Parts of objects that have been sent.
    parts: usize,
    /// Whether an upload in parts is completed whatever is there.
    forgets_conditions: bool,
    is_over: bool,
}

/// Listens on a port of 127.0.0.1.
pub(crate) struct FaultyStore {
    weather: Arc<Mutex<Weather>>,
    port: u16,
}

impl FaultyStore {
    /// Passes everything on to `s3` for now.
    pub(crate) fn before(s3: &S3) -> Self {
        Self::before_port(s3.port())
    }

    /// Passes everything on to the server at this port of 127.0.0.1 for now.
    pub(crate) fn before_port(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let weather = Arc::new(Mutex::new(Weather { random: 42, ..Weather::default() }));
        let serving = Arc::clone(&weather);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if serving.lock().unwrap().is_over {
                    return;
                }
                let serving = Arc::clone(&serving);
                // whoever hangs up has a reason; the client will see it
                thread::spawn(move || serve(&serving, client, server));
            }
        });
        Self { weather, port }
    }

    /// The endpoint's URL.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// From now on, one of the faults happens to so many of a hundred requests.
    pub(crate) fn strike(&self, percent: u64, faults: &[Fault]) {
        let mut weather = self.weather.lock().unwrap();
        (weather.percent, weather.faults) = (percent, faults.to_vec());
    }

    /// From now on, all requests are passed on.
    pub(crate) fn heal(&self) {
        self.strike(0, &[]);
    }

    /// From now on it is a server that does not know the condition of CompleteMultipartUpload.
    pub(crate) fn forget_conditions_of_parts(&self) {
        self.weather.lock().unwrap().forgets_conditions = true;
    }

    /// How many parts of objects have been sent.
    pub(crate) fn parts(&self) -> usize {
        self.weather.lock().unwrap().parts
    }

    /// How often this has happened.
    pub(crate) fn struck(&self, fault: Fault) -> usize {
        self.weather.lock().unwrap().struck.get(&fault).copied().unwrap_or_default()
    }
}

impl Drop for FaultyStore {
    fn drop(&mut self) {
        self.weather.lock().unwrap().is_over = true;
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Weather {
    fn next_fault(&mut self, is_conditional: bool) -> Option<Fault> {
        let possible: Vec<_> =
            self.faults.iter().copied().filter(|fault| is_conditional || *fault != Fault::Conflict).collect();
        if possible.is_empty() || self.next_random() % 100 >= self.percent {
            return None;
        }
        let fault = possible[self.next_random() as usize % possible.len()];
        *self.struck.entry(fault).or_default() += 1;
        Some(fault)
    }

    fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.random >> 33
    }
}

/// One request of a connection, which ends with it.
fn serve(weather: &Mutex<Weather>, mut client: TcpStream, server: u16) -> io::Result<()> {
    client.set_read_timeout(Some(PATIENCE))?;
    let Some(head) = peek_head(&client)? else { return Ok(()) };
    let fault = weather.lock().unwrap().next_fault(head.to_ascii_lowercase().contains("if-none-match: *"));
    if fault == Some(Fault::Reset) {
        // what was not read makes it a reset
        return Ok(());
    }
    let forgets = head.contains("uploadId=") && weather.lock().unwrap().forgets_conditions;
    let request = read_request(&mut client, &head, forgets)?;
    if let Some(status) = fault.and_then(Fault::answer) {
        let (_, code) = status.split_once(' ').unwrap();
        let body =
            format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>as the test wants it</Message></Error>");
        let length = body.len();
        return write!(
            client,
            "HTTP/1.1 {status}\r\nContent-Type: application/xml\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
    }
    if is_part(&head) {
        weather.lock().unwrap().parts += 1;
    }
    if fault == Some(Fault::Late) {
        // nothing comes from the client until it hangs up
        let _ = client.read(&mut [0]);
    }
    let answer = ask(server, &request)?;
    match fault {
        Some(Fault::LostAnswer) => Ok(()),
        Some(Fault::HalfAnswer) => client.write_all(&answer[..answer.len() / 2]),
        _ => client.write_all(&answer),
    }
}

/// Whether a request sends a part of an object: to S3, Azure, Google.
fn is_part(head: &str) -> bool {
    let goes_on = || head.contains("upload_id=") && !head.to_ascii_lowercase().contains("content-range: bytes */");
    head.contains("partNumber=") || head.contains("comp=block&") || goes_on()
}

/// The head of the request, which stays to be read; none if the client says nothing.
fn peek_head(client: &TcpStream) -> io::Result<Option<String>> {
    let mut bytes = vec![0; 16 * 1024];
    loop {
        let length = client.peek(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes[..length]);
        match text.split_once("\r\n\r\n") {
            Some((head, _)) => return Ok(Some(head.to_owned())),
            None if length == 0 => return Ok(None),
            None => thread::yield_now(),
        }
    }
}

/// The whole request, which asks for no other one behind it, and without its condition if that is forgotten.
fn read_request(client: &mut TcpStream, head: &str, forgets_condition: bool) -> io::Result<Vec<u8>> {
    let mut lines: Vec<&str> = head.split("\r\n").collect();
    let value = |line: &str| line.split_once(':').map(|(_, value)| value.trim().parse().unwrap());
    let length = lines.iter().find(|line| line.to_ascii_lowercase().starts_with("content-length:"));
    let length = length.and_then(|line| value(line)).unwrap_or(0);
    let mut bytes = vec![0; head.len() + 4 + length];
    client.read_exact(&mut bytes)?;
    let is_dropped = |line: &str| {
        let line = line.to_ascii_lowercase();
        line.starts_with("connection:") || forgets_condition && line.starts_with("if-none-match:")
    };
    lines.retain(|line| !is_dropped(line));
    lines.push("connection: close\r\n\r\n");
    let mut request = lines.join("\r\n").into_bytes();
    request.extend_from_slice(&bytes[head.len() + 4..]);
    Ok(request)
}

fn ask(server: u16, request: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", server))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}
