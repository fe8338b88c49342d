//! Sends dead letters to where they came from, and remembers which.
//!
//! ```text
//!  batch of letters ─ filter, memory ─► Resend ─► Producer ─ acknowledged ─► ReplayMemory
//! ```
//! What is killed in between sends the letters of its last batch again the next time, and leaves none out.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use volley_api::{Error, ErrorKind, RawBatch, Result};
use volley_kafka::{Admin, Outgoing, Producer, TopicDescription, is_missing_topic};

use super::clients::DeadLetterClients;
use super::filter::LetterFilter;
use super::letter::DeadLetter;
use super::letter_reader::read_letters;
use super::replay_memory::ReplayMemory;
use super::resend::{Destination, Refusal, Resend};
use super::summary::Summary;

/// Longer than the producer waits for an acknowledgement.
const FLUSH: Duration = Duration::from_secs(180);

/// Reasons that are told apart.
const REASONS: usize = 100;

/// Topics that are remembered to be there.
const TOPICS: usize = 1000;

/// What to replay, and how.
#[derive(Clone, Debug, Default)]
pub struct ReplaySettings {
    /// Which letters.
    pub filter: LetterFilter,
    /// Where to.
    pub destination: Destination,
    /// Whether those are sent, too, that were replayed already.
    pub again: bool,
}

/// What a replay has done, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplayReport {
    /// Letters in the topic.
    pub read: u64,
    /// Those that were sent and acknowledged; in a dry run those that would be sent.
    pub sent: u64,
    /// Those that are not meant.
    pub filtered: u64,
    /// Those that were replayed already.
    pub replayed_before: u64,
    /// Those that cannot be sent: the reason, how many, and the first of them.
    pub refused: BTreeMap<Refusal, (u64, String)>,
}

impl ReplayReport {
    /// How many cannot be sent.
    pub fn refusals(&self) -> u64 {
        self.refused.values().map(|(count, _)| count).sum()
    }

    fn refuse(&mut self, mut refusal: Refusal, place: String) {
        if self.refused.len() >= REASONS && !self.refused.contains_key(&refusal) {
            refusal = Refusal::NotTaken("other reasons".to_owned());
        }
        self.refused.entry(refusal).or_insert((0, place)).0 += 1;
    }
}

/// The letters of a topic by what went wrong, with the first `shown` of each group.
///
/// # Errors
/// `Config` when there is no such topic, or the cluster refuses; `Retriable` when it does not answer.
pub fn summarize(clients: &DeadLetterClients, topic: &str, filter: &LetterFilter, shown: usize) -> Result<Summary> {
    let (admin, described) = find(clients, topic)?;
    let memory = ReplayMemory::read(clients, &admin, topic, &described)?;
    let mut summary = Summary::new(shown);
    read_letters(clients, topic, |batch| {
        for row in 0..batch.len() {
            let letter = DeadLetter::at(batch, row);
            if filter.matches(&letter) {
                summary.add(&letter, memory.contains(letter.partition.partition, letter.offset));
            }
        }
        Ok(())
    })?;
    Ok(summary)
}

/// What a replay would send. It sends, makes and remembers nothing.
///
/// # Errors
/// As [`summarize`].
pub fn plan_replay(
    clients: &DeadLetterClients,
    topic: &str,
    settings: &ReplaySettings,
    mut would_send: impl FnMut(&DeadLetter<'_>, &Resend<'_>),
) -> Result<ReplayReport> {
    let (admin, described) = find(clients, topic)?;
    let memory = ReplayMemory::read(clients, &admin, topic, &described)?;
    let mut replay = Replay { settings, memory, topics: Topics::new(admin), report: ReplayReport::default() };
    read_letters(clients, topic, |batch| {
        for row in 0..batch.len() {
            let letter = DeadLetter::at(batch, row);
            if let Some(resend) = replay.resend(&letter)? {
                replay.report.sent += 1;
                would_send(&letter, &resend);
            }
        }
        Ok(())
    })?;
    Ok(replay.report)
}

/// Sends the letters, and remembers them.
///
/// # Errors
/// As [`summarize`], and when the brokers do not take a letter for a reason that it has no part in. What was sent before is
/// remembered.
pub fn replay(clients: &DeadLetterClients, topic: &str, settings: &ReplaySettings) -> Result<ReplayReport> {
    let (admin, described) = find(clients, topic)?;
    let memory = ReplayMemory::keep(clients, &admin, topic, &described)?;
    let mut producer = Producer::connect(&clients.producer)?;
    let mut replay = Replay { settings, memory, topics: Topics::new(admin), report: ReplayReport::default() };
    read_letters(clients, topic, |batch| replay.send(&mut producer, batch))?;
    Ok(replay.report)
}

fn find(clients: &DeadLetterClients, topic: &str) -> Result<(Admin, TopicDescription)> {
    let admin = Admin::connect(&clients.admin)?;
    let described = admin.topic(topic)?.ok_or_else(|| Error::config(format!("there is no topic {topic}")))?;
    Ok((admin, described))
}

struct Replay<'a> {
    settings: &'a ReplaySettings,
    memory: ReplayMemory,
    topics: Topics,
    report: ReplayReport,
}

impl Replay<'_> {
    /// What is to be sent of a letter. If nothing is, the report says why.
    fn resend<'b>(&mut self, letter: &DeadLetter<'b>) -> Result<Option<Resend<'b>>> {
        self.report.read += 1;
        if !self.settings.filter.matches(letter) {
            self.report.filtered += 1;
            return Ok(None);
        }
        if !self.settings.again && self.memory.contains(letter.partition.partition, letter.offset) {
            self.report.replayed_before += 1;
            return Ok(None);
        }
        let checked = match Resend::of(letter, &self.settings.destination) {
            Ok(resend) => self.topics.check(&resend)?.map_or(Ok(resend), Err),
            Err(refusal) => Err(refusal),
        };
        Ok(checked.map_err(|refusal| self.report.refuse(refusal, letter.place())).ok())
    }

    fn send(&mut self, producer: &mut Producer, batch: &RawBatch) -> Result<()> {
        let mut in_flight = 0;
        let mut trouble = None;
        for row in 0..batch.len() {
            let letter = DeadLetter::at(batch, row);
            let Some(resend) = self.resend(&letter)? else { continue };
            match producer.send(&outgoing(&resend), row as u64) {
                Ok(()) => in_flight += 1,
                Err(error) if is_about_message(&error) => self.report.refuse(not_taken(&error), letter.place()),
                Err(error) => {
                    trouble = Some(error);
                    break;
                }
            }
        }
        let settled = self.settle(producer, batch, in_flight);
        trouble.map_or(settled, Err)
    }

    /// Waits for the outcome of each, and remembers those that were acknowledged.
    fn settle(&mut self, producer: &mut Producer, batch: &RawBatch, in_flight: usize) -> Result<()> {
        let flushed = if in_flight == 0 { Ok(()) } else { producer.flush(FLUSH) };
        let mut acknowledged = Vec::new();
        let mut trouble = None;
        for delivery in producer.deliveries(Duration::ZERO) {
            let row = usize::try_from(delivery.token).unwrap_or(usize::MAX);
            let Some(offset) = batch.origin.offsets.get(row) else { continue };
            match delivery.result {
                Ok(_) => acknowledged.push((batch.origin.partition.partition, *offset)),
                Err(error) if is_about_message(&error) => {
                    self.report.refuse(not_taken(&error), format!("{}@{offset}", batch.origin.partition));
                }
                Err(error) => trouble = trouble.or(Some(error)),
            }
        }
        self.memory.add(&acknowledged)?;
        self.report.sent += acknowledged.len() as u64;
        trouble.map_or(flushed, Err)
    }
}

fn outgoing<'a>(resend: &'a Resend<'_>) -> Outgoing<'a> {
    Outgoing {
        topic: &resend.topic,
        partition: resend.partition,
        timestamp: resend.timestamp,
        key: resend.key,
        value: resend.value,
        headers: &resend.headers,
    }
}

/// Whether another message may be taken.
fn is_about_message(error: &Error) -> bool {
    error.kind() == ErrorKind::Data || is_missing_topic(error)
}

fn not_taken(error: &Error) -> Refusal {
    Refusal::NotTaken(format!("{error:#}"))
}

/// Which topics are there.
struct Topics {
    admin: Admin,
    partitions: HashMap<String, Option<i32>>,
}

impl Topics {
    fn new(admin: Admin) -> Self {
        Self { admin, partitions: HashMap::new() }
    }

    /// Why there is no place for the record, if there is none.
    fn check(&mut self, resend: &Resend<'_>) -> Result<Option<Refusal>> {
        let topic = &resend.topic;
        let partitions = match self.partitions.get(topic) {
            Some(partitions) => *partitions,
            None => self.look_up(topic)?,
        };
        Ok(match (partitions, resend.partition) {
            (None, _) => Some(Refusal::NoSuchTopic(topic.clone())),
            (Some(partitions), Some(partition)) if !(0..partitions).contains(&partition) => {
                Some(Refusal::NoSuchPartition(topic.clone()))
            }
            _ => None,
        })
    }

    fn look_up(&mut self, topic: &str) -> Result<Option<i32>> {
        // a name that no topic can have is no reason to ask
        let is_possible = !topic.is_empty()
            && topic.len() <= 249
            && topic.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
        let found = if is_possible { self.admin.topic(topic)?.map(|topic| topic.partitions) } else { None };
        if self.partitions.len() >= TOPICS {
            self.partitions.clear();
        }
        self.partitions.insert(topic.to_owned(), found);
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_letters_are_counted_by_reason_and_reasons_are_bounded() {
        let mut report = ReplayReport::default();
        for number in 0..2 * REASONS {
            report.refuse(Refusal::NoSuchTopic(format!("t{number}")), format!("dead-0@{number}"));
            report.refuse(Refusal::NoTopic, format!("dead-1@{number}"));
        }
        assert_eq!(report.refusals(), 4 * REASONS as u64);
        assert_eq!(report.refused.len(), REASONS + 1);
        assert_eq!(report.refused[&Refusal::NoTopic], (2 * REASONS as u64, "dead-1@0".to_owned()));
    }

    #[test]
    fn only_what_a_message_is_to_blame_for_lets_the_others_go_on() {
        assert!(is_about_message(&Error::data("too large")));
        assert!(!is_about_message(&Error::retriable("no broker")));
        assert!(!is_about_message(&Error::config("not authorized")));
    }
}
