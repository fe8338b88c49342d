//! A Java sink task, as the worker's.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tracing::warn;
use volley_api::{
    ConfigMap, Error, OffsetMetadata, Offsets, RawBatch, RejectedRow, Result, SinkBatch, SinkContext, SinkTask, Stage,
    TopicPartition,
};

use super::preparing::{Preparing, are_same, raw};
use super::put_frame;
use crate::callback::Asker;
use crate::frames::{Kind, Outgoing};
use crate::hosted_task::{HostedTask, NewTask, TaskError};
use crate::java_error;
use crate::runtime::JavaRuntime;
use crate::sink_requests::{self, each};

/// Batches whose put was not possible yet. The host has their records.
#[derive(Debug)]
struct Pending {
    batches: Vec<Arc<RawBatch>>,
    /// By batch. Told with the first try, and not again.
    rejected: Vec<Vec<RejectedRow>>,
}

impl Pending {
    fn is_of(&self, batches: &[SinkBatch]) -> bool {
        are_same(&self.batches, batches)
    }
}

/// A sink task in a process.
#[derive(Debug)]
pub(crate) struct JavaSinkTask {
    task: HostedTask,
    context: SinkContext,
    commit_interval: Duration,
    preparing: Preparing,
    pending: Option<Pending>,
    /// Whether something was put since the last commit: Kafka puts at every poll, be it nothing.
    has_put: bool,
    /// What the task has said beside the offsets of its last commit.
    metadata: OffsetMetadata,
    /// When the wait is over that the task has asked for.
    wake_at: Option<Instant>,
}

impl JavaSinkTask {
    /// Makes and starts one.
    ///
    /// # Errors
    /// If there is no process for it, or the plug-in fails.
    pub(crate) fn start(java: &JavaRuntime, context: SinkContext, config: &ConfigMap) -> Result<Self> {
        let watched = context.clone();
        let new = NewTask {
            connector: &context.connector,
            task: context.task,
            config,
            own_chain: context.own_chain(),
            asker: Asker::Sink(context.clone()),
            is_abandoned: Arc::new(move || watched.is_abandoned()),
        };
        let (mut task, _) = HostedTask::start(java, new)?;
        let second = task.take_second_lane().ok_or_else(|| Error::fatal("a sink task in Java has no second lane"))?;
        let commit_interval = context.own_chain().map_or(Duration::ZERO, |own_chain| own_chain.commit_interval);
        Ok(Self {
            task,
            context,
            commit_interval,
            preparing: Preparing::on(second),
            pending: None,
            has_put: false,
            metadata: OffsetMetadata::new(),
            wake_at: None,
        })
    }

    /// Calls the task, and carries out what it asks for in its answer.
    fn call(&mut self, request: Outgoing) -> std::result::Result<Value, TaskError> {
        let outcome = self.task.call(request);
        self.carry_out(&outcome);
        outcome
    }

    /// Calls the task with a put, and has what comes next prepared meanwhile.
    fn call_and_prepare(&mut self, request: Outgoing) -> std::result::Result<Value, TaskError> {
        self.task.send(request)?;
        let prepared = self.preparing.prepare_announced();
        let outcome = self.task.await_answer();
        self.carry_out(&outcome);
        prepared.and(outcome)
    }

    fn carry_out(&mut self, outcome: &std::result::Result<Value, TaskError>) {
        let answer = match outcome {
            Ok(answer) => Some(answer),
            Err(TaskError::Java(_, answer)) => Some(&**answer),
            Err(TaskError::Lost(_)) => None,
        };
        if let Some(answer) = answer {
            let requests = &answer["requests"];
            sink_requests::apply(requests, &self.context);
            if let Some(wait) = sink_requests::timeout(requests) {
                self.wake_at = Some(Instant::now() + wait);
            }
        }
    }

    fn put_or_put_again(&mut self, batches: &[SinkBatch]) -> std::result::Result<Value, TaskError> {
        match &self.pending {
            Some(pending) if pending.is_of(batches) => return self.call(Outgoing::new(Kind::PutAgain)),
            Some(_) => {
                self.pending = None;
                self.call(Outgoing::new(Kind::Drop))?;
            }
            None => {}
        }
        let request = self.preparing.put(batches)?;
        self.call_and_prepare(request)
    }

    /// How long to wait before the next try: as long as the task wants, else until the next commit, as in Kafka.
    fn wait(&mut self) {
        let wanted = self.wake_at.take().map(|at| at.saturating_duration_since(Instant::now()));
        self.context.timeout(wanted.unwrap_or(self.commit_interval));
    }

    /// Puts nothing: a task may do what depends on the clock.
    fn put_nothing(&mut self) -> Result<()> {
        self.wake_at = None;
        if self.pending.is_some() {
            return Ok(());
        }
        match self.call(put_frame::put(&[])) {
            Ok(_) => {}
            Err(TaskError::Java(error, _)) if error.is_retriable() => {
                warn!(target: "volley_jvm", error = error.trace(), "put of no records failed: it comes again");
            }
            Err(error) => return Err(error.into()),
        }
        self.has_put = true;
        Ok(())
    }

    /// The offsets of PRE_COMMIT's answer that may be committed.
    fn vouched(&mut self, answer: &Value, current: &Offsets) -> Offsets {
        let mut vouched = Offsets::new();
        for entry in each(&answer["offsets"]) {
            let (Some(partition), Some(offset)) = (sink_requests::partition(entry), entry["offset"].as_i64()) else {
                continue;
            };
            match current.get(&partition) {
                Some(reached) if offset <= *reached => {
                    if let Some(metadata) = entry["metadata"].as_str().filter(|metadata| !metadata.is_empty()) {
                        self.metadata.insert(partition.clone(), metadata.to_owned());
                    }
                    vouched.insert(partition, offset);
                }
                _ => {
                    let connector = &self.context.connector;
                    warn!(target: "volley_jvm", connector, %partition, offset, "offset ignored: not consumed yet");
                }
            }
        }
        vouched
    }
}

impl SinkTask for JavaSinkTask {
    fn put(&mut self, batch: &SinkBatch) -> Result<Vec<RejectedRow>> {
        Ok(self.put_together(std::slice::from_ref(batch))?.pop().unwrap_or_default())
    }

    fn put_together(&mut self, batches: &[SinkBatch]) -> Result<Vec<Vec<RejectedRow>>> {
        let outcome = self.put_or_put_again(batches);
        self.has_put = true;
        match outcome {
            Ok(answer) => {
                let told_before = self.pending.take().map(|pending| pending.rejected);
                let mut all = told_before.unwrap_or_else(|| none_rejected(batches));
                add_rejected(&mut all, &answer);
                Ok(all)
            }
            Err(TaskError::Java(error, answer)) if error.is_retriable() => {
                let pending = self
                    .pending
                    .get_or_insert_with(|| Pending { batches: raw(batches), rejected: none_rejected(batches) });
                add_rejected(&mut pending.rejected, &answer);
                self.wait();
                Err(error)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn announce(&mut self, next: &[SinkBatch]) {
        self.preparing.announce(next);
    }

    fn pre_commit(&mut self, current: &Offsets) -> Result<Offsets> {
        if !self.has_put {
            self.put_nothing()?;
        }
        self.has_put = false;
        match self.call(Outgoing::json(Kind::PreCommit, &offsets_json(current))) {
            Ok(answer) => Ok(self.vouched(&answer, current)),
            Err(TaskError::Java(error, _)) => {
                self.context.seek_to_committed();
                Err(Error::retriable("preCommit of the task failed: its records are read again from what is committed")
                    .with_source(error))
            }
            Err(TaskError::Lost(error)) => Err(error),
        }
    }

    fn offset_metadata(&mut self) -> OffsetMetadata {
        std::mem::take(&mut self.metadata)
    }

    fn stop(&mut self) {
        // its converters are closed behind this; what is wrong with the process the main lane tells
        let _ = self.preparing.await_converted();
        self.task.stop();
    }

    fn open(&mut self, partitions: &Offsets) -> Result<()> {
        self.call(Outgoing::json(Kind::Open, &offsets_json(partitions)))?;
        Ok(())
    }

    fn close(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        let partitions: Value =
            partitions.iter().map(|at| json!({ "topic": &*at.topic, "partition": at.partition })).collect();
        self.call(Outgoing::json(Kind::Close, &partitions))?;
        Ok(())
    }

    fn tick(&mut self) -> Result<()> {
        self.task.check()?;
        match self.wake_at {
            Some(at) if Instant::now() >= at => self.put_nothing(),
            _ => Ok(()),
        }
    }

    fn delivers_once(&self) -> bool {
        true
    }
}

fn offsets_json(offsets: &Offsets) -> Value {
    let entry = |(at, offset): (&TopicPartition, &i64)| json!({ "topic": &*at.topic, "partition": at.partition, "offset": offset });
    offsets.iter().map(entry).collect()
}

fn none_rejected(batches: &[SinkBatch]) -> Vec<Vec<RejectedRow>> {
    batches.iter().map(|_| Vec::new()).collect()
}

/// Adds the rejected rows of an answer to those of their batches.
fn add_rejected(batches: &mut [Vec<RejectedRow>], answer: &Value) {
    for rejected in each(&answer["rejected"]) {
        let batch = rejected["batch"].as_u64().and_then(|batch| batches.get_mut(usize::try_from(batch).ok()?));
        if let (Some(batch), Some(row)) = (batch, rejected_row(rejected)) {
            batch.push(row);
        }
    }
}

fn rejected_row(rejected: &Value) -> Option<RejectedRow> {
    Some(RejectedRow {
        row: usize::try_from(rejected["row"].as_u64()?).ok()?,
        stage: match rejected["stage"].as_str()? {
            "KEY_CONVERTER" => Stage::KeyConverter,
            "HEADER_CONVERTER" => Stage::HeaderConverter,
            "TRANSFORMATION" => Stage::Transformation,
            "TASK_PUT" => Stage::TaskPut,
            _ => Stage::ValueConverter,
        },
        class: rejected["class"].as_str().unwrap_or_default().to_owned(),
        error: java_error::from_json(&rejected["error"]),
    })
}
