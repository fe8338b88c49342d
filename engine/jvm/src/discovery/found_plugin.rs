//! Java plug-ins that a scan has found.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::sink_requests::each;

/// The location of what is on the host's own class path.
pub(crate) const CLASS_PATH: &str = "classpath";

/// What a Java plug-in is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JavaKind {
    Source,
    Sink,
    Converter,
    HeaderConverter,
    Transformation,
    Predicate,
    ConfigProvider,
    OverridePolicy,
    RestExtension,
}

impl JavaKind {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "source" => Self::Source,
            "sink" => Self::Sink,
            "converter" => Self::Converter,
            "header_converter" => Self::HeaderConverter,
            "transformation" => Self::Transformation,
            "predicate" => Self::Predicate,
            "config_provider" => Self::ConfigProvider,
            "override_policy" => Self::OverridePolicy,
            "rest_extension" => Self::RestExtension,
            _ => return None,
        })
    }

    /// The protocol's word for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Sink => "sink",
            Self::Converter => "converter",
            Self::HeaderConverter => "header_converter",
            Self::Transformation => "transformation",
            Self::Predicate => "predicate",
            Self::ConfigProvider => "config_provider",
            Self::OverridePolicy => "override_policy",
            Self::RestExtension => "rest_extension",
        }
    }

    /// Whether instances of it can be made, and have keys that a user sees.
    pub(crate) fn is_offered(self) -> bool {
        !matches!(self, Self::ConfigProvider | Self::OverridePolicy | Self::RestExtension)
    }
}

/// A Java plug-in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FoundPlugin {
    pub(crate) class: String,
    pub(crate) kind: JavaKind,
    pub(crate) version: String,
    pub(crate) location: String,
    /// Its keys, as the protocol has them; `Null` where they are not known.
    pub(crate) keys: Value,
}

impl FoundPlugin {
    /// From an item of SCAN's answer, or of [`FoundPlugin::to_json`]. `None` if it is none that this release knows.
    pub(crate) fn from_json(plugin: &Value) -> Option<Self> {
        Some(Self {
            class: plugin["class"].as_str()?.to_owned(),
            kind: JavaKind::of(plugin["kind"].as_str()?)?,
            version: plugin["version"].as_str().unwrap_or("undefined").to_owned(),
            location: plugin["location"].as_str()?.to_owned(),
            keys: plugin["keys"].clone(),
        })
    }

    /// With its keys.
    pub(crate) fn to_json(&self) -> Value {
        let mut plugin = self.reference();
        plugin["keys"] = self.keys.clone();
        plugin
    }

    /// What a host needs to find it again.
    pub(crate) fn reference(&self) -> Value {
        json!({
            "class": self.class, "kind": self.kind.name(), "version": self.version, "location": self.location,
        })
    }

    /// Whether this is the same plug-in in another version.
    pub(crate) fn is_other_version_of(&self, other: &Self) -> bool {
        self.class == other.class && self.kind == other.kind && self.version != other.version
    }

    /// Whether a configuration may call it so: by its full name, its simple name, or that without the kind at its end.
    fn is_called(&self, name: &str) -> bool {
        let simple = self.class.rsplit(['.', '$']).next().unwrap_or(&self.class);
        let suffix = match self.kind {
            JavaKind::Source | JavaKind::Sink => "Connector",
            JavaKind::HeaderConverter => "HeaderConverter",
            JavaKind::Converter => "Converter",
            JavaKind::Transformation => "Transformation",
            JavaKind::Predicate => "Predicate",
            JavaKind::ConfigProvider | JavaKind::OverridePolicy | JavaKind::RestExtension => "",
        };
        name == self.class || name == simple || Some(name) == simple.strip_suffix(suffix)
    }
}

/// All Java plug-ins of a worker.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct FoundPlugins(pub(crate) Vec<FoundPlugin>);

impl FoundPlugins {
    /// From a list of them; those that this release does not know are left out.
    pub(crate) fn from_json(plugins: &Value) -> Self {
        Self(each(plugins).filter_map(FoundPlugin::from_json).collect())
    }

    pub(crate) fn to_json(&self) -> Value {
        self.0.iter().map(FoundPlugin::to_json).collect()
    }

    /// Where the plug-ins are that `names` may mean. What is on the class path of every host needs no location.
    pub(crate) fn locations_of<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
        let outside: Vec<_> = self.0.iter().filter(|plugin| plugin.location != CLASS_PATH).collect();
        let mut locations = BTreeSet::new();
        for name in names {
            let called = outside.iter().filter(|plugin| plugin.is_called(name.trim()));
            locations.extend(called.map(|plugin| plugin.location.clone()));
        }
        locations
    }

    /// Those at `locations`.
    pub(crate) fn at<'a>(&'a self, locations: &'a BTreeSet<String>) -> impl Iterator<Item = &'a FoundPlugin> {
        self.0.iter().filter(|plugin| locations.contains(&plugin.location))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_is_located_by_any_name_that_a_configuration_may_have_for_it() {
        let plugins = FoundPlugins::from_json(&json!([
            {"class": "a.FooConverter", "kind": "converter", "version": "1", "location": "/p/foo"},
            {"class": "a.Bar$Value", "kind": "transformation", "version": "1", "location": "/p/bar"},
            {"class": "a.Baz", "kind": "predicate", "version": "1", "location": "classpath"},
            {"class": "a.New", "kind": "what is this", "version": "1", "location": "/p/new"},
        ]));
        assert_eq!(plugins.0.len(), 3);
        for name in ["a.FooConverter", "FooConverter", "Foo"] {
            assert_eq!(plugins.locations_of([name]), BTreeSet::from(["/p/foo".to_owned()]), "{name}");
        }
        assert_eq!(plugins.locations_of(["a.Bar$Value", "a.Baz"]), BTreeSet::from(["/p/bar".to_owned()]));
        assert!(plugins.locations_of(["a.Baz", "topic", ""]).is_empty());
        assert_eq!(FoundPlugins::from_json(&plugins.to_json()), plugins);
    }
}
