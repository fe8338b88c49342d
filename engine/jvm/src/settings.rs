//! Settings of Java plug-ins: the worker's keys.

use std::path::PathBuf;

/// How Java plug-ins are found and run.
#[derive(Clone, Debug)]
pub struct JavaSettings {
    /// `plugin.path`: where plug-ins are.
    pub plugin_path: Vec<PathBuf>,
    /// `plugin.discovery`: `only_scan`, `hybrid_warn`, `hybrid_fail` or `service_load`.
    pub discovery: String,
    /// `volley.java.home`: the directory of a Java 17 or newer. `None`: `JAVA_HOME`, else the `java` of `PATH`.
    pub home: Option<PathBuf>,
    /// `volley.java.host.dir`: the directory of the host's jars.
    pub host_dir: PathBuf,
    /// `volley.java.heap`: `-Xmx` of each JVM, unless a connector says otherwise.
    pub heap: String,
    /// `volley.java.options`: further options of each JVM.
    pub options: Vec<String>,
    /// The worker's properties file, for plug-ins that read it. `None`: there is none.
    pub worker_file: Option<PathBuf>,
    /// Where is kept what a scan of the plug-in path has found. `None`: nowhere.
    pub cache_dir: Option<PathBuf>,
}

impl JavaSettings {
    /// The cache directory of this user: `volley/java` in `XDG_CACHE_HOME`, else in `.cache` at home.
    pub fn user_cache_dir() -> Option<PathBuf> {
        let directory = |variable| std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
        let caches = directory("XDG_CACHE_HOME").or_else(|| Some(directory("HOME")?.join(".cache")))?;
        Some(caches.join("volley/java"))
    }
}
