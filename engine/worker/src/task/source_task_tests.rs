//! Laws of the source loop, with a producer, a store and a source that do as the test says.

#![allow(clippy::unwrap_used)]

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, BinaryArray, StringArray};
use arrow::datatypes::{DataType, Field};
use serde_json::json;
use volley_api::{
    Column, ConfigMap, Error, Polled, Records, RejectedRow, Result, RowIndex, SourceBatch, SourceContext, SourceOffset,
    SourcePartition, SourceTask, Stage, Transformation, Transformed,
};
use volley_kafka::{Delivery as Delivered, Outgoing};

use crate::connector_config::framework_config_def;
use crate::storage::{MemoryOffsetBackingStore, OffsetBackingStore, OffsetEntry};
use crate::task::committed_offsets::CommittedOffsets;
use crate::task::control::{Control, Wanted};
use crate::task::error_handler::ErrorHandler;
use crate::task::idle_pacing::IdlePacing;
use crate::task::offset_committer::OffsetCommitter;
use crate::task::produce_stage::ProduceStage;
use crate::task::record_producer::RecordProducer;
use crate::task::record_serializer::RecordSerializer;
use crate::task::setup::NamedConverter;
use crate::task::source_task::{Delivery, SourceLoop};
use crate::task::transform_chain::{Step, TransformChain};
use crate::task::{ConnectorTaskId, StatusListener, TaskProgress, TaskState};
use crate::testing::{FakeHeaderConverter, config_map};

const SOON: Duration = Duration::from_secs(20);

/// What a test and its fakes share.
#[derive(Default)]
struct World {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// What the source gives next.
    polls: VecDeque<Poll>,
    polled: usize,
    /// Values that were handed to the producer, with their tokens.
    sent: Vec<(String, u64)>,
    /// Fates not collected yet.
    fates: Vec<Delivered>,
    acknowledges_all: bool,
    missing_topics: HashSet<String>,
    producers: usize,
    states: Vec<TaskState>,
    topics: Vec<String>,
    /// Offsets the task was told of.
    told: Vec<u64>,
    store_fails: bool,
    store_hangs: bool,
    store_calls: usize,
    transformed: Vec<String>,
}

enum Poll {
    /// Values of a partition and the offset after them.
    Rows(&'static str, Vec<&'static str>, u64),
    Hang,
    Fail(Error),
    Finished,
}

impl World {
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let outcome = change(&mut self.state.lock().unwrap());
        self.changed.notify_all();
        outcome
    }

    fn until(&self, what: &str, is_so: impl Fn(&State) -> bool) {
        let state = self.state.lock().unwrap();
        let (guard, timeout) = self.changed.wait_timeout_while(state, SOON, |state| !is_so(state)).unwrap();
        drop(guard);
        assert!(!timeout.timed_out(), "never happened: {what}");
    }

    fn poll(&self, poll: Poll) {
        self.change(|state| state.polls.push_back(poll));
    }

    /// Acknowledges the message with this value; `error`: it is not delivered.
    fn acknowledge(&self, value: &str, error: Option<Error>) {
        self.until(value, |state| state.sent.iter().any(|(sent, _)| sent == value));
        self.change(|state| {
            let token = state.sent.iter().find(|(sent, _)| sent == value).unwrap().1;
            state.fates.push(Delivered { token, result: error.map_or(Ok((0, 0)), Err) });
        });
    }
}

struct FakeSource(Arc<World>);

impl SourceTask for FakeSource {
    fn start(&mut self, _: SourceContext, config: &ConfigMap) -> Result<()> {
        match config.get("fail").is_some() {
            true => Err(Error::fatal("told to fail")),
            false => Ok(()),
        }
    }

    fn poll(&mut self, _: Duration) -> Result<Polled> {
        let poll = self.0.change(|state| {
            state.polled += 1;
            state.polls.pop_front()
        });
        match poll {
            None => Ok(Polled::IdleFor(Duration::from_millis(1))),
            Some(Poll::Rows(partition, values, offset)) => Ok(Polled::Batches(vec![batch(partition, &values, offset)])),
            Some(Poll::Hang) => loop {
                std::thread::park();
            },
            Some(Poll::Fail(error)) => Err(error),
            Some(Poll::Finished) => Ok(Polled::Finished),
        }
    }

    fn stop(&mut self) {}

    fn commit(&mut self, delivered: &[(SourcePartition, SourceOffset)]) -> Result<()> {
        self.0.change(|state| state.told.extend(delivered.iter().map(|(_, offset)| offset["o"].as_u64().unwrap())));
        Err(Error::fatal("what a task says of a commit changes nothing"))
    }
}

fn map(value: serde_json::Value) -> SourcePartition {
    value.as_object().unwrap().clone()
}

fn batch(partition: &str, values: &[&str], offset: u64) -> SourceBatch {
    let array: ArrayRef = Arc::new(StringArray::from(values.to_vec()));
    let records = Records {
        topic: "topic".into(),
        kafka_partition: None,
        key: Column::nulls(values.len()),
        value: Column::new(Arc::new(Field::new("value", DataType::Utf8, true)), array),
        timestamps: vec![-1; values.len()].into(),
        headers: None,
        rows: RowIndex::all(values.len()),
        origin: None,
    };
    SourceBatch { records, partition: map(json!({"p": partition})), offset: map(json!({"o": offset})) }
}

struct FakeProducer(Arc<World>);

impl RecordProducer for FakeProducer {
    fn try_send(&mut self, message: &Outgoing<'_>, token: u64) -> Result<bool> {
        let value = String::from_utf8(message.value.unwrap().to_vec()).unwrap();
        if value == "refused" {
            return Err(Error::data("too large"));
        }
        self.0.change(|state| {
            if state.acknowledges_all {
                state.fates.push(Delivered { token, result: Ok((0, 0)) });
            }
            state.sent.push((value, token));
        });
        Ok(true)
    }

    fn patience(&self, _: &str) -> (Duration, Error) {
        (Duration::MAX, Error::fatal("never"))
    }

    fn deliveries(&mut self, max_wait: Duration) -> Vec<Delivered> {
        let fates = self.0.change(|state| std::mem::take(&mut state.fates));
        if fates.is_empty() {
            std::thread::sleep(max_wait.min(Duration::from_millis(1)));
        }
        fates
    }

    fn has_topic(&self, topic: &str, _: Duration) -> Result<bool> {
        Ok(!self.0.state.lock().unwrap().missing_topics.contains(topic))
    }
}

/// A store that fails or hangs when told to.
struct FakeStore {
    world: Arc<World>,
    memory: MemoryOffsetBackingStore,
}

impl OffsetBackingStore for FakeStore {
    fn get(&self, connector: &str, partition: &SourcePartition) -> Result<Option<SourceOffset>> {
        self.memory.get(connector, partition)
    }

    fn set(&self, connector: &str, offsets: &[OffsetEntry]) -> Result<()> {
        self.world.change(|state| state.store_calls += 1);
        self.world.until("the store answers", |state| !state.store_hangs);
        match self.world.state.lock().unwrap().store_fails {
            true => Err(Error::retriable("told to fail")),
            false => self.memory.set(connector, offsets),
        }
    }

    fn list(&self, connector: &str) -> Result<Vec<(SourcePartition, SourceOffset)>> {
        self.memory.list(connector)
    }
}

impl StatusListener for World {
    fn task_changed(&self, _: &ConnectorTaskId, state: TaskState) {
        self.change(|world| world.states.push(state));
    }

    fn topic_used(&self, _: &ConnectorTaskId, topic: &str) {
        self.change(|world| world.topics.push(topic.to_owned()));
    }
}

/// `drop` and `fail`: the value says what becomes of it. `retry:N:x` fails retriably N times and becomes `x`.
struct FakeTransformation {
    world: Arc<World>,
    tries: std::collections::HashMap<String, usize>,
}

impl Transformation for FakeTransformation {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let values: Vec<String> = records
            .value
            .array
            .as_any()
            .downcast_ref::<StringArray>()
            .unwrap()
            .iter()
            .map(|v| v.unwrap().to_owned())
            .collect();
        self.world.change(|state| state.transformed.extend(values.iter().cloned()));
        let mut outcome = Transformed::default();
        let mut kept = Vec::new();
        for (row, value) in values.iter().enumerate() {
            let tried = self.tries.entry(value.clone()).or_default();
            *tried += 1;
            let error = match value.split(':').collect::<Vec<_>>()[..] {
                ["drop"] => continue,
                ["fail"] => Error::data("bad"),
                ["retry", times, _] if *tried <= times.parse().unwrap() => Error::retriable("later"),
                _ => {
                    kept.push(row as u32);
                    continue;
                }
            };
            let class = "FakeTransformation".to_owned();
            let row = records.rows.input_row(row);
            outcome.rejected.push(RejectedRow { row, stage: Stage::Transformation, class, error });
        }
        outcome.records.push(records.take(&kept.into())?);
        Ok(outcome)
    }
}

/// Strings to their bytes.
struct StringConverter;

impl volley_api::Converter for StringConverter {
    fn to_connect(&mut self, _: &volley_api::RawBatch, _: volley_api::Side) -> Result<volley_api::Converted> {
        Err(Error::fatal("not used"))
    }

    fn from_connect(&mut self, _: &str, column: &Column) -> Result<volley_api::Serialized> {
        let bytes = match column.array.as_any().downcast_ref::<StringArray>() {
            Some(strings) => strings.iter().map(|value| value.map(str::as_bytes)).collect(),
            None => BinaryArray::new_null(column.len()),
        };
        Ok(volley_api::Serialized { bytes, rejected: Vec::new() })
    }
}

/// A source task under test.
struct Running {
    control: Arc<Control>,
    store: Arc<FakeStore>,
    thread: Option<JoinHandle<Result<TaskState>>>,
}

impl Running {
    /// Starts a task with these framework keys; it commits every 20 ms.
    fn start(world: &Arc<World>, config: &[(&str, &str)]) -> Self {
        Self::start_with(world, config, false, Duration::from_millis(20))
    }

    fn start_with(world: &Arc<World>, config: &[(&str, &str)], paused: bool, commit_interval: Duration) -> Self {
        let mut given = config_map(&[("name", "c"), ("connector.class", "Fake")]);
        given.extend(config_map(config));
        let parsed = framework_config_def(volley_api::ConnectorKind::Source).parse(&given).unwrap();
        let id = ConnectorTaskId { connector: "c".into(), task: 0 };
        let control = Arc::new(Control::new(id.clone(), Arc::clone(world) as _, paused));
        let store = Arc::new(FakeStore { world: Arc::clone(world), memory: MemoryOffsetBackingStore::new() });
        let progress = Arc::new(TaskProgress::new());
        let errors = ErrorHandler::new(id.clone(), &parsed, None, Arc::clone(&control), Arc::clone(&progress));
        let errors = Arc::new(errors);
        let committed = Arc::new(CommittedOffsets::default());
        let flush_timeout = Duration::from_millis(300);
        let producers = Arc::clone(world);
        let stage = ProduceStage {
            id: id.clone(),
            serializer: RecordSerializer {
                key: NamedConverter { converter: Box::new(StringConverter), class: "StringConverter".into() },
                value: NamedConverter { converter: Box::new(StringConverter), class: "StringConverter".into() },
                header: Box::new(FakeHeaderConverter),
                header_class: "FakeHeaderConverter".into(),
            },
            new_producer: Box::new(move || {
                producers.change(|state| state.producers += 1);
                Ok(Box::new(FakeProducer(Arc::clone(&producers))) as Box<dyn RecordProducer>)
            }),
            creator: None,
            committer: OffsetCommitter::new(id.clone(), Arc::clone(&store) as _, Arc::clone(&control), flush_timeout),
            committed: Arc::clone(&committed),
            errors: Arc::clone(&errors),
            control: Arc::clone(&control),
            progress: Arc::clone(&progress),
            commit_interval,
            flush_timeout,
        };
        let transformation =
            Box::new(FakeTransformation { world: Arc::clone(world), tries: std::collections::HashMap::new() });
        let mut source = SourceLoop {
            id,
            task: Box::new(FakeSource(Arc::clone(world))),
            chain: TransformChain::new(vec![Step {
                class: "FakeTransformation".into(),
                transformation,
                condition: None,
            }]),
            errors,
            control: Arc::clone(&control),
            progress,
            committed,
            delivery: Delivery::NotBegun(Box::new(stage)),
            pacing: IdlePacing::default(),
        };
        let context = SourceContext { connector: "c".into(), task: 0, offset: Arc::new(|_| Ok(None)) };
        let ended = Arc::clone(&control);
        let thread = std::thread::spawn(move || {
            let outcome = source.run(context, &given);
            ended.ended();
            outcome
        });
        Self { control, store, thread: Some(thread) }
    }

    fn stored(&self, partition: &str) -> Option<u64> {
        self.store.memory.get("c", &map(json!({"p": partition}))).unwrap().map(|offset| offset["o"].as_u64().unwrap())
    }

    fn until_stored(&self, partition: &str, offset: u64) {
        let deadline = Instant::now() + SOON;
        while self.stored(partition) != Some(offset) {
            assert!(Instant::now() < deadline, "{partition} never got to {offset}: {:?}", self.stored(partition));
            std::thread::yield_now();
        }
    }

    fn request_stop(&self) {
        self.control.want(Wanted::Stopped { deadline: Instant::now() + Duration::from_secs(1) });
    }

    fn end(&mut self) -> Result<TaskState> {
        self.thread.take().unwrap().join().unwrap()
    }

    fn stop(&mut self) -> Result<TaskState> {
        self.request_stop();
        self.end()
    }
}

fn world(acknowledges_all: bool) -> Arc<World> {
    let world = Arc::new(World::default());
    world.change(|state| state.acknowledges_all = acknowledges_all);
    world
}

#[test]
fn a_task_without_records_has_no_producer_and_one_thread() {
    let world = world(true);
    let mut task = Running::start(&world, &[]);
    world.until("polls", |state| state.polled > 20);
    world.poll(Poll::Rows("a", vec!["drop"], 1));
    world.until("the row is dropped", |state| state.transformed.len() == 1);
    assert_eq!(task.stop().unwrap(), TaskState::Unassigned);
    assert_eq!(world.state.lock().unwrap().producers, 0);
    assert_eq!(task.stored("a"), None, "a batch that was dropped moves no offset by itself");
}

#[test]
fn offsets_are_committed_at_the_interval_and_the_task_is_told() {
    let world = world(true);
    let mut task = Running::start(&world, &[]);
    world.poll(Poll::Rows("a", vec!["1", "drop", "2"], 3));
    task.until_stored("a", 3);
    world.poll(Poll::Rows("a", vec!["3"], 4));
    world.poll(Poll::Rows("b", vec!["1"], 10));
    task.until_stored("a", 4);
    task.until_stored("b", 10);
    world.until("the task is told", |state| state.told.contains(&4) && state.told.contains(&10));
    assert_eq!(world.state.lock().unwrap().topics, ["topic"]);
    assert_eq!(task.stop().unwrap(), TaskState::Unassigned);
}

#[test]
fn an_unacknowledged_message_holds_up_its_own_partition_only() {
    let world = world(false);
    let mut task = Running::start(&world, &[]);
    world.poll(Poll::Rows("a", vec!["a1"], 1));
    world.poll(Poll::Rows("b", vec!["b1"], 1));
    world.poll(Poll::Rows("a", vec!["a2"], 2));
    world.acknowledge("a2", None);
    world.acknowledge("b1", None);
    task.until_stored("b", 1);
    assert_eq!(task.stored("a"), None);
    world.acknowledge("a1", None);
    task.until_stored("a", 2);
    task.stop().unwrap();
}

#[test]
fn a_stop_waits_for_acknowledgements_and_commits_once_more() {
    let world = world(false);
    let mut task = Running::start_with(&world, &[], false, Duration::from_secs(3600));
    world.poll(Poll::Rows("a", vec!["1"], 1));
    world.until("it is sent", |state| state.sent.len() == 1);
    task.request_stop();
    world.acknowledge("1", None);
    assert_eq!(task.end().unwrap(), TaskState::Unassigned);
    assert_eq!(task.stored("a"), Some(1));
    assert_eq!(world.state.lock().unwrap().told, [1]);
}

#[test]
fn a_stop_does_not_wait_for_ever_and_commits_what_is_acknowledged() {
    let world = world(false);
    let mut task = Running::start_with(&world, &[], false, Duration::from_secs(3600));
    world.poll(Poll::Rows("a", vec!["1"], 1));
    world.poll(Poll::Rows("a", vec!["2"], 2));
    world.acknowledge("1", None);
    world.until("both are sent", |state| state.sent.len() == 2);
    assert_eq!(task.stop().unwrap(), TaskState::Unassigned);
    assert_eq!(task.stored("a"), Some(1));
}

#[test]
fn what_is_acknowledged_during_a_pause_is_committed() {
    let world = world(false);
    let mut task = Running::start(&world, &[]);
    world.poll(Poll::Rows("a", vec!["1"], 1));
    world.until("it is sent", |state| state.sent.len() == 1);
    task.control.want(Wanted::Paused);
    world.until("it pauses", |state| state.states.last() == Some(&TaskState::Paused));
    world.acknowledge("1", None);
    task.until_stored("a", 1);
    world.until("the task is told", |state| state.told == [1]);
    let polled = world.state.lock().unwrap().polled;
    task.control.want(Wanted::Running);
    world.until("it goes on", |state| state.polled > polled);
    assert_eq!(task.stop().unwrap(), TaskState::Unassigned);
}

#[test]
fn a_task_that_starts_paused_is_not_started_before_it_is_resumed() {
    let world = world(true);
    let mut task = Running::start_with(&world, &[("fail", "x")], true, Duration::from_millis(20));
    world.until("it pauses", |state| state.states == [TaskState::Paused]);
    task.control.want(Wanted::Running);
    assert_eq!(task.end().unwrap_err().to_string(), "told to fail");

    let stopped = Arc::clone(&world);
    let mut task = Running::start_with(&stopped, &[("fail", "x")], true, Duration::from_millis(20));
    assert_eq!(task.stop().unwrap(), TaskState::Unassigned);
}

#[test]
fn a_commit_that_fails_is_tried_again_and_fails_nothing() {
    let world = world(true);
    world.change(|state| state.store_fails = true);
    let mut task = Running::start(&world, &[]);
    world.poll(Poll::Rows("a", vec!["1"], 1));
    world.poll(Poll::Rows("b", vec!["1"], 1));
    world.until("commits fail", |state| state.store_calls >= 3);
    world.change(|state| state.store_fails = false);
    task.until_stored("a", 1);
    task.until_stored("b", 1);
    task.stop().unwrap();
}

#[test]
fn a_store_that_hangs_holds_up_neither_polling_nor_producing_nor_a_stop() {
    let world = world(true);
    world.change(|state| state.store_hangs = true);
    let mut task = Running::start(&world, &[]);
    world.poll(Poll::Rows("a", vec!["1"], 1));
    world.until("a commit hangs", |state| state.store_calls == 1);
    for offset in 2..10 {
        world.poll(Poll::Rows("a", vec!["x"], offset));
    }
    world.until("all is sent", |state| state.sent.len() == 9);
    assert_eq!(world.state.lock().unwrap().store_calls, 1, "there is one commit at a time");
    assert_eq!(task.stop().unwrap(), TaskState::Unassigned);
    world.change(|state| state.store_hangs = false);
    task.until_stored("a", 1);
}

#[test]
fn an_abandoned_task_commits_nothing_and_reports_nothing() {
    let world = world(false);
    let task = Running::start_with(&world, &[], false, Duration::from_millis(20));
    world.poll(Poll::Rows("a", vec!["1"], 1));
    world.poll(Poll::Hang);
    world.until("it is sent and hangs", |state| state.sent.len() == 1 && state.polls.is_empty());
    task.request_stop();
    assert!(!task.control.await_end(Duration::from_millis(50)));
    let states = world.state.lock().unwrap().states.len();
    world.acknowledge("1", None);
    world.until("the acknowledgement is seen", |state| state.fates.is_empty());
    // the stage commits at the latest with the next acknowledgement
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!((task.stored("a"), world.state.lock().unwrap().store_calls), (None, 0));
    assert_eq!(world.state.lock().unwrap().states.len(), states);
}

#[test]
fn a_poll_that_hangs_at_a_stop_does_not_cost_the_offsets_of_what_is_delivered() {
    let world = world(true);
    let task = Running::start_with(&world, &[], false, Duration::from_secs(3600));
    world.poll(Poll::Rows("a", vec!["1"], 1));
    world.poll(Poll::Hang);
    world.until("it is sent and hangs", |state| state.sent.len() == 1 && state.polls.is_empty());
    task.request_stop();
    task.until_stored("a", 1);
    assert!(!task.control.await_end(Duration::ZERO));
}

#[test]
fn without_tolerance_a_message_that_is_not_delivered_fails_the_task_and_what_came_before_is_committed() {
    let world = world(false);
    let mut task = Running::start_with(&world, &[], false, Duration::from_secs(3600));
    world.poll(Poll::Rows("a", vec!["1"], 1));
    world.poll(Poll::Rows("a", vec!["2"], 2));
    world.acknowledge("1", None);
    world.acknowledge("2", Some(Error::data("too large")));
    let error = task.end().unwrap_err();
    assert_eq!(error.to_string(), "Unrecoverable exception from producer send callback");
    assert!(error.trace().contains("too large"), "{}", error.trace());
    assert_eq!(task.stored("a"), Some(1));
}

#[test]
fn a_failure_is_noticed_by_a_task_that_has_nothing_to_poll_or_is_paused() {
    let world = world(false);
    let mut task = Running::start(&world, &[]);
    world.poll(Poll::Rows("a", vec!["1"], 1));
    world.until("it is sent", |state| state.sent.len() == 1);
    task.control.want(Wanted::Paused);
    world.until("it pauses", |state| state.states.last() == Some(&TaskState::Paused));
    world.acknowledge("1", Some(Error::fatal("no")));
    assert!(task.end().is_err());
}

#[test]
fn with_tolerance_a_message_that_is_not_delivered_counts_as_acknowledged() {
    let world = world(false);
    let mut task = Running::start(&world, &[("errors.tolerance", "all")]);
    world.poll(Poll::Rows("a", vec!["1", "refused"], 1));
    world.acknowledge("1", Some(Error::fatal("no")));
    task.until_stored("a", 1);
    task.stop().unwrap();
    assert!(world.state.lock().unwrap().topics.is_empty(), "nothing got to the topic");
}

#[test]
fn a_failed_poll_ends_the_task_after_a_last_commit() {
    let world = world(true);
    let mut task = Running::start_with(&world, &[], false, Duration::from_secs(3600));
    world.poll(Poll::Fail(Error::retriable("tried again")));
    world.poll(Poll::Rows("a", vec!["1"], 1));
    world.poll(Poll::Fail(Error::fatal("told to fail")));
    assert_eq!(task.end().unwrap_err().to_string(), "told to fail");
    assert_eq!(task.stored("a"), Some(1));
}

#[test]
fn a_bounded_source_is_done_when_everything_is_acknowledged_and_stored() {
    let world = world(false);
    world.change(|state| state.store_fails = true);
    let mut task = Running::start(&world, &[]);
    world.poll(Poll::Rows("a", vec!["1"], 1));
    world.poll(Poll::Finished);
    world.acknowledge("1", None);
    world.until("commits fail", |state| state.store_calls >= 3);
    world.change(|state| state.store_fails = false);
    assert_eq!(task.end().unwrap(), TaskState::Done);
    assert_eq!(task.stored("a"), Some(1));
}

#[test]
fn a_missing_topic_is_waited_for_and_does_not_hold_up_a_stop() {
    let world = world(true);
    world.change(|state| state.missing_topics.insert("topic".into()));
    let mut task = Running::start(&world, &[]);
    world.poll(Poll::Rows("a", vec!["1"], 1));
    world.until("there is a producer", |state| state.producers == 1);
    assert_eq!(task.stop().unwrap(), TaskState::Unassigned);
    assert_eq!(task.stored("a"), None);

    let mut task = Running::start(&world, &[]);
    world.poll(Poll::Rows("a", vec!["1"], 1));
    world.until("there is another", |state| state.producers == 2);
    world.change(|state| state.missing_topics.clear());
    task.until_stored("a", 1);
    task.stop().unwrap();
}

#[test]
fn rows_that_may_succeed_later_are_tried_again_alone_and_keep_their_place() {
    let world = world(true);
    let retries = [("errors.retry.timeout", "60000"), ("errors.retry.delay.max.ms", "1")];
    let mut task = Running::start(&world, &retries);
    world.poll(Poll::Rows("a", vec!["1", "retry:2:x", "2", "retry:1:y", "3"], 5));
    task.until_stored("a", 5);
    let state = world.state.lock().unwrap();
    let sent: Vec<_> = state.sent.iter().map(|(value, _)| value.as_str()).collect();
    assert_eq!(sent, ["1", "retry:2:x", "2", "retry:1:y", "3"]);
    assert_eq!(state.transformed[5..], ["retry:2:x", "retry:1:y", "retry:2:x"], "good rows are transformed once");
    drop(state);
    task.stop().unwrap();
}

#[test]
fn when_the_time_for_retries_is_over_tolerance_decides() {
    let retries = [("errors.retry.timeout", "20"), ("errors.retry.delay.max.ms", "1")];
    let world_none = world(true);
    let mut task = Running::start(&world_none, &retries);
    world_none.poll(Poll::Rows("a", vec!["1", "retry:100000:x"], 1));
    assert!(task.end().unwrap_err().to_string().contains("Tolerance exceeded in error handler"));
    assert_eq!(task.stored("a"), None);

    let world_all = world(true);
    let mut task = Running::start(&world_all, &[&retries[..], &[("errors.tolerance", "all")]].concat());
    world_all.poll(Poll::Rows("a", vec!["1", "retry:100000:x", "fail", "2"], 4));
    task.until_stored("a", 4);
    assert_eq!(world_all.state.lock().unwrap().sent.len(), 2);
    task.stop().unwrap();
}

#[test]
fn a_stop_ends_retries_and_what_was_tried_is_not_skipped() {
    let world = world(true);
    let forever = [("errors.retry.timeout", "-1"), ("errors.tolerance", "all")];
    let mut task = Running::start(&world, &forever);
    world.poll(Poll::Rows("a", vec!["retry:100000:x", "1"], 2));
    world.until("it is tried", |state| !state.transformed.is_empty());
    let asked = Instant::now();
    assert!(task.stop().is_err());
    assert!(asked.elapsed() < Duration::from_secs(5));
    assert_eq!(task.stored("a"), None);
}
