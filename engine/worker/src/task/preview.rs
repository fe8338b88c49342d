//! A preview of a connector: the first rows of its real source after each stage. It writes and commits nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use volley_api::{
    Config, ConfigMap, Connector, ConnectorContext, ConnectorKind, Error, HeaderConverter, Headers, Offsets,
    PluginFactory, Polled, RawBatch, RawHeader, Records, RejectedRow, Result, Side, SourceContext, SourceTask, Stage,
    TopicPartition, WorkerPlugins,
};
use volley_kafka::{Fetcher, RebalanceListener};

use crate::connector_task_id::ConnectorTaskId;
use crate::task::TaskSpec;
use crate::task::setup;
use crate::task::sink::assembly::assemble;
use crate::task::sink::convert_stage::{bad_header_rows, without_rows};
use crate::task::transform::transform_chain::TransformChain;

/// The number of rows, and how long to wait for them.
#[derive(Clone, Copy, Debug)]
pub struct PreviewLimits {
    /// Rows of the source.
    pub rows: usize,
    /// Time to wait for the first of them.
    pub timeout: Duration,
}

/// The rows after one stage.
#[derive(Debug)]
pub struct PreviewStage {
    /// `converted`, or the class of the transformation.
    pub name: String,
    /// The rows that remain.
    pub records: Vec<Records>,
    /// The rows that this stage rejected.
    pub rejected: Vec<RejectedRow>,
}

/// What became of the first rows.
#[derive(Debug)]
pub struct Preview {
    /// The stages, in order.
    pub stages: Vec<PreviewStage>,
    /// What the sink would make of the rows after the last stage, in lines for a user.
    pub outcome: Vec<String>,
}

/// Reads the first rows and takes them through the stages. `spec` is that of the connector's first task.
///
/// # Errors
/// If the configuration is wrong, or no row came within the time limit.
pub fn preview(spec: &TaskSpec, limits: PreviewLimits) -> Result<Preview> {
    if setup::has_own_chain(spec) {
        return Err(Error::config(format!(
            "`{}` converts and transforms by itself, so that only running it shows what becomes of records",
            spec.plugin.class
        )));
    }
    let config = setup::framework_config(spec)?;
    let mut chain = setup::transform_chain(spec, &config)?;
    let first = match spec.kind {
        ConnectorKind::Sink => consumed(spec, &config, limits)?,
        ConnectorKind::Source => polled(spec, limits)?,
    };
    let mut stages = vec![first];
    transform(&mut chain, &mut stages)?;
    let last = stages.last().map(|stage| stage.records.as_slice()).unwrap_or_default();
    let outcome = match &spec.plugin.factory {
        PluginFactory::Sink { connector, .. } => connector.preview(&spec.connector_config, last)?,
        _ => Vec::new(),
    };
    Ok(Preview { stages, outcome })
}

fn transform(chain: &mut TransformChain, stages: &mut Vec<PreviewStage>) -> Result<()> {
    for step in chain.steps_mut() {
        let mut stage = PreviewStage { name: step.class.clone(), records: Vec::new(), rejected: Vec::new() };
        let before = stages.last().map(|stage| stage.records.clone()).unwrap_or_default();
        for records in before {
            let mut outcome = step.apply(records)?;
            stage.records.append(&mut outcome.records);
            stage.rejected.append(&mut outcome.rejected);
        }
        stage.records.retain(|records| !records.is_empty());
        stages.push(stage);
    }
    Ok(())
}

fn consumed(spec: &TaskSpec, config: &Config, limits: PreviewLimits) -> Result<PreviewStage> {
    let mut key = setup::converter(spec, Side::Key)?;
    let mut value = setup::converter(spec, Side::Value)?;
    let mut header = spec.plugins.new_header_converter(&spec.connector_config, &spec.worker_config)?;
    let mut stage = PreviewStage { name: "converted".to_owned(), records: Vec::new(), rejected: Vec::new() };
    for raw in fetch(spec, config, limits)? {
        let keys = key.converter.to_connect(&raw, Side::Key)?;
        let values = value.converter.to_connect(&raw, Side::Value)?;
        let (headers, bad_headers) = convert_headers(&mut *header, &setup::header_class(spec), &raw);
        let records = assemble(&raw, &keys.runs, &values.runs, headers.as_ref())?;
        let records = match bad_header_rows(&bad_headers) {
            Some(bad) => without_rows(records, &bad)?,
            None => records,
        };
        stage.records.extend(records.into_iter().filter(|records| !records.is_empty()));
        for rejected in [keys.rejected, values.rejected, bad_headers] {
            stage.rejected.extend(rejected);
        }
    }
    Ok(stage)
}

fn convert_headers(
    converter: &mut dyn HeaderConverter,
    class: &str,
    raw: &RawBatch,
) -> (Option<Headers>, Vec<RejectedRow>) {
    let Some(rows) = &raw.headers else { return (None, Vec::new()) };
    let topic = &raw.origin.partition.topic;
    let mut rejected = Vec::new();
    let convert = |(row, headers): (usize, &Vec<RawHeader>)| {
        let converted = headers.iter().map(|header| converter.to_connect(topic, header)).collect::<Result<Vec<_>>>();
        converted.unwrap_or_else(|error| {
            rejected.push(RejectedRow { row, stage: Stage::HeaderConverter, class: class.to_owned(), error });
            Vec::new()
        })
    };
    let headers = rows.iter().enumerate().map(convert).collect();
    (Some(headers), rejected)
}

/// The first rows of the topics, read in a group of the preview's own, which is not kept.
fn fetch(spec: &TaskSpec, config: &Config, limits: PreviewLimits) -> Result<Vec<RawBatch>> {
    let mut settings = setup::fetch_settings(spec, config, None)?;
    settings.max_rows = settings.max_rows.min(limits.rows);
    settings.linger = Duration::from_millis(200);
    let mut properties: ConfigMap =
        spec.worker_config.consumer_properties(&spec.connector_config, &spec.id.connector, spec.id.task);
    properties.insert("group.id".to_owned(), format!("volley-preview-{}", std::process::id()));
    let mut fetcher = Fetcher::connect(&properties, settings, Arc::new(NoRebalances))?;
    let deadline = Instant::now() + limits.timeout;
    let mut batches = Vec::new();
    let mut missing = limits.rows;
    while missing > 0 && Instant::now() < deadline {
        let polled = fetcher.poll(Duration::from_millis(100))?;
        if polled.is_empty() && !batches.is_empty() {
            break;
        }
        for raw in polled {
            let rows = raw.len().min(missing);
            missing -= rows;
            if rows > 0 {
                batches.push(crate::task::sink::read_positions::head(&raw, rows, raw.origin.range.end));
            }
        }
    }
    if batches.is_empty() {
        let seconds = limits.timeout.as_secs();
        return Err(Error::fatal(format!("no record came from the topics within {seconds} s")));
    }
    Ok(batches)
}

fn polled(spec: &TaskSpec, limits: PreviewLimits) -> Result<PreviewStage> {
    let PluginFactory::Source { connector, task } = &spec.plugin.factory else {
        return Err(Error::config(format!("`{}` is not a source connector", spec.plugin.class)));
    };
    // from the beginning: a preview ignores committed offsets
    let context = SourceContext::new(spec.id.connector.clone(), 0)
        .with_plugins(WorkerPlugins::new(Arc::clone(&spec.plugins) as _));
    let mut task = task(context, &first_task_config(&**connector, spec)?)?;
    let mut stage = PreviewStage { name: "polled".to_owned(), records: Vec::new(), rejected: Vec::new() };
    let outcome = poll_first(&mut *task, limits, &mut stage.records);
    task.stop();
    outcome?;
    stage.records.retain(|records| !records.is_empty());
    Ok(stage)
}

fn poll_first(task: &mut dyn SourceTask, limits: PreviewLimits, found: &mut Vec<Records>) -> Result<()> {
    let deadline = Instant::now() + limits.timeout;
    let mut missing = limits.rows;
    while missing > 0 && Instant::now() < deadline {
        match task.poll(Duration::from_millis(100))? {
            Polled::Finished => break,
            Polled::Idle => {}
            Polled::IdleFor(wait) => {
                std::thread::sleep(wait.min(deadline.saturating_duration_since(Instant::now())));
            }
            Polled::Batches(batches) => {
                for batch in batches {
                    let rows = batch.records.len().min(missing);
                    missing -= rows;
                    found.push(batch.records.slice(0, rows));
                }
            }
        }
    }
    Ok(())
}

fn first_task_config(connector: &dyn Connector, spec: &TaskSpec) -> Result<ConfigMap> {
    let context = ConnectorContext::new(spec.id.connector.clone());
    let mut running = connector.start(context, &spec.connector_config)?;
    let configs = running.task_configs(1);
    running.stop();
    configs?.into_iter().next().ok_or_else(|| {
        let id = ConnectorTaskId { connector: spec.id.connector.clone(), task: 0 };
        Error::fatal(format!("the connector has no work for a task {id}"))
    })
}

struct NoRebalances;

impl RebalanceListener for NoRebalances {
    fn assigned(&self, _: &Offsets) {}
    fn revoked(&self, _: &[TopicPartition]) {}
    fn lost(&self, _: &[TopicPartition]) {}
}
