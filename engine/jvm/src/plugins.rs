//! The Java plug-ins of a worker.

use std::sync::Arc;

use volley_api::{
    ConfigMap, Converter, Error, HeaderConverter, Plugin, PluginFactory, Predicate, Result, Side, SinkContext,
    SourceContext, Transformation,
};

use crate::config_provider::JavaConfigProvider;
use crate::connector::JavaConnector;
use crate::discovery::{FoundPlugin, JavaKind, config_def};
use crate::hosts::{JavaNumber, JavaProcess};
use crate::runtime::JavaRuntime;
use crate::settings::JavaSettings;
use crate::sink::JavaSinkTask;
use crate::source::JavaSourceTask;

/// The plug-ins of a plug-in path. Making this starts nothing.
#[derive(Clone, Debug)]
pub struct JavaPlugins {
    java: Arc<JavaRuntime>,
}

impl JavaPlugins {
    /// Those that `settings` lead to.
    pub fn new(settings: JavaSettings) -> Self {
        Self { java: Arc::new(JavaRuntime::new(settings)) }
    }

    /// All of them. The first call looks at the files of the plug-in path; where these are not those of the last scan, it starts
    /// a JVM that scans them, which may take a minute.
    ///
    /// # Errors
    /// If there is no Java 17 or newer, or the scan fails. The next call tries again.
    pub fn plugins(&self) -> Result<Vec<Plugin>> {
        let found = self.java.found()?;
        Ok(found.0.iter().filter_map(|found| plugin(&self.java, found)).collect())
    }

    /// Gives a level to all loggers of Java whose names begin so, in the JVMs that run and in those that start later. Waits for
    /// none of them. `level` in upper case, as Kafka Connect names it.
    pub fn set_log_level(&self, logger: &str, level: &str) {
        self.java.hosts().set_log_level(logger, level);
    }

    /// The JVMs that run, but for those that have only just started.
    pub fn processes(&self) -> Vec<JavaProcess> {
        self.java.hosts().describe()
    }

    /// What plug-ins count and measure themselves, in all JVMs. One that does not tell it within two seconds is left out, and named in
    /// the log.
    pub fn plugin_numbers(&self) -> Vec<JavaNumber> {
        self.java.hosts().plugin_numbers()
    }

    /// From now on the JVM of a group of connectors starts with the largest of the heaps that `heaps` tells for that group, if it
    /// is more than what the connector asks for that starts it.
    pub fn ask_for_heaps_of_groups(&self, heaps: impl Fn(&str) -> Vec<String> + Send + Sync + 'static) {
        self.java.ask_for_heaps_of_groups(Arc::new(heaps));
    }
}

/// `None` for what the worker cannot use.
fn plugin(java: &Arc<JavaRuntime>, found: &FoundPlugin) -> Option<Plugin> {
    let factory = factory(java, found)?;
    let documentation = "A plug-in in Java, which runs in a JVM beside the worker.";
    let keys = config_def(&found.keys);
    Some(Plugin::new(found.class.clone(), found.version.clone(), documentation, keys, factory))
}

fn factory(java: &Arc<JavaRuntime>, found: &FoundPlugin) -> Option<PluginFactory> {
    let connector = || JavaConnector { java: Arc::clone(java), plugin: Arc::new(found.clone()) };
    let (java, class) = (Arc::clone(java), found.class.clone());
    Some(match found.kind {
        JavaKind::Source => PluginFactory::source(connector(), move |context: SourceContext, config: &ConfigMap| {
            JavaSourceTask::start(&java, context, config)
        }),
        JavaKind::Sink => PluginFactory::sink(connector(), move |context: SinkContext, config: &ConfigMap| {
            JavaSinkTask::start(&java, context, config)
        }),
        JavaKind::Converter => PluginFactory::Converter(Arc::new(move |_: &ConfigMap, _: Side| {
            Err::<Box<dyn Converter>, _>(inside_java_only("converter", &class))
        })),
        JavaKind::HeaderConverter => PluginFactory::HeaderConverter(Arc::new(move |_: &ConfigMap| {
            Err::<Box<dyn HeaderConverter>, _>(inside_java_only("header converter", &class))
        })),
        JavaKind::Transformation => PluginFactory::Transformation(Arc::new(move |_, _: &ConfigMap| {
            Err::<Box<dyn Transformation>, _>(inside_java_only("transformation", &class))
        })),
        JavaKind::Predicate => PluginFactory::Predicate(Arc::new(move |_: &ConfigMap| {
            Err::<Box<dyn Predicate>, _>(inside_java_only("predicate", &class))
        })),
        JavaKind::ConfigProvider => {
            let found = found.clone();
            PluginFactory::config_provider(move |params| JavaConfigProvider::start(&java, &found, params))
        }
        JavaKind::OverridePolicy | JavaKind::RestExtension => return None,
    })
}

fn inside_java_only(kind: &str, class: &str) -> Error {
    Error::config(format!(
        "the {kind} {class} is a Java class, which works for connectors in Java only: choose one of Volley's own here"
    ))
}
