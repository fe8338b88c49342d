//! All plug-ins of the worker, found by any of their names.

use std::sync::Arc;

use volley_api::{
    ConfigMap, Converter, Error, FindPlugin, HeaderConverter, Plugin, PluginFactory, PluginKind, Predicate, Result,
    Side, Transformation, TransformationContext,
};

use crate::connector_config::{CONNECTOR_VERSION, JAVA};
use crate::plugins::more_plugins::{More, MorePlugins, Preference};
use crate::plugins::plugin_index::{Family, Found, PluginIndex};
use crate::plugins::{JavaProcesses, VersionRange};
use crate::similar_names::nearness;
use crate::worker_config::{WorkerConfig, without_prefix};

/// Largest number of similar names in a message.
const MOST_SIMILAR: usize = 3;

/// The plug-ins of a worker: its own, and more that are only looked for when they are needed.
///
/// A plug-in is found by its class name and its aliases, by the simple form of each (the part after the last `.` or
/// `$`), and by that without its suffix (`Connector`, `Converter`, …). A short form counts only if it belongs to a
/// single plug-in.
///
/// A name that a plug-in of the worker's own has means that one, so that a worker which uses no others never looks for
/// more: see [`MorePlugins::prefers`] for the exception. To look for more may take long. What the documentation of a
/// function says to be known is what was found before: it takes no time.
///
/// A connector may say for itself which of both it uses: see [`Plugins::of_connector`].
#[derive(Clone, Debug)]
pub struct Plugins {
    own: Arc<PluginIndex>,
    more: Option<Arc<More>>,
    preference: Preference,
    /// Those of a connector that count, if it says so.
    versions: Option<VersionRange>,
}

impl Plugins {
    /// The given plug-ins, ordered by kind and class name. Of two with the same class and kind the later one counts, so
    /// that a user's plug-in can replace a built-in one.
    pub fn new(plugins: Vec<Plugin>) -> Self {
        Self { own: Arc::new(PluginIndex::new(plugins)), more: None, preference: Preference::Own, versions: None }
    }

    /// The same plug-ins, and more.
    #[must_use]
    pub fn with_more(mut self, more: Arc<dyn MorePlugins>) -> Self {
        let more = More::new(more, Arc::clone(&self.own));
        self.preference = more.preference();
        self.more = Some(Arc::new(more));
        self
    }

    /// The same plug-ins as a connector sees them whose configuration may say by `volley.java` which of them it uses, and by
    /// `connector.plugin.version` (KIP-891) which versions of a connector. Where there is none of these, the newest counts all the same.
    #[must_use]
    pub fn of_connector(&self, config: &ConfigMap) -> Self {
        let (own, more) = (Arc::clone(&self.own), self.more.clone());
        let versions = config.get(CONNECTOR_VERSION).and_then(|spec| VersionRange::parse(spec.trim()).ok());
        match config.get(JAVA).map(|java| java.trim()) {
            Some("never") => Self { own, more: None, preference: Preference::Own, versions },
            Some("always") => Self { own, more, preference: Preference::More, versions },
            Some("auto") => Self { own, more, preference: Preference::Own, versions },
            _ => Self { versions, ..self.clone() },
        }
    }

    /// Whether there may be others than the worker's own.
    pub(crate) fn may_have_more(&self) -> bool {
        self.more.is_some()
    }

    /// The processes that Java plug-ins run in, if there are such plug-ins.
    pub(crate) fn java_processes(&self) -> Option<Arc<dyn JavaProcesses>> {
        self.more.as_ref().and_then(|more| more.processes())
    }

    /// All plug-ins. Looks for more.
    fn everything(&self) -> &PluginIndex {
        match &self.more {
            Some(more) => more.all(self.preference),
            None => &self.own,
        }
    }

    /// The known plug-ins.
    fn known(&self) -> &PluginIndex {
        match &self.more {
            Some(more) => more.known(self.preference),
            None => &self.own,
        }
    }

    /// What `name` names. Looks for more where nothing of the worker's own has it.
    fn lookup(&self, family: Family, name: &str) -> Found<'_> {
        match self.find_own(family, name) {
            Found::Nothing => self.everything().find(family, name),
            found => found,
        }
    }

    /// What `name` names for certain, whatever else is found.
    fn find_own(&self, family: Family, name: &str) -> Found<'_> {
        if self.prefers_more() { Found::Nothing } else { self.own.find(family, name) }
    }

    fn prefers_more(&self) -> bool {
        self.more.is_some() && self.preference == Preference::More
    }

    /// Whether nothing is left to look for.
    pub(crate) fn is_complete(&self) -> bool {
        self.more.as_ref().is_none_or(|more| more.is_found())
    }

    /// Whether more may have to be looked for to say what `name` names.
    pub(crate) fn needs_search(&self, kind: PluginKind, name: &str) -> bool {
        !self.is_complete() && matches!(self.find_own(Family::from(kind), name), Found::Nothing)
    }

    /// All plug-ins, by kind and class name. Looks for more.
    pub fn all(&self) -> &[Plugin] {
        self.everything().all()
    }

    /// The connector plug-in with this `name`.
    ///
    /// # Errors
    /// `Config`, with Kafka Connect's message, if there is none or more than one.
    pub fn find_connector(&self, name: &str) -> Result<&Plugin> {
        match self.lookup(Family::Connector, name) {
            Found::One(plugin) => {
                let range = self.versions.as_ref();
                Ok(range.and_then(|range| self.of_version(plugin, range)).unwrap_or(plugin))
            }
            Found::Nothing => {
                let available = self.known().describe_connectors();
                let failure = self.more.as_ref().and_then(|more| more.failure());
                let failure =
                    failure.map_or_else(String::new, |why| format!(". Those in Java could not be looked for: {why}"));
                Err(Error::config(format!(
                    "Failed to find any class that implements Connector and which name matches {name}, available \
                     connectors are: {available}{failure}"
                )))
            }
            Found::Several(classes) => Err(Error::config(format!(
                "More than one connector matches alias {name}. Please use full package and class name instead. \
                 Classes found: {}",
                classes.join(", ")
            ))),
        }
    }

    /// Whether at least one connector has this `name`.
    pub fn is_connector(&self, name: &str) -> bool {
        !matches!(self.lookup(Family::Connector, name), Found::Nothing)
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
            Found::One(plugin) => Ok(plugin),
            Found::Several(_) | Found::Nothing => Err(Error::config(format!("Class {name} could not be found."))),
        }
    }

    /// As [`Plugins::find`], for use in the worker itself: its own come first, whatever is preferred for connectors.
    pub(crate) fn find_for_worker(&self, kind: PluginKind, name: &str) -> Result<&Plugin> {
        match self.own.find(Family::from(kind), name) {
            Found::One(plugin) => Ok(plugin),
            _ => self.find(kind, name),
        }
    }

    /// The known plug-in of `kind` with this `name`; of sinks and sources that of either kind. Where it may be one that was not
    /// looked for yet, that begins, and this answers `None` meanwhile.
    pub fn find_known(&self, kind: PluginKind, name: &str) -> Option<&Plugin> {
        let family = Family::from(kind);
        let found = match self.find_own(family, name) {
            Found::Nothing => self.known().find(family, name),
            found => found,
        };
        match (found, &self.more) {
            (Found::One(plugin), _) => Some(plugin),
            (Found::Nothing, Some(more)) => {
                more.begin();
                None
            }
            _ => None,
        }
    }

    /// The plug-in of any kind with this `name`, connectors first.
    pub fn find_any(&self, name: &str) -> Option<&Plugin> {
        let own = if self.prefers_more() { None } else { self.own.find_any(name) };
        own.or_else(|| self.everything().find_any(name))
    }

    /// The shortest names of plug-ins with a similar name, the most similar first. Looks for more.
    pub fn similar(&self, name: &str, among: impl Fn(PluginKind) -> bool) -> Vec<&str> {
        let mut near: Vec<(usize, &str)> = Vec::new();
        for plugin in self.all().iter().filter(|plugin| among(plugin.kind())) {
            let names = || plugin.aliases.iter().chain([&plugin.class]).map(|own| &**own);
            let nearest = names().filter_map(|own| nearness(name, own)).min();
            let shortest = names().min_by_key(|own| own.len());
            near.extend(nearest.zip(shortest));
        }
        near.sort_unstable();
        near.dedup();
        near.into_iter().take(MOST_SIMILAR).map(|(_, name)| name).collect()
    }

    /// The classes of all known plug-ins of a kind, in order.
    pub fn classes(&self, kind: PluginKind) -> Vec<String> {
        let plugins = self.known().all().iter();
        plugins.filter(|plugin| plugin.kind() == kind).map(|plugin| plugin.class.to_string()).collect()
    }

    /// All known versions of a plug-in, the newest last.
    pub(crate) fn versions_of(&self, plugin: &Plugin) -> impl Iterator<Item = &Plugin> {
        self.known().versions_of(plugin)
    }

    /// The newest of the known versions of a plug-in that are within a range.
    pub(crate) fn of_version(&self, plugin: &Plugin, range: &VersionRange) -> Option<&Plugin> {
        self.versions_of(plugin).filter(|plugin| range.contains(&plugin.version)).last()
    }

    /// The versions of all known plug-ins of that class. A class of two kinds has its version twice.
    pub fn versions(&self, class: &str) -> Vec<&str> {
        self.known().all().iter().filter(|plugin| plugin.class == class).map(|plugin| &*plugin.version).collect()
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
        match &self.find_for_worker(PluginKind::Converter, &class)?.factory {
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
        match &self.find_for_worker(PluginKind::HeaderConverter, &class)?.factory {
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
        match &self.find_for_worker(PluginKind::Transformation, &class)?.factory {
            PluginFactory::Transformation(new) => new(context, &config),
            _ => Err(Error::config(format!("Class {class} could not be found."))),
        }
    }

    /// The predicate `alias` of a connector, configured by its `predicates.<alias>.` keys.
    pub fn new_predicate(&self, alias: &str, connector: &ConfigMap) -> Result<Box<dyn Predicate>> {
        let (class, config) = class_of_alias("predicates", alias, connector)?;
        match &self.find_for_worker(PluginKind::Predicate, &class)?.factory {
            PluginFactory::Predicate(new) => new(&config),
            _ => Err(Error::config(format!("Class {class} could not be found."))),
        }
    }
}

impl FindPlugin for Plugins {
    fn find_plugin(&self, kind: PluginKind, class: &str) -> Result<Plugin> {
        self.find_for_worker(kind, class).cloned()
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::time::{Duration, Instant};

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

    /// More plug-ins that nobody may look for where they are not needed.
    #[derive(Default)]
    struct Jars {
        prefers: bool,
        is_empty: AtomicBool,
        asked: AtomicUsize,
    }

    impl MorePlugins for Jars {
        fn plugins(&self) -> Result<Vec<Plugin>> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            let named = |class: &'static str| {
                let fake = fake_plugins().into_iter().find(|plugin| plugin.class == "org.example.FakeSourceConnector");
                Plugin { class: class.into(), version: "2.0".into(), ..fake.unwrap() }
            };
            match self.is_empty.load(Ordering::SeqCst) {
                true => Err(Error::config("there is no Java")),
                false => Ok(vec![named("org.example.FakeSourceConnector"), named("org.example.JarSourceConnector")]),
            }
        }

        fn prefers(&self) -> bool {
            self.prefers
        }
    }

    fn with_jars(jars: Jars) -> (Plugins, Arc<Jars>) {
        let jars = Arc::new(jars);
        (Plugins::new(fake_plugins()).with_more(Arc::clone(&jars) as _), jars)
    }

    #[test]
    fn more_plug_ins_are_looked_for_once_and_only_where_the_worker_has_none_of_that_name() {
        let (plugins, jars) = with_jars(Jars::default());
        assert_eq!(plugins.find_connector("FakeSource").unwrap().version, "1.0");
        assert!(plugins.find_any("Fake").is_some() && plugins.find(PluginKind::Converter, "Fake").is_ok());
        assert!(plugins.find_known(PluginKind::Source, "FakeSource").is_some());
        assert_eq!(plugins.classes(PluginKind::Source), ["org.example.FakeSourceConnector"]);
        assert!(
            plugins.needs_search(PluginKind::Sink, "JarSource") && !plugins.needs_search(PluginKind::Sink, "FakeSink")
        );
        assert_eq!(jars.asked.load(Ordering::SeqCst), 0);
        assert_eq!(plugins.find_connector("JarSource").unwrap().version, "2.0");
        assert_eq!(plugins.find_connector("FakeSource").unwrap().version, "1.0", "the worker's own comes first");
        assert!(plugins.find_connector("None").unwrap_err().to_string().contains("JarSourceConnector"));
        assert_eq!(plugins.classes(PluginKind::Source).len(), 2);
        assert_eq!(plugins.all().len(), fake_plugins().len() + 1);
        assert_eq!(jars.asked.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn plug_ins_that_are_preferred_take_the_place_of_those_of_the_same_class() {
        let (plugins, _) = with_jars(Jars { prefers: true, ..Jars::default() });
        assert_eq!(plugins.find_known(PluginKind::Source, "FakeSource").unwrap().version, "1.0", "none is found yet");
        assert_eq!(plugins.find_connector("FakeSource").unwrap().version, "2.0");
        assert_eq!(plugins.find_known(PluginKind::Source, "FakeSource").unwrap().version, "2.0");
        assert_eq!(plugins.find_any("FakeSink").unwrap().version, "1.0");
        assert_eq!(plugins.all().len(), fake_plugins().len() + 1);
    }

    /// A connector in three versions, and a converter in two.
    struct Versions;

    impl MorePlugins for Versions {
        fn plugins(&self) -> Result<Vec<Plugin>> {
            let named = |fake: &str, class: &'static str, version: &'static str| {
                let fake = fake_plugins().into_iter().find(|plugin| plugin.class == fake).unwrap();
                Plugin { class: class.into(), version: version.into(), ..fake }
            };
            let connector =
                |version| named("org.example.FakeSourceConnector", "org.example.JarSourceConnector", version);
            let converter = |version| named("org.example.FakeConverter", "org.example.JarConverter", version);
            let own = named("org.example.FakeSourceConnector", "org.example.FakeSourceConnector", "9.0");
            Ok(vec![
                connector("1.10"),
                connector("1.9"),
                connector("1.2"),
                converter("2"),
                converter("1"),
                converter("2"),
                own,
            ])
        }

        fn prefers(&self) -> bool {
            false
        }
    }

    #[test]
    fn of_several_versions_the_newest_counts_unless_another_one_is_asked_for() {
        let plugins = Plugins::new(fake_plugins()).with_more(Arc::new(Versions));
        let of = |spec: &str| {
            let config = ConfigMap::from_iter([("connector.plugin.version".to_owned(), spec.to_owned())]);
            plugins.of_connector(&config).find_connector("JarSource").unwrap().version.to_string()
        };
        assert_eq!(plugins.find_connector("JarSource").unwrap().version, "1.10");
        assert_eq!(
            ["[1.2]", "(,1.10)", "[1.0,2.0)", "[7.0]", "no range ]"].map(of),
            ["1.2", "1.9", "1.10", "1.10", "1.10"]
        );
        assert_eq!(plugins.versions("org.example.JarSourceConnector"), ["1.2", "1.9", "1.10"]);
        assert_eq!(plugins.versions("org.example.JarConverter"), ["1", "2"]);
        assert_eq!(plugins.find(PluginKind::Converter, "Jar").unwrap().version, "2");
        assert_eq!(plugins.versions("org.example.FakeSourceConnector"), ["1.0"], "the worker's own hides all in Java");
        let converter = plugins.find(PluginKind::Converter, "Jar").unwrap();
        assert_eq!(plugins.of_version(converter, &VersionRange::parse("(,2)").unwrap()).unwrap().version, "1");
        assert!(plugins.of_version(converter, &VersionRange::parse("3").unwrap()).is_none());
    }

    #[test]
    fn a_connector_says_for_itself_which_of_two_plug_ins_of_one_class_it_uses() {
        let saying = |java: &str| ConfigMap::from_iter([("volley.java".to_owned(), java.to_owned())]);
        for prefers in [false, true] {
            let (plugins, jars) = with_jars(Jars { prefers, ..Jars::default() });
            let never = plugins.of_connector(&saying("never"));
            assert!(
                never.find_connector("JarSource").is_err() && never.find_known(PluginKind::Sink, "JarSource").is_none()
            );
            assert_eq!(never.find_connector("FakeSource").unwrap().version, "1.0");
            assert_eq!(jars.asked.load(Ordering::SeqCst), 0, "it needs no search");
            let found =
                |java: &str| plugins.of_connector(&saying(java)).find_connector("FakeSource").unwrap().version.clone();
            assert_eq!([&*found("auto"), &*found("always"), &*found("auto")], ["1.0", "2.0", "1.0"]);
            let usual = if prefers { "2.0" } else { "1.0" };
            assert_eq!(plugins.of_connector(&ConfigMap::new()).find_connector("FakeSource").unwrap().version, usual);
            assert_eq!(plugins.of_connector(&saying("auto")).find_connector("JarSource").unwrap().version, "2.0");
            assert_eq!(jars.asked.load(Ordering::SeqCst), 1);
        }
    }

    #[test]
    fn what_the_worker_itself_makes_is_its_own_though_others_are_preferred() {
        struct Converters;
        impl MorePlugins for Converters {
            fn plugins(&self) -> Result<Vec<Plugin>> {
                let own = fake_plugins().into_iter().filter(|plugin| plugin.kind() == PluginKind::Converter);
                Ok(own.map(|plugin| Plugin { version: "2.0".into(), ..plugin }).collect())
            }

            fn prefers(&self) -> bool {
                true
            }
        }
        let plugins = Plugins::new(fake_plugins()).with_more(Arc::new(Converters));
        assert_eq!(plugins.find(PluginKind::Converter, "Fake").unwrap().version, "2.0");
        assert_eq!(plugins.find_plugin(PluginKind::Converter, "Fake").unwrap().version, "1.0");
    }

    #[test]
    fn who_must_not_wait_begins_the_search_and_is_answered_once_it_is_over() {
        let (plugins, _) = with_jars(Jars::default());
        let deadline = Instant::now() + Duration::from_secs(20);
        assert!(plugins.find_known(PluginKind::Source, "FakeSource").is_some());
        while plugins.find_known(PluginKind::Sink, "JarSource").is_none() {
            assert!(Instant::now() < deadline, "nothing is found");
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_search_that_found_nothing_is_made_again() {
        let (plugins, jars) = with_jars(Jars { is_empty: true.into(), ..Jars::default() });
        assert!(plugins.find_connector("JarSource").is_err());
        jars.is_empty.store(false, Ordering::SeqCst);
        assert!(plugins.find_connector("JarSource").is_ok());
    }
}
