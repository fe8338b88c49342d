//! The connectors that need nothing but this machine: lines of files, made-up rows, a sink that drops what it gets, and
//! Kafka's own tool connectors. One folder each.

mod blackhole;
mod clock;
mod datagen;
mod file_stream;
mod pace;
mod probes;
mod tools;

pub use probes::probe_plugins;
use volley_api::Plugin;

/// Every connector of this crate.
pub fn plugins() -> Vec<Plugin> {
    let mut plugins = vec![
        blackhole::sink_plugin(),
        datagen::source_plugin(),
        file_stream::sink_plugin(),
        file_stream::source_plugin(),
    ];
    plugins.extend(tools::plugins());
    plugins
}
