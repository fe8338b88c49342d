//! The source task: `poll ─► transform chain ─► convert ─► produce ─► acknowledged in order ─► commit source offsets`.
//!
//! Polling and transforming run on the task's own thread. Converting and producing run on a second thread, which starts with
//! the first batch (`produce_thread`). A bounded channel of batches joins them. A task that has nothing to deliver is one thread
//! that waits.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tracing::{error, info, warn};
use volley_api::{
    Error, PluginFactory, Polled, Result, Side, SourceBatch, SourceContext, SourceTask, TransactionContext,
    TransactionEnd, TransactionEnds, WorkerPlugins,
};
use volley_kafka::{ClientRole, Producer, check_bootstrap_servers};

use crate::connector_config::TopicCreation;
use crate::connector_task_id::ConnectorTaskId;
use crate::metrics::TaskMetrics;
use crate::storage::StoredOffsetReader;
use crate::task::control::{Control, Wanted};
use crate::task::errors::error_handler::{ErrorHandler, Input};
use crate::task::source::idle_commits::IdleCommits;
use crate::task::source::idle_pacing::IdlePacing;
use crate::task::source::listener_thread::{Deliveries, ListenerThread};
use crate::task::source::polled_batch::PolledBatch;
use crate::task::source::produce::committed_offsets::CommittedOffsets;
use crate::task::source::produce::offset_commits::OffsetCommits;
use crate::task::source::produce::offset_committer::OffsetCommitter;
use crate::task::source::produce::produce_stage::{BatchToProduce, ProduceStage};
use crate::task::source::produce::record_producer::RecordProducer;
use crate::task::source::produce::record_serializer::{RecordConverters, RecordSerializer};
use crate::task::source::produce::topic_creator::{AdminProperties, TopicCreator};
use crate::task::source::produce::transactions::{Boundary, TransactionBoundary, Transactions};
use crate::task::source::produce_thread::{Close, ProduceThread};
use crate::task::source::take_over::take_over;
use crate::task::transform::row_order::in_row_order;
use crate::task::transform::transform_chain::TransformChain;
use crate::task::{TaskSpec, TaskState, panic_error, setup};

/// Longest wait of a task that has nothing to do until the desired state changes or the produce stage rings.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Runs a source task to its end.
pub(crate) fn run(spec: &TaskSpec, control: &Arc<Control>, metrics: &Arc<TaskMetrics>) -> Result<TaskState> {
    let PluginFactory::Source { task, .. } = &spec.plugin.factory else {
        return Err(Error::config(format!("`{}` is not a source connector", spec.plugin.class)));
    };
    let config = setup::framework_config(spec)?;
    let errors = Arc::new(setup::error_handler(spec, &config, control, metrics)?);
    let committed = Arc::new(CommittedOffsets::default());
    let mut produce = produce_stage(spec, control, metrics, &errors, &committed)?;
    let boundary = transaction_boundary(spec)?;
    produce.transactions =
        boundary.map(|boundary| Transactions::new(boundary, Arc::clone(&spec.offsets), Arc::clone(&committed)));
    let ends = (boundary == Some(TransactionBoundary::Connector)).then(TransactionContext::default);
    let own_chain = setup::own_chain(spec)?;
    let (chain, pacing) = match &own_chain {
        Some(_) => (TransformChain::default(), IdlePacing::eager()),
        None => (setup::transform_chain(spec, &config)?, IdlePacing::default()),
    };
    let (watched, configs) = (Arc::clone(control), Arc::clone(&spec.current_config));
    let mut context = SourceContext::new(spec.id.connector.clone(), spec.id.task)
        .with_offsets(Arc::new(StoredOffsetReader::new(Arc::clone(&spec.offsets), &spec.id.connector)))
        .with_metrics(metrics.of_plugin().clone())
        .with_plugins(WorkerPlugins::new(Arc::clone(&spec.plugins) as _))
        .with_configs(move || configs())
        .on_abandonment(move || watched.is_abandoned());
    if let Some(own_chain) = own_chain {
        context = context.with_own_chain(own_chain);
    }
    if let Some(ends) = &ends {
        context = context.with_transactions(ends.clone());
    }
    let started = start(control, || {
        if let Some(guard) = &spec.exactly_once {
            let Some(producer) = take_over(spec, &**guard, control)? else { return Ok(None) };
            produce.new_producer = producer;
        }
        task(context, &spec.task_config).map(Some)
    })?;
    let Some(mut task) = started.flatten() else { return Ok(TaskState::Unassigned) };
    let has_produced = Arc::default();
    let told = told(&mut *task, &mut produce, &committed, &has_produced)?;
    let source = SourceLoop {
        id: spec.id.clone(),
        task,
        chain,
        errors,
        control: Arc::clone(control),
        metrics: Arc::clone(metrics),
        told,
        has_produced,
        ends,
        produce: ProduceThread::new(produce),
        pacing,
    };
    source.run()
}

/// Who is told of a task's deliveries: its listener, on a thread of its own, or the task itself.
pub(crate) fn told(
    task: &mut dyn SourceTask,
    produce: &mut ProduceStage,
    committed: &Arc<CommittedOffsets>,
    has_produced: &Arc<AtomicBool>,
) -> Result<Told> {
    let Some(listener) = task.delivery_listener() else { return Ok(Told::Task(Arc::clone(committed))) };
    produce.commits.tell_all();
    produce.acknowledged = listener.wants_acknowledgements().then(Arc::default);
    let deliveries = Deliveries {
        id: produce.id.clone(),
        committed: Arc::clone(committed),
        acknowledged: produce.acknowledged.clone(),
        idle_commits: IdleCommits::every(produce.commits.interval()),
        has_produced: Arc::clone(has_produced),
    };
    let thread = ListenerThread::start(listener, deliveries, Arc::clone(&produce.control))?;
    Ok(Told::Listener { thread: Some(thread), of_batches: produce.acknowledged.is_some() })
}

/// What ends a transaction; `None` for a task that delivers at least once.
fn transaction_boundary(spec: &TaskSpec) -> Result<Option<TransactionBoundary>> {
    if spec.exactly_once.is_none() {
        return Ok(None);
    }
    TransactionBoundary::of(&spec.connector_config, spec.worker_config.offset_flush_interval()).map(Some)
}

/// Starts the task when it is not to be paused any more; `None` if it is to stop by then.
pub(crate) fn start<T>(control: &Control, new: impl FnOnce() -> Result<T>) -> Result<Option<T>> {
    if control.wanted() == Wanted::Paused {
        control.report(TaskState::Paused);
        control.wait_while_paused();
    }
    if control.is_stopping() {
        return Ok(None);
    }
    new().map(Some)
}

fn produce_stage(
    spec: &TaskSpec,
    control: &Arc<Control>,
    metrics: &Arc<TaskMetrics>,
    errors: &Arc<ErrorHandler>,
    committed: &Arc<CommittedOffsets>,
) -> Result<ProduceStage> {
    let worker = &spec.worker_config;
    let properties = worker.producer_properties(&spec.connector_config, &spec.id.connector, spec.id.task);
    Producer::check(&properties)?;
    Ok(ProduceStage {
        id: spec.id.clone(),
        serializer: serializer(spec)?,
        new_producer: Box::new(move || Ok(Box::new(Producer::connect(&properties)?) as Box<dyn RecordProducer>)),
        creator: topic_creator(spec)?.map(Arc::new),
        commits: OffsetCommits::new(
            spec.id.clone(),
            OffsetCommitter::new(
                spec.id.clone(),
                Arc::clone(&spec.offsets),
                Arc::clone(control),
                worker.offset_flush_timeout(),
            ),
            Arc::clone(committed),
            Arc::clone(control),
            Arc::clone(metrics),
            worker.offset_flush_interval(),
        ),
        transactions: None,
        acknowledged: None,
        errors: Arc::clone(errors),
        control: Arc::clone(control),
        metrics: Arc::clone(metrics),
        flush_timeout: worker.offset_flush_timeout(),
    })
}

fn serializer(spec: &TaskSpec) -> Result<RecordSerializer> {
    if setup::has_own_chain(spec) {
        return Ok(RecordSerializer::AsTheyAre);
    }
    Ok(RecordSerializer::Converters(Box::new(RecordConverters {
        key: setup::converter(spec, Side::Key)?,
        value: setup::converter(spec, Side::Value)?,
        header: spec.plugins.new_header_converter(&spec.connector_config, &spec.worker_config)?,
        header_class: setup::header_class(spec),
    })))
}

fn topic_creator(spec: &TaskSpec) -> Result<Option<TopicCreator>> {
    if !spec.worker_config.topic_creation_enabled() {
        return Ok(None);
    }
    let Some(creation) = TopicCreation::parse(&spec.connector_config)? else { return Ok(None) };
    let (connector, task) = (&spec.id.connector, spec.id.task);
    let properties = spec.worker_config.admin_properties(&spec.connector_config, connector, task);
    check_bootstrap_servers(&properties, ClientRole::Admin)?;
    Ok(Some(TopicCreator { id: spec.id.clone(), creation, admin: Box::new(AdminProperties(properties)) }))
}

/// What a source task works with.
pub(crate) struct SourceLoop {
    pub(crate) id: ConnectorTaskId,
    pub(crate) task: Box<dyn SourceTask>,
    pub(crate) chain: TransformChain,
    pub(crate) errors: Arc<ErrorHandler>,
    pub(crate) control: Arc<Control>,
    pub(crate) metrics: Arc<TaskMetrics>,
    pub(crate) told: Told,
    /// Whether the produce stage has been given a batch.
    pub(crate) has_produced: Arc<AtomicBool>,
    /// Set if the task says where its transactions end.
    pub(crate) ends: Option<TransactionContext>,
    pub(crate) produce: ProduceThread,
    pub(crate) pacing: IdlePacing,
}

/// Who is told of the commits of a task.
pub(crate) enum Told {
    /// The task, between two polls.
    Task(Arc<CommittedOffsets>),
    /// Its listener.
    Listener {
        /// `None` once all is told.
        thread: Option<ListenerThread>,
        /// Whether it is told of batches, too.
        of_batches: bool,
    },
}

/// Why polling ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// A stop, or the produce stage has ended and says why.
    Cut,
    /// The end of a bounded source.
    Finished,
}

impl SourceLoop {
    /// Runs the task until a stop, the end of a bounded source, or an error.
    pub(crate) fn run(mut self) -> Result<TaskState> {
        self.control.report(TaskState::Running);
        let outcome = self.deliver_all();
        self.task.stop();
        outcome
    }

    fn deliver_all(&mut self) -> Result<TaskState> {
        // what was delivered before a panic is committed too
        let polled =
            catch_unwind(AssertUnwindSafe(|| self.poll_all())).unwrap_or_else(|panic| Err(panic_error(&*panic)));
        // where both failed, the produce stage's failure is why polling ended
        let is_everything_delivered = self.end_produce(match &polled {
            Ok(End::Finished) => Close::Finished,
            Ok(End::Cut) => Close::Stopped,
            Err(_) => Close::Failed,
        })?;
        match polled? {
            End::Finished if is_everything_delivered => Ok(TaskState::Done),
            End::Finished | End::Cut => Ok(TaskState::Unassigned),
        }
    }

    fn poll_all(&mut self) -> Result<End> {
        loop {
            if self.produce.has_ended() {
                return Ok(End::Cut);
            }
            let wanted = self.control.wanted();
            match wanted {
                // first comes what it has read
                _ if self.task.is_polling() => {}
                Wanted::Stopped { .. } => return Ok(End::Cut),
                Wanted::Paused => {
                    self.wait_while_paused();
                    continue;
                }
                Wanted::Running => {}
            }
            self.tell_commits();
            if let Some(end) = self.poll_once(wanted)? {
                return Ok(end);
            }
        }
    }

    fn poll_once(&mut self, wanted: Wanted) -> Result<Option<End>> {
        let asked = Instant::now();
        match self.task.poll(self.pacing.poll()) {
            Ok(Polled::Batches(batches)) if !batches.is_empty() => {
                self.pacing.found();
                self.metrics.called(asked.elapsed());
                let ends = self.take_ends();
                for (number, batch) in batches.into_iter().enumerate() {
                    if !self.transform_and_send(batch)? {
                        return Ok(Some(End::Cut));
                    }
                    self.mark_end(ends.behind_batches.get(&number).copied());
                }
                self.produce.mark(Boundary::Poll);
                self.mark_end(ends.behind_poll);
            }
            Ok(Polled::Batches(_) | Polled::Idle) => {
                self.mark_end(self.take_ends().behind_poll);
                let wait = self.pacing.found_nothing(asked.elapsed());
                self.control.wait_for_ring(wanted, wait);
            }
            Ok(Polled::IdleFor(wait)) => {
                self.mark_end(self.take_ends().behind_poll);
                self.control.wait_for_ring(wanted, wait);
            }
            Ok(Polled::Finished) => {
                self.mark_end(self.take_ends().behind_poll);
                info!(task = %self.id, "end of the bounded source");
                return Ok(Some(End::Finished));
            }
            Err(error) if error.is_retriable() => {
                warn!(task = %self.id, %error, "poll failed, trying again");
                let wait = self.pacing.failed();
                self.control.wait_for_ring(wanted, wait);
            }
            Err(error) => return Err(error),
        }
        Ok(None)
    }

    fn take_ends(&self) -> TransactionEnds {
        self.ends.as_ref().map(TransactionContext::take_ends).unwrap_or_default()
    }

    /// A transaction ends behind what was sent, if the task says so.
    fn mark_end(&self, end: Option<TransactionEnd>) {
        if let Some(end) = end {
            self.produce.mark(Boundary::Task(end));
        }
    }

    /// Nothing is polled meanwhile. What is in flight is delivered and committed, and the task is told of it.
    fn wait_while_paused(&mut self) {
        self.control.report(TaskState::Paused);
        self.produce.mark(Boundary::Pause);
        while self.control.wanted() == Wanted::Paused && !self.produce.has_ended() {
            self.tell_commits();
            self.control.wait_for_ring(Wanted::Paused, LONGEST_WAIT);
        }
        if self.control.wanted() == Wanted::Running && !self.produce.has_ended() {
            self.control.report(TaskState::Running);
        }
    }

    /// Tells the task which offsets are committed, unless its listener is told.
    fn tell_commits(&mut self) {
        let Told::Task(committed) = &self.told else { return };
        let Some(offsets) = committed.take() else { return };
        let told = catch_unwind(AssertUnwindSafe(|| self.task.commit(&offsets)));
        if let Err(error) = told.unwrap_or_else(|panic| Err(panic_error(&*panic))) {
            error!(task = %self.id, error = %error.trace(), "the task failed in commit; the offsets are committed anyway");
        }
    }

    /// Transforms a batch and sends the rows that are left to the produce stage. Returns `false` if the stage has ended.
    fn transform_and_send(&mut self, batch: SourceBatch) -> Result<bool> {
        let polled = Arc::new(PolledBatch::new(&batch, self.errors.needs_records()));
        let records = batch.records;
        self.metrics.batch_in(records.len());
        let only_moves_offset = records.is_empty();
        let transformed = self.chain.apply(vec![records], &self.errors)?;
        self.errors.handle(Input::Polled(&polled), transformed.rejected)?;
        // who is told of batches is told of those that were filtered too
        let tells_of_batches = matches!(self.told, Told::Listener { of_batches: true, .. });
        if transformed.records.is_empty() && !only_moves_offset && !tells_of_batches {
            return Ok(true);
        }
        let records = in_row_order(transformed.records)?;
        let batch = BatchToProduce { records, polled, only_moves_offset };
        self.has_produced.store(true, Ordering::Release);
        self.produce.send(batch)
    }

    /// Waits for the produce stage to deliver and commit what it can. Returns whether that is everything.
    fn end_produce(&mut self, reason: Close) -> Result<bool> {
        self.produce.close(reason);
        while self.produce.is_running() {
            self.control.wait_for_ring(self.control.wanted(), LONGEST_WAIT);
            self.tell_commits();
        }
        let outcome = self.produce.join();
        match &mut self.told {
            Told::Task(_) => self.tell_commits(),
            Told::Listener { thread, .. } => thread.take().into_iter().for_each(ListenerThread::end),
        }
        outcome
    }
}
