//! The requests of resumable uploads to Google Cloud Storage (JSON API).

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use object_store::client::{HttpClient, HttpRequest, HttpRequestBody, HttpResponse};
use object_store::gcp::GcpCredentialProvider;
use object_store::path::Path;
use object_store::{Attribute, Attributes, Error, HeaderValue, Result};
use serde_json::{Map, Value, json};
use url::Url;
use volley_api::Secret;

pub(crate) const STORE: &str = "GCS";
/// The type that the client of the store gives objects too.
const CONTENT_TYPE: &str = "application/octet-stream";
/// What is answered to who sends a part that is not the last.
const INCOMPLETE: u16 = 308;
/// What is answered to who has cancelled an upload.
const CANCELLED: u16 = 499;
/// Repetitions of the request that begins an upload.
const QUICK_RETRIES: u32 = 2;
/// Wait before the first repetition; doubles with each further one.
const BACKOFF: Duration = Duration::from_millis(100);

/// Sends requests to one bucket.
pub(crate) struct GoogleRequests {
    client: HttpClient,
    credentials: GcpCredentialProvider,
    /// Where uploads are begun.
    uploads: Url,
}

/// What the store says of an upload.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The object is there.
    Complete,
    /// So many bytes are.
    Stored(u64),
    /// It is not known. May pass.
    Failed(Error),
}

impl GoogleRequests {
    /// To `bucket` of the store at `base`.
    ///
    /// # Errors
    /// If that is no URL.
    pub(crate) fn new(
        client: HttpClient,
        credentials: GcpCredentialProvider,
        base: &str,
        bucket: &str,
    ) -> Result<Self> {
        let mut uploads = Url::parse(base).map_err(generic)?;
        if let Ok(mut path) = uploads.path_segments_mut() {
            path.pop_if_empty().extend(["upload", "storage", "v1", "b", bucket, "o"]);
        }
        Ok(Self { client, credentials, uploads })
    }

    /// Begins an upload, which ends only where there is no object if `if_absent`; its address.
    ///
    /// # Errors
    /// If the store does not let us, or does not answer.
    pub(crate) async fn begin(&self, location: &Path, attributes: &Attributes, if_absent: bool) -> Result<Secret> {
        let mut url = self.uploads.clone();
        url.query_pairs_mut().append_pair("uploadType", "resumable").append_pair("name", location.as_ref());
        if if_absent {
            url.query_pairs_mut().append_pair("ifGenerationMatch", "0");
        }
        // a `+` stands for a space in forms only
        let query = url.query().unwrap_or_default().replace('+', "%20");
        url.set_query(Some(&query));
        let body = resource(attributes).to_string();
        let mut failures = 0;
        loop {
            let mut request = request("POST", url.as_str(), body.clone().into())?;
            let bearer = format!("Bearer {}", self.credentials.get_credential().await?.bearer);
            header(&mut request, "authorization", &bearer)?;
            header(&mut request, "content-type", "application/json; charset=UTF-8")?;
            header(&mut request, "x-upload-content-type", CONTENT_TYPE)?;
            let error = match self.client.execute(request).await {
                Ok(response) if response.status().is_success() => {
                    let address = response.headers().get("location").and_then(|address| address.to_str().ok());
                    return address.map(Secret::new).ok_or_else(|| generic("the upload has no address"));
                }
                Ok(response) if !may_pass(response.status().as_u16()) => return Err(refusal(location, response).await),
                Ok(response) => refusal(location, response).await,
                Err(error) => generic(error),
            };
            if failures == QUICK_RETRIES {
                return Err(error);
            }
            tokio::time::sleep(BACKOFF * 2_u32.pow(failures)).await;
            failures += 1;
        }
    }

    /// Sends the bytes that follow the first `stored` ones, or asks how many are there, if there are none to send and they are
    /// not known to be all. `total`: number of the object's bytes, if these are its last.
    ///
    /// # Errors
    /// If the upload cannot go on.
    pub(crate) async fn send(
        &self,
        address: &Secret,
        location: &Path,
        bytes: Bytes,
        stored: u64,
        total: Option<u64>,
    ) -> Result<Answer> {
        let total = total.map_or_else(|| "*".to_owned(), |total| total.to_string());
        let range = match bytes.len() as u64 {
            0 => format!("bytes */{total}"),
            length => format!("bytes {stored}-{}/{total}", stored + length - 1),
        };
        let mut request = request("PUT", address.reveal(), bytes.into())?;
        header(&mut request, "content-range", &range)?;
        let response = match self.client.execute(request).await {
            Ok(response) => response,
            Err(error) => return Ok(Answer::Failed(generic(error))),
        };
        match response.status().as_u16() {
            200 | 201 => Ok(Answer::Complete),
            INCOMPLETE => Ok(Answer::Stored(stored_bytes(&response)?)),
            status if may_pass(status) => Ok(Answer::Failed(refusal(location, response).await)),
            _ => Err(refusal(location, response).await),
        }
    }

    /// Ends an upload without its object. One that has ended already is left as it is.
    ///
    /// # Errors
    /// If the store does not answer, or has not done it.
    pub(crate) async fn cancel(&self, address: &Secret, location: &Path) -> Result<()> {
        let request = request("DELETE", address.reveal(), HttpRequestBody::empty())?;
        let response = self.client.execute(request).await.map_err(generic)?;
        match response.status().as_u16() {
            200..300 | 404 | 410 | CANCELLED => Ok(()),
            _ => Err(refusal(location, response).await),
        }
    }
}

impl fmt::Debug for GoogleRequests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GoogleRequests").field("uploads", &self.uploads.as_str()).finish_non_exhaustive()
    }
}

/// What an object has beside its bytes (JSON API, Objects, "Resource representations").
fn resource(attributes: &Attributes) -> Value {
    let mut resource = Map::from_iter([("contentType".to_owned(), json!(CONTENT_TYPE))]);
    let mut metadata = Map::new();
    for (attribute, value) in attributes {
        let name = match attribute {
            Attribute::CacheControl => "cacheControl",
            Attribute::ContentDisposition => "contentDisposition",
            Attribute::ContentEncoding => "contentEncoding",
            Attribute::ContentLanguage => "contentLanguage",
            Attribute::ContentType => "contentType",
            Attribute::StorageClass => "storageClass",
            Attribute::Metadata(name) => {
                metadata.insert(name.to_string(), json!(value.as_ref()));
                continue;
            }
            _ => continue,
        };
        resource.insert(name.to_owned(), json!(value.as_ref()));
    }
    resource.insert("metadata".to_owned(), Value::Object(metadata));
    Value::Object(resource)
}

/// `Range: bytes=0-99` stands for 100 bytes; without it there are none.
fn stored_bytes(response: &HttpResponse) -> Result<u64> {
    let Some(range) = response.headers().get("range") else { return Ok(0) };
    let last = range.to_str().ok().and_then(|range| range.rsplit_once('-')?.1.parse::<u64>().ok());
    last.map(|last| last + 1).ok_or_else(|| generic(format!("the store answers with the range {range:?}")))
}

/// Whether the same request may succeed later ("Status and error codes", "Retry strategy").
fn may_pass(status: u16) -> bool {
    matches!(status, 408 | 429 | 500..600)
}

fn request(method: &str, url: &str, body: HttpRequestBody) -> Result<HttpRequest> {
    let length = body.content_length();
    let mut request = HttpRequest::new(body);
    *request.method_mut() = method.parse().map_err(generic)?;
    *request.uri_mut() = url.parse().map_err(generic)?;
    header(&mut request, "content-length", &length.to_string())?;
    Ok(request)
}

fn header(request: &mut HttpRequest, name: &'static str, value: &str) -> Result<()> {
    request.headers_mut().insert(name, HeaderValue::from_str(value).map_err(generic)?);
    Ok(())
}

/// The error that an answer is.
async fn refusal(location: &Path, response: HttpResponse) -> Error {
    let (head, body) = response.into_parts();
    let body = body.bytes().await.unwrap_or_default();
    let message = serde_json::from_slice::<Value>(&body).ok();
    let message = message.and_then(|body| Some(body.get("error")?.get("message")?.as_str()?.to_owned()));
    let message = message.unwrap_or_else(|| String::from_utf8_lossy(&body).into_owned());
    let (path, source) = (location.to_string(), format!("code: {} {message}", head.status).into());
    match head.status.as_u16() {
        401 => Error::Unauthenticated { path, source },
        403 => Error::PermissionDenied { path, source },
        412 => Error::Precondition { path, source },
        _ => Error::Generic { store: STORE, source },
    }
}

fn generic(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Generic { store: STORE, source: source.into() }
}
