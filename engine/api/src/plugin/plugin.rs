//! Plug-ins: what a crate offers, by name.

use std::borrow::Cow;
use std::fmt;

use crate::{ConfigDef, PluginFactory};

/// The Kafka release whose plug-ins those under Java class names behave like; they show it as their version.
pub const KAFKA_VERSION: &str = "4.3.0";

/// What a plug-in is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PluginKind {
    /// Sink connector.
    Sink,
    /// Source connector.
    Source,
    /// Transformation.
    Transformation,
    /// Predicate.
    Predicate,
    /// Converter.
    Converter,
    /// Header converter.
    HeaderConverter,
    /// Config provider.
    ConfigProvider,
    /// An implementation of what another plug-in lets its users choose: see [`crate::Extension`].
    Extension,
}

impl fmt::Display for PluginKind {
    /// As REST names it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sink => "sink",
            Self::Source => "source",
            Self::Transformation => "transformation",
            Self::Predicate => "predicate",
            Self::Converter => "converter",
            Self::HeaderConverter => "header_converter",
            Self::ConfigProvider => "config_provider",
            Self::Extension => "extension",
        })
    }
}

/// A plug-in under its names.
#[derive(Clone)]
pub struct Plugin {
    /// Name in lists: the Java class name where existing configurations use one, else the native name.
    pub class: Cow<'static, str>,
    /// Further full names. Simple names and names without their suffix (`Connector`, `Converter`, …) need not be listed.
    pub aliases: Vec<Cow<'static, str>>,
    /// Version in lists.
    pub version: Cow<'static, str>,
    /// One or two sentences for users.
    pub documentation: Cow<'static, str>,
    /// Its keys, without prefixes.
    pub config_def: ConfigDef,
    /// How instances are made.
    pub factory: PluginFactory,
}

impl Plugin {
    /// A plug-in of the class name `class`.
    pub fn new(
        class: impl Into<Cow<'static, str>>,
        version: impl Into<Cow<'static, str>>,
        documentation: impl Into<Cow<'static, str>>,
        config_def: ConfigDef,
        factory: PluginFactory,
    ) -> Self {
        Self {
            class: class.into(),
            aliases: Vec::new(),
            version: version.into(),
            documentation: documentation.into(),
            config_def,
            factory,
        }
    }

    /// The same plug-in with a further full name.
    #[must_use]
    pub fn alias(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.aliases.push(name.into());
        self
    }

    /// What it is.
    pub fn kind(&self) -> PluginKind {
        self.factory.kind()
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin")
            .field("class", &self.class)
            .field("kind", &self.kind())
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}
