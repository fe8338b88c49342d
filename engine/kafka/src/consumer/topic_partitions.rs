//! The partitions of topics.

use std::thread;
use std::time::Duration;

use rdkafka::consumer::Consumer;
use rdkafka::metadata::{Metadata, MetadataTopic};
use rdkafka::types::RDKafkaErrorCode as Code;
use volley_api::{Result, TopicPartition};

use super::consumer_events::NativeConsumer;
use crate::broker_error;
use crate::connection::Connection;

/// How long a request may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// After this time all brokers know a newly created topic.
const NEWS: Duration = Duration::from_millis(500);

/// The partitions of a topic; none if it does not exist.
///
/// # Errors
/// `Retriable` when no broker answers, or does not know yet; `Config` when not authorized.
pub(crate) fn partitions_of(
    consumer: &NativeConsumer,
    connection: &Connection,
    topic: &str,
) -> Result<Vec<TopicPartition>> {
    let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT);
    let metadata = connection.outcome(&format!("look up topic {topic}"), metadata)?;
    partitions_in(&metadata, |_| true)
}

/// The partitions of those topics in `metadata` that `is_wanted` selects.
///
/// # Errors
/// As [`partitions_of`].
pub(crate) fn partitions_in(metadata: &Metadata, is_wanted: impl Fn(&str) -> bool) -> Result<Vec<TopicPartition>> {
    let mut partitions = Vec::new();
    for topic in metadata.topics().iter().filter(|topic| is_wanted(topic.name())) {
        match topic.error().map(Code::from) {
            None => partitions.extend(named(topic)),
            Some(Code::UnknownTopicOrPartition | Code::UnknownTopic) => {}
            Some(code) => return Err(broker_error::from_code(&format!("look up topic {}", topic.name()), code)),
        }
    }
    Ok(partitions)
}

/// The same, for an answer that is final.
///
/// # Errors
/// As [`partitions_of`].
pub(crate) fn settled_partitions_of(
    consumer: &NativeConsumer,
    connection: &Connection,
    topic: &str,
) -> Result<Vec<TopicPartition>> {
    unless_none(|| partitions_of(consumer, connection, topic))
}

/// A broker that does not know the topic is asked a second time.
pub(crate) fn unless_none(ask: impl Fn() -> Result<Vec<TopicPartition>>) -> Result<Vec<TopicPartition>> {
    ask_again(NEWS, ask)
}

fn ask_again(pause: Duration, ask: impl Fn() -> Result<Vec<TopicPartition>>) -> Result<Vec<TopicPartition>> {
    let partitions = ask()?;
    if !partitions.is_empty() {
        return Ok(partitions);
    }
    thread::sleep(pause);
    ask()
}

fn named(topic: &MetadataTopic) -> impl Iterator<Item = TopicPartition> {
    topic.partitions().iter().map(|partition| TopicPartition::new(topic.name(), partition.id()))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn a_broker_that_has_not_heard_of_a_topic_is_asked_twice() {
        let partitions = vec![TopicPartition::new("t", 0)];
        for answers in [vec![vec![], partitions.clone()], vec![vec![], vec![]], vec![partitions]] {
            let expected = answers.last().cloned().unwrap();
            let left = RefCell::new(answers.into_iter());
            assert_eq!(ask_again(Duration::ZERO, || Ok(left.borrow_mut().next().unwrap())).unwrap(), expected);
            assert_eq!(left.borrow_mut().next(), None);
        }
    }
}
