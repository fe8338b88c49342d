//! The second stage of a source task: records to bytes, to Kafka, and the offsets of what is acknowledged to the store.
//!
//! It begins with the first batch, so that a task that has nothing to deliver has neither this thread nor a producer.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, select};
use tracing::{info, warn};
use volley_api::{Error, Records, RejectedRow, Result, Stage};
use volley_kafka::{Delivery, Outgoing};

use crate::connector_task_id::ConnectorTaskId;
use crate::task::TaskProgress;
use crate::task::control::{Control, Wanted};
use crate::task::errors::error_handler::{ErrorHandler, Input};
use crate::task::source::polled_batch::PolledBatch;
use crate::task::source::produce::acknowledgements::BatchId;
use crate::task::source::produce::offset_commits::OffsetCommits;
use crate::task::source::produce::parcels::{Parcel, Parcels, Token};
use crate::task::source::produce::record_producer::RecordProducer;
use crate::task::source::produce::record_serializer::{RecordSerializer, SerializedRecords};
use crate::task::source::produce::returned_messages::ReturnedMessage;
use crate::task::source::produce::topic_creator::TopicCreator;
use crate::task::source::produce::topic_preparation::TopicFailure;

/// How often acknowledgements are looked for while messages are on their way and nothing else comes.
const ACKNOWLEDGEMENT_LOOK: Duration = Duration::from_millis(20);
/// The same where there is no room for the next message.
const ROOM_LOOK: Duration = Duration::from_millis(5);
/// Time for acknowledgements that a stop leaves after the last message.
const SETTLING: Duration = Duration::from_secs(1);
/// How often the producer is asked for what it has to say while nothing is on its way.
const IDLE_LOOK: Duration = Duration::from_secs(5);
/// After this long without a message the producer is given up, with its threads and connections; the next message makes
/// another.
const PRODUCER_IDLE: Duration = Duration::from_secs(300);

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
    pub(crate) commits: OffsetCommits,
    pub(crate) errors: Arc<ErrorHandler>,
    pub(crate) control: Arc<Control>,
    pub(crate) progress: Arc<TaskProgress>,
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

/// Messages that the producer has taken.
#[derive(Clone, Copy, Debug, Default)]
struct Taken {
    messages: usize,
    bytes: u64,
}

impl Taken {
    fn add(&mut self, message: &Outgoing<'_>) {
        self.messages += 1;
        self.bytes += (message.key.map_or(0, <[u8]>::len) + message.value.map_or(0, <[u8]>::len)) as u64;
    }
}

/// What became of a message that was to be handed over.
pub(crate) enum Handed {
    /// The producer has it.
    Taken,
    /// The producer has it not, since its topic or partition is not there (any more): it is to wait.
    NoTopic(Error),
    /// It will never take it.
    Refused(Error),
    /// The task is to stop before there is room for it.
    TooLate,
}

/// The stage at work, on its own thread.
pub(crate) struct Producing {
    pub(crate) parts: ProduceStage,
    /// `None` while there is nothing to send.
    producer: Option<Box<dyn RecordProducer>>,
    last_sent: Instant,
    /// Topics that are there as far as is known.
    pub(crate) known_topics: HashSet<Arc<str>>,
    /// Topics that were there, and may be again.
    pub(crate) lost_topics: HashSet<Arc<str>>,
    pub(crate) parcels: Parcels,
    /// Messages that are to be sent again, before all others. They count as on their way.
    pub(crate) returned: VecDeque<ReturnedMessage>,
    /// Messages that the task fails with. They count as on their way for ever.
    undelivered: usize,
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
            parts: self,
            producer: None,
            last_sent: now,
            known_topics: HashSet::new(),
            lost_topics: HashSet::new(),
            parcels: Parcels::default(),
            returned: VecDeque::new(),
            undelivered: 0,
        };
        producing.parts.commits.begin();
        let outcome = producing.serve(&input);
        // the task's thread learns by this that there is nobody to send to
        drop(input);
        producing.parts.control.ring();
        let settled = producing.settle(outcome.as_ref().copied().unwrap_or(End::Cut));
        let is_finished = settled.is_ok() && outcome.as_ref().is_ok_and(|end| *end == End::Finished);
        let is_committed = producing.parts.commits.finish(producing.parts.flush_timeout, is_finished);
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
                recv(self.parts.commits.outcomes()) -> outcome => {
                    // the sender is the committer's own
                    if let Ok(outcome) = outcome {
                        self.parts.commits.came_back(outcome);
                    }
                }
                // looked at below
                recv(changes) -> _ => {}
                default(wait) => {}
            }
            if self.parts.control.is_abandoned() {
                return Ok(End::Cut);
            }
            self.look_after_what_is_on_its_way(Duration::ZERO)?;
            if !self.resend()? {
                return Ok(End::Cut);
            }
            self.rest();
        }
    }

    /// How long nothing need be looked at if nothing comes.
    fn longest_wait(&self) -> Duration {
        if self.parts.commits.acknowledgements.outstanding() > 0 {
            return ACKNOWLEDGEMENT_LOOK;
        }
        let until_commit = self.parts.commits.until_next().max(ACKNOWLEDGEMENT_LOOK);
        match self.producer {
            Some(_) => until_commit.min(IDLE_LOOK),
            None => until_commit,
        }
    }

    /// Gives up the producer after a long time without a message.
    fn rest(&mut self) {
        let is_idle =
            self.parts.commits.acknowledgements.outstanding() == 0 && self.last_sent.elapsed() >= PRODUCER_IDLE;
        if is_idle && self.producer.take().is_some() {
            info!(task = %self.parts.id, "producer closed until there is something to send again");
        }
    }

    pub(crate) fn producer(&mut self) -> Result<&mut dyn RecordProducer> {
        let producer = match self.producer.take() {
            Some(producer) => producer,
            None => (self.parts.new_producer)()?,
        };
        Ok(&mut **self.producer.insert(producer))
    }

    /// `false` if the task is to stop before the batch is sent: then its offset is never committed.
    fn produce(&mut self, batch: &BatchToProduce) -> Result<bool> {
        if self.parts.control.is_abandoned() {
            return Ok(false);
        }
        let polled = &batch.polled;
        let id = self.parts.commits.acknowledgements.open(
            polled.partition.clone(),
            polled.offset.clone(),
            batch.only_moves_offset,
        );
        for records in &batch.records {
            if !self.produce_records(id, records, polled)? {
                return Ok(false);
            }
        }
        self.parts.commits.acknowledgements.close(id);
        Ok(true)
    }

    fn produce_records(&mut self, batch: BatchId, records: &Records, polled: &Arc<PolledBatch>) -> Result<bool> {
        check_timestamps(records)?;
        let mut serialized = self.parts.serializer.serialize(records, &self.parts.errors)?;
        // a converter may have waited for its registry all the while
        if self.parts.control.is_abandoned() {
            return Ok(false);
        }
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
        let parcel = Parcel {
            batch,
            topic: Arc::clone(&records.topic),
            polled: Arc::clone(polled),
            partition: records.kafka_partition,
            timestamps: records.timestamps.clone(),
        };
        if let Some(error) = refusal {
            return self.refuse(&parcel, records, &serialized, &error).map(|()| true);
        }
        let number = self.parcels.open(parcel);
        let is_sent = self.send(number, batch, records, &serialized);
        self.parcels.close(number);
        is_sent
    }

    /// `false` if the task is to stop before everything is handed over.
    fn send(&mut self, parcel: u32, batch: BatchId, records: &Records, serialized: &SerializedRecords) -> Result<bool> {
        let mut taken = Taken::default();
        // each message is handed over by itself: that is the producer's interface
        for row in 0..records.len() {
            let Some((key, value, headers)) = serialized.row(row) else { continue };
            // what was sent before goes first
            if self.parts.control.is_abandoned() || !self.resend()? {
                return Ok(false);
            }
            let outgoing = Outgoing {
                topic: &records.topic,
                partition: records.kafka_partition,
                timestamp: Some(records.timestamps[row]).filter(|timestamp| *timestamp >= 0),
                key,
                value,
                headers,
            };
            // a batch has less than 2^32 rows
            let token = Token { parcel, row: row as u32 };
            let outcome = self.producer()?.try_send(&outgoing, token.into());
            if matches!(outcome, Ok(true)) {
                taken.add(&outgoing);
                continue;
            }
            // acknowledgements are looked at from here on, and must find what they belong to
            self.note_sent(parcel, batch, std::mem::take(&mut taken));
            match self.await_room(&outgoing, token, outcome)? {
                Handed::Taken => taken.add(&outgoing),
                Handed::NoTopic(error) => {
                    taken.add(&outgoing);
                    self.note_sent(parcel, batch, std::mem::take(&mut taken));
                    self.keep_for_later(token, &outgoing, &error)?;
                }
                Handed::Refused(error) => {
                    // it was sent and has failed: the batch is not without messages
                    self.note_sent(parcel, batch, Taken { messages: 1, bytes: 0 });
                    self.failed(token, error)?;
                }
                Handed::TooLate => return Ok(false),
            }
        }
        self.note_sent(parcel, batch, taken);
        self.resend()
    }

    fn note_sent(&mut self, parcel: u32, batch: BatchId, taken: Taken) {
        if taken.messages > 0 {
            self.parts.commits.acknowledgements.sent(batch, taken.messages);
            self.parcels.sent(parcel, taken.messages);
            self.parts.progress.bytes_in.fetch_add(taken.bytes, Ordering::Relaxed);
            self.last_sent = Instant::now();
        }
    }

    /// Hands over a message that was not taken at once: `outcome` says why.
    pub(crate) fn await_room(
        &mut self,
        message: &Outgoing<'_>,
        token: Token,
        mut outcome: Result<bool>,
    ) -> Result<Handed> {
        let since = Instant::now();
        loop {
            match outcome {
                Ok(true) => return Ok(Handed::Taken),
                Ok(false) => {}
                Err(error) if volley_kafka::is_missing_topic(&error) => return Ok(Handed::NoTopic(error)),
                Err(error) => return Ok(Handed::Refused(error)),
            }
            let (patience, error) = self.producer()?.patience(message.topic);
            if since.elapsed() >= patience {
                return Ok(Handed::Refused(error));
            }
            if self.is_too_late_to_send() {
                return Ok(Handed::TooLate);
            }
            self.look_after_what_is_on_its_way(ROOM_LOOK)?;
            outcome = self.producer()?.try_send(message, token.into());
        }
    }

    /// Whether a stop leaves no time to send more: what is sent has to be acknowledged and committed too.
    fn is_too_late_to_send(&self) -> bool {
        matches!(self.parts.control.wanted(), Wanted::Stopped { deadline } if Instant::now() + SETTLING >= deadline)
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
            self.tolerate(parcel, error.clone())?;
            self.parts.commits.acknowledgements.sent(parcel.batch, 1);
            self.parts.commits.acknowledgements.acknowledged(parcel.batch, 1);
        }
        Ok(())
    }

    /// A message that Kafka does not take: the end of the task, or tolerated and counted as acknowledged.
    pub(crate) fn failed(&mut self, token: Token, error: Error) -> Result<()> {
        let Some(parcel) = self.parcels.arrived(token.parcel, 1) else { return Ok(()) };
        let outcome = self.tolerate(&parcel, error);
        match outcome {
            Ok(()) => self.parts.commits.acknowledgements.acknowledged(parcel.batch, 1),
            Err(_) => self.undelivered += 1,
        }
        outcome
    }

    fn tolerate(&self, parcel: &Parcel, error: Error) -> Result<()> {
        if !self.parts.errors.tolerates_all() || !may_be_tolerated(&error) {
            warn!(task = %self.parts.id, topic = %parcel.topic, error = %error.trace(), "could not produce");
            return Err(Error::fatal("Unrecoverable exception from producer send callback").with_source(error));
        }
        let class = "org.apache.kafka.connect.runtime.WorkerSourceTask".to_owned();
        let row = RejectedRow { row: 0, stage: Stage::KafkaProduce, class, error };
        self.parts.errors.handle(Input::Polled(&parcel.polled), vec![row])
    }

    /// Takes note of acknowledgements and commits, waiting for at most `max_wait` for the former.
    pub(crate) fn look_after_what_is_on_its_way(&mut self, max_wait: Duration) -> Result<()> {
        let is_awaiting = self.parts.commits.acknowledgements.outstanding() > 0;
        let mut outcome = Ok(());
        if let Some(producer) = &mut self.producer {
            let deliveries = producer.deliveries(if is_awaiting { max_wait } else { Duration::ZERO });
            outcome = self.take_deliveries(deliveries);
        }
        if !is_awaiting && !max_wait.is_zero() {
            self.parts.control.wait(max_wait);
        }
        self.parts.commits.keep();
        outcome
    }

    /// Takes note of all of them, also of those behind one that fails the task: what is acknowledged is to be committed.
    fn take_deliveries(&mut self, deliveries: Vec<Delivery>) -> Result<()> {
        let mut outcome = Ok(());
        // messages of a parcel mostly come together
        let mut run: Option<(u32, usize)> = None;
        for Delivery { token, result, returned } in deliveries {
            let token = Token::from(token);
            match (result, &mut run) {
                (Ok(_), Some((current, count))) if *current == token.parcel => *count += 1,
                (Ok(_), _) => {
                    self.delivered(run.replace((token.parcel, 1)));
                }
                (Err(error), _) => {
                    self.delivered(run.take());
                    match returned {
                        Some(content) => self.came_back(token, content, &error),
                        None => outcome = outcome.and(self.failed(token, error)),
                    }
                }
            }
        }
        self.delivered(run);
        outcome
    }

    fn delivered(&mut self, run: Option<(u32, usize)>) {
        let Some((number, messages)) = run else { return };
        let Some(parcel) = self.parcels.arrived(number, messages) else { return };
        self.parts.commits.acknowledgements.acknowledged(parcel.batch, messages);
        self.parts.progress.rows_out.fetch_add(messages as u64, Ordering::Relaxed);
        self.parts.control.uses_topic(&parcel.topic);
    }

    /// Waits for outstanding acknowledgements: for ever at the end of a bounded source, for `offset.flush.timeout.ms` at a
    /// stop or after a failure. Returns whether everything is delivered, or the first failure, which ends no waiting.
    fn settle(&mut self, mut end: End) -> Result<bool> {
        let mut deadline = (end == End::Cut).then(|| Instant::now() + self.parts.flush_timeout);
        let mut failure = None;
        while self.parts.commits.acknowledgements.outstanding() > 0 {
            if let Wanted::Stopped { deadline: stop } = self.parts.control.wanted() {
                let latest = deadline.unwrap_or_else(|| Instant::now() + self.parts.flush_timeout);
                deadline = Some(latest.min(stop));
            }
            let open = self.parts.commits.acknowledgements.outstanding();
            // what has failed or come back is not sent again any more
            let is_hopeless = end == End::Cut && open == self.undelivered + self.returned.len();
            if is_hopeless || deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                warn!(task = %self.parts.id, open, "messages are not acknowledged in time; they will be sent again");
                break;
            }
            if let Err(error) = self.look_after_and_resend(end) {
                failure.get_or_insert(error);
                if end == End::Finished {
                    end = End::Cut;
                    deadline = Some(Instant::now() + self.parts.flush_timeout);
                }
            }
        }
        match failure {
            Some(error) => Err(error),
            None => Ok(self.parts.commits.acknowledgements.is_settled()),
        }
    }

    fn look_after_and_resend(&mut self, end: End) -> Result<()> {
        self.look_after_what_is_on_its_way(ACKNOWLEDGEMENT_LOOK)?;
        if end == End::Finished {
            self.resend()?;
        }
        Ok(())
    }
}

/// Whether a message that failed may be skipped. One that would be taken later is not to be lost, unless the settings of the
/// producer say how long is too long; and it has no part in who we are.
fn may_be_tolerated(error: &Error) -> bool {
    (!error.is_retriable() || volley_kafka::is_timeout(error)) && !volley_kafka::is_login_refused(error)
}

/// A timestamp is a time since 1970, or -1 for none.
fn check_timestamps(records: &Records) -> Result<()> {
    match records.timestamps.iter().find(|timestamp| **timestamp < -1) {
        None => Ok(()),
        Some(timestamp) => Err(Error::fatal(format!("Invalid record timestamp {timestamp}"))
            .with_exception("org.apache.kafka.common.InvalidRecordException")),
    }
}
