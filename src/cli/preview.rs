//! `volley preview`

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use volley_api::{ConnectorKind, Plugin, PluginKind, Records};
use volley_java::read_properties;
use volley_worker::connector_file::read_connector_file;
use volley_worker::connector_task_id::ConnectorTaskId;
use volley_worker::memory_budget::MemoryBudget;
use volley_worker::metrics::TaskMetrics;
use volley_worker::storage::MemoryOffsetBackingStore;
use volley_worker::task::{PreviewLimits, PreviewStage, StatusListener, TaskSpec, TaskState, preview};
use volley_worker::worker_config::WorkerConfig;
use volley_worker::worker_file::WorkerFile;

use super::Failure;
use super::connector_class::check_class;
use super::output::say;
use super::records_text::{printable, records_text};
use crate::java_plugins::with_java_config_providers;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The worker's configuration
    worker: PathBuf,
    /// The connector
    connector: PathBuf,
    /// Number of rows to look at
    #[arg(long, default_value_t = 10)]
    rows: usize,
    /// Seconds to wait for them
    #[arg(long, default_value_t = 30)]
    timeout: u64,
}

pub(super) fn run(arguments: &Arguments, plugins: Vec<Plugin>) -> Result<(), Failure> {
    let spec = spec(arguments, plugins)?;
    let limits = PreviewLimits { rows: arguments.rows, timeout: Duration::from_secs(arguments.timeout) };
    let preview = preview(&spec, limits).map_err(|error| Failure::connector(anyhow::anyhow!(error.trace())))?;
    for stage in &preview.stages {
        print(stage).map_err(Failure::connector)?;
    }
    for line in &preview.outcome {
        say!("{}", printable(line));
    }
    say!("nothing was written or committed");
    Ok(())
}

fn spec(arguments: &Arguments, plugins: Vec<Plugin>) -> Result<TaskSpec, Failure> {
    let properties = read_properties(&arguments.worker).map_err(Failure::worker)?;
    let offered = with_java_config_providers(plugins, Some(&arguments.worker));
    let opened = WorkerFile::open(properties, offered).map_err(Failure::worker)?;
    let WorkerFile { properties, transformer, plugins } = opened;
    let plugins = Arc::new(plugins);
    let worker_config = Arc::new(WorkerConfig::of_either_mode(properties).map_err(Failure::worker)?);
    let connector = read_connector_file(&arguments.connector).map_err(Failure::connector)?;
    check_class(&plugins, &connector.config.values, &arguments.connector)?;
    let raw = connector.config.values;
    let config = transformer.resolve(&raw).map_err(Failure::connector)?;
    let class = config.get("connector.class").cloned().unwrap_or_default();
    let plugin = plugins.find_connector(class.trim()).map_err(Failure::connector)?.clone();
    let kind = if plugin.kind() == PluginKind::Sink { ConnectorKind::Sink } else { ConnectorKind::Source };
    Ok(TaskSpec {
        exactly_once: None,
        id: ConnectorTaskId { connector: connector.name, task: 0 },
        kind,
        plugin,
        task_config: config.clone(),
        current_config: Arc::new(move || transformer.resolve(&raw)),
        connector_config: config,
        budget: Arc::new(MemoryBudget::new(worker_config.memory_budget_bytes())),
        worker_config,
        plugins,
        offsets: Arc::new(MemoryOffsetBackingStore::new()),
        bounded: None,
        paused: false,
        metrics: TaskMetrics::alone(kind),
        listener: Arc::new(Nobody),
    })
}

struct Nobody;

impl StatusListener for Nobody {
    fn task_changed(&self, _: &ConnectorTaskId, _: TaskState) {}
}

fn print(stage: &PreviewStage) -> volley_api::Result<()> {
    let rows: usize = stage.records.iter().map(Records::len).sum();
    say!("== after {}: {rows} rows, {} rejected", stage.name, stage.rejected.len());
    for records in &stage.records {
        say!("-- topic {}", records.topic);
        say!("{}", records_text(records)?);
    }
    for rejected in &stage.rejected {
        let error = format!("{:#}", rejected.error);
        say!("rejected row {}: {} ({})", rejected.row, printable(&error), rejected.stage);
    }
    say!();
    Ok(())
}
