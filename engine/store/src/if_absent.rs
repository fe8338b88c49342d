//! Multipart uploads that end only where there is no object yet.
//!
//! The client of object stores completes them whatever is there. S3 takes `If-None-Match: *` with CompleteMultipartUpload
//! (Amazon S3 API reference), as it does with PutObject. The header is no part of what requests are signed by.

use async_trait::async_trait;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpService, ReqwestConnector,
};
use object_store::{HeaderValue, Result};

/// Makes clients of HTTP that add the condition.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct IfAbsentConnector;

#[derive(Debug)]
struct IfAbsent {
    client: HttpClient,
}

impl HttpConnector for IfAbsentConnector {
    fn connect(&self, options: &ClientOptions) -> Result<HttpClient> {
        Ok(HttpClient::new(IfAbsent { client: ReqwestConnector::default().connect(options)? }))
    }
}

#[async_trait]
impl HttpService for IfAbsent {
    async fn call(&self, mut request: HttpRequest) -> std::result::Result<HttpResponse, HttpError> {
        if completes_an_upload(&request) {
            request.headers_mut().insert("if-none-match", HeaderValue::from_static("*"));
        }
        self.client.execute(request).await
    }
}

/// CompleteMultipartUpload: `POST /object?uploadId=…`.
fn completes_an_upload(request: &HttpRequest) -> bool {
    let query = request.uri().query().unwrap_or_default();
    request.method().as_str() == "POST" && query.split('&').any(|pair| pair.starts_with("uploadId="))
}
