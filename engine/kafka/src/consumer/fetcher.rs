//! Consuming in batches. A [`Fetcher`] reads messages one by one from librdkafka and gives them out as one [`RawBatch`]
//! for each partition. A batch is closed when it has enough rows or bytes, or when the linger is over.
//!
//! ```text
//!  librdkafka's queue ─ poll, one by one ─► open batch of each partition ─ rows, bytes, linger ─► RawBatch
//!                     └ rebalance, error ─► carried out between messages, on the polling thread
//! ```
//!
//! All partitions share one queue of librdkafka. Its limits then hold for the consumer as a whole. With a queue for each
//! partition, sixty-four partitions would prefetch sixty-four times as much.

mod leaderless;
mod leaving;
mod messages;
mod missing_topics;
mod pausing;
mod reading;
mod rebalancing;
mod seeking;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode as Code;
use tracing::{info, warn};
use volley_api::{ConfigMap, Error, Offsets, RawBatch, Result, TopicPartition};

use super::assignment::Assignment;
use super::committer::PROBE_GROUP;
use super::consumer_events::{self, ConsumerEvents, NativeConsumer, Rebalance};
use super::departure::Departure;
use super::membership::Membership;
use super::own_group::{OwnMember, OwnSettings, is_known_protocol};
use super::start_positions::{OffsetReset, StartPlaces, StartPositions};
use super::topic_pattern::{TopicPattern, TopicWatcher};
use crate::bootstrap::check_bootstrap_servers;
use crate::connection::Connection;
use crate::fetch::FetchClient;
use crate::poll_time::poll_time;
use crate::{ClientRole, Committer, FetchSettings, RebalanceListener, TopicSelection, broker_error, translate};
use leaderless::Leaderless;
use messages::Messages;
use reading::Resets;

/// Messages polled before the clock is read again.
const MESSAGES_PER_LOOK: usize = 256;

/// Limit of log lines of the client that are read at once.
const LINES_PER_LOOK: usize = 65_536;

/// A pause of all partitions is passed on to librdkafka after this time. Before, the queue is not polled and keeps its
/// messages. Passing it on empties the queue, but rebalances are served.
const SOFT_PAUSE: Duration = Duration::from_secs(1);

/// Wait between two requests for the start offsets of new partitions.
const ASSIGN_RETRY: Duration = Duration::from_millis(250);

/// Interval at which the topics of a pattern, or of a consumer without a group, are requested.
const TOPICS_INTERVAL: Duration = Duration::from_secs(10);

/// Java's and librdkafka's `max.poll.interval.ms`.
const MAX_POLL_INTERVAL: Duration = Duration::from_secs(300);

/// Longest wait for messages while topics may be found by other means than messages.
const TOPICS_LOOK: Duration = Duration::from_millis(200);

/// New partitions whose start is not known yet.
#[derive(Debug)]
struct PendingAssign {
    partitions: Vec<TopicPartition>,
    retry_at: Instant,
    warned: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pause {
    None,
    /// The queue is not polled since this moment.
    Soft(Instant),
    /// librdkafka has paused all partitions.
    Hard,
    /// librdkafka has paused all partitions, and has to resume them.
    Ending,
}

/// A consumer that yields messages in batches, each of one partition, each partition in offset order.
///
/// A member of a consumer group where `group.id` is set, as it is for every sink; without it, all partitions of the topics
/// are read and nothing can be committed. Used by one thread.
pub struct Fetcher {
    group: Membership,
    connection: Arc<Connection>,
    committer: Committer,
    messages: Messages,
    departure: Option<Departure>,
    listener: Arc<dyn RebalanceListener>,
    settings: FetchSettings,
    positions: StartPositions,
    watcher: Option<TopicWatcher>,
    /// Topics that matched the pattern last.
    matching: Vec<String>,
    unjoined: Option<Instant>,
    /// When the existence of the topics is checked next; set while one is missing.
    missing: Option<Instant>,
    assignment: Assignment,
    /// Assigned partitions whose start offsets are unknown. librdkafka waits for its assign call.
    pending: Option<PendingAssign>,
    /// Partitions without a leader: assigned and paused in librdkafka, not yet reported to the listener.
    leaderless: Option<Leaderless>,
    /// Partitions assigned again without a revocation. librdkafka may still have their old position.
    misplaced: BTreeSet<TopicPartition>,
    /// Partitions that the native client cannot fetch at their position.
    resets: Resets,
    ready: Vec<RawBatch>,
    pause: Pause,
    /// Paused in librdkafka when they went away, where a pause outlives an assignment.
    left_paused: BTreeSet<TopicPartition>,
    max_poll_interval: Duration,
    last_poll: Instant,
    overslept: bool,
    /// See [`Fetcher::held_up`].
    is_held_up: bool,
}

impl fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetcher")
            .field("connection", &self.connection)
            .field("settings", &self.settings)
            .field("assignment", &self.assignment)
            .finish_non_exhaustive()
    }
}

impl Fetcher {
    /// Makes the consumer and subscribes. Does not wait for the broker.
    ///
    /// # Errors
    /// `Config` when a property has a bad value, no host of `bootstrap.servers` can be resolved, or the pattern does not parse.
    pub fn connect(
        properties: &ConfigMap,
        settings: FetchSettings,
        listener: Arc<dyn RebalanceListener>,
    ) -> Result<Self> {
        check_bootstrap_servers(properties, ClientRole::Consumer)?;
        let client = FetchClient::read(properties)?;
        let translation = translate(properties, ClientRole::Consumer);
        let mut config = translation.config;
        let in_group = config.get("group.id").is_some_and(|group| !group.is_empty());
        if !in_group {
            config.set("group.id", PROBE_GROUP);
        }
        let name = config.get("client.id").unwrap_or("volley").to_owned();
        for warning in &translation.warnings {
            warn!(client = name, "{warning}");
        }
        let connection = Connection::of_client(properties, &config)?;
        let positions = StartPositions {
            reset: OffsetReset::parse(config.get("auto.offset.reset")),
            starts: None,
            in_group,
            read_committed: config.get("isolation.level") == Some("read_committed"),
        };
        let max_poll_interval = config.get("max.poll.interval.ms").and_then(|text| text.parse().ok());
        let max_poll_interval = max_poll_interval.map_or(MAX_POLL_INTERVAL, Duration::from_millis);
        let departure = in_group.then(|| Departure::of(properties, &config)).flatten();
        let (group, messages) = sources(client, properties, &config, &connection, in_group)?;
        let mut fetcher = Self {
            committer: Committer::new(&group, Arc::clone(&connection), Arc::new(config)),
            group,
            messages,
            connection,
            departure,
            listener,
            settings: settings.bounded(),
            positions,
            watcher: None,
            matching: Vec::new(),
            unjoined: (!in_group).then(Instant::now),
            missing: None,
            assignment: Assignment::default(),
            pending: None,
            leaderless: None,
            misplaced: BTreeSet::new(),
            resets: Resets::default(),
            ready: Vec::new(),
            pause: Pause::None,
            left_paused: BTreeSet::new(),
            max_poll_interval,
            last_poll: Instant::now(),
            overslept: false,
            is_held_up: false,
        };
        fetcher.start()?;
        Ok(fetcher)
    }

    fn start(&mut self) -> Result<()> {
        match &self.settings.topics {
            TopicSelection::Topics(topics) => {
                if let Some(bad) = topics.iter().find(|topic| topic.is_empty() || topic.contains('\0')) {
                    return Err(Error::config(format!("there can be no topic named `{}`", bad.escape_debug())));
                }
                if self.unjoined.is_none() { self.group.subscribe(topics) } else { Ok(()) }
            }
            TopicSelection::Pattern(pattern) => {
                if self.unjoined.is_some() {
                    return Err(Error::config("`topics.regex` needs a `group.id`"));
                }
                let pattern = TopicPattern::new(pattern)?;
                let connection = Arc::clone(&self.connection);
                self.watcher = Some(TopicWatcher::start(&self.group, connection, pattern, TOPICS_INTERVAL)?);
                Ok(())
            }
        }
    }

    /// The next batches. Returns as soon as one is closed, or nothing after about `max_wait`. It takes longer while
    /// start offsets of new partitions are read or the listener runs. Rebalances are performed in here. An unreachable
    /// broker and a missing topic are logged and waited for.
    ///
    /// # Errors
    /// `Config` when the broker refuses authentication or authorization, or when a partition has no position and
    /// `auto.offset.reset` is `none`; `Fatal` when the client cannot go on.
    pub fn poll(&mut self, max_wait: Duration) -> Result<Vec<RawBatch>> {
        self.overslept = self.last_poll.elapsed() >= self.max_poll_interval;
        let outcome = self.poll_until(Instant::now() + max_wait);
        self.last_poll = Instant::now();
        outcome
    }

    /// Whether what was polled is not used up, for a reason that may not go away. Then polls do not count: after `max.poll.interval.ms` the
    /// group goes on without this member, and polls that count make it join again. No effect with librdkafka's fetching.
    pub fn held_up(&mut self, is_held_up: bool) {
        self.is_held_up = is_held_up;
    }

    fn poll_until(&mut self, deadline: Instant) -> Result<Vec<RawBatch>> {
        self.assignment.forget_last_hit();
        self.end_pause()?;
        loop {
            self.serve_group()?;
            if let Pause::Soft(since) = self.pause {
                if self.wait_softly(since, deadline)? {
                    continue;
                }
                return Ok(Vec::new());
            }
            let drained = match &self.messages {
                Messages::Librdkafka => self.drain_queue(deadline)?,
                Messages::Native(_) => self.drain_fetched(deadline)?,
            };
            if self.pause == Pause::None {
                if drained {
                    let linger = self.settings.linger;
                    self.assignment.close_lingering(linger, Instant::now(), &mut self.ready);
                }
                if !self.ready.is_empty() {
                    return Ok(self.take_ready());
                }
            }
            if Instant::now() >= deadline {
                return Ok(Vec::new());
            }
        }
    }

    /// Takes messages until a batch is closed, other work is due, or the deadline has passed. The wait ends early when
    /// the linger of a batch ends.
    fn drain_queue(&mut self, deadline: Instant) -> Result<bool> {
        let Membership::Librdkafka(consumer) = &self.group else { return Ok(true) };
        let consumer = Arc::clone(consumer);
        let mut wait = Duration::ZERO;
        let (mut taken, mut taken_lines) = (0, 0);
        loop {
            let lines = consumer.context().lines();
            match consumer.poll(poll_time(wait)) {
                Some(Ok(message)) => {
                    wait = Duration::ZERO;
                    self.assignment.add_message(&message, &self.settings, &mut self.ready);
                    taken += 1;
                    if !self.ready.is_empty() && self.pause == Pause::None {
                        return Ok(false);
                    }
                    if taken % MESSAGES_PER_LOOK == 0 {
                        return Ok(true);
                    }
                }
                // Errors may come faster than any wait ends, so the caller checks the deadline.
                Some(Err(error)) => return self.take_error(&error).map(|()| true),
                // a log line was taken: the event behind it may be the one that the group waits for
                None if consumer.context().lines() != lines => {
                    taken_lines += 1;
                    if taken_lines == LINES_PER_LOOK || (!wait.is_zero() && Instant::now() >= deadline) {
                        return Ok(true);
                    }
                    wait = Duration::ZERO;
                }
                None if wait.is_zero() && taken == 0 && !consumer.context().has_rebalance() => {
                    wait = self.longest_wait(deadline);
                    if wait.is_zero() {
                        return Ok(true);
                    }
                }
                None => return Ok(true),
            }
        }
    }

    fn longest_wait(&self, deadline: Instant) -> Duration {
        let mut until = deadline;
        if self.pause == Pause::None
            && let Some(due) = self.assignment.next_linger(self.settings.linger)
        {
            until = until.min(due);
        }
        let pending = self.pending.iter().map(|pending| pending.retry_at);
        for due in pending.chain(self.leaderless.iter().map(|waiting| waiting.due)) {
            until = until.min(due);
        }
        let mut wait = until.saturating_duration_since(Instant::now());
        if self.watcher.is_some() || self.unjoined.is_some() {
            wait = wait.min(TOPICS_LOOK);
        }
        wait
    }

    /// Waits during a pause that librdkafka does not know of yet. Returns `true` if librdkafka was paused now.
    fn wait_softly(&mut self, since: Instant, deadline: Instant) -> Result<bool> {
        let now = Instant::now();
        let hard_at = since + SOFT_PAUSE;
        if now < hard_at {
            thread::sleep(deadline.min(hard_at).saturating_duration_since(now));
            if Instant::now() < hard_at {
                return Ok(false);
            }
        }
        self.pause_messages(&self.assignment.partitions())?;
        self.pause = Pause::Hard;
        Ok(true)
    }

    fn take_ready(&mut self) -> Vec<RawBatch> {
        self.connection.mark_up();
        std::mem::take(&mut self.ready)
    }

    /// Performs the rebalances that the group waits for.
    fn serve_group(&mut self) -> Result<()> {
        self.connection.check()?;
        if let Membership::Own(member) = &self.group {
            if !self.is_held_up {
                member.poll();
            }
            member.check()?;
        }
        if let Some(topics) = self.watcher.as_ref().and_then(TopicWatcher::changed) {
            info!(client = self.connection.client(), ?topics, "topics match the pattern");
            self.group.subscribe(&topics)?;
            // without a subscription the group never reports an empty assignment
            if topics.is_empty() && self.matching.is_empty() {
                self.listener.assigned(&Offsets::new());
            }
            self.matching = topics;
        }
        if self.unjoined.is_some_and(|due| due <= Instant::now()) && self.pending.is_none() {
            self.find_unjoined_partitions()?;
        }
        if self.missing.is_some_and(|due| due <= Instant::now()) {
            self.look_for_topics()?;
        }
        while let Some(rebalance) = self.group.next_rebalance() {
            self.connection.mark_up();
            match rebalance {
                Rebalance::Assign(partitions) => self.note_assign(partitions),
                // librdkafka does not report partitions as lost when the group took them from a member that was too
                // slow to give them up.
                Rebalance::Revoke { partitions, lost } => self.revoke(&partitions, lost || self.overslept)?,
            }
        }
        self.assign_pending()?;
        self.start_leaderless()
    }

    /// A consumer without a group takes all partitions of its topics, once all topics exist.
    fn find_unjoined_partitions(&mut self) -> Result<()> {
        let TopicSelection::Topics(topics) = &self.settings.topics else { return Ok(()) };
        let mut partitions = Vec::new();
        for topic in topics {
            let client = self.connection.client();
            let found = match self.group.partitions_of(&self.connection, topic) {
                Ok(found) => found,
                Err(error) if error.is_retriable() => {
                    warn!(client, topic, %error, "could not look up a topic, retrying");
                    self.unjoined = Some(Instant::now() + ASSIGN_RETRY);
                    return Ok(());
                }
                Err(error) => return Err(error),
            };
            if found.is_empty() {
                warn!(client, topic, "topic does not exist, waiting for it");
                self.unjoined = Some(Instant::now() + ASSIGN_RETRY);
                return Ok(());
            }
            partitions.extend(found);
        }
        self.unjoined = None;
        self.note_assign(partitions);
        Ok(())
    }

    /// All partitions of the consumed topics, including those of other members. A missing topic has none.
    ///
    /// # Errors
    /// `Retriable` when no broker answers, or a topic has no leaders yet; `Config` when not authorized.
    pub fn subscribed_partitions(&self) -> Result<Vec<TopicPartition>> {
        let topics = match &self.settings.topics {
            TopicSelection::Topics(topics) => topics,
            TopicSelection::Pattern(_) => &self.matching,
        };
        let mut partitions = Vec::new();
        for topic in topics {
            partitions.extend(self.group.settled_partitions_of(&self.connection, topic)?);
        }
        Ok(partitions)
    }

    /// The current partitions of some topics, read from the broker. An unknown topic has none.
    ///
    /// # Errors
    /// As [`Fetcher::subscribed_partitions`].
    pub fn existing_partitions<'a>(&self, topics: impl IntoIterator<Item = &'a str>) -> Result<Vec<TopicPartition>> {
        let mut partitions = Vec::new();
        for topic in topics {
            partitions.extend(self.group.partitions_of(&self.connection, topic)?);
        }
        Ok(partitions)
    }

    /// Lets partitions begin there of which the group has committed nothing. Call it before the first poll.
    pub fn start_at(&mut self, starts: StartPlaces) {
        self.positions.starts = Some(starts);
    }

    /// The offsets where a member would begin if it were assigned these partitions now.
    ///
    /// # Errors
    /// `Retriable` when no broker answers; `Config` when not authorized, or when a partition has no position and
    /// `auto.offset.reset` is `none`.
    pub fn start_positions(&self, partitions: &[TopicPartition]) -> Result<Offsets> {
        let known = self.positions.resolve(&self.committer, partitions)?;
        known.trouble.map_or(Ok(known.offsets), Err)
    }

    fn take_error(&mut self, error: &KafkaError) -> Result<()> {
        let client = self.connection.client();
        if let KafkaError::MessageConsumptionFatal(code) = error {
            return Err(broker_error::from_code("consume", *code).with_source("the kafka client cannot go on"));
        }
        let Some(code) = error.rdkafka_error_code() else { return Ok(()) };
        match code {
            // The connection logs authentication and network errors with their reason.
            code if broker_error::is_authentication(code) => self.connection.check(),
            Code::AllBrokersDown
            | Code::BrokerTransportFailure
            | Code::Resolve
            | Code::SSL
            | Code::OperationTimedOut => Ok(()),
            Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::UnknownPartition | Code::UnknownTopicId => {
                let topics = &self.settings.topics;
                warn!(client, ?topics, "a topic does not exist, waiting for it");
                self.missing = Some(Instant::now());
                Ok(())
            }
            Code::PollExceeded => {
                warn!(
                    client,
                    "more than `max.poll.interval.ms` passed between two polls, the group went on without us"
                );
                Ok(())
            }
            code if broker_error::is_refusal(code) => Err(broker_error::from_code("consume", code)),
            code => {
                warn!(client, error = %code, "consuming was disturbed, going on");
                Ok(())
            }
        }
    }

    /// The position of each assigned partition behind the last yielded record. It includes transaction markers and
    /// aborted records. Partitions without a consumed record or with buffered records are left out.
    pub fn positions(&self) -> Offsets {
        let mut positions = self.read_positions();
        positions.retain(|partition, _| {
            let is_buffered = self.ready.iter().any(|batch| batch.origin.partition == *partition);
            self.assignment.is_drained(partition) && !is_buffered
        });
        positions
    }

    /// The assigned partitions, in order.
    pub fn assignment(&self) -> Vec<TopicPartition> {
        self.assignment.partitions()
    }

    /// Bytes of keys and values in batches that have not been yielded yet; with the native client those that wait to be read
    /// too, as they were fetched.
    pub fn buffered_bytes(&self) -> usize {
        self.messages.waiting_bytes()
            + self.assignment.open_bytes()
            + self.ready.iter().map(RawBatch::bytes).sum::<usize>()
    }

    /// While it is `true`, the native client asks for more only once all that it has fetched is read. librdkafka's limits stay.
    pub fn be_sparing(&mut self, is_sparing: bool) {
        self.messages.be_sparing(is_sparing);
    }

    /// Commits and reads offsets for this consumer.
    pub fn committer(&self) -> Committer {
        self.committer.clone()
    }

    /// Leaves the group: calls the listener's `revoked` for the assigned partitions, then gives them up. A fetcher that
    /// is dropped instead leaves the group without calling the listener.
    pub fn close(mut self) {
        let partitions = self.assignment.partitions();
        if !partitions.is_empty() {
            self.forget(&partitions);
            if self.group.is_lost() {
                self.listener.lost(&partitions);
            } else {
                self.listener.revoked(&partitions);
            }
        }
    }
}

impl Drop for Fetcher {
    fn drop(&mut self) {
        let consumer = match &self.group {
            Membership::Own(member) => return member.close(),
            Membership::Librdkafka(consumer) => Arc::clone(consumer),
        };
        let events = consumer.context();
        events.close();
        if let Some(pending) = self.pending.take() {
            let rebalance = Rebalance::Assign(pending.partitions);
            consumer_events::carry_out_unannounced(&consumer, &rebalance, &self.connection);
        }
        while let Some(rebalance) = events.next_rebalance() {
            consumer_events::carry_out_unannounced(&consumer, &rebalance, &self.connection);
        }
        self.leave_group(&consumer);
    }
}

/// Who speaks to the group, and where messages come from.
fn sources(
    client: FetchClient,
    properties: &ConfigMap,
    config: &ClientConfig,
    connection: &Arc<Connection>,
    in_group: bool,
) -> Result<(Membership, Messages)> {
    if client == FetchClient::Native && is_known_protocol(config) {
        let (messages, wake) = Messages::native(properties, config)?;
        let settings = OwnSettings::read(properties, config, in_group)?;
        return Ok((Membership::Own(Arc::new(OwnMember::start(settings, wake)?)), messages));
    }
    let mut consumer: NativeConsumer = consumer_events::with_membership_log(config.clone())
        .create_with_context(ConsumerEvents::new(Arc::clone(connection)))
        .map_err(|error| broker_error::from_client("make a consumer", &error))?;
    if connection.shows_tokens() {
        // Gets the first token: topics may be looked up before anything is polled.
        drop(consumer.poll(Duration::ZERO));
    }
    let messages = Messages::from(client, properties, config, &mut consumer)?;
    Ok((Membership::Librdkafka(Arc::new(consumer)), messages))
}

#[cfg(test)]
mod tests;
