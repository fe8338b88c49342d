//! A file that a lookup table is read from, wherever it is.

use bytes::Bytes;
use volley_api::Result;

use super::http_file::HttpFile;
use super::local_file::LocalFile;
use super::lookup_config::{FileSource, LookupConfig, Place};

/// What tells two versions of a file apart: its size and time, or an ETag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp(pub(super) String);

/// Why a file could not be read.
pub(super) type Failure = String;

/// What is in a file now.
#[derive(Debug)]
pub(super) enum Content {
    /// It is still what the stamp was given for.
    Unchanged,
    /// All of one version of the file, with its stamp; without one nobody knows whether it has changed.
    Version(Option<Stamp>, Bytes),
}

/// Reads a file. Calls block.
pub(super) trait TableFile: Send {
    /// All of the file, unless it is still that of `known`. Never parts of two versions.
    fn read(&mut self, known: Option<&Stamp>) -> std::result::Result<Content, Failure>;
}

/// The file of a table. Does not touch it yet.
///
/// # Errors
/// `Config` if its settings are wrong.
pub(super) fn open_file(config: &LookupConfig, source: &FileSource) -> Result<Box<dyn TableFile>> {
    match &source.place {
        Place::Local(path) => Ok(Box::new(LocalFile::new(path.clone(), config.max_bytes))),
        Place::Http(url) => Ok(Box::new(HttpFile::new(url.clone(), config)?)),
        Place::Store(url) => store_file(url, config),
    }
}

#[cfg(feature = "object-store")]
fn store_file(url: &url::Url, config: &LookupConfig) -> Result<Box<dyn TableFile>> {
    Ok(Box::new(super::store_file::StoreFile::open(url, config)?))
}

#[cfg(not(feature = "object-store"))]
fn store_file(_: &url::Url, config: &LookupConfig) -> Result<Box<dyn TableFile>> {
    Err(volley_api::Error::config(format!(
        "`{}`: this build knows no object stores; build with the feature object-store",
        config.key
    )))
}

/// The reason for a file beyond the limit.
pub(super) fn too_large(bytes: u64, max_bytes: u64) -> Failure {
    format!("it has {bytes} bytes; raise `lookup.max.bytes` ({max_bytes}) to hold it in memory")
}
