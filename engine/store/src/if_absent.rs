//! Objects in parts that come into being only where there is no object yet.
//!
//! The clients of object stores complete them whatever is there. Two stores take `If-None-Match: *` with the request that
//! makes an object of its parts: S3 with CompleteMultipartUpload (Amazon S3 API reference), Azure with Put Block List
//! (Azure Blob Storage REST API, "Specifying conditional headers"). The header is no part of what requests of S3 are
//! signed by. It is one of what the key of an account of Azure signs, so that these are signed again.

use async_trait::async_trait;
use object_store::azure::{AzureAuthorizer, AzureCredentialProvider};
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService, ReqwestConnector,
};
use object_store::{ClientOptions, HeaderValue, Result};

/// How a request begins its `Authorization` that the key of an account of Azure has signed. The account's name follows.
const SHARED_KEY: &str = "SharedKey ";
const AUTHORIZATION: &str = "authorization";

/// Makes clients of HTTP that add the condition.
#[derive(Clone, Debug)]
pub(crate) enum IfAbsentConnector {
    /// To requests of S3.
    S3,
    /// To requests of Azure, of which some are signed by these credentials.
    Azure(AzureCredentialProvider),
}

#[derive(Debug)]
struct IfAbsent {
    client: HttpClient,
    store: IfAbsentConnector,
}

impl HttpConnector for IfAbsentConnector {
    fn connect(&self, options: &ClientOptions) -> Result<HttpClient> {
        let client = ReqwestConnector::default().connect(options)?;
        Ok(HttpClient::new(IfAbsent { client, store: self.clone() }))
    }
}

#[async_trait]
impl HttpService for IfAbsent {
    async fn call(&self, mut request: HttpRequest) -> std::result::Result<HttpResponse, HttpError> {
        if self.store.makes_an_object_of_parts(&request) {
            request.headers_mut().insert("if-none-match", HeaderValue::from_static("*"));
            if let IfAbsentConnector::Azure(credentials) = &self.store {
                sign_again(credentials, &mut request).await?;
            }
        }
        self.client.execute(request).await
    }
}

impl IfAbsentConnector {
    /// CompleteMultipartUpload: `POST /object?uploadId=…`. Put Block List: `PUT /object?comp=blocklist`.
    fn makes_an_object_of_parts(&self, request: &HttpRequest) -> bool {
        let mut pairs = request.uri().query().unwrap_or_default().split('&');
        match self {
            Self::S3 => request.method().as_str() == "POST" && pairs.any(|pair| pair.starts_with("uploadId=")),
            Self::Azure(_) => request.method().as_str() == "PUT" && pairs.any(|pair| pair == "comp=blocklist"),
        }
    }
}

/// Signs a request with all its headers, if it is one of those that are signed.
async fn sign_again(
    credentials: &AzureCredentialProvider,
    request: &mut HttpRequest,
) -> std::result::Result<(), HttpError> {
    let signed = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let account = signed.and_then(|signed| signed.strip_prefix(SHARED_KEY)?.split(':').next()).map(str::to_owned);
    // a token holds whatever the headers are
    let Some(account) = account else { return Ok(()) };
    let credential = credentials.get_credential().await;
    let credential = credential.map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
    request.headers_mut().remove(AUTHORIZATION);
    AzureAuthorizer::new(&credential, &account).authorize(request);
    Ok(())
}
