//! Which locations of plug-ins a process has been told of.

use std::collections::BTreeSet;

use parking_lot::Mutex;
use serde_json::{Value, json};

use super::found_plugin::{CLASS_PATH, FoundPlugin, FoundPlugins};
use crate::control::CallError;
use crate::process::HostProcess;
use crate::runtime::START_LIMIT;

/// The locations that one process uses. They only become more.
#[derive(Debug, Default)]
pub(crate) struct UsedPlugins(Mutex<Option<BTreeSet<String>>>);

impl UsedPlugins {
    /// All locations: the process has scanned them.
    pub(crate) fn scanned(&self, plugins: &FoundPlugins) {
        *self.0.lock() = Some(plugins.0.iter().map(|plugin| plugin.location.clone()).collect());
    }

    /// None any more: the process scans.
    pub(crate) fn forget(&self) {
        *self.0.lock() = None;
    }

    /// Has `process` use `wanted`, too.
    ///
    /// # Errors
    /// Those of the call.
    pub(crate) fn tell(
        &self,
        process: &HostProcess,
        plugins: &FoundPlugins,
        wanted: &BTreeSet<String>,
    ) -> Result<(), CallError> {
        let mut used = self.0.lock();
        if used.as_ref().is_some_and(|used| used.is_superset(wanted)) {
            return Ok(());
        }
        let all: BTreeSet<String> = used.iter().flatten().chain(wanted).cloned().collect();
        let outside = plugins.at(&all).filter(|plugin| plugin.location != CLASS_PATH);
        let known: Value = outside.map(FoundPlugin::reference).collect();
        process.calls().call("USE", json!({ "plugins": known }), START_LIMIT, &|| false)?;
        *used = Some(all);
        Ok(())
    }
}
