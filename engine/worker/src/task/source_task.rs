//! The source task: `poll ─► transform chain ─► convert ─► produce ─► acknowledged in order ─► commit source offsets`.
//!
//! Polling and transforming run on the task's own thread, converting and producing on a second one; a bounded channel of
//! batches joins them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};
use tracing::{info, warn};
use volley_api::{
    Error, PluginFactory, Polled, Result, Side, SourceBatch, SourceContext, SourceOffset, SourcePartition, SourceTask,
};
use volley_kafka::Producer;

use crate::task::acknowledgements::Acknowledgements;
use crate::task::control::{Control, Wanted};
use crate::task::error_handler::{ErrorHandler, Input};
use crate::task::pipeline::STAGE_CAPACITY;
use crate::task::produce_stage::{ProduceStage, ToProduce};
use crate::task::transform_chain::TransformChain;
use crate::task::{ConnectorTaskId, TaskProgress, TaskSpec, TaskState, panic_error, setup};

/// Longest wait of one poll; what is wanted of the task is looked at in between.
const POLL: Duration = Duration::from_millis(100);
/// Wait after a retriable error of a poll.
const POLL_RETRY_DELAY: Duration = Duration::from_millis(100);
/// Commits the poll thread may be behind with telling its task of; more are joined.
const COMMITS: usize = 16;

/// What a source task works with.
struct SourceLoop {
    pub(crate) id: ConnectorTaskId,
    pub(crate) task: Box<dyn SourceTask>,
    pub(crate) chain: TransformChain,
    pub(crate) errors: Arc<ErrorHandler>,
    pub(crate) control: Arc<Control>,
    pub(crate) progress: Arc<TaskProgress>,
}

/// Runs a source task to its end.
pub(crate) fn run(spec: &TaskSpec, control: &Arc<Control>, progress: &Arc<TaskProgress>) -> Result<TaskState> {
    let PluginFactory::Source { task, .. } = &spec.plugin.factory else {
        return Err(Error::config(format!("`{}` is not a source connector", spec.plugin.class)));
    };
    let config = setup::framework_config(spec)?;
    let errors = Arc::new(setup::error_handler(spec, &config, progress)?);
    let worker = &spec.worker_config;
    let properties = worker.producer_properties(&spec.connector_config, &spec.id.connector, spec.id.task);
    let produce = ProduceStage {
        id: spec.id.clone(),
        key: setup::converter(spec, Side::Key)?,
        value: setup::converter(spec, Side::Value)?,
        header: spec.plugins.new_header_converter(&spec.connector_config, worker)?,
        header_class: "HeaderConverter".to_owned(),
        producer: Producer::connect(&properties)?,
        offsets: Arc::clone(&spec.offsets),
        errors: Arc::clone(&errors),
        control: Arc::clone(control),
        progress: Arc::clone(progress),
        commit_interval: worker.offset_flush_interval(),
        acknowledgements: Acknowledgements::default(),
    };
    let (offsets, connector) = (Arc::clone(&spec.offsets), spec.id.connector.clone());
    let context = SourceContext {
        connector: spec.id.connector.clone(),
        task: spec.id.task,
        offset: Arc::new(move |partition| offsets.get(&connector, partition)),
    };
    let mut source = SourceLoop {
        id: spec.id.clone(),
        task: task(),
        chain: setup::transform_chain(spec, &config)?,
        errors,
        control: Arc::clone(control),
        progress: Arc::clone(progress),
    };
    source.run(context, &spec.task_config, produce)
}

/// Offsets that have been committed, for the task to know.
pub(crate) type Commits = Vec<(SourcePartition, SourceOffset)>;

impl SourceLoop {
    /// Starts the task and runs it until a stop, the end of a bounded source, or an error.
    pub(crate) fn run(
        &mut self,
        context: SourceContext,
        config: &volley_api::ConfigMap,
        produce: ProduceStage,
    ) -> Result<TaskState> {
        if matches!(self.control.wanted(), Wanted::Paused) {
            self.control.report(TaskState::Paused);
            self.control.wait_while_paused();
        }
        if self.control.is_stopping() {
            return Ok(TaskState::Unassigned);
        }
        let outcome = self.task.start(context, config).and_then(|()| {
            self.control.report(TaskState::Running);
            self.run_stages(produce)
        });
        self.task.stop();
        outcome
    }

    fn run_stages(&mut self, mut produce: ProduceStage) -> Result<TaskState> {
        let (output, input) = crossbeam_channel::bounded(STAGE_CAPACITY);
        let (committed, commits) = crossbeam_channel::bounded(COMMITS);
        let name = format!("produce-{}", self.id);
        let thread = std::thread::Builder::new()
            .name(name)
            .spawn(move || produce.run(&input, &committed))
            .map_err(|error| Error::fatal("could not start a thread").with_source(error))?;
        let polled = self.poll_all(&output, &commits);
        drop(output);
        while let Ok(offsets) = commits.recv() {
            self.task.commit(&offsets)?;
        }
        let produced = thread.join().unwrap_or_else(|panic| Err(panic_error(&*panic)));
        // where both failed, the producer's failure is why polling ended
        let is_everything_delivered = produced?;
        let state = polled?;
        if state == TaskState::Done && !is_everything_delivered {
            return Ok(TaskState::Unassigned);
        }
        Ok(state)
    }

    fn poll_all(&mut self, output: &Sender<ToProduce>, commits: &Receiver<Commits>) -> Result<TaskState> {
        loop {
            match self.control.wanted() {
                Wanted::Stopped { .. } => return Ok(TaskState::Unassigned),
                Wanted::Paused => {
                    self.control.report(TaskState::Paused);
                    self.control.wait_while_paused();
                    if !self.control.is_stopping() {
                        self.control.report(TaskState::Running);
                    }
                    continue;
                }
                Wanted::Running => {}
            }
            for offsets in commits.try_iter() {
                self.task.commit(&offsets)?;
            }
            match self.task.poll(POLL) {
                Ok(Polled::Batches(batches)) => {
                    for batch in batches {
                        if !self.pass_on(batch, output)? {
                            // the produce stage is gone and says why
                            return Ok(TaskState::Unassigned);
                        }
                    }
                }
                Ok(Polled::Idle) => {}
                Ok(Polled::Finished) => {
                    info!(task = %self.id, "end of the bounded source");
                    return Ok(TaskState::Done);
                }
                Err(error) if error.is_retriable() => {
                    warn!(task = %self.id, %error, "poll failed, trying again");
                    self.control.wait(POLL_RETRY_DELAY);
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn pass_on(&mut self, batch: SourceBatch, output: &Sender<ToProduce>) -> Result<bool> {
        let SourceBatch { records, partition, offset } = batch;
        self.progress.rows_in.fetch_add(records.len() as u64, Ordering::Relaxed);
        let topic = Arc::clone(&records.topic);
        let control = Arc::clone(&self.control);
        let records = if records.is_empty() { Vec::new() } else { vec![records] };
        let transformed =
            self.errors.with_retries(&move || control.is_stopping(), || self.chain.apply(records.clone()))?;
        self.errors.handle(Input::Polled(&topic), transformed.rejected)?;
        Ok(output.send(ToProduce { records: transformed.records, partition, offset }).is_ok())
    }
}
