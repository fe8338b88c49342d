//! Plug-ins for contexts.

use std::sync::Arc;

use crate::{Error, FindPlugin, Plugin, PluginKind, Result, WorkerPlugins};

/// The plug-ins of a list, found by class or alias.
pub fn plugins_of(plugins: Vec<Plugin>) -> WorkerPlugins {
    WorkerPlugins::new(Arc::new(PluginList(plugins)))
}

struct PluginList(Vec<Plugin>);

impl FindPlugin for PluginList {
    fn find_plugin(&self, kind: PluginKind, class: &str) -> Result<Plugin> {
        let is_named = |plugin: &&Plugin| plugin.class == class || plugin.aliases.iter().any(|alias| alias == class);
        let found = self.0.iter().find(|plugin| plugin.kind() == kind && is_named(plugin));
        found.cloned().ok_or_else(|| Error::config(format!("Class {class} could not be found.")))
    }
}
