//! What all Java plug-ins of a worker share: settings, what was found, and the processes.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use volley_api::{ConfigMap, Error, Result};

use crate::discovery::{FoundPlugins, ScanCache, fingerprint};
use crate::frames::PROTOCOL;
use crate::hosts::{ConnectorProcesses, Heap, HostName, LogLevels, Occupant, RunningHosts, Scanned, Utility, Wanted};
use crate::process::{JavaCommand, Launch, Patience, heap_bytes};
use crate::settings::JavaSettings;

/// The connector's own key for its heap.
const HEAP: &str = "volley.java.heap";
/// The connector's key for the process that it runs in.
const PROCESS: &str = "volley.java.process";
/// For calls that make instances: the worker's own limit for the start of a connector.
pub(crate) const START_LIMIT: Duration = Duration::from_secs(90);

/// Makes the start of a JVM with a heap.
pub(crate) type MakeLaunch = Arc<dyn Fn(&str) -> Arc<dyn Launch> + Send + Sync>;

/// Tells the heaps that the connectors of a group ask for.
pub(crate) type HeapsOfGroup = Arc<dyn Fn(&str) -> Vec<String> + Send + Sync>;

/// What the last search for plug-ins has come to.
#[derive(Debug, Default)]
struct Search {
    found: Option<Arc<FoundPlugins>>,
    /// Why they cannot be used as long as their files have this fingerprint.
    refused: Option<(String, Error)>,
}

/// Java, for one worker.
pub(crate) struct JavaRuntime {
    settings: JavaSettings,
    launch: MakeLaunch,
    search: Mutex<Search>,
    hosts: Arc<RunningHosts>,
    utility: Utility,
    config_providers: Utility,
    processes: ConnectorProcesses,
    heaps_of_group: Mutex<Option<HeapsOfGroup>>,
}

impl JavaRuntime {
    pub(crate) fn new(settings: JavaSettings) -> Self {
        let jvm = settings.clone();
        let launch: MakeLaunch = Arc::new(move |heap| {
            Arc::new(JavaCommand {
                home: jvm.home.clone(),
                host_dir: jvm.host_dir.clone(),
                heap: heap.to_owned(),
                worker_file: jvm.worker_file.clone(),
                options: jvm.options.clone(),
            })
        });
        Self::with_launch(settings, launch, LogLevels::of_the_log(), Patience::default())
    }

    /// One whose processes start in another way.
    pub(crate) fn with_launch(
        settings: JavaSettings,
        launch: MakeLaunch,
        levels: LogLevels,
        patience: Patience,
    ) -> Self {
        let hosts = Arc::new(RunningHosts::new(levels, patience));
        let utility = Utility::for_discovery(launch(&settings.heap), Arc::clone(&hosts));
        let config_providers = Utility::for_config_providers(launch(&settings.heap), Arc::clone(&hosts));
        let processes = ConnectorProcesses::new(Arc::clone(&hosts));
        let (search, heaps_of_group) = (Mutex::default(), Mutex::default());
        Self { settings, launch, search, hosts, utility, config_providers, processes, heaps_of_group }
    }

    /// The processes that run.
    pub(crate) fn hosts(&self) -> &RunningHosts {
        &self.hosts
    }

    /// From now on the process of a group starts with the largest of these heaps.
    pub(crate) fn ask_for_heaps_of_groups(&self, heaps: HeapsOfGroup) {
        *self.heaps_of_group.lock() = Some(heaps);
    }

    /// The process for calls that belong to no running connector.
    pub(crate) fn utility(&self) -> &Utility {
        &self.utility
    }

    /// The process of config providers.
    pub(crate) fn config_providers(&self) -> &Utility {
        &self.config_providers
    }

    /// The plug-ins of the plug-in path: as they were found last, if nothing has changed there, else by a scan.
    ///
    /// # Errors
    /// If there is no Java; if the plug-ins are not such as the way of discovery demands.
    pub(crate) fn found(&self) -> Result<Arc<FoundPlugins>> {
        // held while a scan runs: who comes in between waits for it
        let mut search = self.search.lock();
        if let Some(found) = &search.found {
            return Ok(Arc::clone(found));
        }
        let found = Arc::new(self.load_or_scan(&mut search.refused)?);
        search.found = Some(Arc::clone(&found));
        Ok(found)
    }

    fn load_or_scan(&self, refused: &mut Option<(String, Error)>) -> Result<FoundPlugins> {
        let locations: Vec<String> =
            self.settings.plugin_path.iter().map(|path| path.to_string_lossy().into_owned()).collect();
        let discovery = self.settings.discovery.as_str();
        let name = fingerprint(&[], &[discovery, &locations.join("\n"), &self.settings.host_dir.to_string_lossy()]);
        let cache = self.settings.cache_dir.clone().map(|directory| ScanCache::new(directory, &name[..16]));
        let fingerprint = self.fingerprint(&locations);
        if let Some(found) = cache.as_ref().and_then(|cache| cache.load(&fingerprint)) {
            return Ok(found);
        }
        if let Some((_, error)) = refused.as_ref().filter(|(files, _)| *files == fingerprint) {
            return Err(error.clone());
        }
        match self.utility.scan(&locations, discovery)? {
            Scanned::Whole(found) => {
                if let Some(cache) = cache {
                    cache.store(&fingerprint, &found);
                }
                Ok(found)
            }
            // the next worker tries again, and says what it leaves out
            Scanned::InPart(found) => Ok(found),
            Scanned::Refused(error) => {
                *refused = Some((fingerprint, error.clone()));
                Err(error)
            }
        }
    }

    fn fingerprint(&self, locations: &[String]) -> String {
        let class_path = std::env::var("CLASSPATH").unwrap_or_default();
        // `directory/*` stands for the jars of a directory, for Java
        let mut files: Vec<PathBuf> =
            class_path.split(':').map(|entry| PathBuf::from(entry.strip_suffix('*').unwrap_or(entry))).collect();
        files.push(self.settings.host_dir.clone());
        files.extend(self.settings.plugin_path.iter().cloned());
        let protocol = PROTOCOL.to_string();
        fingerprint(&files, &[&self.settings.discovery, &locations.join("\n"), &class_path, &protocol])
    }

    /// A place in the process of a connector or of its group, which uses the plug-ins that `configs` name. Of two configurations
    /// that have a key the first counts.
    ///
    /// # Errors
    /// If the process cannot be started.
    pub(crate) fn enter(&self, connector: &str, configs: &[&ConfigMap]) -> Result<Occupant> {
        let plugins = self.found()?;
        let values = configs.iter().flat_map(|config| config.values()).map(String::as_str);
        let locations: BTreeSet<String> = plugins.locations_of(values);
        let value = |key| configs.iter().find_map(|config| config.get(key)).map(String::as_str);
        let name = HostName::of_connector(connector, value(PROCESS));
        let own = value(HEAP).unwrap_or(&self.settings.heap);
        let launch = |name: &HostName| (self.launch)(&self.heap_of(name, own));
        let heap = Heap { own, launch: &launch };
        self.processes.enter(&Wanted { name, heap: &heap, plugins: &plugins, locations: &locations })
    }

    /// The heap of a process that starts for a connector which asks for `own`.
    fn heap_of(&self, name: &HostName, own: &str) -> String {
        let heaps_of_group = self.heaps_of_group.lock().clone();
        let others = match (name, heaps_of_group) {
            (HostName::Group(group), Some(heaps)) => heaps(group),
            _ => Vec::new(),
        };
        // one that is no size fails its own connector only
        let sizes = others.into_iter().filter_map(|heap| Some((heap_bytes(&heap).ok()?, heap)));
        let largest = sizes.max_by_key(|(bytes, _)| *bytes);
        match (largest, heap_bytes(own)) {
            (Some((bytes, heap)), Ok(own)) if bytes > own => heap,
            _ => own.to_owned(),
        }
    }
}

impl std::fmt::Debug for JavaRuntime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JavaRuntime").field("settings", &self.settings).finish_non_exhaustive()
    }
}
