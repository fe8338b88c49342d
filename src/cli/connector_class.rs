//! A connector's class, looked at before anything is started: Kafka Connect's own answer is a screenful.

use std::path::Path;

use volley_api::{ConfigMap, PluginKind};
use volley_worker::plugins::Plugins;

use super::Failure;
use super::plugins::{no_such_plugin, similar_names};

const CLASS: &str = "connector.class";

/// Refuses a class of which there is no connector. A missing one, an ambiguous one and one that a config provider has to
/// say are left to the validation.
pub(super) fn check_class(plugins: &Plugins, config: &ConfigMap, file: &Path) -> Result<(), Failure> {
    let Some(class) = config.get(CLASS).filter(|class| !class.contains("${")) else { return Ok(()) };
    if plugins.of_connector(config).is_connector(class) {
        return Ok(());
    }
    let is_connector = |kind| matches!(kind, PluginKind::Sink | PluginKind::Source);
    let reason = match plugins.is_connector(class) {
        // the worker has it: the connector itself says that it does not want it
        true => {
            format!("`{class}` is there in Java only, which `volley.java` of the connector excludes: set it to auto")
        }
        false => no_such_plugin("connector", class, &plugins.similar(class, is_connector)),
    };
    Err(Failure::connector(anyhow::anyhow!("`{CLASS}` of {}: {reason}", file.display())))
}

/// What is near the class that `error` says could not be found: of a converter, a transformation or a predicate.
pub(super) fn similar_classes(plugins: &Plugins, error: &str) -> String {
    let class = error.strip_suffix(" could not be found.").and_then(|rest| rest.rsplit_once("Class "));
    class.map_or_else(String::new, |(_, class)| similar_names(&plugins.similar(class, |_| true)))
}
