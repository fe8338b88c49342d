//! Java plug-ins, found as the worker's configuration says.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use volley_api::{ConfigMap, Plugin, Result};
use volley_jvm::{JavaPlugins, JavaSettings};
use volley_worker::plugins::{HeapsOfGroup, JavaNumber, JavaProcess, JavaProcesses, MorePlugins, OfferedPlugins};
use volley_worker::worker_config::{JavaSettings as WorkerJavaSettings, JavaUse};

/// Where the jars of the host are, beside the directory of the binary.
const HOST_DIR: &str = "../lib/volley-java";
/// The discovery that says at the start of a worker what is wrong with its plug-ins, as Kafka Connect does.
const HYBRID_FAIL: &str = "hybrid_fail";

/// The processes of these plug-ins, as the worker knows them.
struct Processes(JavaPlugins);

impl JavaProcesses for Processes {
    fn set_log_level(&self, logger: &str, level: &str) {
        self.0.set_log_level(logger, level);
    }

    fn running(&self) -> Vec<JavaProcess> {
        self.0.processes().into_iter().map(process).collect()
    }

    fn numbers(&self) -> Vec<JavaNumber> {
        let number = |volley_jvm::JavaNumber { name, labels, value }| JavaNumber { name, labels, value };
        self.0.plugin_numbers().into_iter().map(number).collect()
    }

    fn ask_for_heaps_of_groups(&self, heaps: HeapsOfGroup) {
        self.0.ask_for_heaps_of_groups(move |group| heaps(group));
    }
}

fn process(process: volley_jvm::JavaProcess) -> JavaProcess {
    let volley_jvm::JavaProcess {
        name,
        connectors,
        pid,
        resident_bytes,
        heap_used_bytes,
        heap_max_bytes,
        threads,
        cpu_ms,
        gc_ms,
    } = process;
    JavaProcess { name, connectors, pid, resident_bytes, heap_used_bytes, heap_max_bytes, threads, cpu_ms, gc_ms }
}

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

    fn processes(&self) -> Option<Arc<dyn JavaProcesses>> {
        Some(Arc::new(Processes(self.java.clone())))
    }
}

/// The Java plug-ins that `settings` of `worker_file` lead to; `None` where there is no `plugin.path`, or none is wanted. Nothing is
/// started for it, unless a plug-in without a service file has to be told at the start.
///
/// # Errors
/// If there is such a one.
fn java_plugins(settings: WorkerJavaSettings, worker_file: Option<&Path>) -> Result<Option<Arc<dyn MorePlugins>>> {
    let is_wanted = match settings.plugins {
        JavaUse::Never => false,
        JavaUse::Auto => !settings.plugin_path.is_empty(),
        JavaUse::Always => true,
    };
    if !is_wanted {
        return Ok(None);
    }
    let fails_at_start = settings.discovery == HYBRID_FAIL;
    let java = JavaPlugins::new(JavaSettings {
        plugin_path: settings.plugin_path.into_iter().map(PathBuf::from).collect(),
        discovery: settings.discovery,
        home: settings.home.map(PathBuf::from),
        host_dir: settings.host_dir.map_or_else(default_host_dir, PathBuf::from),
        heap: settings.heap,
        options: settings.options,
        worker_file: worker_file.and_then(|file| std::path::absolute(file).ok()),
        cache_dir: JavaSettings::user_cache_dir(),
    });
    if fails_at_start {
        java.plugins()?;
    }
    Ok(Some(Arc::new(FromPluginPath { java, are_preferred: settings.plugins == JavaUse::Always })))
}

/// `own`, and the Java plug-ins that `worker_file` leads to.
pub(crate) fn with_java_plugins(own: Vec<Plugin>, worker_file: Option<&Path>) -> OfferedPlugins {
    let file = worker_file.map(Path::to_owned);
    OfferedPlugins::from(own).with_more(move |java| java_plugins(java, file.as_deref()))
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
