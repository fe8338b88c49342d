//! Messages that come back since their topic or partition is not there (any more): they are sent again when it is, as Kafka's
//! Java producer does, before anything else is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::warn;
use volley_api::{Error, Result};
use volley_kafka::{Outgoing, Returned};

use crate::task::source::produce::parcels::{Parcel, Token};
use crate::task::source::produce::produce_stage::{Handed, Producing};
use crate::task::source::produce::topic_preparation::TopicFailure;

/// Waits between two tries while the topic is there and takes no messages yet.
const SHORTEST_RETRY: Duration = Duration::from_millis(50);
const LONGEST_RETRY: Duration = Duration::from_secs(2);
/// How long that is nothing to speak of, and how often it is said from then on.
const GRACE: Duration = Duration::from_secs(3);
const REMINDER: Duration = Duration::from_secs(30);

/// A message that is to be sent again.
#[derive(Debug)]
pub(crate) struct ReturnedMessage {
    token: Token,
    content: Box<Returned>,
}

impl ReturnedMessage {
    fn outgoing<'a>(&'a self, parcel: &'a Parcel) -> Outgoing<'a> {
        let timestamp = parcel.timestamps.get(self.token.row as usize).copied();
        Outgoing {
            topic: &parcel.topic,
            partition: parcel.partition,
            timestamp: timestamp.filter(|timestamp| *timestamp >= 0),
            key: self.content.key.as_deref(),
            value: self.content.value.as_deref(),
            headers: &self.content.headers,
        }
    }
}

/// How a try to send a message again ended.
enum Tried {
    /// It is on its way, or its failure is tolerated.
    Done,
    /// Its topic or partition is not there for producers yet.
    NotYet(Error),
    /// The task is to stop.
    TooLate,
}

impl Producing {
    /// A message that was on its way comes back.
    pub(crate) fn came_back(&mut self, token: Token, content: Box<Returned>, error: &Error) {
        let Some(parcel) = self.parcels.get(token.parcel) else { return };
        if self.known_topics.remove(&parcel.topic) {
            let topic = &parcel.topic;
            warn!(task = %self.parts.id, %topic, %error, "the topic is gone; what was sent to it is sent again when it is back");
            self.lost_topics.insert(Arc::clone(&parcel.topic));
        }
        self.keep(ReturnedMessage { token, content });
    }

    /// In the order of sending: the client gives back what it had not tried to send before what it had.
    fn keep(&mut self, message: ReturnedMessage) {
        let place = self.returned.partition_point(|other| other.token < message.token);
        self.returned.insert(place, message);
    }

    /// A message that the producer did not take is to be sent after those that went before it.
    pub(crate) fn keep_for_later(&mut self, token: Token, message: &Outgoing<'_>, error: &Error) -> Result<()> {
        self.look_after_what_is_on_its_way(Duration::ZERO)?;
        let content = Returned {
            key: message.key.map(<[u8]>::to_vec),
            value: message.value.map(<[u8]>::to_vec),
            headers: message.headers.to_vec(),
        };
        self.came_back(token, Box::new(content), error);
        Ok(())
    }

    /// Sends again what has come back, however long it takes until its topic is there; `false` if the task is to stop
    /// before that.
    pub(crate) fn resend(&mut self) -> Result<bool> {
        if self.returned.is_empty() {
            return Ok(true);
        }
        let mut reminder = Instant::now() + GRACE;
        let mut retry = SHORTEST_RETRY;
        while let Some(message) = self.returned.pop_front() {
            match self.try_again(&message)? {
                Tried::Done => retry = SHORTEST_RETRY,
                Tried::TooLate => {
                    self.keep(message);
                    return Ok(false);
                }
                Tried::NotYet(error) => {
                    self.keep(message);
                    if Instant::now() >= reminder {
                        reminder = Instant::now() + REMINDER;
                        warn!(task = %self.parts.id, %error, "the topic takes no messages yet, waiting until it does");
                    }
                    if self.parts.control.is_stopping() {
                        return Ok(false);
                    }
                    self.look_after_what_is_on_its_way(retry)?;
                    retry = (retry * 2).min(LONGEST_RETRY);
                }
            }
        }
        Ok(true)
    }

    fn try_again(&mut self, message: &ReturnedMessage) -> Result<Tried> {
        let Some(parcel) = self.parcels.get(message.token.parcel).cloned() else { return Ok(Tried::Done) };
        if self.parts.control.is_abandoned() {
            return Ok(Tried::TooLate);
        }
        let refusal = match self.prepare_topic(&parcel.topic) {
            Ok(true) => None,
            Ok(false) => return Ok(Tried::TooLate),
            Err(TopicFailure::Refused(error)) => Some(error),
            Err(TopicFailure::Fatal(error)) => return Err(error),
        };
        if let Some(error) = refusal {
            return self.failed(message.token, error).map(|()| Tried::Done);
        }
        let outgoing = message.outgoing(&parcel);
        let outcome = self.producer()?.try_send(&outgoing, message.token.into());
        match self.await_room(&outgoing, message.token, outcome)? {
            Handed::Taken => Ok(Tried::Done),
            Handed::NoTopic(error) => {
                self.known_topics.remove(&parcel.topic);
                self.lost_topics.insert(parcel.topic);
                Ok(Tried::NotYet(error))
            }
            Handed::Refused(error) => self.failed(message.token, error).map(|()| Tried::Done),
            Handed::TooLate => Ok(Tried::TooLate),
        }
    }
}
