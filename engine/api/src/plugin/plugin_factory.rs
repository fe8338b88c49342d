//! How instances of plug-ins are made. A plug-in that exists is configured and ready: there is no separate start.

use std::fmt;
use std::sync::Arc;

use crate::{
    ConfigMap, ConfigProvider, Connector, Converter, Extension, HeaderConverter, PluginKind, Predicate, Result, Side,
    SinkContext, SinkTask, SourceContext, SourceTask, Transformation, TransformationContext,
};

type NewFrom<T> = Arc<dyn Fn(&ConfigMap) -> Result<Box<T>> + Send + Sync>;
type NewTask<C, T> = Arc<dyn Fn(C, &ConfigMap) -> Result<Box<T>> + Send + Sync>;

/// Makes instances. Where a factory takes a configuration, prefixes (`value.converter.`, `transforms.x.`) are already
/// stripped.
///
/// A task is started by being made. An error of kind `Retriable` has a sink made again after a wait; any other, and any of a
/// source, puts the task into FAILED. What a task that could not be made had opened it has to close itself.
#[derive(Clone)]
pub enum PluginFactory {
    /// A source connector and its tasks.
    Source {
        /// The connector.
        connector: Arc<dyn Connector>,
        /// Starts a task with its configuration.
        task: NewTask<SourceContext, dyn SourceTask>,
    },
    /// A sink connector and its tasks.
    Sink {
        /// The connector.
        connector: Arc<dyn Connector>,
        /// Starts a task with its configuration.
        task: NewTask<SinkContext, dyn SinkTask>,
    },
    /// A converter of one side.
    Converter(Arc<dyn Fn(&ConfigMap, Side) -> Result<Box<dyn Converter>> + Send + Sync>),
    /// A header converter.
    HeaderConverter(NewFrom<dyn HeaderConverter>),
    /// A transformation.
    Transformation(NewTask<TransformationContext, dyn Transformation>),
    /// A predicate.
    Predicate(NewFrom<dyn Predicate>),
    /// A config provider, of its `config.providers.<name>.param.` keys.
    ConfigProvider(NewFrom<dyn ConfigProvider>),
    /// An implementation of another plug-in's interface.
    Extension(Extension),
}

impl PluginFactory {
    /// A source connector, and how a task of it starts.
    pub fn source<T: SourceTask + 'static>(
        connector: impl Connector + 'static,
        task: impl Fn(SourceContext, &ConfigMap) -> Result<T> + Send + Sync + 'static,
    ) -> Self {
        let task: NewTask<SourceContext, dyn SourceTask> =
            Arc::new(move |context, config| Ok(Box::new(task(context, config)?)));
        Self::Source { connector: Arc::new(connector), task }
    }

    /// A sink connector, and how a task of it starts.
    pub fn sink<T: SinkTask + 'static>(
        connector: impl Connector + 'static,
        task: impl Fn(SinkContext, &ConfigMap) -> Result<T> + Send + Sync + 'static,
    ) -> Self {
        let task: NewTask<SinkContext, dyn SinkTask> =
            Arc::new(move |context, config| Ok(Box::new(task(context, config)?)));
        Self::Sink { connector: Arc::new(connector), task }
    }

    /// A converter.
    pub fn converter<T: Converter + 'static>(
        new: impl Fn(&ConfigMap, Side) -> Result<T> + Send + Sync + 'static,
    ) -> Self {
        Self::Converter(Arc::new(move |config, side| Ok(Box::new(new(config, side)?))))
    }

    /// A header converter.
    pub fn header_converter<T: HeaderConverter + 'static>(
        new: impl Fn(&ConfigMap) -> Result<T> + Send + Sync + 'static,
    ) -> Self {
        Self::HeaderConverter(Arc::new(move |config| Ok(Box::new(new(config)?))))
    }

    /// A transformation.
    pub fn transformation<T: Transformation + 'static>(
        new: impl Fn(&ConfigMap) -> Result<T> + Send + Sync + 'static,
    ) -> Self {
        Self::Transformation(Arc::new(move |_, config| Ok(Box::new(new(config)?))))
    }

    /// A transformation that asks something of the worker.
    pub fn transformation_of_task<T: Transformation + 'static>(
        new: impl Fn(TransformationContext, &ConfigMap) -> Result<T> + Send + Sync + 'static,
    ) -> Self {
        Self::Transformation(Arc::new(move |context, config| Ok(Box::new(new(context, config)?))))
    }

    /// A predicate.
    pub fn predicate<T: Predicate + 'static>(new: impl Fn(&ConfigMap) -> Result<T> + Send + Sync + 'static) -> Self {
        Self::Predicate(Arc::new(move |config| Ok(Box::new(new(config)?))))
    }

    /// A config provider.
    pub fn config_provider<T: ConfigProvider + 'static>(
        new: impl Fn(&ConfigMap) -> Result<T> + Send + Sync + 'static,
    ) -> Self {
        Self::ConfigProvider(Arc::new(move |params| Ok(Box::new(new(params)?))))
    }

    /// What it makes.
    pub fn kind(&self) -> PluginKind {
        match self {
            Self::Source { .. } => PluginKind::Source,
            Self::Sink { .. } => PluginKind::Sink,
            Self::Converter(_) => PluginKind::Converter,
            Self::HeaderConverter(_) => PluginKind::HeaderConverter,
            Self::Transformation(_) => PluginKind::Transformation,
            Self::Predicate(_) => PluginKind::Predicate,
            Self::ConfigProvider(_) => PluginKind::ConfigProvider,
            Self::Extension(_) => PluginKind::Extension,
        }
    }

    /// The connector; `None` if it is none.
    pub fn connector(&self) -> Option<&Arc<dyn Connector>> {
        match self {
            Self::Source { connector, .. } | Self::Sink { connector, .. } => Some(connector),
            _ => None,
        }
    }
}

impl fmt::Debug for PluginFactory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PluginFactory({})", self.kind())
    }
}
