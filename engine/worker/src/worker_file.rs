//! What a worker's file leads to before the worker runs: its plug-ins, and its keys without variables.
//!
//! ```text
//!  as read ─► the worker's own config providers ─► keys for Java ─► Java plug-ins ─► all config providers ─► without variables
//! ```
//! So a provider in Java may resolve any key but those that Java itself is started with.

use volley_api::{ConfigMap, Error, Result};

use crate::config_transformer::{ConfigTransformer, without_providers};
use crate::plugins::{OfferedPlugins, Plugins};
use crate::worker_config::JavaSettings;

/// Stays as it is written, as in Kafka Connect.
const PLUGIN_PATH: &str = "plugin.path";

/// A worker's file, and what is needed to understand it.
#[derive(Debug)]
pub struct WorkerFile {
    /// Its keys without variables and without the settings of config providers. `plugin.path` stays as it is.
    pub properties: ConfigMap,
    /// Resolves variables in the configurations of connectors.
    pub transformer: ConfigTransformer,
    /// The worker's own plug-ins, and those that it finds.
    pub plugins: Plugins,
}

impl WorkerFile {
    /// Of `properties`, as read. Looks for more plug-ins only where a config provider is not the worker's own.
    ///
    /// # Errors
    /// `Config` if a provider is unknown or cannot resolve a variable, or a key for Java is wrong.
    pub fn open(mut properties: ConfigMap, offered: impl Into<OfferedPlugins>) -> Result<Self> {
        let (own, more) = offered.into().open();
        let plugins = more.to(own.clone(), java_settings(&properties, &own)?)?;
        let transformer = ConfigTransformer::new(&properties, &plugins)?;
        without_providers(&mut properties);
        let plugin_path = properties.get(PLUGIN_PATH).cloned();
        let mut resolved = transformer.resolve(&properties)?;
        if let Some(path) = plugin_path {
            resolved.insert(PLUGIN_PATH.to_owned(), path);
        }
        Ok(Self { properties: resolved, transformer, plugins })
    }
}

fn java_settings(properties: &ConfigMap, own: &Plugins) -> Result<JavaSettings> {
    let mut keys = JavaSettings::keys_of(properties);
    let plugin_path = keys.swap_remove(PLUGIN_PATH);
    let known = ConfigTransformer::of_known(properties, own)?;
    let mut keys = known.resolve(&keys)?;
    if let Some((key, _)) = keys.iter().find(|(_, value)| known.leaves(value, properties)) {
        return Err(Error::config(format!(
            "`{key}` has a variable of a config provider that is not one of Volley's own: one in Java can only be asked once Java \
             runs, for which this key is needed"
        )));
    }
    keys.extend(plugin_path.map(|path| (PLUGIN_PATH.to_owned(), path)));
    JavaSettings::of(&keys)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use volley_api::testing::config_map;
    use volley_api::{ConfigData, ConfigDef, ConfigProvider, Plugin, PluginFactory};

    use super::*;
    use crate::plugins::MorePlugins;

    /// `${more:k}` is `K`.
    struct Upper;

    impl ConfigProvider for Upper {
        fn get(&self, _: &str, keys: &std::collections::BTreeSet<&str>) -> Result<ConfigData> {
            ConfigData::of_each(keys, |key| Ok(key.to_uppercase()))
        }
    }

    /// Has one config provider, and counts how often it is looked for.
    struct More(Arc<AtomicUsize>);

    impl MorePlugins for More {
        fn plugins(&self) -> Result<Vec<Plugin>> {
            self.0.fetch_add(1, Ordering::Relaxed);
            let factory = PluginFactory::config_provider(|_| Ok(Upper));
            Ok(vec![Plugin::new("org.example.Upper", "1", "For tests.", ConfigDef::new(), factory)])
        }

        fn prefers(&self) -> bool {
            true
        }
    }

    const MORE: [(&str, &str); 2] =
        [("config.providers", "env,more"), ("config.providers.more.class", "org.example.Upper")];
    const ENV: (&str, &str) =
        ("config.providers.env.class", "org.apache.kafka.common.config.provider.EnvVarConfigProvider");

    fn open(properties: &[(&str, &str)]) -> (Result<WorkerFile>, Vec<JavaSettings>, usize) {
        let (searches, told) = (Arc::<AtomicUsize>::default(), Arc::new(parking_lot::Mutex::new(Vec::new())));
        let (more, seen) = (More(Arc::clone(&searches)), Arc::clone(&told));
        let offered = OfferedPlugins::from(crate::config_providers::plugins()).with_more(move |settings| {
            seen.lock().push(settings);
            Ok(Some(Arc::new(more) as Arc<dyn MorePlugins>))
        });
        let file = WorkerFile::open(config_map(properties), offered);
        let told = std::mem::take(&mut *told.lock());
        (file, told, searches.load(Ordering::Relaxed))
    }

    #[test]
    fn a_file_loses_its_provider_settings_and_keeps_plugin_path() {
        let (file, _, searches) =
            open(&[("config.providers", "env"), ENV, ("plugin.path", "${env:PATH}"), ("other", "${env:PATH}")]);
        let properties = file.unwrap().properties;
        assert_eq!(properties.keys().collect::<Vec<_>>(), ["plugin.path", "other"]);
        assert_eq!(properties["plugin.path"], "${env:PATH}");
        assert_eq!(properties["other"], std::env::var("PATH").unwrap());
        assert_eq!(searches, 0, "the worker has the provider, whatever is preferred for connectors");
    }

    #[test]
    fn a_provider_that_is_found_resolves_all_but_what_it_is_found_with() {
        let bootstrap = ("bootstrap.servers", "${more:a}:1");
        let (file, told, searches) =
            open(&[&MORE[..], &[ENV, bootstrap, ("volley.java.home", "${env:PATH}")]].concat());
        assert_eq!(file.unwrap().properties["bootstrap.servers"], "A:1");
        assert_eq!((told[0].home.clone(), searches), (std::env::var("PATH").ok(), 1));

        let (file, _, _) = open(&[&MORE[..], &[ENV, ("volley.java.heap", "${more:a}")]].concat());
        let error = file.unwrap_err().to_string();
        assert!(error.starts_with("`volley.java.heap` has a variable of a config provider"), "{error}");
    }

    #[test]
    fn one_of_the_worker_s_own_may_need_one_that_is_found_for_its_parameters() {
        let allowed = ("config.providers.file.param.allowed.paths", "/${more:more}");
        let properties = [
            ("config.providers", "more,file"),
            MORE[1],
            ("config.providers.file.class", "FileConfigProvider"),
            allowed,
            ("volley.java.heap", "64m"),
        ];
        let (file, told, _) = open(&properties);
        assert_eq!(told[0].heap, "64m", "no matter that it cannot be made yet");
        let error = format!("{:#}", file.unwrap_err());
        assert!(error.contains("/MORE"), "its parameter is resolved: {error}");
    }

    #[test]
    fn a_provider_that_is_nowhere_is_an_error() {
        let (file, _, searches) =
            open(&[("config.providers", "x"), ("config.providers.x.class", "org.example.Nowhere")]);
        let error = format!("{:#}", file.unwrap_err());
        assert!(error.contains("`config.providers.x.class`") && error.contains("org.example.Nowhere"), "{error}");
        assert_eq!(searches, 1);
    }
}
