//! The sinks of Aiven for object stores, under their Java class names: existing configurations run as they are.
//!
//! As with Confluent's, a configuration is translated into one of `ObjectStoreSink`. Aiven's sinks write their files whenever the worker
//! commits offsets, once a minute by default: here files are completed at every full minute, unless `rotate.schedule.interval.ms` says
//! otherwise.

mod file_keys;
mod files;
mod gcs_sink;
mod old_prefix;
mod old_s3_keys;
mod s3_sink;

#[cfg(test)]
mod tests;

use volley_api::Plugin;

use crate::confluent::{JavaSink, plugin};

const SINKS: [&JavaSink; 2] = [&s3_sink::SINK, &gcs_sink::SINK];

/// The plug-ins of these sinks.
pub(crate) fn plugins() -> Vec<Plugin> {
    SINKS.into_iter().map(plugin).collect()
}
