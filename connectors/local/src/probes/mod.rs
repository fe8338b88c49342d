//! Plug-ins that Kafka's integration tests use, under their Java class names: connectors that count, hang or fail when told
//! to. For tests of a worker; no worker offers them unless it is asked to.
//!
//! Some points at which a Java plug-in may hang are no calls here (`Connector::version`, `Connector::taskClass`, …): they
//! hang in the call that is nearest.

mod block;
mod blocking_connector;
mod blocking_tasks;
mod dropping_sink;
mod empty_task_configs;
mod faulty_passthrough;
mod test_converter;
mod testable_source;

use volley_api::Plugin;

/// All probes.
pub fn probe_plugins() -> Vec<Plugin> {
    let mut plugins = blocking_connector::plugins();
    plugins.extend(dropping_sink::plugins());
    plugins.extend(testable_source::plugins());
    plugins.extend(test_converter::plugins());
    plugins.push(empty_task_configs::sink_plugin());
    plugins.push(faulty_passthrough::plugin());
    plugins
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_class_is_there_twice() {
        let mut classes: Vec<_> = probe_plugins().into_iter().map(|plugin| (plugin.kind(), plugin.class)).collect();
        let count = classes.len();
        classes.sort_unstable();
        classes.dedup();
        assert_eq!(classes.len(), count);
    }
}
