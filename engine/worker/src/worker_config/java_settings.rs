//! What the worker's configuration says of Java plug-ins.

use std::fmt;
use std::path::Path;

use volley_api::{Config, ConfigDef, ConfigMap, Result};

use super::java_definition::java_keys;
use crate::worker_config::WorkerConfig;

/// Which plug-ins run in Java.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JavaUse {
    /// Those that the worker itself does not have.
    Auto,
    /// All that there are.
    Always,
    /// None.
    Never,
}

/// What the worker's configuration says of Java plug-ins. MUST NOT be logged: options may have secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct JavaSettings {
    /// Which plug-ins run in Java.
    pub plugins: JavaUse,
    /// Locations of plug-ins, as written.
    pub plugin_path: Vec<String>,
    /// How they are found, in small letters: `hybrid_warn`, for example.
    pub discovery: String,
    /// Directory of the Java installation, if one is configured.
    pub home: Option<String>,
    /// Directory of the jars of the host, if one is configured.
    pub host_dir: Option<String>,
    /// Heap of a process, as `-Xmx` takes it, unless a connector sets its own.
    pub heap: String,
    /// Further options of Java.
    pub options: Vec<String>,
}

impl JavaSettings {
    /// The locations of plug-ins that are not there. Nobody looks for them where no plug-in runs in Java.
    pub fn missing_locations(&self) -> Vec<&str> {
        match self.plugins {
            JavaUse::Never => Vec::new(),
            JavaUse::Auto | JavaUse::Always => {
                let locations = self.plugin_path.iter().map(String::as_str);
                locations.filter(|location| !Path::new(location).exists()).collect()
            }
        }
    }
}

impl fmt::Debug for JavaSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JavaSettings").field("plugins", &self.plugins).finish_non_exhaustive()
    }
}

impl JavaSettings {
    /// Those of a worker's properties that count here.
    pub(crate) fn keys_of(properties: &ConfigMap) -> ConfigMap {
        let def = java_keys(ConfigDef::new());
        let of_java = properties.iter().filter(|(key, _)| def.keys().iter().any(|known| known.name == **key));
        of_java.map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// From these keys, which have no variables.
    ///
    /// # Errors
    /// `Config`, naming the first key that is wrong.
    pub(crate) fn of(keys: &ConfigMap) -> Result<Self> {
        Ok(Self::of_parsed(&java_keys(ConfigDef::new()).parse(keys)?))
    }

    fn of_parsed(parsed: &Config) -> Self {
        let text = |key: &str| parsed.string(key).filter(|text| !text.is_empty()).map(str::to_owned);
        Self {
            plugins: match parsed.string("volley.java") {
                Some("always") => JavaUse::Always,
                Some("never") => JavaUse::Never,
                _ => JavaUse::Auto,
            },
            plugin_path: parsed.list("plugin.path").iter().filter(|path| !path.is_empty()).cloned().collect(),
            discovery: text("plugin.discovery").unwrap_or_default().to_lowercase(),
            home: text("volley.java.home"),
            host_dir: text("volley.java.host.dir"),
            heap: text("volley.java.heap").unwrap_or_default(),
            options: text("volley.java.options").unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
        }
    }
}

impl WorkerConfig {
    /// What it says of Java plug-ins.
    pub fn java_settings(&self) -> JavaSettings {
        JavaSettings::of_parsed(self.parsed())
    }
}

#[cfg(test)]
mod tests {
    use volley_api::testing::config_map;

    use super::*;

    fn settings(more: &[(&str, &str)]) -> volley_api::Result<JavaSettings> {
        let mut config = config_map(&[("key.converter", "JsonConverter"), ("value.converter", "JsonConverter")]);
        config.insert("offset.storage.file.filename".into(), "/tmp/offsets".into());
        config.extend(config_map(more));
        WorkerConfig::standalone(config).map(|config| config.java_settings())
    }

    #[test]
    fn what_is_not_configured_is_as_in_kafka_connect_and_as_documented() {
        let settings = settings(&[]).unwrap();
        assert_eq!((settings.plugins, settings.plugin_path.len()), (JavaUse::Auto, 0));
        assert_eq!((settings.discovery.as_str(), settings.heap.as_str()), ("hybrid_warn", "512m"));
        assert!(settings.home.is_none() && settings.host_dir.is_none() && settings.options.is_empty());
    }

    #[test]
    fn a_location_that_is_not_there_is_told_unless_nobody_looks() {
        let here = std::env::temp_dir();
        let path = format!("{}, /no/such/jars", here.display());
        let given = [
            ("plugin.path", path.as_str()),
            ("plugin.discovery", "SERVICE_LOAD"),
            ("volley.java.options", "-Da=b  -Xint"),
        ];
        let settings = settings(&given).unwrap();
        assert_eq!(settings.missing_locations(), ["/no/such/jars"]);
        assert_eq!((settings.discovery.as_str(), settings.options.len()), ("service_load", 2));
        let never = JavaSettings { plugins: JavaUse::Never, ..settings };
        assert!(never.missing_locations().is_empty());
    }

    #[test]
    fn wrong_settings_are_named() {
        for (key, value) in [("volley.java", "sometimes"), ("volley.java.heap", "much"), ("plugin.discovery", "guess")]
        {
            let error = settings(&[(key, value)]).err().unwrap().to_string();
            assert!(error.contains(key) && error.contains(value), "{error}");
        }
    }
}
