//! A source task whose source, producer, store and transformation do as the test says.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use arrow::array::{BinaryArray, StringArray};
use volley_api::testing::{config_map, json_object, records, texts};
use volley_api::{
    AcknowledgedBatch, ConfigMap, ConnectorKind, Error, Polled, Records, RejectedRow, Result, SourceBatch,
    SourceOffset, SourcePartition, SourceTask, Stage, Transformation, Transformed,
};
use volley_kafka::{Delivery as Delivered, Outgoing, Returned};

use crate::connector_config::framework_config_def;
use crate::connector_task_id::ConnectorTaskId;
use crate::metrics::TaskMetrics;
use crate::storage::{MemoryOffsetBackingStore, OffsetBackingStore, OffsetEntry};
use crate::task::control::{Control, Wanted};
use crate::task::errors::error_handler::ErrorHandler;
use crate::task::setup::NamedConverter;
use crate::task::source::idle_pacing::IdlePacing;
use crate::task::source::produce::committed_offsets::CommittedOffsets;
use crate::task::source::produce::offset_commits::OffsetCommits;
use crate::task::source::produce::offset_committer::OffsetCommitter;
use crate::task::source::produce::outbox::ProducerFactory;
use crate::task::source::produce::produce_stage::ProduceStage;
use crate::task::source::produce::record_producer::RecordProducer;
use crate::task::source::produce::record_serializer::RecordSerializer;
use crate::task::source::produce_thread::ProduceThread;
use crate::task::source::source_task::{SourceLoop, start};
use crate::task::transform::transform_chain::{Step, TransformChain};
use crate::task::{StatusListener, TaskState};
use crate::testing::{FakeHeaderConverter, Gate};

const SOON: Duration = Duration::from_secs(20);

/// What a test and its fakes share.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) state: Mutex<State>,
    pub(crate) changed: Condvar,
}

#[derive(Default)]
pub(crate) struct State {
    /// What the source gives next.
    pub(crate) polls: VecDeque<Poll>,
    pub(crate) polled: usize,
    /// Values that were handed to the producer, with their tokens.
    pub(crate) sent: Vec<(String, u64)>,
    /// Deliveries not polled yet.
    pub(crate) deliveries: Vec<Delivered>,
    /// Deliveries of the poll after that.
    pub(crate) later_deliveries: Vec<Delivered>,
    pub(crate) acknowledges_all: bool,
    /// Whether the producer has no room for the value `2`.
    pub(crate) is_full: bool,
    /// How long a message may wait for room; `None`: for ever.
    pub(crate) max_block: Option<Duration>,
    pub(crate) missing_topics: HashSet<String>,
    /// How many messages the producer does not take from now on since it knows no such topic.
    pub(crate) unknown_topics: usize,
    /// The timestamps of what was sent.
    pub(crate) timestamps: Vec<Option<i64>>,
    pub(crate) producers: usize,
    pub(crate) states: Vec<TaskState>,
    pub(crate) topics: Vec<String>,
    /// Whether the task wants to be told of acknowledged batches.
    pub(crate) wants_acknowledgements: bool,
    /// The acknowledged batches that the task was told of, each with the number of commits that it was told of before.
    pub(crate) acknowledged: Vec<(AcknowledgedBatch, usize)>,
    /// Offsets the task was told of.
    pub(crate) told: Vec<u64>,
    pub(crate) store_fails: bool,
    pub(crate) store_hangs: bool,
    pub(crate) store_calls: usize,
    pub(crate) transformed: Vec<String>,
    /// How often the converter has come to the gate.
    pub(crate) converting: usize,
    pub(crate) transactions: Vec<Transaction>,
    /// The task says where its transactions end: in front of this poll.
    pub(crate) fails_commits: bool,
    pub(crate) converter_gate: Option<Arc<Gate>>,
}

/// A transaction of the fake producer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Transaction {
    /// The values in it; keys of records of offsets.
    pub(crate) sent: Vec<String>,
    pub(crate) end: Option<Ended>,
}

/// How a transaction has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Committed,
    Aborted,
}

pub(crate) enum Poll {
    /// Values of a partition and the offset after them.
    Rows(&'static str, Vec<&'static str>, u64),
    /// Never returns.
    Hang,
    /// Returns these values when the test opens the gate.
    Late(Arc<Gate>, Vec<&'static str>, u64),
    Panic,
    Fail(Error),
    Finished,
}

impl World {
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let outcome = change(&mut self.state.lock().unwrap());
        self.changed.notify_all();
        outcome
    }

    pub(crate) fn until(&self, what: &str, is_so: impl Fn(&State) -> bool) {
        let state = self.state.lock().unwrap();
        let (guard, timeout) = self.changed.wait_timeout_while(state, SOON, |state| !is_so(state)).unwrap();
        drop(guard);
        assert!(!timeout.timed_out(), "never happened: {what}");
    }

    pub(crate) fn poll(&self, poll: Poll) {
        self.change(|state| state.polls.push_back(poll));
    }

    /// Acknowledges the message with this value; `error`: it is not delivered.
    pub(crate) fn acknowledge(&self, value: &str, error: Option<Error>) {
        self.until(value, |state| state.sent.iter().any(|(sent, _)| sent == value));
        self.change(|state| {
            let token = state.sent.iter().find(|(sent, _)| sent == value).unwrap().1;
            state.deliveries.push(Delivered { token, result: error.map_or(Ok((0, 0)), Err), returned: None });
        });
    }

    /// The messages with these values come back since their topic is gone.
    pub(crate) fn return_messages(&self, values: &[&str]) {
        self.change(|state| {
            for value in values {
                let token = state.sent.iter().rev().find(|(sent, _)| sent == value).unwrap().1;
                let content = Returned { key: None, value: Some(value.as_bytes().to_vec()), headers: Vec::new() };
                let result = Err(unknown_topic());
                state.deliveries.push(Delivered { token, result, returned: Some(Box::new(content)) });
            }
        });
    }
}

/// What a producer says of a topic that is gone.
pub(crate) fn unknown_topic() -> Error {
    Error::retriable("told to know no topic")
        .with_exception("org.apache.kafka.common.errors.UnknownTopicOrPartitionException")
}

struct FakeSource(Arc<World>);

impl FakeSource {
    fn start(world: Arc<World>, config: &ConfigMap) -> Result<Self> {
        match config.get("fail").is_some() {
            true => Err(Error::fatal("told to fail")),
            false => Ok(Self(world)),
        }
    }
}

impl SourceTask for FakeSource {
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
            Some(Poll::Late(gate, values, offset)) => {
                gate.pass();
                Ok(Polled::Batches(vec![batch("a", &values, offset)]))
            }
            Some(Poll::Panic) => panic!("told to panic"),
            Some(Poll::Fail(error)) => Err(error),
            Some(Poll::Finished) => Ok(Polled::Finished),
        }
    }

    fn commit(&mut self, delivered: &[(SourcePartition, SourceOffset)]) -> Result<()> {
        self.0.change(|state| state.told.extend(delivered.iter().map(|(_, offset)| offset["o"].as_u64().unwrap())));
        Err(Error::fatal("what a task says of a commit changes nothing"))
    }

    fn wants_acknowledgements(&self) -> bool {
        self.0.change(|state| state.wants_acknowledgements)
    }

    fn acknowledged(&mut self, batch: &AcknowledgedBatch) -> Result<()> {
        self.0.change(|state| {
            let commits = state.told.len();
            state.acknowledged.push((batch.clone(), commits));
        });
        Err(Error::fatal("what a task says of it changes nothing"))
    }
}

/// A batch of these values.
pub(crate) fn batch(partition: &str, values: &[&str], offset: u64) -> SourceBatch {
    // by their row, so that it shows which timestamp belongs to which value
    let timestamps = (0..values.len() as i64).map(|row| row - 1).collect();
    let records = Records { timestamps, ..records("topic", texts(values.iter().copied())) };
    let partition = json_object(&format!("{{\"p\":\"{partition}\"}}"));
    SourceBatch { records, partition, offset: json_object(&format!("{{\"o\":{offset}}}")) }
}

/// Takes messages and acknowledges them as the test says.
pub(crate) struct FakeProducer(Arc<World>);

impl FakeProducer {
    pub(crate) fn new(world: &Arc<World>) -> Self {
        Self(Arc::clone(world))
    }

    /// Counts the producers that it makes.
    pub(crate) fn factory(world: &Arc<World>) -> ProducerFactory {
        let world = Arc::clone(world);
        Box::new(move || {
            world.change(|state| state.producers += 1);
            Ok(Box::new(Self::new(&world)) as Box<dyn RecordProducer>)
        })
    }
}

impl FakeProducer {
    fn end_transaction(&self, end: Ended) -> Result<()> {
        self.0.change(|state| {
            if end == Ended::Committed && state.fails_commits {
                return Err(Error::fatal("told to fail"));
            }
            match state.transactions.last_mut() {
                Some(transaction) if transaction.end.is_none() => transaction.end = Some(end),
                _ => return Err(Error::fatal("there is no transaction")),
            }
            Ok(())
        })
    }
}

impl RecordProducer for FakeProducer {
    fn try_send(&mut self, message: &Outgoing<'_>, token: u64) -> Result<bool> {
        let value = String::from_utf8(message.value.unwrap().to_vec()).unwrap();
        if value == "refused" {
            return Err(Error::data("too large"));
        }
        if value == "login" {
            return Err(Error::config("told to refuse the login")
                .with_exception("org.apache.kafka.common.errors.SaslAuthenticationException"));
        }
        let is_unknown = self.0.change(|state| {
            let left = state.unknown_topics;
            state.unknown_topics = left.saturating_sub(1);
            left > 0
        });
        if is_unknown {
            return Err(unknown_topic());
        }
        if value == "2" && self.0.change(|state| state.is_full) {
            return Ok(false);
        }
        self.0.change(|state| {
            if state.acknowledges_all {
                let offset = state.sent.len() as i64;
                state.deliveries.push(Delivered { token, result: Ok((0, offset)), returned: None });
            }
            state.timestamps.push(message.timestamp);
            if let Some(transaction) = state.transactions.last_mut().filter(|transaction| transaction.end.is_none()) {
                transaction.sent.push(value.clone());
            }
            state.sent.push((value, token));
        });
        Ok(true)
    }

    fn max_block(&self, _: &str) -> (Duration, Error) {
        let max_block = self.0.state.lock().unwrap().max_block;
        (max_block.unwrap_or(Duration::MAX), Error::fatal("told to stay full"))
    }

    fn deliveries(&mut self, max_wait: Duration) -> Vec<Delivered> {
        let deliveries = self.0.change(|state| {
            let later = std::mem::take(&mut state.later_deliveries);
            std::mem::replace(&mut state.deliveries, later)
        });
        if deliveries.is_empty() {
            std::thread::sleep(max_wait.min(Duration::from_millis(1)));
        }
        deliveries
    }

    fn flush(&mut self, _: Duration) {}

    fn begin_transaction(&mut self) -> Result<()> {
        self.0.change(|state| state.transactions.push(Transaction::default()));
        Ok(())
    }

    fn commit_transaction(&mut self, _: Duration) -> Result<()> {
        self.end_transaction(Ended::Committed)
    }

    fn abort_transaction(&mut self, _: Duration) -> Result<()> {
        self.end_transaction(Ended::Aborted)
    }

    fn fatal_failure(&self) -> Option<Error> {
        None
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

/// Strings to their bytes; holds up `late` until the test opens its gate.
struct StringConverter(Arc<World>);

impl volley_api::Converter for StringConverter {
    fn to_connect(&mut self, _: &volley_api::RawBatch, _: volley_api::Side) -> Result<volley_api::Converted> {
        Err(Error::fatal("not used"))
    }

    fn from_connect(&mut self, rows: &volley_api::Unserialized<'_>) -> Result<volley_api::Serialized> {
        let column = rows.column;
        let values = column.array.as_any().downcast_ref::<StringArray>();
        if values.is_some_and(|values| values.iter().any(|value| value == Some("late"))) {
            let gate = self.0.change(|state| {
                state.converting += 1;
                state.converter_gate.clone()
            });
            gate.unwrap().pass();
        }
        let bytes = match column.array.as_any().downcast_ref::<StringArray>() {
            Some(strings) => strings.iter().map(|value| value.map(str::as_bytes)).collect(),
            None => BinaryArray::new_null(column.len()),
        };
        Ok(volley_api::Serialized::new(bytes, Vec::new()))
    }
}

/// A source task under test.
pub(crate) struct Running {
    pub(crate) control: Arc<Control>,
    store: Arc<FakeStore>,
    pub(crate) thread: Option<JoinHandle<Result<TaskState>>>,
}

impl Running {
    /// Starts a task with these framework keys; it commits every 20 ms.
    pub(crate) fn start(world: &Arc<World>, config: &[(&str, &str)]) -> Self {
        Self::start_with(world, config, false, Duration::from_millis(20))
    }

    pub(crate) fn start_with(
        world: &Arc<World>,
        config: &[(&str, &str)],
        paused: bool,
        commit_interval: Duration,
    ) -> Self {
        let mut given = config_map(&[("name", "c"), ("connector.class", "Fake")]);
        given.extend(config_map(config));
        let parsed = framework_config_def(volley_api::ConnectorKind::Source).parse(&given).unwrap();
        let id = ConnectorTaskId { connector: "c".into(), task: 0 };
        let metrics = TaskMetrics::alone(ConnectorKind::Source);
        let control = Arc::new(Control::new(id.clone(), Arc::clone(world) as _, Arc::clone(&metrics), paused));
        let store = Arc::new(FakeStore { world: Arc::clone(world), memory: MemoryOffsetBackingStore::new() });
        let errors = ErrorHandler::new(id.clone(), &parsed, None, Arc::clone(&control), Arc::clone(&metrics));
        let errors = Arc::new(errors);
        let committed = Arc::new(CommittedOffsets::default());
        let flush_timeout = Duration::from_millis(300);
        let mut stage = ProduceStage {
            id: id.clone(),
            serializer: RecordSerializer {
                key: NamedConverter {
                    converter: Box::new(StringConverter(Arc::clone(world))),
                    class: "StringConverter".into(),
                },
                value: NamedConverter {
                    converter: Box::new(StringConverter(Arc::clone(world))),
                    class: "StringConverter".into(),
                },
                header: Box::new(FakeHeaderConverter),
                header_class: "FakeHeaderConverter".into(),
            },
            new_producer: FakeProducer::factory(world),
            transactions: None,
            creator: None,
            commits: OffsetCommits::new(
                id.clone(),
                OffsetCommitter::new(id.clone(), Arc::clone(&store) as _, Arc::clone(&control), flush_timeout),
                Arc::clone(&committed),
                Arc::clone(&control),
                Arc::clone(&metrics),
                commit_interval,
            ),
            acknowledged: None,
            errors: Arc::clone(&errors),
            control: Arc::clone(&control),
            metrics: Arc::clone(&metrics),
            flush_timeout,
        };
        let transformation =
            Box::new(FakeTransformation { world: Arc::clone(world), tries: std::collections::HashMap::new() });
        let chain =
            TransformChain::new(vec![Step { class: "FakeTransformation".into(), transformation, condition: None }]);
        let (ended, world) = (Arc::clone(&control), Arc::clone(world));
        let run = move || {
            let Some(task) = start(&ended, || FakeSource::start(world, &given))? else {
                return Ok(TaskState::Unassigned);
            };
            let acknowledged = task.wants_acknowledgements().then(Arc::default);
            stage.acknowledged.clone_from(&acknowledged);
            let source = SourceLoop {
                id,
                task: Box::new(task),
                chain,
                errors,
                control: Arc::clone(&ended),
                metrics,
                committed,
                acknowledged,
                ends: None,
                produce: ProduceThread::new(stage),
                pacing: IdlePacing::default(),
            };
            source.run()
        };
        let ends = Arc::clone(&control);
        let thread = std::thread::spawn(move || {
            let outcome = run();
            ends.ended();
            outcome
        });
        Self { control, store, thread: Some(thread) }
    }

    pub(crate) fn stored(&self, partition: &str) -> Option<u64> {
        self.store
            .memory
            .get("c", &json_object(&format!("{{\"p\":\"{partition}\"}}")))
            .unwrap()
            .map(|offset| offset["o"].as_u64().unwrap())
    }

    pub(crate) fn until_stored(&self, partition: &str, offset: u64) {
        let deadline = Instant::now() + SOON;
        while self.stored(partition) != Some(offset) {
            assert!(Instant::now() < deadline, "{partition} never got to {offset}: {:?}", self.stored(partition));
            std::thread::yield_now();
        }
    }

    pub(crate) fn request_stop(&self) {
        self.request_stop_within(Duration::from_secs(1));
    }

    pub(crate) fn request_stop_within(&self, time: Duration) {
        self.control.want(Wanted::Stopped { deadline: Instant::now() + time });
    }

    pub(crate) fn end(&mut self) -> Result<TaskState> {
        self.thread.take().unwrap().join().unwrap()
    }

    pub(crate) fn stop(&mut self) -> Result<TaskState> {
        self.request_stop();
        self.end()
    }
}

pub(crate) fn world(acknowledges_all: bool) -> Arc<World> {
    let world = Arc::new(World::default());
    world.change(|state| state.acknowledges_all = acknowledges_all);
    world
}
