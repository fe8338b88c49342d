//! The connectors that come with Volley: one folder per external system, the same file names in each.

mod blackhole;
mod datagen;
mod file_stream;
mod object_store;

use volley_api::Plugin;

/// Every connector of this crate.
pub fn plugins() -> Vec<Plugin> {
    vec![
        blackhole::sink_plugin(),
        datagen::source_plugin(),
        file_stream::sink_plugin(),
        file_stream::source_plugin(),
        object_store::sink_plugin(),
    ]
}
