//! The sink task: `fetch ─► convert ─► transform chain ─► put ─► (flush / pre-commit) ─► commit offsets`.
//!
//! Fetching runs on the task's own thread, putting on one, and converting on one while there is something to convert.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use volley_api::{
    Config, Connector, Error, OffsetMetadata, Offsets, PluginFactory, Result, Side, SinkContext, SinkTask, TakeReport,
    WorkerPlugins,
};
use volley_kafka::Fetcher;

use crate::metrics::TaskMetrics;
use crate::task::control::{Control, Wanted};
use crate::task::errors::error_handler::ErrorHandler;
use crate::task::sink::convert_stage::ConvertStage;
use crate::task::sink::converting::converting;
use crate::task::sink::downstream::Downstream;
use crate::task::sink::fetch_stage::FetchStage;
use crate::task::sink::pipeline::{MESSAGES_CAPACITY, STAGE_CAPACITY};
use crate::task::sink::put::put_stage::{Outcome, PutStage, unrecoverable};
use crate::task::sink::rebalances::PipelineRebalances;
use crate::task::sink::shared_state::SharedState;
use crate::task::sink::sink_chain::SinkChain;
use crate::task::sink::task_group::TaskGroup;
use crate::task::{TaskSpec, TaskState, panic_error, setup};

/// Runs a sink task to its end.
pub(crate) fn run(spec: &TaskSpec, control: &Arc<Control>, metrics: &Arc<TaskMetrics>) -> Result<TaskState> {
    let PluginFactory::Sink { task, connector } = &spec.plugin.factory else {
        return Err(Error::config(format!("`{}` is not a sink connector", spec.plugin.class)));
    };
    let config = setup::framework_config(spec)?;
    let errors = Arc::new(setup::error_handler(spec, &config, control, metrics)?);
    let own_chain = setup::own_chain(spec)?;
    let chain = match &own_chain {
        Some(_) => SinkChain::OfTask(Arc::clone(control)),
        None => SinkChain::OfWorker(Box::new(convert_stage(spec, &config, &**connector, &errors, control)?)),
    };
    if control.wanted() == Wanted::Paused {
        control.report(TaskState::Paused);
        control.wait_while_paused();
    }
    if control.is_stopping() {
        return Ok(TaskState::Unassigned);
    }
    let settings = setup::fetch_settings(spec, &config, own_chain.as_ref());
    let budget = Arc::clone(&spec.budget);
    let shared =
        SharedState::new(spec.id.clone(), Arc::clone(control), Arc::clone(metrics), budget, spec.bounded.clone());
    let group = Arc::new(TaskGroup::new(Arc::clone(&shared.revocation)));
    let (watched, reports) = (Arc::clone(control), Arc::clone(&errors) as Arc<dyn TakeReport>);
    let configs = Arc::clone(&spec.current_config);
    let mut context = SinkContext::new(spec.id.connector.clone(), spec.id.task)
        .with_metrics(metrics.of_plugin().clone())
        .with_plugins(WorkerPlugins::new(Arc::clone(&spec.plugins) as _))
        .with_reports(reports)
        .with_configs(move || configs())
        .with_group(Arc::clone(&group) as _)
        .on_abandonment(move || watched.is_abandoned());
    if let Some(own_chain) = own_chain {
        context = context.with_own_chain(own_chain);
    }
    let mut task = start(spec, control, || task(context.clone(), &spec.task_config))?;
    control.report(TaskState::Running);

    let capacity = if context.own_chain().is_some() { MESSAGES_CAPACITY } else { STAGE_CAPACITY };
    let (prepared, to_put) = crossbeam_channel::bounded(capacity);
    let (fetched, convert_thread) = converting(format!("convert-{}", spec.id), chain, prepared, capacity);
    let downstream = Downstream::new(control);
    let rebalances = PipelineRebalances {
        id: spec.id.clone(),
        output: fetched.clone(),
        downstream: downstream.clone(),
        group: Arc::clone(&group),
        revocation: Arc::clone(&shared.revocation),
        assignment: Arc::clone(&shared.assignment),
        generations: Arc::clone(&shared.generations),
    };
    let properties = spec.worker_config.consumer_properties(&spec.connector_config, &spec.id.connector, spec.id.task);
    let fetcher = settings.and_then(|settings| Fetcher::connect(&properties, settings, Arc::new(rebalances)));
    let mut fetcher = fetcher.inspect_err(|_| task.stop())?;
    if let Some(starts) = spec.bounded.as_ref().and_then(|bounded| bounded.start_places()) {
        fetcher.start_at(starts);
    }
    let committer = fetcher.committer();
    group.consumes(committer.clone());
    let commit_offsets =
        Box::new(move |offsets: &Offsets, metadata: &OffsetMetadata| committer.commit_with_metadata(offsets, metadata));
    let interval = spec.worker_config.offset_flush_interval();
    let mut put = PutStage::new(shared.clone(), (task, context), commit_offsets, errors, interval);
    let mut fetch = FetchStage::new(shared, fetcher, downstream.clone());
    let putting = spawn(format!("put-{}", spec.id), move || {
        let ends = downstream.ends_put();
        let outcome = put.run(&to_put);
        put.stop_task();
        drop(to_put);
        drop(ends);
        outcome
    })?;
    let fetching = fetch.run(fetched);
    // Leaves the group, also where a plug-in hangs for ever, and ends the convert stage, which waits for its sender.
    drop(fetch);
    let convert_thread = convert_thread.end();
    let outcome = join(putting).unwrap_or_else(|panic| Err(unrecoverable(panic)));
    let converted = convert_thread.join();
    match outcome {
        Ok(Outcome::Done) => Ok(TaskState::Done),
        Ok(Outcome::Stopped) => fetching.and(converted).map(|()| TaskState::Unassigned),
        Err(error) => Err(error),
    }
}

/// The worker's converters and transformations.
fn convert_stage(
    spec: &TaskSpec,
    config: &Config,
    connector: &dyn Connector,
    errors: &Arc<ErrorHandler>,
    control: &Arc<Control>,
) -> Result<ConvertStage> {
    let mut value = setup::converter(spec, Side::Value)?;
    let is_transformed = config.list("transforms").iter().any(|alias| !alias.is_empty());
    if !is_transformed && connector.takes_json_text(&spec.connector_config) {
        value.converter.allow_json_text();
    }
    Ok(ConvertStage {
        key: setup::converter(spec, Side::Key)?,
        value,
        header: spec.plugins.new_header_converter(&spec.connector_config, &spec.worker_config)?,
        header_class: setup::header_class(spec),
        chain: setup::transform_chain(spec, config)?,
        errors: Arc::clone(errors),
        control: Arc::clone(control),
    })
}

/// Starts the task, again and again while it says that a retry may help.
fn start(spec: &TaskSpec, control: &Control, new: impl Fn() -> Result<Box<dyn SinkTask>>) -> Result<Box<dyn SinkTask>> {
    let mut delay = Duration::from_millis(500);
    loop {
        match new() {
            Err(error) if error.is_retriable() && !control.is_stopping() => {
                tracing::warn!(task = %spec.id, %error, "the sink could not start, trying again");
                control.wait(delay);
                delay = (delay * 2).min(Duration::from_secs(30));
            }
            outcome => return outcome,
        }
    }
}

fn spawn<T: Send + 'static>(
    name: String,
    body: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<JoinHandle<Result<T>>> {
    let thread = std::thread::Builder::new().name(name).spawn(body);
    thread.map_err(|error| Error::fatal("could not start a thread").with_source(error))
}

/// What the thread came to; the outer error is that of a panic.
fn join<T>(thread: JoinHandle<Result<T>>) -> Result<Result<T>> {
    thread.join().map_err(|panic| panic_error(&*panic))
}
