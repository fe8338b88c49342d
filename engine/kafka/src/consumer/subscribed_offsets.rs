//! Offsets of the topics that a consumer would consume, without joining its group.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::consumer::Consumer;
use tracing::warn;
use volley_api::{ConfigMap, Offsets, Result, TopicPartition};

use super::committer::PROBE_GROUP;
use super::consumer_events::{ConsumerEvents, NativeConsumer};
use super::log_place::{LogPlace, list_known_places};
use super::topic_partitions::{partitions_in, settled_partitions_of};
use super::topic_pattern::TopicPattern;
use crate::connection::Connection;
use crate::token_polling::TokenPolling;
use crate::{ClientRole, TopicSelection, broker_error, translate};

/// How long a request may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The offset of the next message of each partition of `topics` (with `isolation.level=read_committed`: the last stable
/// offset), for a consumer with these properties. A topic that does not exist has none. Blocks.
///
/// # Errors
/// As [`subscribed_offsets`].
pub fn subscribed_end_offsets(properties: &ConfigMap, topics: &TopicSelection) -> Result<Offsets> {
    let [ends] = subscribed_offsets(properties, topics, [LogPlace::End])?;
    Ok(ends)
}

/// The offsets of some places in each partition of `topics`, for a consumer with these properties: all of the same
/// partitions. A topic that does not exist has none. Blocks.
///
/// # Errors
/// `Retriable` when no broker answers, or a topic has no leaders yet; `Config` when the broker refuses, when a property
/// has a bad value, or when the pattern does not parse.
pub fn subscribed_offsets<const PLACES: usize>(
    properties: &ConfigMap,
    topics: &TopicSelection,
    places: [LogPlace; PLACES],
) -> Result<[Offsets; PLACES]> {
    let translation = translate(properties, ClientRole::Consumer);
    let mut config = translation.config;
    config.set("group.id", PROBE_GROUP);
    config.remove("group.instance.id");
    let client = config.get("client.id").unwrap_or("volley").to_owned();
    for warning in &translation.warnings {
        warn!(client, "{warning}");
    }
    let connection = Connection::of_client(properties, &config)?;
    let consumer: NativeConsumer = config
        .create_with_context(ConsumerEvents::new(Arc::clone(&connection)))
        .map_err(|error| broker_error::from_client("make a consumer", &error))?;
    let consumer = Arc::new(consumer);
    let polled = Arc::clone(&consumer);
    let poll = move || drop(polled.poll(Duration::ZERO));
    let _polling = TokenPolling::start(&connection, poll)?;
    let partitions = partitions(&consumer, &connection, topics)?;
    let mut found = std::array::from_fn(|_| Offsets::new());
    for (offsets, place) in found.iter_mut().zip(places) {
        let known = list_known_places(&consumer, &connection, &partitions, place, TIMEOUT)?;
        *offsets = known.trouble.map_or(Ok(known.offsets), Err)?;
    }
    Ok(found)
}

fn partitions(
    consumer: &NativeConsumer,
    connection: &Connection,
    topics: &TopicSelection,
) -> Result<Vec<TopicPartition>> {
    let mut found = Vec::new();
    match topics {
        TopicSelection::Topics(topics) => {
            for topic in topics {
                found.extend(settled_partitions_of(consumer, connection, topic)?);
            }
        }
        TopicSelection::Pattern(pattern) => {
            let pattern = TopicPattern::new(pattern)?;
            let metadata = connection.outcome("list topics", consumer.fetch_metadata(None, TIMEOUT))?;
            found.extend(partitions_in(&metadata, |topic| pattern.matches(topic))?);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use rdkafka::mocking::MockCluster;
    use rdkafka::types::RDKafkaRespErr;
    use volley_api::ErrorKind;

    use super::*;

    #[test]
    fn a_topic_whose_leaders_are_not_elected_yet_has_no_end_yet() {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("t", 2, 1).unwrap();
        let properties = ConfigMap::from([("bootstrap.servers".to_owned(), cluster.bootstrap_servers())]);
        for topics in [TopicSelection::Topics(vec!["t".to_owned()]), TopicSelection::Pattern("t".to_owned())] {
            cluster.topic_error("t", RDKafkaRespErr::RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE).unwrap();
            let error = subscribed_end_offsets(&properties, &topics).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Retriable);
            assert!(error.to_string().contains("look up topic t"), "{error}");
            cluster.topic_error("t", RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR).unwrap();
            assert_eq!(subscribed_end_offsets(&properties, &topics).unwrap().len(), 2);
        }
    }
}
