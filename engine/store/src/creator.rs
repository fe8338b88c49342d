//! Stores for large new objects, which are sent in parts and come into being as a whole, where there is none.
//!
//! | store | an object in parts | what is left of one that was given up |
//! |---|---|---|
//! | S3 | CompleteMultipartUpload with `If-None-Match: *` | uploads that can be listed and ended |
//! | Azure | Put Block List with `If-None-Match: *` | blocks, until somebody creates the object, or for a week |
//! | Google Cloud Storage | a resumable upload with `ifGenerationMatch=0` | nothing after a week |

use std::sync::Arc;

use object_store::aws::AmazonS3ConfigKey;
use object_store::client::{HttpConnector, ReqwestConnector};
use object_store::gcp::GoogleConfigKey;
use object_store::{ClientOptions, ObjectStore};
use volley_api::{Error, Result};

use crate::StoreConfig;
use crate::client::{Condition, azure, client_settings, gcs_builder, s3, s3_builder};
use crate::google_requests::GoogleRequests;
use crate::resumable_store::ResumableStore;
use crate::unfinished_uploads::UnfinishedUploads;

/// Parts of one object that are on their way at the same time, where their order does not matter.
const PARALLEL_PARTS: usize = 4;
/// Where Google's is, unless a setting says otherwise.
const GOOGLE: &str = "https://storage.googleapis.com";

/// A store for large new objects. Parts but the last are multiples of 256 KiB, all of the same size.
#[derive(Clone, Debug)]
pub struct Creator {
    /// Completes an upload in parts only where there is no object, as far as its server looks at the condition.
    pub store: Arc<dyn ObjectStore>,
    /// The same, whatever is there.
    pub overwriting: Arc<dyn ObjectStore>,
    /// What others have not ended. `None`: nothing that could be ended is left.
    pub unfinished: Option<UnfinishedUploads>,
    /// Parts of one object that it is of use to send at the same time.
    pub parallel_parts: usize,
}

/// The same store for large new objects. `None`: of this kind of store there is none.
///
/// # Errors
/// `Config` if the settings do not make a client.
pub fn open_creator(config: &StoreConfig) -> Result<Option<Creator>> {
    let opened = match config.url.scheme() {
        "s3" | "s3a" => s3_creator(config),
        "gs" => google_creator(config),
        _ if config.is_hdfs() => return Ok(None),
        _ => azure_creator(config),
    };
    opened.map(Some).map_err(|error| Error::config(format!("could not open `store.url` {}: {error}", config.url)))
}

fn s3_creator(config: &StoreConfig) -> object_store::Result<Creator> {
    let builder = s3_builder(config, None)?;
    let region = builder.get_config_value(&AmazonS3ConfigKey::Region).unwrap_or_else(|| "us-east-1".to_owned());
    let allow_http = config.s3_endpoint.as_ref().is_some_and(|url| url.starts_with("http://"));
    let client = ReqwestConnector::default().connect(&client_options(config, allow_http))?;
    Ok(Creator {
        store: s3(config, Condition::IfAbsent)?,
        overwriting: s3(config, Condition::None)?,
        unfinished: Some(UnfinishedUploads::new(Arc::new(builder.build()?), client, region)),
        parallel_parts: PARALLEL_PARTS,
    })
}

fn azure_creator(config: &StoreConfig) -> object_store::Result<Creator> {
    Ok(Creator {
        store: azure(config, Condition::IfAbsent)?,
        overwriting: azure(config, Condition::None)?,
        unfinished: None,
        parallel_parts: PARALLEL_PARTS,
    })
}

fn google_creator(config: &StoreConfig) -> object_store::Result<Creator> {
    let builder = gcs_builder(config);
    let base = builder.get_config_value(&GoogleConfigKey::BaseUrl).unwrap_or_else(|| GOOGLE.to_owned());
    let store = Arc::new(builder.build()?);
    let client = ReqwestConnector::default().connect(&client_options(config, base.starts_with("http://")))?;
    let bucket = config.url.host_str().unwrap_or_default();
    let requests = Arc::new(GoogleRequests::new(client, Arc::clone(store.credentials()), &base, bucket)?);
    let around = |if_absent| {
        Arc::new(ResumableStore::around(Arc::clone(&store) as Arc<dyn ObjectStore>, Arc::clone(&requests), if_absent))
    };
    // each part follows the one before
    Ok(Creator { store: around(true), overwriting: around(false), unfinished: None, parallel_parts: 1 })
}

/// Those of a client of one's own.
fn client_options(config: &StoreConfig, allow_http: bool) -> ClientOptions {
    let settings = client_settings(config).into_iter();
    settings
        .fold(ClientOptions::new(), |options, (key, value)| options.with_config(key, value))
        .with_allow_http(allow_http)
}
