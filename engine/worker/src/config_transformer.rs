//! Variables in configurations: `${provider:key}` and `${provider:path:key}` (KIP-297).

use std::collections::BTreeMap;
use std::fmt;

use volley_api::{ConfigMap, ConfigProvider, Error, PluginFactory, PluginKind, Result};

use crate::plugins::Plugins;
use crate::worker_config::without_prefix;

const PROVIDERS: &str = "config.providers";

/// Resolves variables through the worker's config providers. Blocks on their I/O.
#[derive(Default)]
pub struct ConfigTransformer {
    providers: BTreeMap<String, Box<dyn ConfigProvider>>,
}

/// Resolves the variables of a worker file, and takes the provider settings out of it. `plugin.path` stays as it is.
///
/// # Errors
/// `Config` if a provider is unknown or cannot resolve a variable.
pub fn resolve_worker_config(mut properties: ConfigMap, plugins: &Plugins) -> Result<(ConfigMap, ConfigTransformer)> {
    let transformer = ConfigTransformer::new(&properties, plugins)?;
    properties.retain(|key, _| key != PROVIDERS && !key.starts_with("config.providers."));
    let plugin_path = properties.get("plugin.path").cloned();
    let mut resolved = transformer.resolve(&properties)?;
    if let Some(path) = plugin_path {
        resolved.insert("plugin.path".into(), path);
    }
    Ok((resolved, transformer))
}

impl ConfigTransformer {
    /// The providers that `config.providers` of a worker file lists.
    ///
    /// # Errors
    /// `Config`, naming the provider whose class is missing or unknown.
    pub fn new(worker: &ConfigMap, plugins: &Plugins) -> Result<Self> {
        let names = worker.get(PROVIDERS).map(String::as_str).unwrap_or_default();
        let mut providers = BTreeMap::new();
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            providers.insert(name.to_owned(), new_provider(name, worker, plugins)?);
        }
        Ok(Self { providers })
    }

    /// Replaces every variable of a known provider. Variables of other providers stay as they are.
    ///
    /// # Errors
    /// The error of a provider that cannot resolve a variable.
    pub fn resolve(&self, config: &ConfigMap) -> Result<ConfigMap> {
        config.iter().map(|(key, value)| Ok((key.clone(), self.resolve_value(value)?))).collect()
    }

    fn resolve_value(&self, value: &str) -> Result<String> {
        let mut resolved = String::with_capacity(value.len());
        let mut rest = value;
        while let Some(variable) = find_variable(rest) {
            resolved.push_str(&rest[..variable.start]);
            match self.providers.get(variable.provider) {
                Some(provider) => resolved.push_str(&provider.get(variable.path, variable.key)?),
                None => resolved.push_str(&rest[variable.start..variable.end]),
            }
            rest = &rest[variable.end..];
        }
        resolved.push_str(rest);
        Ok(resolved)
    }
}

impl fmt::Debug for ConfigTransformer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigTransformer").field("providers", &self.providers.keys().collect::<Vec<_>>()).finish()
    }
}

fn new_provider(name: &str, worker: &ConfigMap, plugins: &Plugins) -> Result<Box<dyn ConfigProvider>> {
    let key = format!("{PROVIDERS}.{name}.class");
    let class = worker.get(&key).map(|class| class.trim());
    let class =
        class.ok_or_else(|| Error::config(format!("could not find `{key}`: name the provider's class there")))?;
    let plugin = plugins
        .find(PluginKind::ConfigProvider, class)
        .map_err(|error| Error::config(format!("could not use `{key}`")).with_source(error))?;
    let PluginFactory::ConfigProvider(new) = &plugin.factory else {
        return Err(Error::config(format!("could not use `{key}`: `{class}` is not a config provider")));
    };
    new(&without_prefix(worker, &format!("{PROVIDERS}.{name}.param.")))
}

/// Whether a value refers to a provider.
pub(crate) fn has_variable(value: &str) -> bool {
    find_variable(value).is_some()
}

/// Replaces resolved values in task configurations by their references where the connector copied them, so that no
/// secret is stored.
pub(crate) fn restore_references(raw: &ConfigMap, task_configs: &mut [ConfigMap]) {
    for (key, reference) in raw.iter().filter(|(_, value)| has_variable(value)) {
        for value in task_configs.iter_mut().filter_map(|config| config.get_mut(key)) {
            value.clone_from(reference);
        }
    }
}

struct Variable<'a> {
    start: usize,
    end: usize,
    provider: &'a str,
    path: &'a str,
    key: &'a str,
}

/// The first variable. The first colon ends the provider's name, a second one the path.
fn find_variable(text: &str) -> Option<Variable<'_>> {
    let mut from = 0;
    loop {
        let start = from + text[from..].find("${")?;
        let length = text[start + 2..].find('}')?;
        let inner = &text[start + 2..start + 2 + length];
        if let Some((provider, rest)) = inner.split_once(':') {
            let (path, key) = rest.split_once(':').unwrap_or(("", rest));
            return Some(Variable { start, end: start + length + 3, provider, path, key });
        }
        from = start + 2;
    }
}

#[cfg(test)]
mod tests {
    use volley_api::testing::config_map;

    use super::*;

    fn transformer(directory: &std::path::Path) -> ConfigTransformer {
        std::fs::write(directory.join("s.properties"), "user=alice\npassword=hunter2\n").unwrap();
        let plugins = Plugins::new(crate::config_providers::plugins());
        let worker =
            config_map(&[("config.providers", "file , "), ("config.providers.file.class", "FileConfigProvider")]);
        ConfigTransformer::new(&worker, &plugins).unwrap()
    }

    #[test]
    fn variables_are_replaced_wherever_they_stand() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("s.properties").display().to_string();
        let value = format!("u=${{file:{file}:user}};p=${{file:{file}:password}}!");
        let resolved = transformer(directory.path()).resolve(&config_map(&[("k", &value)])).unwrap();
        assert_eq!(resolved["k"], "u=alice;p=hunter2!");
    }

    #[test]
    fn unknown_providers_and_plain_text_stay_as_they_are() {
        let directory = tempfile::tempdir().unwrap();
        let transformer = transformer(directory.path());
        for text in ["${vault:a:b}", "${vault:b}", "${:x}", "${}", "${x}", "$", "${", "${a:b", "plain"] {
            assert_eq!(transformer.resolve_value(text).unwrap(), text);
        }
    }

    #[test]
    fn what_a_provider_cannot_resolve_is_an_error_with_its_reason() {
        let directory = tempfile::tempdir().unwrap();
        let transformer = transformer(directory.path());
        let file = directory.path().join("s.properties").display().to_string();
        for (variable, reason) in [
            ("${file:/does/not/exist:k}".to_owned(), "Could not read properties from file /does/not/exist".to_owned()),
            (format!("${{file:{file}:missing}}"), format!("Could not find key `missing` in file {file}")),
        ] {
            let error = transformer.resolve_value(&format!("before {variable} after")).unwrap_err();
            assert_eq!(error.to_string(), reason);
        }
    }

    #[test]
    fn task_configs_get_their_references_back() {
        let raw = config_map(&[("password", "${file:s:password}"), ("user", "alice")]);
        let mut tasks = [config_map(&[("password", "hunter2"), ("user", "bob")])];
        restore_references(&raw, &mut tasks);
        assert_eq!(tasks[0], config_map(&[("password", "${file:s:password}"), ("user", "bob")]));
    }

    #[test]
    fn worker_files_lose_their_provider_settings_and_keep_plugin_path() {
        let plugins = Plugins::new(crate::config_providers::plugins());
        let worker = config_map(&[
            ("config.providers", "env"),
            ("config.providers.env.class", "org.apache.kafka.common.config.provider.EnvVarConfigProvider"),
            ("plugin.path", "${env:PATH}"),
            ("other", "${env:PATH}"),
        ]);
        let (resolved, _) = resolve_worker_config(worker, &plugins).unwrap();
        assert_eq!(resolved.keys().collect::<Vec<_>>(), ["plugin.path", "other"]);
        assert_eq!(resolved["plugin.path"], "${env:PATH}");
        assert_eq!(resolved["other"], std::env::var("PATH").unwrap());
    }
}
