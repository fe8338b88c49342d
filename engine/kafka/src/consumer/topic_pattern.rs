//! `topics.regex`: looks up the matching topics of the cluster at an interval, on a thread of its own.

use std::fmt;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use rdkafka::consumer::Consumer;
use tokio::task::AbortHandle;
use tracing::{debug, warn};
use volley_api::{Error, Result};
use volley_java::JavaRegex;

use super::consumer_events::NativeConsumer;
use super::membership::Membership;
use super::own_group::OwnMember;
use crate::admin::is_internal;
use crate::connection::Connection;

/// How long a request for all topics may take. Short, since the consumer cannot be closed meanwhile.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Pause after a failure.
const RETRY: Duration = Duration::from_millis(500);

/// A Java regular expression for whole topic names.
#[derive(Clone, Debug)]
pub(crate) struct TopicPattern(JavaRegex);

impl fmt::Display for TopicPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TopicPattern {
    pub(crate) fn new(pattern: &str) -> Result<Self> {
        let regex = JavaRegex::compile(pattern)
            .map_err(|error| Error::config(format!("could not parse `topics.regex` {pattern:?}")).with_source(error))?;
        Ok(Self(regex))
    }

    pub(crate) fn matches(&self, topic: &str) -> bool {
        // A pattern that backtracks too far is an error of the match; it counts as no match.
        !is_internal(topic) && self.0.matches(topic).unwrap_or(false)
    }
}

/// Looks up topics until it is dropped.
#[derive(Debug)]
pub(crate) struct TopicWatcher {
    matches: Receiver<Vec<String>>,
    _looking: Looking,
}

/// Whoever looks. Dropping it ends that.
#[derive(Debug)]
enum Looking {
    Thread { _stop: Sender<()> },
    Task(AbortHandle),
}

impl Drop for Looking {
    fn drop(&mut self) {
        if let Self::Task(task) = self {
            task.abort();
        }
    }
}

impl TopicWatcher {
    /// On a thread of its own with librdkafka's consumer, otherwise as a task.
    ///
    /// # Errors
    /// `Fatal` when the system has no thread.
    pub(crate) fn start(
        group: &Membership,
        connection: Arc<Connection>,
        pattern: TopicPattern,
        interval: Duration,
    ) -> Result<Self> {
        match group {
            Membership::Librdkafka(consumer) => Self::on_thread(consumer, connection, pattern, interval),
            Membership::Own(member) => Ok(Self::as_task(member, pattern, interval)),
        }
    }

    fn as_task(member: &OwnMember, pattern: TopicPattern, interval: Duration) -> Self {
        let (found, matches) = mpsc::channel();
        Self { matches, _looking: Looking::Task(member.watch_topics(pattern, interval, found)) }
    }

    fn on_thread(
        consumer: &Arc<NativeConsumer>,
        connection: Arc<Connection>,
        pattern: TopicPattern,
        interval: Duration,
    ) -> Result<Self> {
        let (found, matches) = mpsc::channel();
        let (stop, stopped) = mpsc::channel();
        let watch = Watch { consumer: Arc::downgrade(consumer), connection, pattern, interval, found, stopped };
        thread::Builder::new()
            .name("topic-pattern".to_owned())
            .spawn(move || watch.run())
            .map_err(|error| Error::fatal("could not start a thread").with_source(error))?;
        Ok(Self { matches, _looking: Looking::Thread { _stop: stop } })
    }

    /// The matching topics, sorted, if they have changed.
    pub(crate) fn changed(&self) -> Option<Vec<String>> {
        self.matches.try_iter().last()
    }
}

struct Watch {
    consumer: Weak<NativeConsumer>,
    connection: Arc<Connection>,
    pattern: TopicPattern,
    interval: Duration,
    found: Sender<Vec<String>>,
    stopped: Receiver<()>,
}

impl Watch {
    fn run(self) {
        let mut last: Option<Vec<String>> = None;
        while let Some(consumer) = self.consumer.upgrade() {
            let metadata = consumer.fetch_metadata(None, TIMEOUT);
            drop(consumer);
            let pause = match metadata {
                Ok(metadata) => {
                    self.connection.mark_up();
                    let mut topics: Vec<String> =
                        metadata.topics().iter().map(|topic| topic.name().to_owned()).collect();
                    topics.retain(|topic| self.pattern.matches(topic));
                    topics.sort_unstable();
                    if last.as_ref() != Some(&topics) {
                        self.announce(&topics);
                        last = Some(topics);
                    }
                    self.interval
                }
                Err(error) => {
                    debug!(client = self.connection.client(), %error, "could not list topics");
                    RETRY
                }
            };
            match self.stopped.recv_timeout(pause) {
                Err(RecvTimeoutError::Timeout) => {}
                _ => return,
            }
        }
    }

    fn announce(&self, topics: &[String]) {
        if topics.is_empty() {
            warn!(client = self.connection.client(), pattern = %self.pattern, "no topic matches, waiting for one");
        }
        // The receiver is dropped only when the watcher ends.
        let _ = self.found.send(topics.to_vec());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_must_match_the_whole_name() {
        let pattern = TopicPattern::new("orders|(?i)bills-\\d++").unwrap();
        assert!(pattern.matches("orders") && pattern.matches("BILLS-12"));
        assert!(!pattern.matches("orders2") && !pattern.matches("my-orders") && !pattern.matches("bills-"));
    }

    #[test]
    fn internal_topics_never_match() {
        assert!(!TopicPattern::new(".*").unwrap().matches("__consumer_offsets"));
    }

    #[test]
    fn a_malformed_pattern_is_a_config_error_that_shows_it() {
        let error = TopicPattern::new("a(").unwrap_err();
        assert!(error.to_string().contains("a("), "{error}");
    }
}
