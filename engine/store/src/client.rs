//! The client of the store that a URL names.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::path::Path;
use object_store::{ClientConfigKey, ClientOptions, HeaderMap, HeaderValue, ObjectStore, RetryConfig};
use volley_api::{Error, Result, Secret};

use crate::StoreConfig;
use crate::assumed_role::AssumedRole;
use crate::aws_profile::{Profile, ProfileCredentials, ProfileFiles};
use crate::if_absent::IfAbsentConnector;
use crate::object_defaults::ObjectDefaults;
use crate::s3_options::{DEFAULT_SESSION_NAME, S3Encryption, S3Role};

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
        "s3" | "s3a" => s3(config, Condition::None),
        "gs" => gcs_builder(config).build().map(|store| Arc::new(store) as Arc<dyn ObjectStore>),
        _ => azure(config, Condition::None),
    };
    let url = config.url.as_str();
    let store = store.map_err(|error| Error::config(format!("could not open `store.url` {url}: {error}")))?;
    let path = Path::from_url_path(config.url.path())
        .map_err(|error| Error::config(format!("`store.url` {url} has a bad path: {error}")))?;
    Ok((store, path))
}

/// On what an upload in parts is completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    None,
    /// That there is no object.
    IfAbsent,
}

pub(crate) type Opened = std::result::Result<Arc<dyn ObjectStore>, object_store::Error>;

/// The client of an S3.
pub(crate) fn s3(config: &StoreConfig, condition: Condition) -> Opened {
    let options = &config.s3_options;
    let store = s3_client(config, None, condition)?;
    // who reads sends no ACL
    let writer = match options.acl.as_deref().map(HeaderValue::from_str) {
        Some(Ok(acl)) => s3_client(config, Some(acl), condition)?,
        _ => Arc::clone(&store),
    };
    Ok(ObjectDefaults::around(store, writer, options.storage_class.clone(), options.tags.clone()))
}

fn s3_client(config: &StoreConfig, acl: Option<HeaderValue>, condition: Condition) -> Opened {
    let builder = s3_builder(config, acl)?;
    Ok(match condition {
        Condition::None => Arc::new(builder.build()?),
        Condition::IfAbsent => Arc::new(builder.with_http_connector(IfAbsentConnector::S3).build()?),
    })
}

/// A client whose requests all have this ACL, if it is given.
pub(crate) fn s3_builder(config: &StoreConfig, acl: Option<HeaderValue>) -> object_store::Result<AmazonS3Builder> {
    let mut builder = AmazonS3Builder::from_env().with_url(config.url.as_str()).with_retry(quick_retries());
    if let Some(acl) = acl {
        // signed like the others
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-acl", acl);
        builder = builder.with_client_options(ClientOptions::new().with_default_headers(headers));
    }
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
    let options = &config.s3_options;
    let profile = if options.skip_signature { None } else { profile(config)? };
    if let Some((files, profile)) = &profile {
        builder = builder.with_credentials(Arc::new(ProfileCredentials::new(files.clone(), &profile.keys_of)));
        if let Some(region) = profile.region.as_ref().filter(|_| !has_region(&builder)) {
            builder = builder.with_region(region);
        }
    }
    builder =
        builder.with_virtual_hosted_style_request(!config.s3_path_style).with_skip_signature(options.skip_signature);
    if let Some(encryption) = &options.encryption {
        builder = encrypted(builder, encryption)?;
    }
    let of_profile = profile.and_then(|(_, profile)| profile.role).map(|(arn, session_name, external_id)| S3Role {
        arn,
        session_name: session_name.unwrap_or_else(|| DEFAULT_SESSION_NAME.to_owned()),
        external_id,
        sts_endpoint: options.sts_endpoint.clone(),
    });
    for role in of_profile.iter().chain(&options.role) {
        builder = in_role(builder, role, config)?;
    }
    Ok(builder)
}

/// The profile that a connector uses: the one it names, or, if nothing else has keys, the usual one.
fn profile(config: &StoreConfig) -> std::result::Result<Option<(ProfileFiles, Profile)>, object_store::Error> {
    let is_set = |variable: &str| std::env::var_os(variable).is_some_and(|value| !value.is_empty());
    let named = config.s3_options.profile.clone();
    let has_others =
        config.s3_access_key_id.is_some() || is_set("AWS_ACCESS_KEY_ID") || is_set("AWS_WEB_IDENTITY_TOKEN_FILE");
    if named.is_none() && has_others {
        return Ok(None);
    }
    let name = named.or_else(|| std::env::var("AWS_PROFILE").ok().filter(|name| !name.is_empty()));
    let Some(files) = ProfileFiles::usual() else { return Ok(None) };
    Ok(files.profile(name.as_deref())?.map(|profile| (files, profile)))
}

fn has_region(builder: &AmazonS3Builder) -> bool {
    builder.get_config_value(&AmazonS3ConfigKey::Region).is_some()
        || builder.get_config_value(&AmazonS3ConfigKey::DefaultRegion).is_some()
}

fn encrypted(
    builder: AmazonS3Builder,
    encryption: &S3Encryption,
) -> std::result::Result<AmazonS3Builder, object_store::Error> {
    let mut builder = builder.with_config("aws_server_side_encryption".parse()?, &encryption.kind);
    if let Some(id) = &encryption.kms_key_id {
        builder = builder.with_config("aws_sse_kms_key_id".parse()?, id);
    }
    if let Some(secret) = &encryption.customer_key {
        builder = builder.with_config("aws_sse_customer_key_base64".parse()?, secret.reveal());
    }
    Ok(builder)
}

/// The same client as who it would be without the role, in that role.
fn in_role(
    builder: AmazonS3Builder,
    role: &S3Role,
    config: &StoreConfig,
) -> std::result::Result<AmazonS3Builder, object_store::Error> {
    let region = builder.get_config_value(&AmazonS3ConfigKey::Region).unwrap_or_else(|| "us-east-1".to_owned());
    let own = Arc::clone(builder.clone().build()?.credentials());
    let options = client_settings(config)
        .into_iter()
        .fold(ClientOptions::new(), |options, (key, value)| options.with_config(key, value));
    Ok(builder.with_credentials(Arc::new(AssumedRole::new(role, &region, own, &options)?)))
}

/// The client of a Google Cloud Storage.
pub(crate) fn gcs_builder(config: &StoreConfig) -> GoogleCloudStorageBuilder {
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
    if let Some(endpoint) = &config.gcs_endpoint {
        let allow_http = endpoint.starts_with("http://").to_string();
        builder = builder
            .with_base_url(endpoint)
            .with_config(GoogleConfigKey::Client(ClientConfigKey::AllowHttp), allow_http);
    }
    builder
}

/// The client of an Azure Blob Storage.
pub(crate) fn azure(config: &StoreConfig, condition: Condition) -> Opened {
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
    let builder = config.azure_options.apply(builder);
    if condition == Condition::IfAbsent {
        let credentials = Arc::clone(builder.clone().build()?.credentials());
        return Ok(Arc::new(builder.with_http_connector(IfAbsentConnector::Azure(credentials)).build()?));
    }
    Ok(Arc::new(builder.build()?))
}

fn quick_retries() -> RetryConfig {
    RetryConfig { max_retries: QUICK_RETRIES, retry_timeout: Duration::from_secs(30), ..RetryConfig::default() }
}

pub(crate) fn client_settings(config: &StoreConfig) -> Vec<(ClientConfigKey, String)> {
    let timeouts = [
        (ClientConfigKey::Timeout, format!("{} ms", config.request_timeout.as_millis())),
        (ClientConfigKey::ConnectTimeout, CONNECT_TIMEOUT.to_owned()),
    ];
    let proxy = config.proxy_url.as_ref().map(|url| (ClientConfigKey::ProxyUrl, url.reveal().to_owned()));
    timeouts.into_iter().chain(proxy).collect()
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
