//! S3 servers that honour a conditional PUT: moto, which keeps objects in memory and takes any credentials, and S3Proxy, which
//! keeps them on disk and looks at signatures. Of several writers at the very same moment more than one may succeed in moto, so
//! where writers race it has to be S3Proxy.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use crate::testbed::server_process::{ServerProcess, data_directory, free_port, installed};
use crate::testbed::wait_until;

const READY: Duration = Duration::from_secs(120);
/// Below the server's directory.
const BUCKETS: &str = "buckets";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Program {
    Moto,
    S3Proxy,
}

pub(crate) struct S3 {
    program: Program,
    process: Option<ServerProcess>,
    directory: PathBuf,
    port: u16,
}

impl S3 {
    pub(crate) const REGION: &'static str = "us-east-1";
    pub(crate) const ACCESS_KEY_ID: &'static str = "test";
    pub(crate) const SECRET_ACCESS_KEY: &'static str = "test";

    /// The server that all tests share; each test makes buckets of its own.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<S3> = OnceLock::new();
        SHARED.get_or_init(|| Self::start_program(Program::Moto))
    }

    /// The one that keeps its objects on disk, shared by all tests too.
    pub(crate) fn shared_on_disk() -> &'static Self {
        static SHARED: OnceLock<S3> = OnceLock::new();
        SHARED.get_or_init(Self::start_on_disk)
    }

    /// A server of one's own that keeps its objects on disk: it has them still after [`S3::kill`] and [`S3::restart`].
    pub(crate) fn start_on_disk() -> Self {
        Self::start_program(Program::S3Proxy)
    }

    fn start_program(program: Program) -> Self {
        let directory = data_directory("s3");
        fs::create_dir(directory.join(BUCKETS)).unwrap();
        let mut server = Self { program, process: None, directory, port: free_port() };
        server.restart();
        server
    }

    /// SIGKILL; what is on disk stays.
    pub(crate) fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill_and_keep_data();
        }
    }

    /// Starts it, on the same port.
    pub(crate) fn restart(&mut self) {
        let command = match self.program {
            Program::Moto => moto_command(self.port),
            Program::S3Proxy => s3proxy_command(self.port, &self.directory),
        };
        let process = ServerProcess::start(&self.directory, &command);
        wait_until(READY, "the S3 server answers", || {
            assert!(process.is_running(), "the S3 server ended:\n{}", process.log_tail());
            self.request("GET", "/", b"").ok()
        });
        self.process = Some(process);
    }

    /// Where it listens, on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The endpoint's URL.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Where the one that keeps its objects on disk has those of `bucket`: as files.
    pub(crate) fn bucket_directory(&self, bucket: &str) -> PathBuf {
        self.directory.join(BUCKETS).join(bucket)
    }

    /// Creates a bucket.
    pub(crate) fn create_bucket(&self, bucket: &str) {
        if self.program == Program::S3Proxy {
            // a bucket is a directory
            return fs::create_dir(self.bucket_directory(bucket)).unwrap();
        }
        let answer = self.request("PUT", &format!("/{bucket}"), b"").unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "could not create bucket {bucket}: {answer}");
    }

    /// Sends a plain HTTP request, with a signature that only moto does not look at; the answer is the status line, headers and
    /// body.
    pub(crate) fn request(&self, method: &str, path: &str, body: &[u8]) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\nContent-Length: {}\r\n\
             Authorization: AWS4-HMAC-SHA256 Credential=test/20240101/us-east-1/s3/aws4_request, SignedHeaders=host, \
             Signature=0\r\n\r\n",
            self.port,
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        if self.process.is_none() {
            let _ = fs::remove_dir_all(&self.directory);
        }
    }
}

fn moto_command(port: u16) -> Vec<String> {
    let program = installed("s3").join("bin/moto_server").display().to_string();
    [program, "-H".to_owned(), "127.0.0.1".to_owned(), "-p".to_owned(), port.to_string()].to_vec()
}

fn s3proxy_command(port: u16, directory: &Path) -> Vec<String> {
    let properties = directory.join("s3proxy.properties");
    let lines = [
        format!("s3proxy.endpoint=http://127.0.0.1:{port}"),
        "s3proxy.authorization=aws-v2-or-v4".to_owned(),
        format!("s3proxy.identity={}", S3::ACCESS_KEY_ID),
        format!("s3proxy.credential={}", S3::SECRET_ACCESS_KEY),
        "jclouds.provider=filesystem-nio2".to_owned(),
        format!("jclouds.filesystem.basedir={}", directory.join(BUCKETS).display()),
    ];
    fs::write(&properties, lines.join("\n")).unwrap();
    let logging =
        concat!("-Dlogback.configurationFile=", env!("CARGO_MANIFEST_DIR"), "/tests/testbed/s3proxy-logback.xml");
    let class_path = installed("s3proxy").join("*").display().to_string();
    let properties = properties.display().to_string();
    let java = ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", logging, "-cp", &class_path];
    java.into_iter().chain(["org.gaul.s3proxy.Main", "--properties", &properties]).map(str::to_owned).collect()
}
