//! Logs each request in NCSA extended format, with its duration in milliseconds:
//! `127.0.0.1 - - [23/Nov/2026:02:19:10 +0000] "GET /connectors HTTP/1.1" 200 91 "-" "curl/7.88.1" 4`.

use std::time::Instant;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::Response;
use hyper::body::Body as _;
use tracing::info;

use crate::clock::now;
use crate::rest::server::connection::Client;

/// The parts of a request that its log line contains.
#[derive(Debug)]
pub(crate) struct Line {
    began: Instant,
    client: String,
    request: String,
    referer: String,
    user_agent: String,
}

impl Line {
    /// For a request that has just arrived.
    pub(crate) fn begin(request: &Request) -> Self {
        let client = request.extensions().get::<Client>();
        Self {
            began: Instant::now(),
            client: client.map_or_else(|| "-".to_owned(), |client| client.0.ip().to_canonical().to_string()),
            request: format!("{} {} {:?}", request.method(), request.uri(), request.version()),
            referer: header_text(request.headers(), &header::REFERER),
            user_agent: header_text(request.headers(), &header::USER_AGENT),
        }
    }

    /// Writes the line.
    pub(crate) fn write(self, response: &Response) {
        let Self { began, client, request, referer, user_agent } = self;
        let time = now().format("%d/%b/%Y:%H:%M:%S %z");
        let (status, milliseconds) = (response.status().as_u16(), began.elapsed().as_millis());
        let bytes = response.body().size_hint().exact().unwrap_or_default();
        info!("{client} - - [{time}] \"{request}\" {status} {bytes} \"{referer}\" \"{user_agent}\" {milliseconds}");
    }
}

fn header_text(headers: &HeaderMap, name: &HeaderName) -> String {
    let text = headers.get(name).and_then(|value| value.to_str().ok()).filter(|text| !text.is_empty());
    text.map_or_else(|| "-".to_owned(), |text| text.replace('"', "'"))
}
