//! The plug-ins of the worker, for plug-ins that use others.

use std::fmt;
use std::sync::Arc;

use crate::{
    ConfigMap, Converter, Error, HeaderConverter, Plugin, PluginFactory, PluginKind, Predicate, Result, Side,
    Transformation, TransformationContext,
};

/// Finds plug-ins by name.
pub trait FindPlugin: Send + Sync {
    /// The plug-in of `kind` that `class` names.
    ///
    /// # Errors
    /// `Config` if there is none, or more than one.
    fn find_plugin(&self, kind: PluginKind, class: &str) -> Result<Plugin>;
}

/// Makes instances of the worker's plug-ins by class. Configurations are those of the instance, without prefixes.
#[derive(Clone)]
pub struct WorkerPlugins(Arc<dyn FindPlugin>);

impl WorkerPlugins {
    /// Those that `finder` finds.
    pub fn new(finder: Arc<dyn FindPlugin>) -> Self {
        Self(finder)
    }

    /// None at all.
    pub fn none() -> Self {
        Self(Arc::new(NoPlugins))
    }

    /// A converter of one side.
    ///
    /// # Errors
    /// `Config` if there is no such class; that of the converter.
    pub fn new_converter(&self, class: &str, config: &ConfigMap, side: Side) -> Result<Box<dyn Converter>> {
        match self.0.find_plugin(PluginKind::Converter, class)?.factory {
            PluginFactory::Converter(new) => new(config, side),
            _ => Err(not_found(class)),
        }
    }

    /// A header converter.
    ///
    /// # Errors
    /// As for [`WorkerPlugins::new_converter`].
    pub fn new_header_converter(&self, class: &str, config: &ConfigMap) -> Result<Box<dyn HeaderConverter>> {
        match self.0.find_plugin(PluginKind::HeaderConverter, class)?.factory {
            PluginFactory::HeaderConverter(new) => new(config),
            _ => Err(not_found(class)),
        }
    }

    /// A transformation.
    ///
    /// # Errors
    /// As for [`WorkerPlugins::new_converter`].
    pub fn new_transformation(
        &self,
        class: &str,
        context: TransformationContext,
        config: &ConfigMap,
    ) -> Result<Box<dyn Transformation>> {
        match self.0.find_plugin(PluginKind::Transformation, class)?.factory {
            PluginFactory::Transformation(new) => new(context, config),
            _ => Err(not_found(class)),
        }
    }

    /// A predicate.
    ///
    /// # Errors
    /// As for [`WorkerPlugins::new_converter`].
    pub fn new_predicate(&self, class: &str, config: &ConfigMap) -> Result<Box<dyn Predicate>> {
        match self.0.find_plugin(PluginKind::Predicate, class)?.factory {
            PluginFactory::Predicate(new) => new(config),
            _ => Err(not_found(class)),
        }
    }

    /// An implementation of the interface `I`: see [`crate::Extension`].
    ///
    /// # Errors
    /// `Config` if there is no such class, or if it implements another interface; that of the implementation.
    pub fn new_extension<I: ?Sized + 'static>(&self, class: &str, config: &ConfigMap) -> Result<Box<I>> {
        let PluginFactory::Extension(extension) = self.0.find_plugin(PluginKind::Extension, class)?.factory else {
            return Err(not_found(class));
        };
        extension.create::<I>(config).unwrap_or_else(|| {
            let (is, wanted) = (extension.interface(), std::any::type_name::<I>());
            Err(Error::config(format!("class {class} is a `{is}`, where a `{wanted}` is needed")))
        })
    }
}

impl Default for WorkerPlugins {
    fn default() -> Self {
        Self::none()
    }
}

impl fmt::Debug for WorkerPlugins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WorkerPlugins")
    }
}

struct NoPlugins;

impl FindPlugin for NoPlugins {
    fn find_plugin(&self, _: PluginKind, class: &str) -> Result<Plugin> {
        Err(not_found(class))
    }
}

fn not_found(class: &str) -> Error {
    Error::config(format!("Class {class} could not be found."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ConfigDef, Extension};

    trait Format {
        fn name(&self) -> String;
    }

    trait Layout {}

    struct Csv(String);

    impl Format for Csv {
        fn name(&self) -> String {
            self.0.clone()
        }
    }

    struct OneFormat;

    impl FindPlugin for OneFormat {
        fn find_plugin(&self, kind: PluginKind, _: &str) -> Result<Plugin> {
            assert_eq!(kind, PluginKind::Extension);
            let new =
                |config: &ConfigMap| -> Result<Box<dyn Format>> { Ok(Box::new(Csv(config["separator"].clone()))) };
            let factory = PluginFactory::Extension(Extension::of(new));
            Ok(Plugin::new("Csv", "1", "", ConfigDef::new(), factory))
        }
    }

    #[test]
    fn a_format_of_another_crate_is_made_by_its_class() {
        let plugins = WorkerPlugins::new(Arc::new(OneFormat));
        let config = ConfigMap::from_iter([("separator".to_owned(), ";".to_owned())]);
        assert_eq!(plugins.new_extension::<dyn Format>("Csv", &config).unwrap().name(), ";");
        let error = plugins.new_extension::<dyn Layout>("Csv", &config).err().unwrap().to_string();
        assert!(error.contains("Csv") && error.contains("Format") && error.contains("Layout"), "{error}");
    }

    #[test]
    fn a_context_without_plugins_has_none() {
        let error = WorkerPlugins::none().new_converter("X", &ConfigMap::new(), Side::Key).err().unwrap();
        assert_eq!(error.to_string(), "Class X could not be found.");
    }
}
