//! Variables in configurations: `${provider:key}` and `${provider:path:key}` (KIP-297).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use volley_api::{ConfigData, ConfigMap, ConfigProvider, Error, PluginFactory, PluginKind, Result};

use crate::plugins::Plugins;
use crate::worker_config::without_prefix;

const PROVIDERS: &str = "config.providers";

/// Resolves variables through the worker's config providers. Blocks on their I/O.
#[derive(Default)]
pub struct ConfigTransformer {
    providers: BTreeMap<String, Box<dyn ConfigProvider>>,
}

/// A configuration without variables.
#[derive(Debug)]
pub(crate) struct ResolvedConfig {
    pub(crate) config: ConfigMap,
    /// How long all of its values hold; `None` if for ever.
    pub(crate) ttl: Option<Duration>,
}

impl ConfigTransformer {
    /// The providers that `config.providers` of a worker file lists. The parameters of each may have variables of those before it.
    ///
    /// # Errors
    /// `Config`, naming the provider whose class is missing or unknown, or which cannot be made.
    pub(crate) fn new(worker: &ConfigMap, plugins: &Plugins) -> Result<Self> {
        let mut this = Self::default();
        for name in provider_names(worker) {
            this.add(name, worker, plugins)?;
        }
        Ok(this)
    }

    /// Of the providers that `config.providers` of a worker file lists those that are among `plugins`, and need no others.
    ///
    /// # Errors
    /// `Config`, naming the provider that cannot be made.
    pub(crate) fn of_known(worker: &ConfigMap, plugins: &Plugins) -> Result<Self> {
        let mut this = Self::default();
        for name in provider_names(worker) {
            let is_known =
                class_of(name, worker).is_ok_and(|class| plugins.find(PluginKind::ConfigProvider, class).is_ok());
            let needs_others = params_of(name, worker).values().any(|value| this.leaves(value, worker));
            if is_known && !needs_others {
                this.add(name, worker, plugins)?;
            }
        }
        Ok(this)
    }

    fn add(&mut self, name: &str, worker: &ConfigMap, plugins: &Plugins) -> Result<()> {
        let params = self.resolve(&params_of(name, worker))?;
        self.providers.insert(name.to_owned(), new_provider(name, worker, &params, plugins)?);
        Ok(())
    }

    /// Replaces every variable of a known provider. Variables of other providers stay as they are.
    ///
    /// # Errors
    /// The error of a provider that cannot resolve a variable.
    pub fn resolve(&self, config: &ConfigMap) -> Result<ConfigMap> {
        Ok(self.resolve_for_now(config)?.config)
    }

    /// As [`ConfigTransformer::resolve`], for who wants to know when to resolve it again.
    pub(crate) fn resolve_for_now(&self, config: &ConfigMap) -> Result<ResolvedConfig> {
        let said = self.ask_for(config.values().flat_map(|value| variables(value)))?;
        let resolve = |value: &String| -> Result<String> {
            let text = |piece| match piece {
                Piece::Text(text) => Ok(text),
                Piece::Variable(variable) => value_of(variable, &said),
            };
            pieces(value).map(text).collect()
        };
        let resolved = config.iter().map(|(key, value)| Ok((key.clone(), resolve(value)?)));
        let ttl = said.values().filter_map(|data| data.ttl).min();
        Ok(ResolvedConfig { config: resolved.collect::<Result<_>>()?, ttl })
    }

    /// What the providers say, each asked once for a path.
    fn ask_for<'a>(&self, variables: impl Iterator<Item = Variable<'a>>) -> Result<Said<'a>> {
        let mut wanted: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
        for variable in variables.filter(|variable| self.providers.contains_key(variable.provider)) {
            wanted.entry((variable.provider, variable.path)).or_default().insert(variable.key);
        }
        let ask = |((name, path), keys): ((&'a str, &'a str), _)| {
            let data = self.providers[name].get(path, &keys)?;
            Ok(((name, path), data))
        };
        wanted.into_iter().map(ask).collect()
    }

    /// Whether a value has a variable of a provider that `worker` lists and this does not know.
    pub(crate) fn leaves(&self, value: &str, worker: &ConfigMap) -> bool {
        let is_left = |name| provider_names(worker).any(|listed| listed == name) && !self.providers.contains_key(name);
        variables(value).any(|variable| is_left(variable.provider))
    }

    /// Tells the providers that the worker ends.
    pub(crate) fn close(&self) {
        self.providers.values().for_each(|provider| provider.close());
    }
}

/// What was said at each path of each provider.
type Said<'a> = BTreeMap<(&'a str, &'a str), ConfigData>;

/// The value in the place of `variable`: itself, if its provider is not known.
fn value_of<'a>(variable: Variable<'a>, said: &'a Said<'_>) -> Result<&'a str> {
    let Variable { whole, provider, path, key } = variable;
    let Some(data) = said.get(&(provider, path)) else { return Ok(whole) };
    data.values.get(key).map(String::as_str).ok_or_else(|| {
        Error::config(format!("Could not find key `{key}` at path `{path}` of config provider `{provider}`"))
    })
}

impl Drop for ConfigTransformer {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for ConfigTransformer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigTransformer").field("providers", &self.providers.keys().collect::<Vec<_>>()).finish()
    }
}

/// Takes the settings of config providers out of a worker file.
pub(crate) fn without_providers(worker: &mut ConfigMap) {
    worker.retain(|key, _| key != PROVIDERS && !key.starts_with("config.providers."));
}

fn provider_names(worker: &ConfigMap) -> impl Iterator<Item = &str> {
    let names = worker.get(PROVIDERS).map(String::as_str).unwrap_or_default();
    names.split(',').map(str::trim).filter(|name| !name.is_empty())
}

fn class_of<'a>(name: &str, worker: &'a ConfigMap) -> Result<&'a str> {
    let key = class_key(name);
    let class = worker.get(&key).map(|class| class.trim());
    class.ok_or_else(|| Error::config(format!("could not find `{key}`: name the provider's class there")))
}

fn params_of(name: &str, worker: &ConfigMap) -> ConfigMap {
    without_prefix(worker, &format!("{PROVIDERS}.{name}.param."))
}

fn class_key(name: &str) -> String {
    format!("{PROVIDERS}.{name}.class")
}

fn new_provider(
    name: &str,
    worker: &ConfigMap,
    params: &ConfigMap,
    plugins: &Plugins,
) -> Result<Box<dyn ConfigProvider>> {
    let (class, key) = (class_of(name, worker)?, class_key(name));
    let plugin = plugins
        .find_for_worker(PluginKind::ConfigProvider, class)
        .map_err(|error| Error::config(format!("could not use `{key}`")).with_source(error))?;
    let PluginFactory::ConfigProvider(new) = &plugin.factory else {
        return Err(Error::config(format!("could not use `{key}`: `{class}` is not a config provider")));
    };
    new(params).map_err(|error| Error::config(format!("could not make config provider `{name}`")).with_source(error))
}

/// Whether a value refers to a provider.
pub(crate) fn has_variable(value: &str) -> bool {
    variables(value).next().is_some()
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
    /// As it is written.
    whole: &'a str,
    provider: &'a str,
    path: &'a str,
    key: &'a str,
}

/// A part of a value.
enum Piece<'a> {
    Text(&'a str),
    Variable(Variable<'a>),
}

/// All parts of a value, in order.
fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (start, variable) = match find_variable(rest) {
            Some((0, variable)) => {
                rest = &rest[variable.whole.len()..];
                return Some(Piece::Variable(variable));
            }
            Some((start, _)) => rest.split_at(start),
            None => (rest, ""),
        };
        rest = variable;
        (!start.is_empty()).then_some(Piece::Text(start))
    })
}

/// The variables of a value, in order.
fn variables(text: &str) -> impl Iterator<Item = Variable<'_>> {
    pieces(text).filter_map(|piece| match piece {
        Piece::Variable(variable) => Some(variable),
        Piece::Text(_) => None,
    })
}

/// The first variable, and where it begins. The first colon ends the provider's name, a second one the path.
fn find_variable(text: &str) -> Option<(usize, Variable<'_>)> {
    let mut from = 0;
    loop {
        let start = from + text[from..].find("${")?;
        let end = start + text[start..].find('}')? + 1;
        if let Some((provider, rest)) = text[start + 2..end - 1].split_once(':') {
            let (path, key) = rest.split_once(':').unwrap_or(("", rest));
            return Some((start, Variable { whole: &text[start..end], provider, path, key }));
        }
        from = start + 2;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parking_lot::Mutex;
    use volley_api::testing::config_map;

    use super::*;

    fn transformer(directory: &std::path::Path) -> ConfigTransformer {
        std::fs::write(directory.join("s.properties"), "user=alice\npassword=hunter2\n").unwrap();
        let plugins = Plugins::new(crate::config_providers::plugins());
        let worker =
            config_map(&[("config.providers", "file , "), ("config.providers.file.class", "FileConfigProvider")]);
        ConfigTransformer::new(&worker, &plugins).unwrap()
    }

    fn value_of(transformer: &ConfigTransformer, text: &str) -> Result<String> {
        Ok(transformer.resolve(&config_map(&[("k", text)]))?["k"].clone())
    }

    /// Counts its calls; each value holds for as many seconds as its path has letters.
    struct Counting(Arc<Mutex<Vec<String>>>);

    impl ConfigProvider for Counting {
        fn get(&self, path: &str, keys: &BTreeSet<&str>) -> Result<ConfigData> {
            self.0.lock().push(format!("{path} {keys:?}"));
            let mut data = ConfigData::of_each(keys, |key| Ok(key.to_uppercase()))?;
            data.values.remove("gone");
            data.ttl = (!path.is_empty()).then(|| Duration::from_secs(path.len() as u64));
            Ok(data)
        }

        fn close(&self) {
            self.0.lock().push("closed".to_owned());
        }
    }

    fn counting() -> (ConfigTransformer, Arc<Mutex<Vec<String>>>) {
        let calls = Arc::<Mutex<Vec<String>>>::default();
        let provider: Box<dyn ConfigProvider> = Box::new(Counting(Arc::clone(&calls)));
        (ConfigTransformer { providers: BTreeMap::from([("c".to_owned(), provider)]) }, calls)
    }

    #[test]
    fn a_provider_is_asked_once_for_each_path_and_the_first_value_that_expires_counts() {
        let (transformer, calls) = counting();
        let config = config_map(&[("a", "${c:xyz:k}-${c:xyz:l}"), ("b", "${c:xy:k}${c:m}"), ("d", "${c:xyz:k}")]);
        let resolved = transformer.resolve_for_now(&config).unwrap();
        assert_eq!(resolved.config, config_map(&[("a", "K-L"), ("b", "KM"), ("d", "K")]));
        assert_eq!(resolved.ttl, Some(Duration::from_secs(2)));
        assert_eq!(*calls.lock(), [r#" {"m"}"#, r#"xy {"k"}"#, r#"xyz {"k", "l"}"#]);
        assert_eq!(transformer.resolve_for_now(&config_map(&[("a", "${c:k}")])).unwrap().ttl, None);
        assert_eq!(transformer.resolve_for_now(&config_map(&[("a", "${d:x:k}")])).unwrap().ttl, None);
        drop(transformer);
        assert_eq!(calls.lock().last().map(String::as_str), Some("closed"));
    }

    #[test]
    fn a_key_that_its_provider_leaves_out_is_an_error_and_not_a_value() {
        let error = value_of(&counting().0, "${c:x:k}${c:x:gone}").unwrap_err().to_string();
        assert_eq!(error, "Could not find key `gone` at path `x` of config provider `c`");
    }

    #[test]
    fn the_parameters_of_a_provider_may_have_variables_of_those_before_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().display().to_string();
        std::fs::write(directory.path().join("s.properties"), "k=v\n").unwrap();
        std::fs::write(directory.path().join("allowed"), &path).unwrap();
        let variable = format!("${{dir:{path}:allowed}}");
        let worker = config_map(&[
            ("config.providers", "dir,file"),
            ("config.providers.dir.class", "DirectoryConfigProvider"),
            ("config.providers.file.class", "FileConfigProvider"),
            ("config.providers.file.param.allowed.paths", &variable),
        ]);
        let transformer = ConfigTransformer::new(&worker, &Plugins::new(crate::config_providers::plugins())).unwrap();
        assert_eq!(value_of(&transformer, &format!("${{file:{path}/s.properties:k}}")).unwrap(), "v");
        assert!(value_of(&transformer, "${file:/etc/hostname:k}").unwrap_err().to_string().contains("allowed.paths"));
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
            assert_eq!(value_of(&transformer, text).unwrap(), text);
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
            let error = value_of(&transformer, &format!("before {variable} after")).unwrap_err();
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
}
