//! The second stage of a source task: records to bytes, to Kafka, and the offsets of what is acknowledged to the store.
//!
//! It begins with the first batch, so that a task that has nothing to deliver has neither this thread nor a producer.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, select};
use tracing::{info, warn};
use volley_api::{Error, Records, RejectedRow, Result, Stage};
use volley_kafka::{Delivery, Outgoing};

use crate::clock::now_ms;
use crate::task::acknowledgements::{Acknowledgements, BatchId};
use crate::task::committed_offsets::CommittedOffsets;
use crate::task::control::{Control, Wanted};
use crate::task::error_handler::{ErrorHandler, Input, TracedCause};
use crate::task::offset_committer::OffsetCommitter;
use crate::task::parcels::{Parcel, Parcels};
use crate::task::polled_batch::PolledBatch;
use crate::task::record_producer::RecordProducer;
use crate::task::record_serializer::{RecordSerializer, SerializedRecords};
use crate::task::topic_creator::TopicCreator;
use crate::task::{ConnectorTaskId, TaskProgress};

/// How often acknowledgements are looked for while messages are on their way and nothing else comes.
const ACKNOWLEDGEMENT_LOOK: Duration = Duration::from_millis(20);
/// The same where there is no room for the next message.
const ROOM_LOOK: Duration = Duration::from_millis(5);
/// How often the producer is asked for what it has to say while nothing is on its way.
const IDLE_LOOK: Duration = Duration::from_secs(5);
/// After this long without a message the producer is given up, with its threads and connections; the next message makes
/// another.
const PRODUCER_IDLE: Duration = Duration::from_secs(300);
/// One question whether a topic exists, and the wait before the next.
const TOPIC_LOOK: Duration = Duration::from_secs(1);
const TOPIC_RETRY: Duration = Duration::from_millis(200);
/// Time that a broker has to create a topic by itself before its absence is worth a warning.
const TOPIC_GRACE: Duration = Duration::from_secs(3);
/// How often it is said that a topic is still missing.
const TOPIC_REMINDER: Duration = Duration::from_secs(30);
/// Wait before a topic is tried to be created again.
const CREATION_RETRY: Duration = Duration::from_millis(500);
/// Time for the last commit that a stop leaves after the acknowledgements.
const LAST_COMMIT: Duration = Duration::from_secs(1);

/// From the task's thread to this stage.
pub(crate) enum ToProduce {
    /// Records to be delivered.
    Batch(BatchToProduce),
    /// Everything of a bounded source has been sent.
    Finished,
}

/// What became of one polled batch.
pub(crate) struct BatchToProduce {
    /// The records, after the transformation chain.
    pub(crate) records: Vec<Records>,
    /// What they were made from.
    pub(crate) polled: Arc<PolledBatch>,
    /// Whether the batch was polled without records, to move the offset.
    pub(crate) only_moves_offset: bool,
}

/// Makes the producer when there is something to send.
pub(crate) type ProducerFactory = Box<dyn Fn() -> Result<Box<dyn RecordProducer>> + Send>;

/// What the produce stage works with.
pub(crate) struct ProduceStage {
    pub(crate) id: ConnectorTaskId,
    pub(crate) serializer: RecordSerializer,
    pub(crate) new_producer: ProducerFactory,
    /// `None`: topics are left to the broker.
    pub(crate) creator: Option<Arc<TopicCreator>>,
    pub(crate) committer: OffsetCommitter,
    pub(crate) committed: Arc<CommittedOffsets>,
    pub(crate) errors: Arc<ErrorHandler>,
    pub(crate) control: Arc<Control>,
    pub(crate) progress: Arc<TaskProgress>,
    pub(crate) commit_interval: Duration,
    pub(crate) flush_timeout: Duration,
}

/// Why the stage has nothing more to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// A bounded source is at its end.
    Finished,
    /// The task stops, or has failed elsewhere.
    Cut,
}

/// The stage at work, on its own thread.
struct Producing {
    parts: ProduceStage,
    /// `None` while there is nothing to send.
    producer: Option<Box<dyn RecordProducer>>,
    last_sent: Instant,
    known_topics: HashSet<Arc<str>>,
    acknowledgements: Acknowledgements,
    parcels: Parcels,
    next_commit: Instant,
    /// Whether what was acknowledged when the stop came has been committed.
    is_committed_for_stop: bool,
}

impl ProduceStage {
    /// Runs until the input ends and its messages are acknowledged. Returns whether everything was delivered and
    /// committed.
    ///
    /// # Errors
    /// What the task fails with. What can be committed has been.
    pub(crate) fn run(self, input: Receiver<ToProduce>) -> Result<bool> {
        let now = Instant::now();
        let mut producing = Producing {
            next_commit: now + self.commit_interval,
            parts: self,
            producer: None,
            last_sent: now,
            known_topics: HashSet::new(),
            acknowledgements: Acknowledgements::default(),
            parcels: Parcels::default(),
            is_committed_for_stop: false,
        };
        let outcome = producing.serve(&input);
        // the task's thread learns by this that there is nobody to send to
        drop(input);
        producing.parts.control.ring();
        let settled = producing.settle(outcome.as_ref().copied().unwrap_or(End::Cut));
        let is_committed = producing.commit_at_the_end(outcome.as_ref().is_ok_and(|end| *end == End::Finished));
        outcome?;
        Ok(settled? && is_committed)
    }
}

impl Producing {
    fn serve(&mut self, input: &Receiver<ToProduce>) -> Result<End> {
        let changes = self.parts.control.changes();
        loop {
            let wait = self.longest_wait();
            select! {
                recv(input) -> message => match message {
                    Ok(ToProduce::Batch(batch)) => {
                        if !self.produce(&batch)? {
                            return Ok(End::Cut);
                        }
                    }
                    Ok(ToProduce::Finished) => return Ok(End::Finished),
                    Err(_) => return Ok(End::Cut),
                },
                recv(self.parts.committer.outcomes()) -> outcome => {
                    // the sender is the committer's own
                    if let Ok(outcome) = outcome {
                        self.commit_came_back(outcome);
                    }
                }
                // looked at below
                recv(changes) -> _ => {}
                default(wait) => {}
            }
            self.look_after_what_is_on_its_way(Duration::ZERO)?;
            self.rest();
        }
    }

    /// How long nothing need be looked at if nothing comes.
    fn longest_wait(&self) -> Duration {
        if self.acknowledgements.outstanding() > 0 {
            return ACKNOWLEDGEMENT_LOOK;
        }
        let until_commit = self.next_commit.saturating_duration_since(Instant::now()).max(ACKNOWLEDGEMENT_LOOK);
        match self.producer {
            Some(_) => until_commit.min(IDLE_LOOK),
            None => until_commit,
        }
    }

    /// Gives up the producer after a long time without a message.
    fn rest(&mut self) {
        let is_idle = self.acknowledgements.outstanding() == 0 && self.last_sent.elapsed() >= PRODUCER_IDLE;
        if is_idle && self.producer.take().is_some() {
            info!(task = %self.parts.id, "producer closed until there is something to send again");
        }
    }

    fn producer(&mut self) -> Result<&mut dyn RecordProducer> {
        let producer = match self.producer.take() {
            Some(producer) => producer,
            None => (self.parts.new_producer)()?,
        };
        Ok(&mut **self.producer.insert(producer))
    }

    /// `false` if the task is to stop before the batch is sent: then its offset is never committed.
    fn produce(&mut self, batch: &BatchToProduce) -> Result<bool> {
        let polled = &batch.polled;
        let id = self.acknowledgements.open(polled.partition.clone(), polled.offset.clone(), batch.only_moves_offset);
        for records in &batch.records {
            if !self.produce_records(id, records, polled)? {
                return Ok(false);
            }
        }
        self.acknowledgements.close(id);
        Ok(true)
    }

    fn produce_records(&mut self, batch: BatchId, records: &Records, polled: &Arc<PolledBatch>) -> Result<bool> {
        check_timestamps(records)?;
        let mut serialized = self.parts.serializer.serialize(records, &self.parts.errors)?;
        self.parts.errors.handle(Input::Polled(polled), std::mem::take(&mut serialized.rejected))?;
        if serialized.is_empty() {
            return Ok(true);
        }
        let refusal = match self.prepare_topic(&records.topic) {
            Ok(true) => None,
            Ok(false) => return Ok(false),
            Err(TopicFailure::Refused(error)) => Some(error),
            Err(TopicFailure::Fatal(error)) => return Err(error),
        };
        let parcel = Parcel { batch, topic: Arc::clone(&records.topic), polled: Arc::clone(polled) };
        if let Some(error) = refusal {
            return self.refuse(&parcel, records, &serialized, &error).map(|()| true);
        }
        let token = self.parcels.open(parcel);
        let is_sent = self.send(token, batch, records, &serialized);
        self.parcels.close(token);
        is_sent
    }

    fn send(&mut self, token: u64, batch: BatchId, records: &Records, serialized: &SerializedRecords) -> Result<bool> {
        // each message is handed over by itself: that is the producer's interface
        for row in 0..records.len() {
            let Some((key, value, headers)) = serialized.row(row) else { continue };
            let outgoing = Outgoing {
                topic: &records.topic,
                partition: records.kafka_partition,
                timestamp: Some(records.timestamps[row]).filter(|timestamp| *timestamp >= 0),
                key,
                value,
                headers,
            };
            if !self.send_one(token, batch, &outgoing)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Hands one message over, waiting for room; `false` if the task is to stop before there is any.
    fn send_one(&mut self, token: u64, batch: BatchId, message: &Outgoing<'_>) -> Result<bool> {
        let mut full_since = None;
        let error = loop {
            match self.producer()?.try_send(message, token) {
                Ok(true) => {
                    self.acknowledgements.sent(batch);
                    self.parcels.sent(token);
                    self.last_sent = Instant::now();
                    let size = message.key.map_or(0, <[u8]>::len) + message.value.map_or(0, <[u8]>::len);
                    self.parts.progress.bytes_in.fetch_add(size as u64, Ordering::Relaxed);
                    return Ok(true);
                }
                Ok(false) => {}
                Err(error) => break error,
            }
            let since = *full_since.get_or_insert_with(Instant::now);
            let (patience, error) = self.producer()?.patience(message.topic);
            if since.elapsed() >= patience {
                break error;
            }
            if self.parts.control.is_stopping() {
                return Ok(false);
            }
            self.look_after_what_is_on_its_way(ROOM_LOOK)?;
        };
        // it was sent and has failed: the batch is not without messages
        self.acknowledgements.sent(batch);
        self.parcels.sent(token);
        self.failed(token, error).map(|()| true)
    }

    /// None of the messages can be sent, since the topic is refused.
    fn refuse(
        &mut self,
        parcel: &Parcel,
        records: &Records,
        serialized: &SerializedRecords,
        error: &Error,
    ) -> Result<()> {
        for _ in (0..records.len()).filter(|row| serialized.row(*row).is_some()) {
            let error = Error::new(error.kind(), error.to_string()).with_exception(error.exception());
            self.tolerate(parcel, error)?;
            self.acknowledgements.sent(parcel.batch);
            self.acknowledgements.acknowledged(parcel.batch, 1);
        }
        Ok(())
    }

    /// A message that Kafka does not take: the end of the task, or tolerated and counted as acknowledged.
    fn failed(&mut self, token: u64, error: Error) -> Result<()> {
        let Some(parcel) = self.parcels.arrived(token, 1) else { return Ok(()) };
        self.tolerate(&parcel, error)?;
        self.acknowledgements.acknowledged(parcel.batch, 1);
        Ok(())
    }

    fn tolerate(&self, parcel: &Parcel, error: Error) -> Result<()> {
        if !self.parts.errors.tolerates_all() {
            warn!(task = %self.parts.id, topic = %parcel.topic, error = %error.trace(), "could not produce");
            let error = TracedCause(error);
            return Err(Error::fatal("Unrecoverable exception from producer send callback").with_source(error));
        }
        let class = "org.apache.kafka.connect.runtime.WorkerSourceTask".to_owned();
        let row = RejectedRow { row: 0, stage: Stage::KafkaProduce, class, error };
        self.parts.errors.handle(Input::Polled(&parcel.polled), vec![row])
    }

    /// Takes note of acknowledgements and commits, waiting for at most `max_wait` for the former.
    fn look_after_what_is_on_its_way(&mut self, max_wait: Duration) -> Result<()> {
        if let Some(producer) = &mut self.producer {
            let deliveries = producer.deliveries(max_wait);
            self.take_deliveries(deliveries)?;
        } else if !max_wait.is_zero() {
            self.parts.control.wait(max_wait);
        }
        self.keep_commits();
        Ok(())
    }

    fn take_deliveries(&mut self, deliveries: Vec<Delivery>) -> Result<()> {
        // messages of a parcel mostly come together
        let mut run: Option<(u64, usize)> = None;
        for Delivery { token, result } in deliveries {
            match (result, &mut run) {
                (Ok(_), Some((current, count))) if *current == token => *count += 1,
                (Ok(_), _) => {
                    self.delivered(run.replace((token, 1)));
                }
                (Err(error), _) => {
                    self.delivered(run.take());
                    self.failed(token, error)?;
                }
            }
        }
        self.delivered(run);
        Ok(())
    }

    fn delivered(&mut self, run: Option<(u64, usize)>) {
        let Some((token, messages)) = run else { return };
        let Some(parcel) = self.parcels.arrived(token, messages) else { return };
        self.acknowledgements.acknowledged(parcel.batch, messages);
        self.parts.progress.rows_out.fetch_add(messages as u64, Ordering::Relaxed);
        self.parts.control.uses_topic(&parcel.topic);
    }

    /// Takes note of the commit that was under way, and starts the next when it is due.
    fn keep_commits(&mut self) {
        if let Ok(outcome) = self.parts.committer.outcomes().try_recv() {
            self.commit_came_back(outcome);
        }
        if self.parts.committer.is_busy() {
            self.parts.committer.warn_if_late();
            return;
        }
        // a poll that hangs need not cost the offsets of what is delivered
        let is_last_chance =
            !self.is_committed_for_stop && self.acknowledgements.outstanding() == 0 && self.parts.control.is_stopping();
        if !is_last_chance && Instant::now() < self.next_commit {
            return;
        }
        self.is_committed_for_stop |= is_last_chance;
        self.next_commit = Instant::now() + self.parts.commit_interval;
        self.start_commit();
    }

    fn start_commit(&mut self) {
        let offsets = self.acknowledgements.take_committable();
        if offsets.is_empty() {
            return;
        }
        if let Err(offsets) = self.parts.committer.start(offsets) {
            self.acknowledgements.restore(offsets);
        }
    }

    fn commit_came_back(&mut self, outcome: Result<()>) {
        let (offsets, is_stored) = self.parts.committer.finish(outcome);
        self.note_commit(offsets, is_stored);
    }

    fn note_commit(&mut self, offsets: crate::task::acknowledgements::SourceOffsets, is_stored: bool) {
        if offsets.is_empty() {
            return;
        }
        if !is_stored {
            self.acknowledgements.restore(offsets);
            return;
        }
        self.parts.progress.last_commit_ms.store(now_ms(), Ordering::Relaxed);
        self.parts.committed.add(offsets);
        self.parts.control.ring();
    }

    /// Waits for outstanding acknowledgements: for ever at the end of a bounded source, for `offset.flush.timeout.ms` at a
    /// stop or after a failure. Returns whether everything is delivered.
    fn settle(&mut self, end: End) -> Result<bool> {
        let mut deadline = (end == End::Cut).then(|| Instant::now() + self.parts.flush_timeout);
        while self.acknowledgements.outstanding() > 0 {
            if let Wanted::Stopped { deadline: stop } = self.parts.control.wanted() {
                let latest = deadline.unwrap_or_else(|| Instant::now() + self.parts.flush_timeout);
                deadline = Some(latest.min(stop));
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                let open = self.acknowledgements.outstanding();
                warn!(task = %self.parts.id, open, "messages are not acknowledged in time; they will be sent again");
                return Ok(false);
            }
            self.look_after_what_is_on_its_way(ACKNOWLEDGEMENT_LOOK)?;
        }
        Ok(self.acknowledgements.is_settled())
    }

    /// The last commit; at the end of a bounded source as often as it takes. Returns whether everything is stored.
    fn commit_at_the_end(&mut self, is_finished: bool) -> bool {
        loop {
            let is_stored = self.commit_now();
            if is_stored || !is_finished || self.parts.control.is_stopping() {
                return is_stored;
            }
            self.parts.control.wait(self.parts.commit_interval);
        }
    }

    fn commit_now(&mut self) -> bool {
        let mut deadline = Instant::now() + self.parts.flush_timeout;
        if let Wanted::Stopped { deadline: stop } = self.parts.control.wanted() {
            deadline = deadline.min(stop + LAST_COMMIT);
        }
        for is_started in [false, true] {
            let Some((offsets, is_stored)) = self.parts.committer.wait_until(deadline) else {
                warn!(task = %self.parts.id, "offsets are not committed in time");
                return false;
            };
            self.note_commit(offsets, is_stored);
            if is_started {
                return is_stored;
            }
            self.start_commit();
        }
        true
    }

    /// Makes sure that the topic exists, before its first message; `false` if the task is to stop before it does.
    fn prepare_topic(&mut self, topic: &Arc<str>) -> std::result::Result<bool, TopicFailure> {
        if self.known_topics.contains(topic) {
            return Ok(true);
        }
        let is_ready = self.create_topic(topic)? && self.await_topic(topic)?;
        if is_ready {
            self.known_topics.insert(Arc::clone(topic));
        }
        Ok(is_ready)
    }

    /// Creates the topic where the connector says how. The broker is asked on a thread of its own: it may take a minute.
    fn create_topic(&mut self, topic: &Arc<str>) -> std::result::Result<bool, TopicFailure> {
        let Some(creator) = self.parts.creator.clone() else { return Ok(true) };
        loop {
            let (done, is_done) = crossbeam_channel::bounded(1);
            let (creator, name) = (Arc::clone(&creator), Arc::clone(topic));
            let ensure = move || {
                // a task that is gone has given up waiting
                let _ = done.send(creator.ensure(&name));
            };
            let thread = std::thread::Builder::new().name(format!("create-{}", self.parts.id)).spawn(ensure);
            thread.map_err(|error| TopicFailure::Fatal(Error::fatal("could not start a thread").with_source(error)))?;
            let outcome = loop {
                match is_done.recv_timeout(ROOM_LOOK) {
                    Ok(outcome) => break outcome,
                    Err(RecvTimeoutError::Timeout) if self.parts.control.is_stopping() => return Ok(false),
                    Err(RecvTimeoutError::Timeout) => self.look_after_what_is_on_its_way(ACKNOWLEDGEMENT_LOOK)?,
                    Err(RecvTimeoutError::Disconnected) => {
                        break Err(Error::fatal(format!("the creation of topic `{topic}` panicked")));
                    }
                }
            };
            match outcome {
                Ok(()) => return Ok(true),
                Err(error) if error.is_retriable() => {
                    warn!(task = %self.parts.id, %topic, error = %error.trace(), "could not create the topic, trying again");
                }
                Err(error) => return Err(TopicFailure::Fatal(error)),
            }
            self.parts.control.wait(CREATION_RETRY);
        }
    }

    /// Waits until the broker knows the topic, however long that takes, as Kafka's Java producer does.
    fn await_topic(&mut self, topic: &Arc<str>) -> std::result::Result<bool, TopicFailure> {
        // A broker that creates topics by itself takes a moment to do so.
        let mut reminder = Instant::now() + TOPIC_GRACE;
        loop {
            match self.producer()?.has_topic(topic, TOPIC_LOOK) {
                Ok(true) => return Ok(true),
                Ok(false) if Instant::now() >= reminder => {
                    reminder = Instant::now() + TOPIC_REMINDER;
                    warn!(task = %self.parts.id, %topic, "the topic does not exist, waiting until it is created");
                }
                Ok(false) => {}
                // the client says by itself that it cannot reach the broker
                Err(error) if error.is_retriable() => {}
                Err(error) => return Err(TopicFailure::Refused(error)),
            }
            if self.parts.control.is_stopping() {
                return Ok(false);
            }
            self.look_after_what_is_on_its_way(TOPIC_RETRY)?;
        }
    }
}

/// Why there is no topic to send to.
enum TopicFailure {
    /// The broker refuses it: what concerns each message to it.
    Refused(Error),
    /// The end of the task.
    Fatal(Error),
}

impl From<Error> for TopicFailure {
    fn from(error: Error) -> Self {
        Self::Fatal(error)
    }
}

/// A timestamp is a time since 1970, or -1 for none.
fn check_timestamps(records: &Records) -> Result<()> {
    match records.timestamps.iter().find(|timestamp| **timestamp < -1) {
        None => Ok(()),
        Some(timestamp) => Err(Error::fatal(format!("Invalid record timestamp {timestamp}"))
            .with_exception("org.apache.kafka.common.InvalidRecordException")),
    }
}
