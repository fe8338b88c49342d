//! Before the first message to a topic: it is created where the connector says how, and waited for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::RecvTimeoutError;
use tracing::warn;
use volley_api::Error;

use crate::task::source::produce::produce_stage::Producing;

/// One question whether a topic exists, and the wait before the next: short at first, since a broker that creates topics by
/// itself takes a moment.
const TOPIC_LOOK: Duration = Duration::from_secs(1);
const SHORTEST_RETRY: Duration = Duration::from_millis(50);
const LONGEST_RETRY: Duration = Duration::from_secs(2);
/// Time that a broker has to create a topic by itself before its absence is worth a warning.
const TOPIC_GRACE: Duration = Duration::from_secs(3);
/// How often it is said that a topic is still missing.
const TOPIC_REMINDER: Duration = Duration::from_secs(30);
/// How often it is looked whether a topic has been created, and the wait before that is tried again.
const CREATION_LOOK: Duration = Duration::from_millis(20);
const CREATION_RETRY: Duration = Duration::from_millis(500);

/// Why there is no topic to send to.
pub(crate) enum TopicFailure {
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

impl Producing {
    /// Makes sure that the topic exists, before its first message and once it is lost; `false` if the task is to stop before
    /// it does. A lost topic is not created again by the connector's rules: that is for who deleted it, or the broker.
    pub(crate) fn prepare_topic(&mut self, topic: &Arc<str>) -> Result<bool, TopicFailure> {
        if self.known_topics.contains(topic) {
            return Ok(true);
        }
        let is_ready = (self.lost_topics.contains(topic) || self.create_topic(topic)?) && self.await_topic(topic)?;
        if is_ready {
            self.lost_topics.remove(topic);
            self.known_topics.insert(Arc::clone(topic));
        }
        Ok(is_ready)
    }

    /// Creates the topic where the connector says how. The broker is asked on a thread of its own: it may take a minute.
    fn create_topic(&mut self, topic: &Arc<str>) -> Result<bool, TopicFailure> {
        let Some(creator) = self.parts.creator.clone() else { return Ok(true) };
        loop {
            let (done, is_done) = crossbeam_channel::bounded(1);
            let (creator, name) = (Arc::clone(&creator), Arc::clone(topic));
            let ensure = move || {
                // a task that is gone has given up waiting
                let _ = done.send(creator.ensure(&name));
            };
            let thread = std::thread::Builder::new().name(format!("create-{}", self.parts.id)).spawn(ensure);
            thread.map_err(|error| Error::fatal("could not start a thread").with_source(error))?;
            let outcome = loop {
                match is_done.recv_timeout(CREATION_LOOK) {
                    Ok(outcome) => break outcome,
                    Err(RecvTimeoutError::Timeout) if self.parts.control.is_stopping() => return Ok(false),
                    Err(RecvTimeoutError::Timeout) => self.look_after_what_is_on_its_way(Duration::ZERO)?,
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
    fn await_topic(&mut self, topic: &Arc<str>) -> Result<bool, TopicFailure> {
        // A broker that creates topics by itself takes a moment to do so.
        let mut reminder = Instant::now() + TOPIC_GRACE;
        let mut retry = SHORTEST_RETRY;
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
            self.look_after_what_is_on_its_way(retry)?;
            retry = (retry * 2).min(LONGEST_RETRY);
        }
    }
}
