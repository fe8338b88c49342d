//! Creates the parts of a task from its configuration: clients, converters, transformations, error handling.

use std::collections::BTreeMap;
use std::sync::Arc;

use volley_api::{
    Config, ConnectorKind, Error, OwnChain, PluginKind, Result, Side, TransformationContext, WorkerPlugins,
};
use volley_kafka::{Admin, ClientRole, FetchSettings, NewTopic, Producer, TopicSelection, check_bootstrap_servers};

use crate::connector_config::framework_config_def;
use crate::metrics::TaskMetrics;
use crate::task::TaskSpec;
use crate::task::control::Control;
use crate::task::errors::cluster_refusal::execution_exception;
use crate::task::errors::dead_letter_queue::DeadLetterQueue;
use crate::task::errors::error_handler::ErrorHandler;
use crate::task::errors::polled_letters::PolledLetters;
use crate::task::transform::transform_chain::{Condition, Step, TransformChain};
use crate::task::transform::whole_topics::WholeTopics;

/// The framework's keys of the connector, parsed.
pub(crate) fn framework_config(spec: &TaskSpec) -> Result<Config> {
    framework_config_def(spec.kind).parse(&spec.connector_config)
}

/// What the tasks need whose connector says that they convert and transform by themselves; `None` for others.
pub(crate) fn own_chain(spec: &TaskSpec) -> Result<Option<OwnChain>> {
    if !has_own_chain(spec) {
        return Ok(None);
    }
    let worker = &spec.worker_config;
    Ok(Some(OwnChain {
        connector_config: spec.connector_config.clone(),
        worker_config: worker.converter_settings(),
        max_poll_records: worker.max_poll_records(&spec.connector_config)?,
        exactly_once: spec.exactly_once.is_some(),
    }))
}

/// Whether the tasks convert and transform by themselves.
pub(crate) fn has_own_chain(spec: &TaskSpec) -> bool {
    spec.plugin.factory.connector().is_some_and(|connector| connector.has_own_chain())
}

/// The topics that a sink consumes, and the limits of its batches. A task with its own chain is given no more messages at once
/// than Kafka's consumer would give it.
pub(crate) fn fetch_settings(spec: &TaskSpec, config: &Config, own_chain: Option<&OwnChain>) -> Result<FetchSettings> {
    let limits = spec.worker_config.batch_limits(&spec.connector_config)?;
    let topics = match config.string("topics.regex").filter(|pattern| !pattern.is_empty()) {
        Some(pattern) => TopicSelection::Pattern(pattern.to_owned()),
        None => {
            let mut topics: Vec<String> =
                config.list("topics").iter().filter(|topic| !topic.is_empty()).cloned().collect();
            topics.sort();
            topics.dedup();
            TopicSelection::Topics(topics)
        }
    };
    let max_rows = own_chain.map_or(limits.max_rows, |chain| chain.max_poll_records);
    Ok(FetchSettings { topics, max_rows, max_bytes: limits.max_bytes, linger: limits.linger })
}

/// The configured transformation chain.
pub(crate) fn transform_chain(spec: &TaskSpec, config: &Config) -> Result<TransformChain> {
    let mut steps = Vec::new();
    let topics = Arc::new(WholeTopics::new(
        Arc::clone(&spec.worker_config),
        spec.connector_config.clone(),
        spec.id.connector.clone(),
        spec.id.task,
    ));
    for alias in config.list("transforms").iter().filter(|alias| !alias.is_empty()) {
        let key = |suffix: &str| spec.connector_config.get(&format!("transforms.{alias}.{suffix}"));
        let plugins = WorkerPlugins::new(Arc::clone(&spec.plugins) as _);
        let context = TransformationContext::of_task(spec.metrics.of_plugin().clone(), plugins);
        let context = context.with_topics(Arc::clone(&topics) as _);
        let transformation = spec.plugins.new_transformation(alias, context, &spec.connector_config)?;
        let condition = match key("predicate") {
            None => None,
            Some(predicate) => Some(Condition {
                predicate: spec.plugins.new_predicate(predicate, &spec.connector_config)?,
                negate: key("negate").is_some_and(|negate| negate.trim().eq_ignore_ascii_case("true")),
            }),
        };
        let class = key("type").cloned().unwrap_or_default();
        let class = spec
            .plugins
            .find(PluginKind::Transformation, class.trim())
            .map_or(class.clone(), |plugin| plugin.class.to_string());
        steps.push(Step { class, transformation, condition });
    }
    Ok(TransformChain::new(steps))
}

/// The error handler. If there is a dead letter topic, it exists when this returns.
pub(crate) fn error_handler(
    spec: &TaskSpec,
    config: &Config,
    control: &Arc<Control>,
    metrics: &Arc<TaskMetrics>,
) -> Result<ErrorHandler> {
    let dead_letters = dead_letter_queue(spec, metrics)?;
    let dead_letters = match spec.kind {
        ConnectorKind::Source => {
            let polled = || match has_own_chain(spec) {
                true => Ok(PolledLetters::AsTheyAre),
                false => PolledLetters::as_json(&WorkerPlugins::new(Arc::clone(&spec.plugins) as _)),
            };
            dead_letters.map(|letters| Ok::<_, Error>(letters.of_source(polled()?))).transpose()?
        }
        ConnectorKind::Sink => dead_letters,
    };
    Ok(ErrorHandler::new(spec.id.clone(), config, dead_letters, Arc::clone(control), Arc::clone(metrics)))
}

/// Sources have the keys too, which are not in their definitions: Kafka Connect's sources have none.
fn dead_letter_queue(spec: &TaskSpec, metrics: &Arc<TaskMetrics>) -> Result<Option<DeadLetterQueue>> {
    let given = |key: &str| spec.connector_config.get(&format!("errors.deadletterqueue.{key}")).map(String::as_str);
    let Some(topic) = given("topic.name").map(str::trim).filter(|topic| !topic.is_empty()) else { return Ok(None) };
    let worker = &spec.worker_config;
    // where Kafka Connect has no such topic, none should fail for a default that does not fit the cluster
    let default = if spec.kind == ConnectorKind::Source { -1 } else { 3 };
    let replication =
        given("topic.replication.factor").and_then(|factor| factor.trim().parse().ok()).unwrap_or(default);
    let properties = worker.dlq_admin_properties(&spec.connector_config);
    check_bootstrap_servers(&properties, ClientRole::Admin)?;
    let admin = Admin::connect(&properties)?;
    create_topic(&admin, topic, replication).map_err(|error| {
        Error::fatal(format!("Could not initialize dead letter queue with topic={topic}"))
            .with_source(execution_exception(&error))
    })?;
    let properties = worker.dlq_producer_properties(&spec.connector_config, &spec.id.connector, spec.id.task);
    let context_headers = given("context.headers.enable").is_some_and(|text| text.trim().eq_ignore_ascii_case("true"));
    Producer::check(&properties)?;
    let producer = Producer::connect(&properties)?;
    Ok(Some(DeadLetterQueue::new(topic.to_owned(), spec.id.clone(), context_headers, producer, Arc::clone(metrics))))
}

fn create_topic(admin: &Admin, topic: &str, replication_factor: i64) -> Result<()> {
    if admin.topic(topic)?.is_some() {
        return Ok(());
    }
    let replication_factor = i32::try_from(replication_factor).unwrap_or(-1);
    let topic = NewTopic { name: topic.to_owned(), partitions: 1, replication_factor, configs: BTreeMap::new() };
    admin.create_topic(&topic).map(|_| ())
}

/// A converter and its class, for error reports.
pub(crate) struct NamedConverter {
    /// The converter.
    pub(crate) converter: Box<dyn volley_api::Converter>,
    /// Its class.
    pub(crate) class: String,
}

/// The converter of one side.
pub(crate) fn converter(spec: &TaskSpec, side: Side) -> Result<NamedConverter> {
    let key = match side {
        Side::Key => "key.converter",
        Side::Value => "value.converter",
    };
    let converter = spec.plugins.new_converter(side, &spec.connector_config, &spec.worker_config)?;
    Ok(NamedConverter { converter, class: class_of(spec, key, PluginKind::Converter) })
}

/// The class of the header converter, for error reports.
pub(crate) fn header_class(spec: &TaskSpec) -> String {
    class_of(spec, "header.converter", PluginKind::HeaderConverter)
}

/// The full name of the class of `key`, in the connector's configuration or otherwise the worker's.
fn class_of(spec: &TaskSpec, key: &str, kind: PluginKind) -> String {
    let own = spec.connector_config.get(key).map(String::as_str);
    let name = own.or_else(|| spec.worker_config.parsed().string(key)).unwrap_or_default().trim();
    spec.plugins.find(kind, name).map_or(name, |plugin| &plugin.class).to_owned()
}
