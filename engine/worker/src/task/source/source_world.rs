//! A source task whose source, producer, store and transformation do as the test says.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use arrow::array::{BinaryArray, StringArray};
use volley_api::testing::{config_map, json_object, records, texts};
use volley_api::{
    AcknowledgedBatch, ConfigMap, ConnectorKind, DeliveryListener, Error, Polled, Records, RejectedRow, Result,
    SourceBatch, SourceOffset, SourcePartition, SourceTask, Stage, TransactionContext, TransactionEnd, Transformation,
    Transformed,
};
use volley_kafka::{Delivery as Delivered, Returned};

use crate::connector_config::framework_config_def;
use crate::connector_task_id::ConnectorTaskId;
use crate::metrics::TaskMetrics;
use crate::storage::{MemoryOffsetBackingStore, OffsetBackingStore, OffsetEntry, OffsetRecords};
use crate::task::control::{Control, Wanted};
use crate::task::errors::error_handler::ErrorHandler;
use crate::task::setup::NamedConverter;
use crate::task::source::fake_producer::{Ended, FakeProducer, Transaction, unknown_topic};
use crate::task::source::idle_pacing::IdlePacing;
use crate::task::source::produce::committed_offsets::CommittedOffsets;
use crate::task::source::produce::offset_commits::OffsetCommits;
use crate::task::source::produce::offset_committer::OffsetCommitter;
use crate::task::source::produce::produce_stage::ProduceStage;
use crate::task::source::produce::record_serializer::{RecordConverters, RecordSerializer};
use crate::task::source::produce::transactions::{TransactionBoundary, Transactions};
use crate::task::source::produce_thread::ProduceThread;
use crate::task::source::source_task::{SourceLoop, start, told};
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
    /// Whether the polls that are left belong to the last one.
    pub(crate) is_polling: bool,
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
    /// Whether the task has a listener.
    pub(crate) has_listener: bool,
    /// Whether its listener wants to be told of acknowledged batches.
    pub(crate) wants_acknowledgements: bool,
    /// The acknowledged batches that the listener was told of, each with the number of commits that it was told of before.
    pub(crate) acknowledged: Vec<(AcknowledgedBatch, usize)>,
    /// How many commits the listener was told of.
    pub(crate) commits: usize,
    /// Offsets the task was told of.
    pub(crate) told: Vec<u64>,
    pub(crate) store_fails: bool,
    pub(crate) store_hangs: bool,
    pub(crate) store_calls: usize,
    pub(crate) transformed: Vec<String>,
    /// How often the converter has come to the gate.
    pub(crate) converting: usize,
    pub(crate) transactions: Vec<Transaction>,
    pub(crate) fails_commits: bool,
    pub(crate) converter_gate: Option<Arc<Gate>>,
}

pub(crate) enum Poll {
    /// Values of a partition and the offset after them.
    Rows(&'static str, Vec<&'static str>, u64),
    /// The same, behind which the task ends its transaction.
    RowsAndEnd(&'static str, Vec<&'static str>, u64, TransactionEnd),
    /// A value for the topic of the offsets.
    ToOffsets,
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

struct FakeSource(Arc<World>, TransactionContext);

impl FakeSource {
    fn start(world: Arc<World>, config: &ConfigMap, ends: TransactionContext) -> Result<Self> {
        match config.get("fail").is_some() {
            true => Err(Error::fatal("told to fail")),
            false => Ok(Self(world, ends)),
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
            Some(Poll::RowsAndEnd(partition, values, offset, end)) => {
                match end {
                    TransactionEnd::Commit => self.1.commit_behind(0),
                    TransactionEnd::Abort => self.1.abort(),
                }
                Ok(Polled::Batches(vec![batch(partition, &values, offset)]))
            }
            Some(Poll::ToOffsets) => {
                let mut batch = batch("a", &["1"], 1);
                batch.records.topic = Arc::from("offsets");
                Ok(Polled::Batches(vec![batch]))
            }
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

    fn is_polling(&self) -> bool {
        self.0.change(|state| state.is_polling && !state.polls.is_empty())
    }

    fn commit(&mut self, delivered: &[(SourcePartition, SourceOffset)]) -> Result<()> {
        self.0.change(|state| state.told.extend(delivered.iter().map(|(_, offset)| offset["o"].as_u64().unwrap())));
        Err(Error::fatal("what a task says of a commit changes nothing"))
    }

    fn delivery_listener(&mut self) -> Option<Box<dyn DeliveryListener>> {
        let has_one = self.0.change(|state| state.has_listener);
        has_one.then(|| Box::new(FakeListener(Arc::clone(&self.0))) as _)
    }
}

struct FakeListener(Arc<World>);

impl DeliveryListener for FakeListener {
    fn commit(&mut self, delivered: &[(SourcePartition, SourceOffset)]) -> Result<()> {
        self.0.change(|state| {
            state.commits += 1;
            state.told.extend(delivered.iter().map(|(_, offset)| offset["o"].as_u64().unwrap()));
        });
        Err(Error::fatal("what a listener says of a commit changes nothing"))
    }

    fn wants_acknowledgements(&self) -> bool {
        self.0.change(|state| state.wants_acknowledgements)
    }

    fn acknowledged(&mut self, batches: &[AcknowledgedBatch]) -> Result<()> {
        self.0.change(|state| {
            let commits = state.told.len();
            state.acknowledged.extend(batches.iter().map(|batch| (batch.clone(), commits)));
        });
        Err(Error::fatal("what a listener says of it changes nothing"))
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

    fn topic(&self) -> Option<&str> {
        Some("offsets")
    }

    /// Their values are `offset N`.
    fn records(&self, _: &str, offsets: &[OffsetEntry]) -> Result<OffsetRecords> {
        let entry = |(partition, offset): &OffsetEntry| {
            let offset = offset.as_ref().map(|offset| format!("offset {}", offset["o"]).into_bytes());
            (partition["p"].to_string().into_bytes(), offset)
        };
        Ok(OffsetRecords { topic: "offsets".to_owned(), entries: offsets.iter().map(entry).collect() })
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
            serializer: RecordSerializer::Converters(Box::new(RecordConverters {
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
            })),
            new_producer: FakeProducer::factory(world),
            transactions: transaction_boundary(&given)
                .map(|boundary| Transactions::new(boundary, Arc::clone(&store) as _, Arc::clone(&committed))),
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
        let ends = TransactionContext::default();
        let run = move || {
            let Some(mut task) = start(&ended, || FakeSource::start(world, &given, ends.clone()))? else {
                return Ok(TaskState::Unassigned);
            };
            let has_produced = Arc::default();
            let told = told(&mut task, &mut stage, &committed, &has_produced)?;
            let source = SourceLoop {
                id,
                task: Box::new(task),
                chain,
                errors,
                control: Arc::clone(&ended),
                metrics,
                told,
                has_produced,
                ends: Some(ends),
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

    /// The transactions so far: what was sent in each, and its end.
    pub(crate) fn transactions(&self, world: &World) -> Vec<(Vec<String>, Option<Ended>)> {
        let state = world.state.lock().unwrap();
        state.transactions.iter().map(|transaction| (transaction.sent.clone(), transaction.end)).collect()
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

/// The tests' tasks deliver exactly once where they say what ends a transaction.
fn transaction_boundary(config: &ConfigMap) -> Option<TransactionBoundary> {
    config.contains_key("transaction.boundary").then(|| TransactionBoundary::of(config, SOON).unwrap())
}

pub(crate) fn world(acknowledges_all: bool) -> Arc<World> {
    let world = Arc::new(World::default());
    world.change(|state| state.acknowledges_all = acknowledges_all);
    world
}
