//! The facts about the worker that validation needs.

use volley_api::PluginKind;

use crate::plugins::Plugins;
use crate::worker_config::{WorkerConfig, WorkerMode};

/// Facts about the worker that restrict a connector's configuration.
#[derive(Clone, Debug, Default)]
pub(super) struct WorkerFacts {
    /// Facts about a distributed worker; `None` if standalone.
    pub(super) distributed: Option<DistributedFacts>,
    converters: Vec<(&'static str, String)>,
}

/// Facts about a distributed worker.
#[derive(Clone, Debug)]
pub(super) struct DistributedFacts {
    /// The group of the workers themselves, in which no sink may consume.
    pub(super) group: String,
    /// Whether sources may deliver exactly once.
    pub(super) exactly_once: bool,
}

impl WorkerFacts {
    /// The facts of a worker's configuration.
    pub(super) fn of(worker: &WorkerConfig, plugins: &Plugins) -> Self {
        let converter = |key: &'static str, kind: PluginKind| {
            let class = worker.parsed().string(key)?;
            // the start of the worker does not wait for more plug-ins
            if plugins.needs_search(kind, class) {
                return Some((key, class.to_owned()));
            }
            let class = plugins.find(kind, class).map_or_else(|_| class.to_owned(), |plugin| plugin.class.to_string());
            Some((key, class))
        };
        let converters = super::converter_keys::CONVERTERS.iter().filter_map(|(key, kind)| converter(key, *kind));
        let distributed = (worker.mode() == WorkerMode::Distributed).then(|| DistributedFacts {
            group: worker.group_id().to_owned(),
            exactly_once: worker.exactly_once_source_enabled(),
        });
        Self { distributed, converters: converters.collect() }
    }

    /// The worker's class for a converter key.
    pub(super) fn converter(&self, key: &str) -> Option<&str> {
        self.converters.iter().find(|(known, _)| *known == key).map(|(_, class)| class.as_str())
    }
}
