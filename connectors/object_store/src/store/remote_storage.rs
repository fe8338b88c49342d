//! Amazon S3 and what speaks its protocol, Google Cloud Storage, Azure Blob Storage.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::aws::AmazonS3Builder;
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path;
use object_store::{
    ClientConfigKey, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, RetryConfig, aws::AmazonS3ConfigKey,
    gcp::GoogleConfigKey,
};
use volley_api::{Error, Result, Secret};

use super::storage::{Answer, Storage, StorageError};
use super::store_config::StoreConfig;

/// Repetitions within one call; longer trouble is reported and retried by the sink itself.
const QUICK_RETRIES: usize = 2;
const CONNECT_TIMEOUT: &str = "5 s";
/// Where machines in a cloud ask for credentials: asked when none are given, answers only there.
const INSTANCE_METADATA: [&str; 2] = ["169.254.169.254", "metadata.google.internal"];
/// Error codes of the stores, and fragments of their answers.
const NO_BUCKET: [&str; 3] = ["NoSuchBucket", "ContainerNotFound", "The specified bucket does not exist"];
const NO_ACCESS: [&str; 8] = [
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "AccessDenied",
    "AuthenticationFailed",
    "AuthorizationFailure",
    "InvalidAccountKey",
    "code: 401",
    "code: 403",
];

/// A bucket, or a part of it, as a store.
#[derive(Debug)]
pub(crate) struct RemoteStorage {
    url: String,
    store: Arc<dyn ObjectStore>,
    prefix: Path,
}

impl RemoteStorage {
    /// What is below `prefix` in `store`.
    pub(crate) fn new(url: &str, store: Arc<dyn ObjectStore>, prefix: Path) -> Self {
        Self { url: url.to_owned(), store, prefix }
    }

    /// The store of `config`, whose scheme is not `file`.
    pub(crate) fn open(config: &StoreConfig) -> Result<Self> {
        let store = match config.url.scheme() {
            "s3" | "s3a" => s3(config),
            "gs" => gcs(config),
            _ => azure(config),
        };
        let url = config.url.as_str();
        let store = store.map_err(|error| Error::config(format!("could not open `store.url` {url}: {error}")))?;
        let prefix = Path::from_url_path(config.url.path())
            .map_err(|error| Error::config(format!("`store.url` {url} has a bad path: {error}")))?;
        Ok(Self::new(url, store, prefix))
    }

    fn path(&self, relative: &str) -> std::result::Result<Path, StorageError> {
        Path::parse(format!("{}/{relative}", self.prefix))
            .map_err(|error| StorageError::Unavailable { path: relative.to_owned(), reason: error.to_string() })
    }

    fn error(&self, path: &str, error: object_store::Error) -> StorageError {
        let path = format!("{}/{path}", self.url.trim_end_matches('/'));
        let text = readable(&error);
        match error {
            object_store::Error::AlreadyExists { .. } => StorageError::AlreadyExists { path },
            object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
                StorageError::Denied { path, reason: text }
            }
            _ if NO_BUCKET.iter().any(|code| text.contains(code)) => StorageError::NotFound { path, reason: text },
            object_store::Error::NotFound { .. } => StorageError::NotFound { path, reason: text },
            _ if INSTANCE_METADATA.iter().any(|host| text.contains(host)) => {
                StorageError::Denied { path, reason: format!("no credentials were given; {text}") }
            }
            _ if NO_ACCESS.iter().any(|code| text.contains(code)) => StorageError::Denied { path, reason: text },
            _ => StorageError::Unavailable { path, reason: text },
        }
    }
}

impl Storage for RemoteStorage {
    fn list<'a>(&'a self, directory: &'a str, after: &'a str) -> Answer<'a, Vec<String>> {
        async move {
            let prefix = self.path(directory)?;
            let after = self.path(&format!("{directory}/{after}"))?;
            let listing = self.store.list_with_offset(Some(&prefix), &after);
            let names = listing.try_filter_map(|file| {
                // prefixes match whole segments, so what is left over is a name or a path further down
                let below = file.location.prefix_match(&prefix).map(|parts| parts.collect::<Vec<_>>());
                let name = below.filter(|parts| parts.len() == 1).map(|parts| parts[0].as_ref().to_owned());
                futures::future::ready(Ok(name))
            });
            names.try_collect().await.map_err(|error| self.error(directory, error))
        }
        .boxed()
    }

    fn read_tail<'a>(&'a self, path: &'a str, length: u64) -> Answer<'a, Bytes> {
        async move {
            let location = self.path(path)?;
            // Azure has no suffix ranges
            let size = self.store.head(&location).await.map_err(|error| self.error(path, error))?.size;
            if size == 0 {
                return Ok(Bytes::new());
            }
            let tail = self.store.get_range(&location, size.saturating_sub(length)..size).await;
            tail.map_err(|error| self.error(path, error))
        }
        .boxed()
    }

    fn create<'a>(&'a self, path: &'a str, contents: Bytes, _file_id: &'a str) -> Answer<'a, ()> {
        async move {
            let location = self.path(path)?;
            let options = PutOptions::from(PutMode::Create);
            let outcome = self.store.put_opts(&location, PutPayload::from_bytes(contents), options).await;
            outcome.map(|_| ()).map_err(|error| self.error(path, error))
        }
        .boxed()
    }

    fn check(&self) -> Answer<'_, ()> {
        async move {
            let mut listing = self.store.list(Some(&self.prefix));
            listing.next().await.transpose().map(|_| ()).map_err(|error| self.error("", error))
        }
        .boxed()
    }

    fn url(&self) -> &str {
        &self.url
    }
}

type Opened = std::result::Result<Arc<dyn ObjectStore>, object_store::Error>;

fn s3(config: &StoreConfig) -> Opened {
    let mut builder = AmazonS3Builder::from_env().with_url(config.url.as_str()).with_retry(quick_retries());
    for (key, value) in client_settings(config) {
        builder = builder.with_config(AmazonS3ConfigKey::Client(key), value);
    }
    if let Some(endpoint) = &config.s3_endpoint {
        builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
    }
    if let Some(region) = &config.s3_region {
        builder = builder.with_region(region);
    }
    if let Some(key_id) = &config.s3_access_key_id {
        builder = builder.with_access_key_id(key_id);
    }
    if let Some(key) = &config.s3_secret_access_key {
        builder = builder.with_secret_access_key(key.reveal());
    }
    if let Some(token) = &config.s3_session_token {
        builder = builder.with_token(token.reveal());
    }
    let store = builder.with_virtual_hosted_style_request(!config.s3_path_style).build()?;
    Ok(Arc::new(store))
}

fn gcs(config: &StoreConfig) -> Opened {
    let mut builder = GoogleCloudStorageBuilder::from_env().with_url(config.url.as_str()).with_retry(quick_retries());
    for (key, value) in client_settings(config) {
        builder = builder.with_config(GoogleConfigKey::Client(key), value);
    }
    if let Some(path) = &config.gcs_service_account_path {
        builder = builder.with_service_account_path(path);
    }
    if let Some(key) = &config.gcs_service_account_key {
        builder = builder.with_service_account_key(key.reveal());
    }
    Ok(Arc::new(builder.build()?))
}

fn azure(config: &StoreConfig) -> Opened {
    let mut builder = MicrosoftAzureBuilder::from_env().with_url(config.url.as_str()).with_retry(quick_retries());
    for (key, value) in client_settings(config) {
        builder = builder.with_config(AzureConfigKey::Client(key), value);
    }
    if let Some(account) = &config.azure_account_name {
        builder = builder.with_account(account);
    }
    if let Some(key) = config.azure_account_key.as_ref().map(Secret::reveal) {
        builder = builder.with_access_key(key);
    }
    if let Some(endpoint) = &config.azure_endpoint {
        builder = builder.with_endpoint(endpoint.clone()).with_allow_http(endpoint.starts_with("http://"));
    }
    Ok(Arc::new(builder.build()?))
}

fn quick_retries() -> RetryConfig {
    RetryConfig { max_retries: QUICK_RETRIES, retry_timeout: Duration::from_secs(30), ..RetryConfig::default() }
}

fn client_settings(config: &StoreConfig) -> [(ClientConfigKey, String); 2] {
    [
        (ClientConfigKey::Timeout, format!("{} ms", config.request_timeout.as_millis())),
        (ClientConfigKey::ConnectTimeout, CONNECT_TIMEOUT.to_owned()),
    ]
}

/// The error without the XML around a store's own words.
fn readable(error: &object_store::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let further = error.to_string();
        if !text.contains(&further) {
            text = format!("{text}: {further}");
        }
        cause = error.source();
    }
    let element = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        rest.split_once(&format!("</{name}>")).map(|(content, _)| content)
    };
    match (element("Code"), element("Message")) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        _ => text,
    }
}
