//! Which Java plug-ins there are, and where.

mod config_keys;
mod fingerprint;
mod found_plugin;
mod scan_cache;
mod used_plugins;

pub(crate) use config_keys::{config_answer, config_def};
pub(crate) use fingerprint::fingerprint;
pub(crate) use found_plugin::{CLASS_PATH, FoundPlugin, FoundPlugins, JavaKind};
pub(crate) use scan_cache::ScanCache;
pub(crate) use used_plugins::UsedPlugins;
