//! What the sink needs of Google Cloud Storage, in this process: objects as of its XML API (PUT, GET, HEAD, DELETE, listings of
//! version 2, `x-goog-if-generation-match`) and resumable uploads as of its JSON API, whose condition is looked at when the
//! last bytes are there. No server that can be had does both. Of a part that is not the last it keeps a half, now and then,
//! as the real one may.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

use object_store::ObjectStore;
use object_store::gcp::GoogleCloudStorageBuilder;
use serde_json::Value;

/// What a part that is not the last is a multiple of.
const UNIT: u64 = 256 * 1024;
/// Of so many parts that are not the last, one is kept by half.
const HALVED: usize = 5;

/// Listens on a port of 127.0.0.1.
pub(crate) struct GoogleStorage {
    state: Arc<Mutex<State>>,
    port: u16,
    _directory: tempfile::TempDir,
}

#[derive(Debug, Default)]
struct State {
    directory: PathBuf,
    /// By bucket and name.
    objects: BTreeMap<String, Object>,
    uploads: BTreeMap<u64, Upload>,
    generation: u64,
    parts: usize,
    is_over: bool,
}

#[derive(Clone, Debug)]
struct Object {
    path: PathBuf,
    generation: u64,
    metadata: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
struct Upload {
    object: Object,
    key: String,
    stored: u64,
    if_absent: bool,
}

#[derive(Debug)]
struct Request {
    method: String,
    /// Without the slash in front.
    path: String,
    query: Vec<(String, String)>,
    /// Names in lower case.
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// Status line, headers, body.
type Answer = (&'static str, Vec<(String, String)>, Vec<u8>);

impl GoogleStorage {
    /// One without objects. Every bucket is there.
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = State { directory: directory.path().to_owned(), ..State::default() };
        let state = Arc::new(Mutex::new(state));
        let serving = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if serving.lock().unwrap().is_over {
                    return;
                }
                let serving = Arc::clone(&serving);
                // whoever hangs up has a reason
                thread::spawn(move || serve(&serving, client));
            }
        });
        Self { state, port, _directory: directory }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// What it takes for the key of an account.
    pub(crate) fn account_key() -> &'static str {
        r#"{"private_key": "k", "private_key_id": "k", "client_email": "e", "disable_oauth": true}"#
    }

    /// A client of a bucket.
    pub(crate) fn client(&self, bucket: &str) -> Arc<dyn ObjectStore> {
        let builder = GoogleCloudStorageBuilder::new()
            .with_base_url(&format!("http://127.0.0.1:{}", self.port))
            .with_bucket_name(bucket)
            .with_service_account_key(Self::account_key())
            .with_client_options(object_store::ClientOptions::new().with_allow_http(true));
        Arc::new(builder.build().unwrap())
    }
}

impl Drop for GoogleStorage {
    fn drop(&mut self) {
        self.state.lock().unwrap().is_over = true;
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// One request of a connection, which ends with it.
fn serve(state: &Mutex<State>, client: TcpStream) -> io::Result<()> {
    let mut reader = BufReader::new(client);
    let Some(request) = read_request(&mut reader)? else { return Ok(()) };
    let (status, headers, body) = state.lock().unwrap().answer(&request);
    let mut head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n");
    headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
    if !headers.iter().any(|(name, _)| name == "Content-Length") {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    let mut client = reader.into_inner();
    client.write_all(format!("{head}\r\n").as_bytes())?;
    client.write_all(&body)
}

/// None if the client says nothing; an error if it hangs up in the middle.
fn read_request(reader: &mut impl BufRead) -> io::Result<Option<Request>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        if line.trim_end().is_empty() {
            break;
        }
        lines.push(line.trim_end().to_owned());
    }
    let mut first = lines[0].split(' ');
    let (method, target) = (first.next().unwrap().to_owned(), first.next().unwrap());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let header = |line: &String| line.split_once(':').map(|(name, value)| (name.to_lowercase(), value.trim().into()));
    let headers: Vec<(String, String)> = lines[1..].iter().filter_map(header).collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap())];
    reader.read_exact(&mut body)?;
    let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let path = percent_encoding::percent_decode_str(path.trim_start_matches('/')).decode_utf8_lossy().into_owned();
    Ok(Some(Request { method, path, query, headers, body }))
}

impl Request {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl State {
    fn answer(&mut self, request: &Request) -> Answer {
        if let Some(bucket) = request.path.strip_prefix("upload/storage/v1/b/") {
            return match request.query("upload_id") {
                Some(id) => self.go_on(request, id.parse().unwrap()),
                None => self.begin(request, bucket.trim_end_matches("/o")),
            };
        }
        match request.method.as_str() {
            "GET" if !request.path.contains('/') => self.list(request),
            "GET" | "HEAD" => self.get(request),
            "PUT" => self.put(request),
            "DELETE" => match self.objects.remove(&request.path) {
                Some(_) => plain("204 No Content"),
                None => no_such_key(),
            },
            _ => plain("400 Bad Request"),
        }
    }

    fn new_object(&mut self, metadata: Vec<(String, String)>) -> Object {
        self.generation += 1;
        let path = self.directory.join(self.generation.to_string());
        Object { path, generation: self.generation, metadata }
    }

    fn put(&mut self, request: &Request) -> Answer {
        if request.header("x-goog-if-generation-match") == Some("0") && self.objects.contains_key(&request.path) {
            return precondition_failed();
        }
        let metadata = request.headers.iter().filter(|(name, _)| name.starts_with("x-goog-meta-"));
        let object = self.new_object(metadata.cloned().collect());
        fs::write(&object.path, &request.body).unwrap();
        let headers = headers_of(&object);
        self.objects.insert(request.path.clone(), object);
        ("200 OK", headers, Vec::new())
    }

    fn get(&self, request: &Request) -> Answer {
        let Some(object) = self.objects.get(&request.path) else { return no_such_key() };
        let size = size(&object.path);
        let mut headers = headers_of(object);
        headers.extend(object.metadata.clone());
        if request.method == "HEAD" {
            headers.push(("Content-Length".to_owned(), size.to_string()));
            return ("200 OK", headers, Vec::new());
        }
        let range = request.header("range").and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
        let Some((first, last)) = range else { return ("200 OK", headers, fs::read(&object.path).unwrap()) };
        let first: u64 = first.parse().unwrap();
        let end = last.parse().map_or(size, |last: u64| size.min(last + 1));
        let mut bytes = vec![0; (end - first) as usize];
        File::open(&object.path).unwrap().read_exact_at(&mut bytes, first).unwrap();
        headers.push(("Content-Range".to_owned(), format!("bytes {first}-{}/{size}", end - 1)));
        ("206 Partial Content", headers, bytes)
    }

    fn list(&self, request: &Request) -> Answer {
        let bucket = format!("{}/", request.path);
        let (prefix, after) = (request.query("prefix").unwrap_or(""), request.query("start-after").unwrap_or(""));
        let names = self.objects.iter().filter_map(|(key, object)| Some((key.strip_prefix(&bucket)?, object)));
        let found = names.filter(|(name, _)| name.starts_with(prefix) && *name > after);
        let content = |(name, object): (&str, &Object)| {
            let name = name.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let (size, generation) = (size(&object.path), object.generation);
            format!(
                "<Contents><Key>{name}</Key><Size>{size}</Size><LastModified>2024-01-01T00:00:00.000Z</LastModified>\
                 <ETag>\"{generation}\"</ETag></Contents>"
            )
        };
        let contents: String = found.map(content).collect();
        let body = format!("<?xml version=\"1.0\"?><ListBucketResult>{contents}</ListBucketResult>");
        ("200 OK", vec![("Content-Type".to_owned(), "application/xml".to_owned())], body.into_bytes())
    }

    /// The condition is not looked at yet.
    fn begin(&mut self, request: &Request, bucket: &str) -> Answer {
        let resource: Value = serde_json::from_slice(&request.body).unwrap();
        let metadata = resource["metadata"].as_object().unwrap().iter();
        let metadata =
            metadata.map(|(name, value)| (format!("x-goog-meta-{name}"), value.as_str().unwrap().to_owned()));
        let object = self.new_object(metadata.collect());
        File::create(&object.path).unwrap();
        let (id, host) = (object.generation, request.header("host").unwrap());
        let key = format!("{bucket}/{}", request.query("name").unwrap());
        let if_absent = request.query("ifGenerationMatch") == Some("0");
        self.uploads.insert(id, Upload { object, key, stored: 0, if_absent });
        let address = format!("http://{host}/upload/storage/v1/b/{bucket}/o?uploadType=resumable&upload_id={id}");
        ("200 OK", vec![("Location".to_owned(), address)], Vec::new())
    }

    fn go_on(&mut self, request: &Request, id: u64) -> Answer {
        let Some(mut upload) = self.uploads.get(&id).cloned() else { return plain("410 Gone") };
        if request.method == "DELETE" {
            self.uploads.remove(&id);
            return plain("499 Client Closed Request");
        }
        let range = request.header("content-range").unwrap().strip_prefix("bytes ").unwrap();
        let (range, total) = range.split_once('/').unwrap();
        let total: Option<u64> = total.parse().ok();
        if let Some((first, last)) = range.split_once('-') {
            let (first, end) = (first.parse::<u64>().unwrap(), last.parse::<u64>().unwrap() + 1);
            let is_last = total == Some(end);
            if end - first != request.body.len() as u64
                || first != upload.stored
                || !is_last && (end - first) % UNIT != 0
            {
                return plain("400 Bad Request");
            }
            self.parts += 1;
            let kept = match is_last || !self.parts.is_multiple_of(HALVED) {
                true => end - first,
                false => (end - first) / 2 / UNIT * UNIT,
            };
            let file = File::options().write(true).open(&upload.object.path).unwrap();
            file.write_all_at(&request.body[..kept as usize], first).unwrap();
            upload.stored += kept;
            self.uploads.insert(id, upload.clone());
        }
        if total != Some(upload.stored) {
            let stored = upload.stored.checked_sub(1).map(|last| ("Range".to_owned(), format!("bytes=0-{last}")));
            return ("308 Resume Incomplete", stored.into_iter().collect(), Vec::new());
        }
        if upload.if_absent && self.objects.get(&upload.key).is_some_and(|there| there.generation != id) {
            self.uploads.remove(&id);
            return precondition_failed();
        }
        let headers = headers_of(&upload.object);
        // it stays known, for who asks again
        self.objects.insert(upload.key.clone(), upload.object);
        ("200 OK", headers, b"{}".to_vec())
    }
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).unwrap().len()
}

fn headers_of(object: &Object) -> Vec<(String, String)> {
    let generation = object.generation;
    [
        ("ETag", format!("\"{generation}\"")),
        ("x-goog-generation", generation.to_string()),
        ("Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

fn plain(status: &'static str) -> Answer {
    (status, Vec::new(), Vec::new())
}

fn no_such_key() -> Answer {
    ("404 Not Found", Vec::new(), b"<Error><Code>NoSuchKey</Code></Error>".to_vec())
}

fn precondition_failed() -> Answer {
    ("412 Precondition Failed", Vec::new(), b"<Error><Code>PreconditionFailed</Code></Error>".to_vec())
}
