//! The sinks of Confluent for object stores and HDFS, under their Java class names: existing configurations run as they are.
//!
//! ```text
//!  user's configuration ─ JavaSink: keys, translate ─► configuration of ObjectStoreSink ─► ObjectStoreSinkTask
//!          ▲                                                        │
//!          └───────── KeyNames: issues and errors name the user's keys ◄─────────┘
//! ```
//!
//! Each class has its own keys and defaults. What means something else, or what is not there, is refused when a configuration is
//! validated. Keys of `ObjectStoreSink` that the class does not have may be given too.

mod azure_blob_sink;
mod azure_data_lake_sink;
mod file_format;
mod gcs_sink;
mod hdfs_keys;
mod hdfs_sink;
mod java_connector;
mod java_sink;
mod key_names;
mod partitioner_keys;
mod s3_credentials;
mod s3_sink;
mod storage;
mod storage_keys;
mod translation;

#[cfg(test)]
mod default_tests;
#[cfg(test)]
mod refusal_tests;
#[cfg(test)]
pub(crate) mod test_configurations;

pub(crate) use java_connector::plugin;
pub(crate) use java_sink::JavaSink;
pub(crate) use key_names::KeyNames;
pub(crate) use s3_credentials::{RoleKeys, translate_provider, translate_role};
pub(crate) use storage_keys::grouped;
pub(crate) use translation::Translation;

use volley_api::Plugin;

/// The sinks.
const SINKS: [&JavaSink; 6] = [
    &s3_sink::SINK,
    &gcs_sink::SINK,
    &azure_blob_sink::SINK,
    &azure_data_lake_sink::SINK,
    &hdfs_sink::HDFS_2,
    &hdfs_sink::HDFS_3,
];

/// The plug-ins of these sinks.
pub(crate) fn plugins() -> Vec<Plugin> {
    SINKS.into_iter().map(plugin).collect()
}
