//! Plug-ins by all of their names.

use std::cmp::Ordering;
use std::collections::HashMap;

use volley_api::{Plugin, PluginKind};

use super::version_range::compare;

/// Plug-ins, found by any of their names: see [`crate::plugins::Plugins`].
#[derive(Debug)]
pub(super) struct PluginIndex {
    plugins: Vec<Plugin>,
    full: HashMap<(Family, String), usize>,
    short: HashMap<(Family, String), Vec<usize>>,
}

/// What a name names.
pub(super) enum Found<'a> {
    One(&'a Plugin),
    Several(Vec<&'a str>),
    Nothing,
}

/// Kinds that share a name space: sinks and sources are both connectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Family {
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

impl PluginIndex {
    /// The given plug-ins, ordered by kind and class name. Of two with the same class and kind the later one counts, so
    /// that a user's plug-in can replace a built-in one.
    pub(super) fn new(plugins: Vec<Plugin>) -> Self {
        let mut unique: Vec<Plugin> = Vec::with_capacity(plugins.len());
        for plugin in plugins {
            match unique.iter_mut().find(|other| is_same(other, &plugin)) {
                Some(other) => *other = plugin,
                None => unique.push(plugin),
            }
        }
        Self::of(unique)
    }

    /// Those of `over`, and of `under` those whose class and kind these do not have. There may be several versions of one: a name
    /// means the newest.
    pub(super) fn of_both(under: &[Plugin], over: &[Plugin]) -> Self {
        let hidden = |plugin: &&Plugin| !over.iter().any(|other| is_same(other, plugin));
        let mut plugins: Vec<Plugin> = under.iter().filter(hidden).chain(over).cloned().collect();
        // of two of the same version it does not matter which one counts
        plugins.sort_by(version_order);
        plugins.dedup_by(|one, other| is_same(one, other) && one.version == other.version);
        Self::of(plugins)
    }

    fn of(mut plugins: Vec<Plugin>) -> Self {
        plugins.sort_by(version_order);
        let mut this = Self { plugins, full: HashMap::new(), short: HashMap::new() };
        this.index();
        this
    }

    fn index(&mut self) {
        for (position, plugin) in self.plugins.iter().enumerate() {
            if self.plugins.get(position + 1).is_some_and(|newer| is_same(newer, plugin)) {
                continue;
            }
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
    pub(super) fn all(&self) -> &[Plugin] {
        &self.plugins
    }

    /// All versions of a plug-in, the newest last.
    pub(super) fn versions_of(&self, plugin: &Plugin) -> impl Iterator<Item = &Plugin> {
        let (class, kind) = (plugin.class.clone(), plugin.kind());
        self.plugins.iter().filter(move |other| other.class == class && other.kind() == kind)
    }

    /// What `name` names.
    pub(super) fn find(&self, family: Family, name: &str) -> Found<'_> {
        match self.lookup(family, name) {
            [] => Found::Nothing,
            [position] => Found::One(&self.plugins[*position]),
            several => Found::Several(several.iter().map(|position| &*self.plugins[*position].class).collect()),
        }
    }

    /// The plug-in of any kind that `name` names alone, connectors first.
    pub(super) fn find_any(&self, name: &str) -> Option<&Plugin> {
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
        KINDS.iter().find_map(|kind| match self.find(Family::from(*kind), name) {
            Found::One(plugin) => Some(plugin),
            Found::Several(_) | Found::Nothing => None,
        })
    }

    /// The connectors, as Kafka Connect lists them in a message.
    pub(super) fn describe_connectors(&self) -> String {
        let connectors = self.plugins.iter().filter(|plugin| Family::from(plugin.kind()) == Family::Connector);
        let descriptions = connectors.map(|plugin| {
            let Plugin { class, version, .. } = plugin;
            let kind = plugin.kind();
            format!(
                "PluginDesc{{klass=class {class}, name='{class}', version='{version}', encodedVersion={version}, \
                 type={kind}, typeName='{kind}', location='classpath'}}"
            )
        });
        descriptions.collect::<Vec<_>>().join(", ")
    }

    fn lookup(&self, family: Family, name: &str) -> &[usize] {
        let key = (family, name.to_owned());
        match self.full.get(&key) {
            Some(position) => std::slice::from_ref(position),
            None => self.short.get(&key).map_or(&[], Vec::as_slice),
        }
    }
}

fn is_same(one: &Plugin, other: &Plugin) -> bool {
    one.class == other.class && one.kind() == other.kind()
}

/// By kind, class name and version.
fn version_order(one: &Plugin, other: &Plugin) -> Ordering {
    let by_name = (one.kind(), &one.class).cmp(&(other.kind(), &other.class));
    by_name.then_with(|| compare(&one.version, &other.version))
}

/// Whose plug-in a short name means that several have: Kafka's and Volley's own come first, then Confluent's.
fn maker_rank(class: &str) -> u8 {
    match class {
        _ if class.starts_with("org.apache.kafka.") || !class.contains('.') => 0,
        _ if class.starts_with("io.confluent.") => 1,
        _ => 2,
    }
}

/// The interface that plug-ins of a kind implement, which is also the suffix of their names.
pub(crate) fn interface(kind: PluginKind) -> &'static str {
    match kind {
        PluginKind::Sink | PluginKind::Source => "Connector",
        PluginKind::Transformation => "Transformation",
        PluginKind::Predicate => "Predicate",
        PluginKind::Converter => "Converter",
        PluginKind::HeaderConverter => "HeaderConverter",
        PluginKind::ConfigProvider => "ConfigProvider",
        PluginKind::Extension => "Extension",
    }
}

fn short_names(full: &str, kind: PluginKind) -> impl Iterator<Item = &str> {
    let simple = full.rsplit(['.', '$']).next().unwrap_or(full);
    let pruned = simple.strip_suffix(interface(kind)).filter(|pruned| !pruned.is_empty());
    // these two are the last part of many transformations' names
    std::iter::once(simple).chain(pruned).filter(|short| !matches!(*short, "Key" | "Value"))
}
