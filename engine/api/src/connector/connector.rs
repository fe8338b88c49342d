//! A connector: checks a configuration and divides the work into tasks.

use crate::{
    ConfigAnswer, ConfigDef, ConfigIssue, ConfigMap, ConnectorContext, EndedRun, Records, Result, SourceOffset,
    SourcePartition,
};

/// Which way a connector moves data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectorKind {
    /// Into Kafka.
    Source,
    /// Out of Kafka.
    Sink,
}

/// Whether a source has an ability (KIP-618).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// It has.
    Supported,
    /// It has not.
    Unsupported,
}

/// A class of connectors. It holds nothing of a configuration: what runs is what [`Connector::start`] makes. The worker
/// calls it off its control threads, with a deadline for each call.
pub trait Connector: Send + Sync {
    /// The keys of this connector, without those that every connector has.
    fn config_def(&self) -> ConfigDef;

    /// Starts the connector with a configuration: see [`identical_tasks`] and [`single_task`] where nothing runs beside the
    /// tasks.
    ///
    /// # Errors
    /// Any puts the connector into FAILED.
    fn start(&self, context: ConnectorContext, config: &ConfigMap) -> Result<Box<dyn RunningConnector>>;

    /// Checks that go beyond single keys. MUST NOT change anything outside.
    fn validate(&self, _config: &ConfigMap) -> Vec<ConfigIssue> {
        Vec::new()
    }

    /// What the connector itself says about a configuration; where it says something, that is shown in place of
    /// [`Connector::config_def`] and [`Connector::validate`]. MUST NOT change anything outside.
    ///
    /// # Errors
    /// If it cannot say.
    fn config_values(&self, _config: &ConfigMap) -> Result<Option<ConfigAnswer>> {
        Ok(None)
    }

    /// Whether its tasks convert and transform by themselves, by what [`crate::OwnChain`] gives them. Then the worker makes no
    /// converters and no transformations for them.
    ///
    /// A sink is given messages as consumed: [`crate::SinkBatch::raw`], without records. A source gives messages: records whose
    /// key and value are `Binary` columns (null is Kafka's null) and whose headers are `Bytes` or `Null`; they are produced as
    /// they are.
    fn has_own_chain(&self) -> bool {
        false
    }

    /// What a user should know of a configuration without issues, in sentences: keys without effect, promises that do not hold with
    /// it. MUST NOT hold the value of a key that may be a secret.
    fn remarks(&self, _config: &ConfigMap) -> Vec<String> {
        Vec::new()
    }

    /// Whether its tasks will end by themselves: a source that has an end. Told to who waits for bounded connectors.
    fn is_bounded(&self, _config: &ConfigMap) -> bool {
        false
    }

    /// Whether a sink, configured so, does not look into values: where messages are JSON and nothing transforms them, its tasks
    /// may be given the text, in a field of [`crate::schema::checked_json_field`].
    fn takes_json_text(&self, _config: &ConfigMap) -> bool {
        false
    }

    /// What a sink, configured so, would make of these records if they were its first, in lines for a user: the files that they would
    /// go to, for example. MUST NOT change anything outside.
    fn preview(&self, _config: &ConfigMap, _records: &[Records]) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// KIP-875: checks offsets that a user wants to set (`None` = forget). `Ok(true)`: the connector vouches for them. Those of a sink
    /// have the members `kafka_topic`, `kafka_partition` and `kafka_offset`, the latter two as numbers.
    fn alter_offsets(&self, _config: &ConfigMap, _offsets: &[(SourcePartition, Option<SourceOffset>)]) -> Result<bool> {
        Ok(false)
    }

    /// KIP-618: whether a source, configured so, can deliver exactly once; `None`: it does not say.
    fn exactly_once_support(&self, _config: &ConfigMap) -> Result<Option<Support>> {
        Ok(None)
    }

    /// KIP-618: whether a source, configured so, can say itself where transactions end.
    fn can_define_transaction_boundaries(&self, _config: &ConfigMap) -> Result<Option<Support>> {
        Ok(Some(Support::Unsupported))
    }
}

/// A started connector. Life cycle: `task_configs` and `end_of_run` (any number of times), `stop`; one call at a time.
///
/// A closure of `max_tasks` is one that has nothing to stop.
pub trait RunningConnector: Send {
    /// The configurations of the tasks, at most `max_tasks`. What is returned for each task is all that the task will see.
    fn task_configs(&mut self, max_tasks: usize) -> Result<Vec<ConfigMap>>;

    /// All tasks of a bounded run are done: everything is delivered, and offsets are committed. The run counts as complete
    /// afterwards. Called again for the same run if the worker ends in between, or after an error, until it succeeds.
    fn end_of_run(&mut self, _run: &EndedRun) -> Result<()> {
        Ok(())
    }

    /// Called once, at the end.
    fn stop(&mut self) {}
}

impl<F: FnMut(usize) -> Result<Vec<ConfigMap>> + Send> RunningConnector for F {
    fn task_configs(&mut self, max_tasks: usize) -> Result<Vec<ConfigMap>> {
        self(max_tasks)
    }
}

/// A connector that has as many tasks as it may, each with the connector's configuration.
pub fn identical_tasks(config: &ConfigMap) -> Result<Box<dyn RunningConnector>> {
    let config = config.clone();
    Ok(Box::new(move |max_tasks: usize| Ok(vec![config.clone(); max_tasks])))
}

/// A connector that has one task, with the connector's configuration.
pub fn single_task(config: &ConfigMap) -> Result<Box<dyn RunningConnector>> {
    let config = config.clone();
    Ok(Box::new(move |_: usize| Ok(vec![config.clone()])))
}
