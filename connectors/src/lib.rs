//! The connectors that come with Volley: one folder per external system, the same file names in each; and Kafka's own tool
//! connectors.

mod blackhole;
mod datagen;
mod file_stream;
mod object_store;
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
        object_store::sink_plugin(),
    ];
    plugins.extend(tools::plugins());
    plugins
}
