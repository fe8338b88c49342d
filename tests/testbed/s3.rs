//! An S3 server (moto): in memory, any credentials, conditional PUT.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::OnceLock;
use std::time::Duration;

use super::server_process::{ServerProcess, data_directory, free_port, installed};
use super::wait_until;

pub(crate) struct S3 {
    process: ServerProcess,
    port: u16,
}

impl S3 {
    pub(crate) const REGION: &'static str = "us-east-1";
    pub(crate) const ACCESS_KEY_ID: &'static str = "test";
    pub(crate) const SECRET_ACCESS_KEY: &'static str = "test";

    /// The server that all tests share; each test makes buckets of its own.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<S3> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// A server of one's own.
    pub(crate) fn start() -> Self {
        let directory = data_directory("s3");
        let port = free_port();
        let program = installed("s3").join("bin/moto_server").display().to_string();
        let command = [program, "-H".to_owned(), "127.0.0.1".to_owned(), "-p".to_owned(), port.to_string()];
        let server = Self { process: ServerProcess::start(&directory, &command), port };
        wait_until(Duration::from_secs(60), "the S3 server answers", || server.request("GET", "/", &[], b"").ok());
        server
    }

    /// The endpoint's URL.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Creates a bucket.
    pub(crate) fn create_bucket(&self, bucket: &str) {
        let answer = self.request("PUT", &format!("/{bucket}"), &[], b"").unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "could not create bucket {bucket}: {answer}");
    }

    /// Sends a plain HTTP request, with a signature that is not looked at; the answer is the status line, headers and body.
    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\nContent-Length: {}\r\n",
            self.port,
            body.len()
        );
        let signature = (
            "Authorization",
            "AWS4-HMAC-SHA256 Credential=test/20240101/us-east-1/s3/aws4_request, \
                                           SignedHeaders=host, Signature=0",
        );
        for (name, value) in headers.iter().chain([&signature]) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        stream.write_all(head.as_bytes())?;
        stream.write_all(b"\r\n")?;
        stream.write_all(body)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    /// The end of the server's log.
    pub(crate) fn log_tail(&self) -> String {
        self.process.log_tail()
    }
}
