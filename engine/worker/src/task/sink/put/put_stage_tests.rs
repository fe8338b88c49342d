//! Laws of the put stage.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};
use volley_api::testing::{config_map, raw_batch};
use volley_api::{
    ConnectorKind, Error, OffsetMetadata, Offsets, RejectedRow, Result, SinkBatch, SinkContext, SinkTask,
    TopicPartition,
};

use crate::connector_config::framework_config_def;
use crate::connector_task_id::ConnectorTaskId;
use crate::memory_budget::MemoryBudget;
use crate::metrics::TaskMetrics;
use crate::task::control::Control;
use crate::task::errors::error_handler::ErrorHandler;
use crate::task::sink::bounded::own_deliveries::OwnDeliveries;
use crate::task::sink::partition_pauses::PartitionPauses;
use crate::task::sink::pipeline::{FetchedBatch, Prepared, Rewinds, Signal};
use crate::task::sink::put::put_stage::{Outcome, PutStage};
use crate::task::sink::shared_state::SharedState;
use crate::task::{BoundedRun, StatusListener, TaskState};

/// More than any test sends before the stage runs.
const CAPACITY: usize = 64;

/// What a sink is told to do, and what it was asked.
#[derive(Default)]
pub(super) struct Script {
    pub(super) calls: Vec<&'static str>,
    pub(super) delivers_once: bool,
    /// Outcomes of the next calls; after these all succeed.
    pub(super) puts: VecDeque<Result<()>>,
    /// How many of the batches that are to be put together are left by the next calls.
    pub(super) leaves: VecDeque<usize>,
    pub(super) withdrawals: VecDeque<Result<()>>,
    flushes: VecDeque<Result<()>>,
    pub(super) pre_commits: VecDeque<Result<()>>,
    /// What `pre_commit` was called with.
    pub(super) asked: Vec<Offsets>,
    pub(super) closes: VecDeque<Result<()>>,
    /// What to ask for in the next put that succeeds.
    pub(super) rewinds: Vec<i64>,
    /// Whether the task is given up during the next put.
    abandons: bool,
    /// What to ask for in the next calls of `put` and `pre_commit`, whether they succeed or not.
    pub(super) in_put: VecDeque<Ask>,
    pub(super) in_pre_commit: VecDeque<Ask>,
    /// What the task saw of its assignment in `open` and `close`.
    assignments: Vec<Vec<TopicPartition>>,
    pub(super) put_at: Vec<Instant>,
    seek_in_close: Option<i64>,
}

/// Asks something of the worker, with the batch at hand or the last one.
pub(super) type Ask = Box<dyn Fn(&SinkContext, &SinkBatch) + Send>;

struct ScriptedSink {
    control: Arc<Control>,
    script: Arc<Mutex<Script>>,
    context: SinkContext,
    last: Option<SinkBatch>,
}

impl SinkTask for ScriptedSink {
    fn put(&mut self, batch: &SinkBatch) -> Result<Vec<RejectedRow>> {
        let mut script = self.script.lock().unwrap();
        script.calls.push("put");
        if std::mem::take(&mut script.abandons) {
            self.control.await_end(Duration::ZERO);
        }
        script.put_at.push(Instant::now());
        self.last = Some(batch.clone());
        if let Some(ask) = script.in_put.pop_front() {
            ask(&self.context, batch);
        }
        script.puts.pop_front().unwrap_or(Ok(()))?;
        for offset in std::mem::take(&mut script.rewinds) {
            self.context.rewind(batch.partition().clone(), offset);
        }
        Ok(Vec::new())
    }

    fn put_together(&mut self, batches: &[SinkBatch]) -> Result<Vec<Vec<RejectedRow>>> {
        let left = self.script.lock().unwrap().leaves.pop_front().unwrap_or(0);
        batches[..batches.len() - left].iter().map(|batch| self.put(batch)).collect()
    }

    fn withdrawn(&mut self) -> Result<()> {
        let mut script = self.script.lock().unwrap();
        script.calls.push("withdrawn");
        script.withdrawals.pop_front().unwrap_or(Ok(()))
    }

    fn flush(&mut self, _: &[TopicPartition]) -> Result<()> {
        let mut script = self.script.lock().unwrap();
        script.calls.push("flush");
        script.flushes.pop_front().unwrap_or(Ok(()))
    }

    fn pre_commit(&mut self, current: &Offsets) -> Result<Offsets> {
        let mut script = self.script.lock().unwrap();
        script.calls.push("pre_commit");
        script.asked.push(current.clone());
        if let (Some(last), Some(ask)) = (&self.last, script.in_pre_commit.pop_front()) {
            ask(&self.context, last);
        }
        script.pre_commits.pop_front().unwrap_or(Ok(())).map(|()| current.clone())
    }

    fn delivers_once(&self) -> bool {
        self.script.lock().unwrap().delivers_once
    }

    fn open(&mut self, _: &Offsets) -> Result<()> {
        self.script.lock().unwrap().assignments.push(self.context.assignment());
        Ok(())
    }

    fn close(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        let mut script = self.script.lock().unwrap();
        script.calls.push("close");
        if let Some(offset) = script.seek_in_close.take() {
            partitions.iter().for_each(|partition| self.context.seek(partition.clone(), offset));
        }
        script.assignments.push(self.context.assignment());
        script.closes.pop_front().unwrap_or(Ok(()))
    }
}

struct Unwatched;

impl StatusListener for Unwatched {
    fn task_changed(&self, _: &ConnectorTaskId, _: TaskState) {}
}

/// A put stage and all that it touches.
pub(super) struct World {
    stage: PutStage,
    pub(super) shared: SharedState,
    input: Sender<Prepared>,
    output: Receiver<Prepared>,
    pub(super) script: Arc<Mutex<Script>>,
    committed: Arc<Mutex<Offsets>>,
    pub(super) rewinds: Arc<Rewinds>,
    pauses: Arc<PartitionPauses>,
    bounded: Arc<BoundedRun>,
    deliveries: Arc<OwnDeliveries>,
    budget: Arc<MemoryBudget>,
}

pub(super) fn world() -> World {
    world_with("all")
}

/// With this `errors.tolerance`.
fn world_with(tolerance: &str) -> World {
    world_of(tolerance, SinkContext::new("c", 0))
}

/// The same, of a task with this context.
pub(super) fn world_of(tolerance: &str, context: SinkContext) -> World {
    let mut config = config_map(&[("name", "c"), ("connector.class", "Fake"), ("topics", "t")]);
    config.extend(config_map(&[("errors.tolerance", tolerance)]));
    let config = framework_config_def(ConnectorKind::Sink).parse(&config).unwrap();
    let id = ConnectorTaskId { connector: "c".into(), task: 0 };
    let metrics = TaskMetrics::alone(ConnectorKind::Sink);
    let control = Arc::new(Control::new(id.clone(), Arc::new(Unwatched), Arc::clone(&metrics), false));
    let errors = ErrorHandler::new(id.clone(), &config, None, Arc::clone(&control), Arc::clone(&metrics));
    let errors = Arc::new(errors);
    let script = Arc::new(Mutex::new(Script::default()));
    let context = context.with_reports(Arc::clone(&errors) as _);
    let committed = Arc::new(Mutex::new(Offsets::new()));
    let (log, calls) = (Arc::clone(&committed), Arc::clone(&script));
    let budget = Arc::new(MemoryBudget::new(1 << 20));
    let bounded = Arc::new(BoundedRun::default());
    let shared = SharedState::new(id, Arc::clone(&control), metrics, Arc::clone(&budget), Some(Arc::clone(&bounded)));
    let (rewinds, pauses, deliveries) =
        (Arc::clone(&shared.rewinds), Arc::clone(&shared.pauses), Arc::clone(&shared.deliveries));
    let (input, output) = crossbeam_channel::bounded(CAPACITY);
    let task = ScriptedSink { control, script: Arc::clone(&script), context: context.clone(), last: None };
    let commit_offsets = Box::new(move |offsets: &Offsets, _: &OffsetMetadata| {
        calls.lock().unwrap().calls.push("commit");
        log.lock().unwrap().extend(offsets.clone());
        Ok(())
    });
    let interval = Duration::from_secs(60);
    let stage = PutStage::new(shared.clone(), (Box::new(task), context), commit_offsets, errors, interval);
    World { stage, shared, input, output, script, committed, rewinds, pauses, bounded, deliveries, budget }
}

impl World {
    pub(super) fn send(&self, signal: Signal) {
        assert!(self.input.send(Prepared::Signal(signal)).is_ok());
    }

    /// Assigns a partition from its beginning; its batches are of the generation told.
    pub(super) fn assign(&self, number: i32) -> u64 {
        let generation = self.shared.generations.next();
        self.send(Signal::Assigned(Offsets::from([(partition(number), 0)]), generation));
        generation
    }

    pub(super) fn batch(&self, number: i32, range: std::ops::Range<i64>, generation: u64) {
        let len = (range.end - range.start) as usize;
        let raw = Arc::new(raw_batch("t", number, range.start, vec![None; len]));
        let batch = SinkBatch { raw: Arc::clone(&raw), records: Vec::new() };
        let fetched = FetchedBatch { raw, _reservation: self.budget.reserve(0), generation };
        assert!(self.input.send(Prepared::Batch { fetched, batch }).is_ok());
    }

    pub(super) fn commit_every(&mut self, interval: Duration) {
        self.stage.commit_interval = interval;
    }

    /// Runs until everything sent is carried out, or to the failure.
    pub(super) fn run(&mut self) -> Result<Outcome> {
        self.input = crossbeam_channel::bounded(1).0;
        self.stage.run(&self.output)
    }

    pub(super) fn committed(&self, number: i32) -> Option<i64> {
        self.committed.lock().unwrap().get(&partition(number)).copied()
    }
}

pub(super) fn partition(number: i32) -> TopicPartition {
    TopicPartition::new("t", number)
}

#[test]
fn what_was_delivered_before_a_failed_put_is_committed() {
    let mut world = world();
    let generation = world.assign(0);
    world.batch(0, 0..10, generation);
    world.batch(0, 10..20, generation);
    world.script.lock().unwrap().puts = [Ok(()), Err(Error::fatal("broken"))].into();
    world.run().unwrap_err();
    assert_eq!(world.committed(0), Some(10));
}

#[test]
fn after_a_failed_pre_commit_or_flush_nothing_is_committed_by_a_second_try() {
    for is_flush in [false, true] {
        let mut world = world();
        let generation = world.assign(0);
        world.batch(0, 0..10, generation);
        let outcomes = [Err(Error::fatal("could not make the file durable"))].into();
        let mut script = world.script.lock().unwrap();
        *(if is_flush { &mut script.flushes } else { &mut script.pre_commits }) = outcomes;
        drop(script);
        world.run().unwrap_err();
        assert_eq!(world.committed(0), None, "flush: {is_flush}");
    }
}

#[test]
fn a_seek_that_close_asks_for_is_over_when_the_partition_comes_back() {
    let mut world = world();
    world.assign(0);
    world.script.lock().unwrap().seek_in_close = Some(3);
    world.send(Signal::Lost(vec![partition(0)]));
    world.assign(0);
    world.run().unwrap();
    assert!(world.rewinds.take().is_empty());
}

#[test]
fn what_others_hold_for_delivered_is_delivered_by_the_task_that_has_it() {
    let mut world = world();
    let generation = world.assign(0);
    let generations = HashMap::from([(partition(0), generation)]);
    // where the log is gone up to the end, say, others see nothing left
    world.bounded.deliver([partition(0)]);
    assert!(!world.deliveries.include(&[partition(0)], &generations));
    world.batch(0, 0..10, generation);
    world.send(Signal::EndOfInput(generations.clone()));
    world.send(Signal::Done);
    assert_eq!(world.run().unwrap(), Outcome::Done);
    assert!(world.deliveries.include(&[partition(0)], &generations));
    assert_eq!(world.committed(0), Some(10));
    assert!(world.script.lock().unwrap().calls.contains(&"flush"));
}

#[test]
fn a_put_that_waits_for_its_sink_gives_way_when_another_partition_is_revoked() {
    let mut world = world();
    let generation = world.assign(0);
    world.assign(1);
    world.batch(0, 0..10, generation);
    world.batch(0, 10..20, generation);
    let (done, is_done) = crossbeam_channel::bounded(1);
    world.shared.revocation.begins(&[partition(1)]);
    world.send(Signal::Revoked(vec![partition(1)], done));
    world.script.lock().unwrap().puts = [Err(Error::retriable("full"))].into();
    world.run().unwrap();
    is_done.try_recv().unwrap();
    let rewinds = world.rewinds.take();
    assert_eq!((rewinds.len(), &rewinds[0].partition, rewinds[0].offset), (1, &partition(0), 0));
    let puts = world.script.lock().unwrap().calls.iter().filter(|call| **call == "put").count();
    assert_eq!(puts, 1, "a later batch would leave a gap");
    assert_eq!(world.committed(0), Some(0));
}

#[test]
fn the_position_behind_transaction_markers_is_committed_once_what_is_before_is_delivered() {
    let mut world = world();
    let generation = world.assign(0);
    world.assign(1);
    world.batch(0, 0..10, generation);
    world.send(Signal::Reached([(partition(0), (12, generation))].into()));
    assert_eq!(world.run().unwrap(), Outcome::Stopped);
    assert_eq!((world.committed(0), world.committed(1)), (Some(12), Some(0)));
}

#[test]
fn no_position_behind_a_batch_that_was_not_put_is_committed() {
    let mut world = world();
    let generation = world.assign(0);
    world.batch(0, 0..10, generation);
    world.batch(0, 10..20, generation);
    world.send(Signal::Reached([(partition(0), (22, generation))].into()));
    world.shared.revocation.begins(&[partition(1)]);
    world.script.lock().unwrap().puts = [Ok(()), Err(Error::retriable("full"))].into();
    world.run().unwrap();
    assert_eq!(world.committed(0), Some(10));
}

#[test]
fn an_abandoned_task_puts_and_commits_nothing_more() {
    let mut world = world();
    let generation = world.assign(0);
    world.batch(0, 0..10, generation);
    world.batch(0, 10..20, generation);
    world.script.lock().unwrap().abandons = true;
    assert_eq!(world.run().unwrap(), Outcome::Stopped);
    assert_eq!(world.script.lock().unwrap().calls, ["put", "close"]);
    assert_eq!(world.committed(0), None);
}

fn reject_first(context: &SinkContext, batch: &SinkBatch) {
    context.reject(&batch.raw, 0, Error::data("the database refused it"));
}

#[test]
fn a_row_found_bad_after_it_was_put_is_reported_once_and_what_is_behind_it_committed() {
    let mut world = world();
    let generation = world.assign(0);
    world.batch(0, 0..10, generation);
    world.script.lock().unwrap().in_pre_commit = [Box::new(reject_first) as Ask].into();
    assert_eq!(world.run().unwrap(), Outcome::Stopped);
    let counted = world.shared.metrics.snapshot();
    assert_eq!((counted.rows_rejected, counted.rows_rejected_by_stage.get("TASK_PUT")), (1, Some(&1)));
    assert_eq!(world.committed(0), Some(10));
}

#[test]
fn nothing_is_committed_where_a_row_found_bad_later_must_not_be_skipped() {
    for in_put in [true, false] {
        let mut world = world_with("none");
        let generation = world.assign(0);
        world.batch(0, 0..10, generation);
        let mut script = world.script.lock().unwrap();
        let asks = if in_put { &mut script.in_put } else { &mut script.in_pre_commit };
        asks.push_back(Box::new(reject_first));
        drop(script);
        let error = world.run().unwrap_err();
        assert!(error.trace().contains("the database refused it"), "{error:?}");
        assert_eq!(world.committed(0), None, "in put: {in_put}");
    }
}

#[test]
fn no_batch_of_a_paused_partition_is_put_and_it_goes_on_where_it_was_paused() {
    let mut world = world();
    let generation = world.assign(0);
    let other = world.assign(1);
    world.batch(0, 0..10, generation);
    // on its way when the partition is paused
    world.batch(0, 10..20, generation);
    world.batch(1, 0..10, other);
    let pause: Ask = Box::new(|context, batch| context.pause(&[batch.partition().clone()]));
    let resume: Ask = Box::new(|context, _| context.resume(&[partition(0)]));
    world.script.lock().unwrap().in_put = [pause, resume].into();
    world.run().unwrap();
    let puts = world.script.lock().unwrap().calls.iter().filter(|call| **call == "put").count();
    assert_eq!((puts, world.committed(0), world.committed(1)), (2, Some(10), Some(10)));
    let rewinds: Vec<_> = world.rewinds.take().into_iter().map(|rewind| (rewind.partition, rewind.offset)).collect();
    assert_eq!(rewinds, [(partition(0), 10), (partition(0), 10)]);
    assert!(!world.pauses.contains(&partition(0)));
}

#[test]
fn a_batch_that_is_refused_with_a_pause_comes_again_when_the_partition_is_resumed() {
    let mut world = world();
    let generation = world.assign(0);
    world.batch(0, 0..10, generation);
    let mut script = world.script.lock().unwrap();
    script.in_put = [Box::new(|context: &SinkContext, _: &SinkBatch| context.pause(&[partition(0)])) as Ask].into();
    script.puts = [Err(Error::retriable("full"))].into();
    drop(script);
    world.run().unwrap();
    assert_eq!(world.rewinds.take()[0].offset, 0);
    assert!(world.pauses.contains(&partition(0)));
    assert_eq!(world.committed(0), Some(0));
}

#[test]
fn a_partition_that_was_revoked_is_not_paused_any_more() {
    let mut world = world();
    let generation = world.assign(0);
    world.batch(0, 0..10, generation);
    let (done, _is_done) = crossbeam_channel::bounded(1);
    world.send(Signal::Revoked(vec![partition(0)], done));
    let again = world.assign(0);
    world.batch(0, 10..20, again);
    let pause: Ask = Box::new(|context, _| context.pause(&[partition(0), partition(9)]));
    world.script.lock().unwrap().in_put = [pause].into();
    world.run().unwrap();
    let puts = world.script.lock().unwrap().calls.iter().filter(|call| **call == "put").count();
    assert_eq!(puts, 2);
    assert!(!world.pauses.contains(&partition(0)) && !world.pauses.contains(&partition(9)));
}

#[test]
fn a_sink_says_how_long_to_wait_before_a_batch_is_put_again_and_only_once() {
    let mut world = world();
    let generation = world.assign(0);
    world.batch(0, 0..10, generation);
    let mut script = world.script.lock().unwrap();
    let wait: Ask = Box::new(|context, _| context.timeout(Duration::from_millis(400)));
    script.in_put = [wait].into();
    script.puts = [Err(Error::retriable("full")), Err(Error::retriable("full"))].into();
    drop(script);
    world.run().unwrap();
    let at = world.script.lock().unwrap().put_at.clone();
    assert!(at[1] - at[0] >= Duration::from_millis(400), "{at:?}");
    assert!(at[2] - at[1] < Duration::from_millis(400), "{at:?}");
    assert_eq!(world.committed(0), Some(10));
}

#[test]
fn a_task_sees_its_assignment_while_partitions_are_opened_and_closed() {
    let mut world = world();
    world.assign(0);
    world.assign(1);
    world.send(Signal::Lost(vec![partition(0)]));
    world.run().unwrap();
    let both = vec![partition(0), partition(1)];
    let seen = world.script.lock().unwrap().assignments.clone();
    assert_eq!(seen, [vec![partition(0)], both.clone(), both, vec![partition(1)]]);
}

/// A world whose sink is asked once where it closes, with a batch to put.
pub(super) fn world_of_java_sink() -> (World, u64) {
    let world = world();
    let generation = world.assign(0);
    world.batch(0, 0..10, generation);
    world.script.lock().unwrap().delivers_once = true;
    (world, generation)
}

/// What a Java sink does whose `preCommit` throws.
pub(super) fn go_back() -> Ask {
    Box::new(|context, _| context.seek_to_committed())
}

fn calls(world: &World, name: &str) -> usize {
    world.script.lock().unwrap().calls.iter().filter(|call| **call == name).count()
}

#[test]
fn a_task_that_seeks_goes_on_there_and_what_was_on_its_way_is_dropped() {
    for offset in [3, 25] {
        let mut world = world();
        let generation = world.assign(0);
        world.batch(0, 0..10, generation);
        world.batch(0, 10..20, generation);
        let seek: Ask = Box::new(move |context, batch| {
            context.seek(batch.partition().clone(), 7);
            context.seek(batch.partition().clone(), offset);
        });
        world.script.lock().unwrap().in_put = [seek].into();
        world.run().unwrap();
        assert_eq!(calls(&world, "put"), 1);
        let rewinds = world.rewinds.take();
        assert_eq!((rewinds.len(), rewinds[0].offset, rewinds[0].replaces), (1, offset, generation));
        assert_eq!(world.committed(0), Some(offset));
    }
}

#[test]
fn there_is_no_offset_below_0_to_go_on_at() {
    let mut world = world();
    let generation = world.assign(0);
    world.batch(0, 0..10, generation);
    let seek: Ask = Box::new(|context, batch| context.seek(batch.partition().clone(), -3));
    world.script.lock().unwrap().in_put = [seek].into();
    let error = world.run().unwrap_err();
    assert!(error.trace().contains("offset -3 of t-0"), "{error:?}");
}

#[test]
fn after_a_pre_commit_that_fails_the_task_goes_back_to_what_is_committed_and_on() {
    let (mut world, generation) = world_of_java_sink();
    world.send(Signal::Commit);
    world.batch(0, 10..20, generation);
    world.send(Signal::Commit);
    // fetched before the partition went back
    world.batch(0, 20..30, generation);
    let mut script = world.script.lock().unwrap();
    script.in_pre_commit = [Box::new(|_: &SinkContext, _: &SinkBatch| ()) as Ask, go_back()].into();
    script.pre_commits = [Ok(()), Err(Error::retriable("preCommit has failed"))].into();
    drop(script);
    assert_eq!(world.run().unwrap(), Outcome::Stopped);
    assert_eq!(calls(&world, "put"), 2);
    assert_eq!(world.rewinds.take()[0].offset, 10);
    assert_eq!(world.committed(0), Some(10));
}

#[test]
fn a_pre_commit_that_fails_before_anything_is_committed_goes_back_to_the_start() {
    let (mut world, _) = world_of_java_sink();
    world.send(Signal::Commit);
    let mut script = world.script.lock().unwrap();
    script.in_pre_commit = [go_back()].into();
    script.pre_commits = [Err(Error::retriable("preCommit has failed"))].into();
    drop(script);
    world.run().unwrap();
    assert_eq!(world.rewinds.take()[0].offset, 0);
    assert_eq!(world.committed(0), Some(0));
}

/// On a thread of its own.
fn report(context: &SinkContext, batch: &SinkBatch) -> Result<()> {
    let (context, batch) = (context.clone(), Arc::clone(&batch.raw));
    let report = move || context.report(&batch, 0, "org.example.Task", Error::data("the database refused it"));
    std::thread::spawn(report).join().unwrap()
}

#[test]
fn a_row_that_a_thread_of_the_task_reports_is_counted_and_skipped() {
    let mut world = world();
    let generation = world.assign(0);
    world.batch(0, 0..10, generation);
    let report: Ask = Box::new(|context, batch| report(context, batch).unwrap());
    world.script.lock().unwrap().in_put = [report].into();
    world.run().unwrap();
    let counted = world.shared.metrics.snapshot();
    assert_eq!((counted.rows_rejected, counted.rows_rejected_by_stage.get("TASK_PUT")), (1, Some(&1)));
    assert_eq!(world.committed(0), Some(10));
}

#[test]
fn a_report_that_is_not_tolerated_is_an_error_for_who_reports_and_the_end_of_the_task() {
    let mut world = world_with("none");
    let generation = world.assign(0);
    world.batch(0, 0..10, generation);
    let report: Ask = Box::new(|context, batch| {
        let error = report(context, batch).unwrap_err();
        assert_eq!(error.to_string(), "Tolerance exceeded in error handler");
    });
    world.script.lock().unwrap().in_put = [report].into();
    let error = world.run().unwrap_err();
    assert!(error.trace().contains("the database refused it"), "{error:?}");
    assert_eq!(world.committed(0), None);
}

#[test]
fn a_task_that_asks_for_a_commit_while_it_is_asked_for_its_offsets_gets_no_other_one() {
    let mut world = world();
    let generation = world.assign(0);
    world.batch(0, 0..10, generation);
    world.batch(0, 10..20, generation);
    let ask = || -> Ask { Box::new(|context, _| context.request_commit()) };
    let mut script = world.script.lock().unwrap();
    script.in_put = [ask()].into();
    script.in_pre_commit = [ask()].into();
    drop(script);
    world.run().unwrap();
    let calls = world.script.lock().unwrap().calls.clone();
    let calls: Vec<_> = calls.into_iter().filter(|call| ["put", "pre_commit"].contains(call)).collect();
    assert_eq!(calls, ["put", "pre_commit", "put", "pre_commit"], "the last one at the stop");
}
