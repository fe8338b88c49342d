//! All plug-ins of the worker, found by any of their names.

use std::collections::HashMap;

use volley_api::{
    ConfigMap, Converter, Error, FindPlugin, HeaderConverter, Plugin, PluginFactory, PluginKind, Predicate, Result,
    Side, Transformation, TransformationContext,
};

use crate::similar_names::nearness;
use crate::worker_config::{WorkerConfig, without_prefix};

/// Largest number of similar names in a message.
const MOST_SIMILAR: usize = 3;

/// The plug-ins of a worker.
///
/// A plug-in is found by its class name and its aliases, by the simple form of each (the part after the last `.` or
/// `$`), and by that without its suffix (`Connector`, `Converter`, …). A short form counts only if it belongs to a
/// single plug-in.
#[derive(Debug)]
pub struct Plugins {
    plugins: Vec<Plugin>,
    full: HashMap<(Family, String), usize>,
    short: HashMap<(Family, String), Vec<usize>>,
}

/// Kinds that share a name space: sinks and sources are both connectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Family {
    Connector,
    Other(PluginKind),
}

impl From<PluginKind> for Family {
    fn from(kind: PluginKind) -> Self {
        match kind {
            PluginKind::Sink | PluginKind::Source => Self::Connector,
            other => Self::Other(other),
        }
    }
}

impl Plugins {
    /// The given plug-ins, ordered by kind and class name. Of two with the same class and kind the later one counts, so
    /// that a user's plug-in can replace a built-in one.
    pub fn new(plugins: Vec<Plugin>) -> Self {
        let mut unique: Vec<Plugin> = Vec::with_capacity(plugins.len());
        for plugin in plugins {
            match unique.iter_mut().find(|other| other.class == plugin.class && other.kind() == plugin.kind()) {
                Some(other) => *other = plugin,
                None => unique.push(plugin),
            }
        }
        unique.sort_by(|one, other| (one.kind(), &one.class).cmp(&(other.kind(), &other.class)));
        let mut this = Self { plugins: unique, full: HashMap::new(), short: HashMap::new() };
        this.index();
        this
    }

    fn index(&mut self) {
        for (position, plugin) in self.plugins.iter().enumerate() {
            let family = Family::from(plugin.kind());
            for name in std::iter::once(&plugin.class).chain(&plugin.aliases) {
                self.full.entry((family, name.to_string())).or_insert(position);
                for short in short_names(name, plugin.kind()) {
                    let owners = self.short.entry((family, short.to_owned())).or_default();
                    if !owners.contains(&position) {
                        owners.push(position);
                    }
                }
            }
        }
        // a worker of Kafka's alone knows the short names of these, and so they mean the same here
        for owners in self.short.values_mut().filter(|owners| owners.len() > 1) {
            let rank = |position: &usize| maker_rank(&self.plugins[*position].class);
            let first = owners.iter().map(rank).min();
            owners.retain(|position| Some(rank(position)) == first);
        }
    }

    /// All plug-ins, by kind and class name.
    pub fn all(&self) -> &[Plugin] {
        &self.plugins
    }

    /// The connector plug-in with this `name`.
    ///
    /// # Errors
    /// `Config`, with Kafka Connect's message, if there is none or more than one.
    pub fn find_connector(&self, name: &str) -> Result<&Plugin> {
        match self.lookup(Family::Connector, name) {
            [position] => Ok(&self.plugins[*position]),
            [] => {
                let available = self.describe(|plugin| Family::from(plugin.kind()) == Family::Connector);
                Err(Error::config(format!(
                    "Failed to find any class that implements Connector and which name matches {name}, available \
                     connectors are: {available}"
                )))
            }
            several => {
                let classes = several.iter().map(|position| &*self.plugins[*position].class);
                Err(Error::config(format!(
                    "More than one connector matches alias {name}. Please use full package and class name instead. \
                     Classes found: {}",
                    classes.collect::<Vec<_>>().join(", ")
                )))
            }
        }
    }

    /// Whether at least one connector has this `name`.
    pub fn is_connector(&self, name: &str) -> bool {
        !self.lookup(Family::Connector, name).is_empty()
    }

    /// The plug-in of `kind` with this `name`.
    ///
    /// # Errors
    /// `Config`, with Kafka Connect's message, if there is none or more than one.
    pub fn find(&self, kind: PluginKind, name: &str) -> Result<&Plugin> {
        if Family::from(kind) == Family::Connector {
            return match self.find_connector(name) {
                Ok(plugin) if plugin.kind() != kind => Err(Error::config(format!(
                    "Class {name} could not be found: it is a {}, not a {kind}.",
                    plugin.kind()
                ))),
                found => found,
            };
        }
        match self.lookup(Family::from(kind), name) {
            [position] => Ok(&self.plugins[*position]),
            _ => Err(Error::config(format!("Class {name} could not be found."))),
        }
    }

    /// The plug-in of any kind with this `name`, connectors first.
    pub fn find_any(&self, name: &str) -> Option<&Plugin> {
        const KINDS: [PluginKind; 8] = [
            PluginKind::Sink,
            PluginKind::Converter,
            PluginKind::HeaderConverter,
            PluginKind::Transformation,
            PluginKind::Predicate,
            PluginKind::ConfigProvider,
            PluginKind::Extension,
            PluginKind::Source,
        ];
        KINDS.iter().find_map(|kind| match self.lookup(Family::from(*kind), name) {
            [position] => Some(&self.plugins[*position]),
            _ => None,
        })
    }

    /// The shortest names of plug-ins with a similar name, the most similar first.
    pub fn similar(&self, name: &str, among: impl Fn(PluginKind) -> bool) -> Vec<&str> {
        let mut near: Vec<(usize, &str)> = Vec::new();
        for plugin in self.plugins.iter().filter(|plugin| among(plugin.kind())) {
            let names = || plugin.aliases.iter().chain([&plugin.class]).map(|own| &**own);
            let nearest = names().filter_map(|own| nearness(name, own)).min();
            let shortest = names().min_by_key(|own| own.len());
            near.extend(nearest.zip(shortest));
        }
        near.sort_unstable();
        near.dedup();
        near.into_iter().take(MOST_SIMILAR).map(|(_, name)| name).collect()
    }

    /// The classes of all plug-ins of a kind, in order.
    pub fn classes(&self, kind: PluginKind) -> Vec<String> {
        self.plugins.iter().filter(|plugin| plugin.kind() == kind).map(|plugin| plugin.class.to_string()).collect()
    }

    /// The versions of all plug-ins of that class. A class of two kinds has its version twice.
    pub fn versions(&self, class: &str) -> Vec<&str> {
        self.plugins.iter().filter(|plugin| plugin.class == class).map(|plugin| &*plugin.version).collect()
    }

    fn lookup(&self, family: Family, name: &str) -> &[usize] {
        let key = (family, name.to_owned());
        match self.full.get(&key) {
            Some(position) => std::slice::from_ref(position),
            None => self.short.get(&key).map_or(&[], Vec::as_slice),
        }
    }

    fn describe(&self, wanted: impl Fn(&Plugin) -> bool) -> String {
        let descriptions = self.plugins.iter().filter(|plugin| wanted(plugin)).map(|plugin| {
            let Plugin { class, version, .. } = plugin;
            let kind = plugin.kind();
            format!(
                "PluginDesc{{klass=class {class}, name='{class}', version='{version}', encodedVersion={version}, \
                 type={kind}, typeName='{kind}', location='classpath'}}"
            )
        });
        descriptions.collect::<Vec<_>>().join(", ")
    }

    /// The converter of one side of a connector's tasks: the connector's own with its settings, otherwise the worker's
    /// with the worker's settings.
    pub fn new_converter(
        &self,
        side: Side,
        connector: &ConfigMap,
        worker: &WorkerConfig,
    ) -> Result<Box<dyn Converter>> {
        let key = match side {
            Side::Key => "key.converter",
            Side::Value => "value.converter",
        };
        let (class, config) = class_and_config(key, connector, worker)?;
        match &self.find(PluginKind::Converter, &class)?.factory {
            PluginFactory::Converter(new) => new(&config, side),
            _ => Err(Error::config(format!("Class {class} could not be found."))),
        }
    }

    /// The header converter of a connector's tasks; see [`Plugins::new_converter`].
    pub fn new_header_converter(
        &self,
        connector: &ConfigMap,
        worker: &WorkerConfig,
    ) -> Result<Box<dyn HeaderConverter>> {
        let (class, config) = class_and_config("header.converter", connector, worker)?;
        match &self.find(PluginKind::HeaderConverter, &class)?.factory {
            PluginFactory::HeaderConverter(new) => new(&config),
            _ => Err(Error::config(format!("Class {class} could not be found."))),
        }
    }

    /// The transformation `alias` of a connector, configured by its `transforms.<alias>.` keys.
    pub fn new_transformation(
        &self,
        alias: &str,
        context: TransformationContext,
        connector: &ConfigMap,
    ) -> Result<Box<dyn Transformation>> {
        let (class, config) = class_of_alias("transforms", alias, connector)?;
        match &self.find(PluginKind::Transformation, &class)?.factory {
            PluginFactory::Transformation(new) => new(context, &config),
            _ => Err(Error::config(format!("Class {class} could not be found."))),
        }
    }

    /// The predicate `alias` of a connector, configured by its `predicates.<alias>.` keys.
    pub fn new_predicate(&self, alias: &str, connector: &ConfigMap) -> Result<Box<dyn Predicate>> {
        let (class, config) = class_of_alias("predicates", alias, connector)?;
        match &self.find(PluginKind::Predicate, &class)?.factory {
            PluginFactory::Predicate(new) => new(&config),
            _ => Err(Error::config(format!("Class {class} could not be found."))),
        }
    }
}

impl FindPlugin for Plugins {
    fn find_plugin(&self, kind: PluginKind, class: &str) -> Result<Plugin> {
        self.find(kind, class).cloned()
    }
}

fn class_and_config(key: &str, connector: &ConfigMap, worker: &WorkerConfig) -> Result<(String, ConfigMap)> {
    let prefix = format!("{key}.");
    match connector.get(key) {
        Some(class) => Ok((class.trim().to_owned(), without_prefix(connector, &prefix))),
        None => {
            let class = worker.parsed().string(key);
            let class = class.ok_or_else(|| Error::config(format!("could not find a class for `{key}`")))?;
            Ok((class.to_owned(), without_prefix(worker.originals(), &prefix)))
        }
    }
}

fn class_of_alias(kind: &str, alias: &str, connector: &ConfigMap) -> Result<(String, ConfigMap)> {
    let mut config = without_prefix(connector, &format!("{kind}.{alias}."));
    for own_key in ["predicate", "negate"] {
        if kind == "transforms" {
            config.shift_remove(own_key);
        }
    }
    let class = config.shift_remove("type").ok_or_else(|| {
        Error::config(format!("Missing required configuration \"{kind}.{alias}.type\" which has no default value."))
    })?;
    Ok((class.trim().to_owned(), config))
}

/// Whose plug-in a short name means that several have: Kafka's and Volley's own come first, then Confluent's.
fn maker_rank(class: &str) -> u8 {
    match class {
        _ if class.starts_with("org.apache.kafka.") || !class.contains('.') => 0,
        _ if class.starts_with("io.confluent.") => 1,
        _ => 2,
    }
}

fn short_names(full: &str, kind: PluginKind) -> impl Iterator<Item = &str> {
    let simple = full.rsplit(['.', '$']).next().unwrap_or(full);
    let suffix = match kind {
        PluginKind::Sink | PluginKind::Source => "Connector",
        PluginKind::Transformation => "Transformation",
        PluginKind::Predicate => "Predicate",
        PluginKind::Converter => "Converter",
        PluginKind::HeaderConverter => "HeaderConverter",
        PluginKind::ConfigProvider => "ConfigProvider",
        PluginKind::Extension => "Extension",
    };
    let pruned = simple.strip_suffix(suffix).filter(|pruned| !pruned.is_empty());
    // these two are the last part of many transformations' names
    std::iter::once(simple).chain(pruned).filter(|short| !matches!(*short, "Key" | "Value"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::fake_plugins;

    #[test]
    fn a_plug_in_has_its_full_its_simple_and_its_short_name() {
        let plugins = Plugins::new(fake_plugins());
        for name in ["org.example.FakeSourceConnector", "FakeSourceConnector", "FakeSource"] {
            assert_eq!(plugins.find_connector(name).unwrap().kind(), PluginKind::Source, "{name}");
        }
        for name in ["FakeConverter", "Fake"] {
            assert_eq!(plugins.find(PluginKind::Converter, name).unwrap().class, "org.example.FakeConverter");
        }
        assert_eq!(plugins.find(PluginKind::Transformation, "Fake").unwrap().class, "org.example.Fake");
        assert!(plugins.find(PluginKind::Sink, "FakeSource").is_err());
    }

    #[test]
    fn a_name_that_two_plug_ins_share_names_none() {
        let plugins = Plugins::new(fake_plugins());
        let error = plugins.find(PluginKind::Transformation, "Value").unwrap_err();
        assert_eq!(error.to_string(), "Class Value could not be found.");
        assert!(plugins.find(PluginKind::Transformation, "org.example.Flatten$Value").is_ok());
    }

    #[test]
    fn a_name_that_kafka_s_own_plug_in_shares_with_another_maker_s_names_kafka_s() {
        let mut shared = fake_plugins();
        for class in ["org.apache.kafka.connect.transforms.Fake", "io.confluent.Fake", "io.confluent.Other"] {
            let fake = fake_plugins().into_iter().find(|plugin| plugin.class == "org.example.Fake").unwrap();
            shared.push(Plugin { class: class.into(), ..fake });
        }
        let plugins = Plugins::new(shared);
        let found = |name| plugins.find(PluginKind::Transformation, name).unwrap().class.to_string();
        assert_eq!(found("Fake"), "org.apache.kafka.connect.transforms.Fake");
        assert_eq!(found("org.example.Fake"), "org.example.Fake");
        assert_eq!(found("Other"), "io.confluent.Other");
    }

    #[test]
    fn an_unknown_name_has_similar_ones_of_the_kinds_that_are_asked_for() {
        let plugins = Plugins::new(fake_plugins());
        let is_sink = |kind| kind == PluginKind::Sink;
        assert_eq!(plugins.similar("FakeSnikConnector", is_sink), ["org.example.FakeSinkConnector"]);
        assert!(plugins.similar("FakeSourceConnectr", is_sink).is_empty());
    }

    #[test]
    fn an_unknown_connector_s_error_lists_those_there_are() {
        let error = Plugins::new(fake_plugins()).find_connector("Nope").unwrap_err().to_string();
        assert!(
            error.starts_with(
                "Failed to find any class that implements Connector and which name matches Nope, available"
            )
        );
        assert!(error.contains("PluginDesc{klass=class org.example.FakeSinkConnector"), "{error}");
    }

    #[test]
    fn a_user_s_plug_in_replaces_the_built_in_one() {
        let mut twice = fake_plugins();
        let count = Plugins::new(fake_plugins()).all().len();
        twice.extend(fake_plugins().into_iter().map(|plugin| Plugin { version: "2.0".into(), ..plugin }));
        let plugins = Plugins::new(twice);
        assert_eq!(plugins.all().len(), count);
        assert_eq!(plugins.find_connector("FakeSink").unwrap().version, "2.0");
    }
}
