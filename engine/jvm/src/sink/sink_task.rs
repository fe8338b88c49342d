//! A Java sink task, as the worker's.

use std::sync::Arc;

use serde_json::{Value, json};
use tracing::warn;
use volley_api::{
    ConfigMap, Error, OffsetMetadata, Offsets, RejectedRow, Result, SinkBatch, SinkContext, SinkTask, Stage,
    TopicPartition,
};

use super::preparing::Preparing;
use super::put_frame;
use super::puts::Puts;
use crate::callback::Asker;
use crate::frames::{FrameError, Kind, Outgoing};
use crate::hosted_task::{HostedTask, NewTask, TaskError};
use crate::java_error;
use crate::runtime::JavaRuntime;
use crate::sink_requests::{self, SinkRequests, each};

/// What the host has been given to put.
#[derive(Debug)]
struct Pending {
    puts: Puts,
    /// By batch. Told with the first answer, and not again.
    rejected: Vec<Vec<RejectedRow>>,
    /// Why the first of the puts failed, behind others that did not.
    failure: Option<Error>,
}

/// A sink task in a process.
#[derive(Debug)]
pub(crate) struct JavaSinkTask {
    task: HostedTask,
    context: SinkContext,
    pub(super) requests: Arc<SinkRequests>,
    /// What the plug-in's `put` is called with has up to so many rows.
    rows_of_a_put: usize,
    preparing: Preparing,
    pending: Option<Pending>,
    /// What the task has said beside the offsets of its last commit.
    metadata: OffsetMetadata,
}

impl JavaSinkTask {
    /// Makes and starts one.
    ///
    /// # Errors
    /// If there is no process for it, or the plug-in fails.
    pub(crate) fn start(java: &JavaRuntime, context: SinkContext, config: &ConfigMap) -> Result<Self> {
        let watched = context.clone();
        let requests = Arc::<SinkRequests>::default();
        let new = NewTask {
            connector: &context.connector,
            task: context.task,
            config,
            own_chain: context.own_chain(),
            asker: Asker::Sink(context.clone(), Arc::clone(&requests)),
            is_abandoned: Arc::new(move || watched.is_abandoned()),
        };
        let (mut task, _) = HostedTask::start(java, new)?;
        let second = task.take_second_lane().ok_or_else(|| Error::fatal("a sink task in Java has no second lane"))?;
        let rows_of_a_put = context.own_chain().map_or(0, |own_chain| own_chain.max_poll_records);
        Ok(Self {
            task,
            context,
            requests,
            rows_of_a_put,
            preparing: Preparing::on(second),
            pending: None,
            metadata: OffsetMetadata::new(),
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
            self.requests.apply(&answer["requests"], &self.context);
        }
    }

    /// Puts what is pending of these batches, or these instead of what is pending.
    fn put_or_put_again(&mut self, batches: &[SinkBatch]) -> std::result::Result<Value, TaskError> {
        // as in Kafka, a wait is for one call
        self.requests.take_wait();
        match self.pending.take() {
            Some(pending) if pending.puts.are_of(batches) => {
                self.pending = Some(pending);
                return self.call_and_prepare(Outgoing::new(Kind::PutAgain));
            }
            Some(_) => {
                self.call(Outgoing::new(Kind::Drop))?;
            }
            None => {}
        }
        let puts = Puts::of(batches, self.rows_of_a_put);
        let request = self.preparing.put(batches, &puts)?;
        self.pending = Some(Pending { puts, rejected: batches.iter().map(|_| Vec::new()).collect(), failure: None });
        self.call_and_prepare(request)
    }

    /// The failure that was behind puts which did not fail, where it is that of these batches; one that is final in any case.
    fn failure_of(&mut self, batches: &[SinkBatch]) -> Option<Error> {
        let pending = self.pending.as_mut()?;
        let failure = pending.failure.take()?;
        (!failure.is_retriable() || pending.puts.are_of(batches)).then_some(failure)
    }

    /// Notes that `puts` of what is pending are done. Gives the rejected rows of their batches.
    fn done(&mut self, puts: usize) -> Vec<Vec<RejectedRow>> {
        let Some(pending) = &mut self.pending else { return Vec::new() };
        let batches = pending.puts.done(puts);
        let rejected = pending.rejected.drain(..batches).collect();
        if pending.puts.is_empty() {
            self.pending = None;
        }
        rejected
    }

    /// Takes the rejected rows from the answer to a put, and gives how many puts are done: unless it says so, all of them or, where
    /// it failed, none.
    fn take_answer(&mut self, answer: &Value, has_failed: bool) -> std::result::Result<usize, FrameError> {
        let Some(pending) = &mut self.pending else { return Ok(0) };
        add_rejected(&mut pending.rejected, answer);
        let all = pending.puts.len();
        let done = answer["put"]
            .as_u64()
            .map_or(if has_failed { 0 } else { all }, |put| usize::try_from(put).unwrap_or(usize::MAX));
        // what failed is not done, and what did not has done something
        if done < usize::from(!has_failed) || done > all - usize::from(has_failed) {
            let kind = if has_failed { Kind::Failed } else { Kind::Done };
            return Err(FrameError::Body(kind, format!("{done} of {all} puts are done")));
        }
        Ok(done)
    }

    /// Says how long to wait before the next try, where the task has said so.
    fn failed(&mut self, error: Error) -> Error {
        if error.is_retriable()
            && let Some(wait) = self.requests.take_wait()
        {
            self.context.timeout(wait);
        }
        error
    }

    /// Puts nothing: a task may do what depends on the clock.
    fn put_nothing(&mut self) -> Result<()> {
        if self.pending.is_some() {
            return Ok(());
        }
        self.requests.take_wait();
        match self.call(put_frame::put(&Puts::of_nothing())) {
            Ok(_) => {}
            Err(TaskError::Java(error, _)) if error.is_retriable() => {
                warn!(target: "volley_jvm", error = error.trace(), "put of no records failed: it comes again");
            }
            Err(error) => return Err(error.into()),
        }
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
        if let Some(failure) = self.failure_of(batches) {
            return Err(self.failed(failure));
        }
        let outcome = self.put_or_put_again(batches);
        let (answer, failure) = match outcome {
            Ok(answer) => (answer, None),
            Err(TaskError::Java(error, answer)) => (*answer, Some(error)),
            Err(TaskError::Lost(error)) => return Err(error),
        };
        let done = match self.take_answer(&answer, failure.is_some()) {
            Ok(done) => done,
            Err(error) => return Err(self.task.broken(error).into()),
        };
        match failure {
            Some(failure) if done == 0 => Err(self.failed(failure)),
            failure => {
                let rejected = self.done(done);
                if let Some(pending) = &mut self.pending {
                    pending.failure = failure;
                }
                Ok(rejected)
            }
        }
    }

    fn withdrawn(&mut self) -> Result<()> {
        let Some(pending) = self.pending.take() else { return Ok(()) };
        match pending.failure {
            Some(failure) if failure.is_retriable() => {
                warn!(target: "volley_jvm", error = failure.trace(), "put failed: its records are read again");
            }
            Some(failure) => return Err(failure),
            None => {}
        }
        self.call(Outgoing::new(Kind::Drop))?;
        // in Kafka the task would be given the records again, though its partitions are paused: it may resume them then
        self.requests.wake();
        Ok(())
    }

    fn announce(&mut self, next: &[SinkBatch]) {
        self.preparing.announce(next, self.rows_of_a_put);
    }

    fn pre_commit(&mut self, current: &Offsets) -> Result<Offsets> {
        // Kafka polls, and puts what there is, right before each commit of an interval
        self.put_nothing()?;
        // Kafka asks nothing of a task without partitions: it might not expect that
        if current.is_empty() {
            return Ok(Offsets::new());
        }
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
        match self.call(Outgoing::json(Kind::Open, &offsets_json(partitions))) {
            Ok(_) => Ok(()),
            // not tried again, as in Kafka
            Err(TaskError::Java(error, _)) if error.is_retriable() => {
                Err(Error::fatal("open of the task failed").with_source(error))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn close(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        let partitions: Value =
            partitions.iter().map(|at| json!({ "topic": &*at.topic, "partition": at.partition })).collect();
        self.call(Outgoing::json(Kind::Close, &partitions))?;
        Ok(())
    }

    fn tick(&mut self) -> Result<()> {
        self.task.check()?;
        match self.requests.take_end_of_wait() {
            true => self.put_nothing(),
            false => Ok(()),
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
