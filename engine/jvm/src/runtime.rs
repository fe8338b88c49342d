//! What all Java plug-ins of a worker share: settings, what was found, and the processes.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use volley_api::{ConfigMap, Result};

use crate::connector_process::{ConnectorProcesses, Occupant, Wanted};
use crate::discovery::{FoundPlugins, ScanCache, fingerprint};
use crate::frames::PROTOCOL;
use crate::process::{JavaCommand, Launch, Patience};
use crate::settings::JavaSettings;
use crate::utility::Utility;

/// The connector's own key for its heap.
const HEAP: &str = "volley.java.heap";
/// For calls that make instances: the worker's own limit for the start of a connector.
pub(crate) const START_LIMIT: Duration = Duration::from_secs(90);

/// Makes the start of a JVM with a heap.
pub(crate) type MakeLaunch = Arc<dyn Fn(&str) -> Arc<dyn Launch> + Send + Sync>;

/// Java, for one worker.
pub(crate) struct JavaRuntime {
    settings: JavaSettings,
    launch: MakeLaunch,
    found: Mutex<Option<Arc<FoundPlugins>>>,
    utility: Utility,
    processes: ConnectorProcesses,
}

impl JavaRuntime {
    pub(crate) fn new(settings: JavaSettings) -> Self {
        let jvm = settings.clone();
        let launch: MakeLaunch = Arc::new(move |heap| {
            Arc::new(JavaCommand {
                home: jvm.home.clone(),
                host_dir: jvm.host_dir.clone(),
                heap: heap.to_owned(),
                options: jvm.options.clone(),
            })
        });
        Self::with_launch(settings, launch, Patience::default())
    }

    /// One whose processes start in another way.
    pub(crate) fn with_launch(settings: JavaSettings, launch: MakeLaunch, patience: Patience) -> Self {
        let utility = Utility::new(launch(&settings.heap), patience);
        Self { settings, launch, found: Mutex::default(), utility, processes: ConnectorProcesses::new(patience) }
    }

    /// The process for calls that belong to no running connector.
    pub(crate) fn utility(&self) -> &Utility {
        &self.utility
    }

    /// The plug-ins of the plug-in path: as they were found last, if nothing has changed there, else by a scan.
    ///
    /// # Errors
    /// If there is no Java, or it cannot scan.
    pub(crate) fn found(&self) -> Result<Arc<FoundPlugins>> {
        // held while a scan runs: who comes in between waits for it
        let mut found = self.found.lock();
        if let Some(found) = &*found {
            return Ok(Arc::clone(found));
        }
        let plugins = Arc::new(self.load_or_scan()?);
        *found = Some(Arc::clone(&plugins));
        Ok(plugins)
    }

    fn load_or_scan(&self) -> Result<FoundPlugins> {
        let locations: Vec<String> =
            self.settings.plugin_path.iter().map(|path| path.to_string_lossy().into_owned()).collect();
        let discovery = self.settings.discovery.as_str();
        let name = fingerprint(&[], &[discovery, &locations.join("\n"), &self.settings.host_dir.to_string_lossy()]);
        let cache = self.settings.cache_dir.clone().map(|directory| ScanCache::new(directory, &name[..16]));
        let fingerprint = self.fingerprint(&locations);
        if let Some(found) = cache.as_ref().and_then(|cache| cache.load(&fingerprint)) {
            return Ok(found);
        }
        let found = self.utility.scan(&locations, discovery)?;
        if let Some(cache) = cache {
            cache.store(&fingerprint, &found);
        }
        Ok(found)
    }

    fn fingerprint(&self, locations: &[String]) -> String {
        let class_path = std::env::var("CLASSPATH").unwrap_or_default();
        let mut files: Vec<PathBuf> = class_path.split(':').map(PathBuf::from).collect();
        files.push(self.settings.host_dir.clone());
        files.extend(self.settings.plugin_path.iter().cloned());
        let protocol = PROTOCOL.to_string();
        fingerprint(&files, &[&self.settings.discovery, &locations.join("\n"), &class_path, &protocol])
    }

    /// A place in the process of a connector, which uses the plug-ins that `configs` name. `is_abandoned`: whether it is not
    /// wanted any more.
    ///
    /// # Errors
    /// If the process cannot be started.
    pub(crate) fn enter(&self, connector: &str, configs: &[&ConfigMap]) -> Result<Occupant> {
        let plugins = self.found()?;
        let values = configs.iter().flat_map(|config| config.values()).map(String::as_str);
        let locations: BTreeSet<String> = plugins.locations_of(values);
        let heap = configs.iter().find_map(|config| config.get(HEAP)).unwrap_or(&self.settings.heap);
        let launch = (self.launch)(heap);
        let wanted = Wanted { connector, heap, launch: &*launch, plugins: &plugins, locations: &locations };
        self.processes.enter(&wanted)
    }
}

impl std::fmt::Debug for JavaRuntime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JavaRuntime").field("settings", &self.settings).finish_non_exhaustive()
    }
}
