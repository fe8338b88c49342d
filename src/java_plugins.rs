//! Java plug-ins, found as the worker's configuration says.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use volley_api::{ConfigMap, Plugin, PluginKind, Result};
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

/// The config providers among them, which take the place of none of the worker's own.
struct ProvidersOnly(FromPluginPath);

impl MorePlugins for ProvidersOnly {
    fn plugins(&self) -> Result<Vec<Plugin>> {
        let plugins = self.0.plugins()?.into_iter();
        Ok(plugins.filter(|plugin| plugin.kind() == PluginKind::ConfigProvider).collect())
    }

    fn prefers(&self) -> bool {
        false
    }
}

/// The plug-ins that `settings` of `worker_file` lead to; `None` where there is no `plugin.path`, or none is wanted. Nothing is
/// started for it.
fn from_plugin_path(settings: WorkerJavaSettings, worker_file: Option<&Path>) -> Option<FromPluginPath> {
    let is_wanted = match settings.plugins {
        JavaUse::Never => false,
        JavaUse::Auto => !settings.plugin_path.is_empty(),
        JavaUse::Always => true,
    };
    let java = |settings: WorkerJavaSettings| JavaSettings {
        plugin_path: settings.plugin_path.into_iter().map(PathBuf::from).collect(),
        discovery: settings.discovery,
        home: settings.home.map(PathBuf::from),
        host_dir: settings.host_dir.map_or_else(default_host_dir, PathBuf::from),
        heap: settings.heap,
        options: settings.options,
        worker_file: worker_file.and_then(|file| std::path::absolute(file).ok()),
        cache_dir: JavaSettings::user_cache_dir(),
    };
    let are_preferred = settings.plugins == JavaUse::Always;
    is_wanted.then(|| FromPluginPath { java: JavaPlugins::new(java(settings)), are_preferred })
}

/// `own`, and the Java plug-ins that `worker_file` leads to. They are looked for at once where a plug-in without a service file is
/// an error.
pub(crate) fn with_java_plugins(own: Vec<Plugin>, worker_file: Option<&Path>) -> OfferedPlugins {
    let file = worker_file.map(Path::to_owned);
    OfferedPlugins::from(own).with_more(move |settings| {
        let fails_at_start = settings.discovery == HYBRID_FAIL;
        let Some(more) = from_plugin_path(settings, file.as_deref()) else { return Ok(None) };
        if fails_at_start {
            more.plugins()?;
        }
        Ok(Some(Arc::new(more) as Arc<dyn MorePlugins>))
    })
}

/// `own`, and the config providers in Java that `worker_file` leads to: for a command that runs no Java connector.
pub(crate) fn with_java_config_providers(own: Vec<Plugin>, worker_file: Option<&Path>) -> OfferedPlugins {
    let file = worker_file.map(Path::to_owned);
    OfferedPlugins::from(own).with_more(move |settings| {
        let more = from_plugin_path(settings, file.as_deref()).map(ProvidersOnly);
        Ok(more.map(|more| Arc::new(more) as Arc<dyn MorePlugins>))
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
