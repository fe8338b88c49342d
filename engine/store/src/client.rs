//! The client of the store that a URL names.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::path::Path;
use object_store::{ClientConfigKey, ObjectStore, RetryConfig};
use volley_api::{Error, Result, Secret};

use crate::StoreConfig;

/// Repetitions within one call; longer trouble is the caller's.
const QUICK_RETRIES: usize = 2;
const CONNECT_TIMEOUT: &str = "5 s";

/// The object store of `config`, whose scheme is not `file`, and the path that its URL names there. Does not touch the store.
///
/// # Errors
/// `Config` if the settings do not make a client, or one of HDFS, which is no object store.
pub fn open_store(config: &StoreConfig) -> Result<(Arc<dyn ObjectStore>, Path)> {
    if config.is_hdfs() {
        return Err(Error::config(format!(
            "`store.url` {} is a directory of HDFS; give one of an object store",
            config.url
        )));
    }
    let store = match config.url.scheme() {
        "s3" | "s3a" => s3(config),
        "gs" => gcs(config),
        _ => azure(config),
    };
    let url = config.url.as_str();
    let store = store.map_err(|error| Error::config(format!("could not open `store.url` {url}: {error}")))?;
    let path = Path::from_url_path(config.url.path())
        .map_err(|error| Error::config(format!("`store.url` {url} has a bad path: {error}")))?;
    Ok((store, path))
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

/// The text of an error of a store, with its causes and without the XML around the store's own words.
pub fn error_text(error: &object_store::Error) -> String {
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
