//! Plug-ins: what a crate offers, by name.

use std::fmt;
use std::sync::Arc;

use crate::{
    ConfigDef, ConfigMap, ConfigProvider, Connector, Converter, HeaderConverter, Predicate, Result, Side, SinkTask,
    SourceTask, Transformation,
};

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
        })
    }
}

type New<T> = Arc<dyn Fn() -> Box<T> + Send + Sync>;
type NewFrom<T> = Arc<dyn Fn(&ConfigMap) -> Result<Box<T>> + Send + Sync>;

/// How instances are made. Where a factory takes a configuration, prefixes (`value.converter.`, `transforms.x.`) are
/// already stripped.
#[derive(Clone)]
pub enum PluginFactory {
    /// A source connector and its tasks.
    Source {
        /// Makes the connector.
        connector: New<dyn Connector>,
        /// Makes a task.
        task: New<dyn SourceTask>,
    },
    /// A sink connector and its tasks.
    Sink {
        /// Makes the connector.
        connector: New<dyn Connector>,
        /// Makes a task.
        task: New<dyn SinkTask>,
    },
    /// A converter of one side.
    Converter(Arc<dyn Fn(&ConfigMap, Side) -> Result<Box<dyn Converter>> + Send + Sync>),
    /// A header converter.
    HeaderConverter(NewFrom<dyn HeaderConverter>),
    /// A transformation.
    Transformation(NewFrom<dyn Transformation>),
    /// A predicate.
    Predicate(NewFrom<dyn Predicate>),
    /// A config provider, not yet configured.
    ConfigProvider(New<dyn ConfigProvider>),
}

impl fmt::Debug for PluginFactory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PluginFactory")
    }
}

/// A plug-in under its names.
#[derive(Clone)]
pub struct Plugin {
    /// Name in lists: the Java class name where existing configurations use one, else the native name.
    pub class: &'static str,
    /// Further full names. Simple names and names without their suffix (`Connector`, `Converter`, …) need not be listed.
    pub aliases: &'static [&'static str],
    /// Version in lists.
    pub version: &'static str,
    /// One or two sentences for users.
    pub documentation: &'static str,
    /// Its keys, without prefixes.
    pub config_def: ConfigDef,
    /// How instances are made.
    pub factory: PluginFactory,
}

impl Plugin {
    /// What it is.
    pub fn kind(&self) -> PluginKind {
        match self.factory {
            PluginFactory::Source { .. } => PluginKind::Source,
            PluginFactory::Sink { .. } => PluginKind::Sink,
            PluginFactory::Converter(_) => PluginKind::Converter,
            PluginFactory::HeaderConverter(_) => PluginKind::HeaderConverter,
            PluginFactory::Transformation(_) => PluginKind::Transformation,
            PluginFactory::Predicate(_) => PluginKind::Predicate,
            PluginFactory::ConfigProvider(_) => PluginKind::ConfigProvider,
        }
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
