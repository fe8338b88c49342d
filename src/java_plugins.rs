//! Java plug-ins, found as the worker's configuration says.

use std::path::PathBuf;
use std::sync::Arc;

use volley_api::{ConfigMap, Plugin, Result};
use volley_jvm::{JavaPlugins, JavaSettings};
use volley_worker::plugins::{MorePlugins, Plugins};
use volley_worker::worker_config::{JavaUse, WorkerConfig};

/// Where the jars of the host are, beside the directory of the binary.
const HOST_DIR: &str = "../lib/volley-java";

/// Plug-ins of the plug-in path.
struct FromPluginPath {
    java: JavaPlugins,
    are_preferred: bool,
}

impl MorePlugins for FromPluginPath {
    fn plugins(&self) -> Result<Vec<Plugin>> {
        self.java.plugins()
    }

    fn prefers(&self) -> bool {
        self.are_preferred
    }
}

/// The Java plug-ins that `config` leads to; `None` where there is no `plugin.path`, or none is wanted. Nothing is started for it.
pub(crate) fn java_plugins(config: &WorkerConfig) -> Result<Option<Arc<dyn MorePlugins>>> {
    let settings = config.java_settings();
    let is_wanted = match settings.plugins {
        JavaUse::Never => false,
        JavaUse::Auto => !settings.plugin_path.is_empty(),
        JavaUse::Always => true,
    };
    if !is_wanted {
        return Ok(None);
    }
    let java = JavaPlugins::new(JavaSettings {
        plugin_path: settings.plugin_path.into_iter().map(PathBuf::from).collect(),
        discovery: settings.discovery,
        home: settings.home.map(PathBuf::from),
        host_dir: settings.host_dir.map_or_else(default_host_dir, PathBuf::from),
        heap: settings.heap,
        options: settings.options,
        cache_dir: JavaSettings::user_cache_dir(),
    });
    Ok(Some(Arc::new(FromPluginPath { java, are_preferred: settings.plugins == JavaUse::Always })))
}

/// `own` and the Java plug-ins that `config` leads to.
pub(crate) fn with_java_plugins(own: Plugins, config: &WorkerConfig) -> Result<Plugins> {
    Ok(match java_plugins(config)? {
        Some(more) => own.with_more(more),
        None => own,
    })
}

fn default_host_dir() -> PathBuf {
    let binary = std::env::current_exe().unwrap_or_default();
    binary.parent().map_or_else(|| PathBuf::from(HOST_DIR), |directory| directory.join(HOST_DIR))
}

/// Whether a class that is none of the built-in ones may be there in Java, by a worker's properties.
pub(crate) fn may_be_in_java(properties: &ConfigMap) -> bool {
    let value = |key: &str| properties.get(key).map(|value| value.trim()).filter(|value| !value.is_empty());
    match value("volley.java") {
        Some("never") => false,
        Some("always") => true,
        _ => value("plugin.path").is_some(),
    }
}
