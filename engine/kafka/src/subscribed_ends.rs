//! Where the topics that a consumer would consume end now, without joining its group.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::Offset;
use rdkafka::consumer::Consumer;
use rdkafka::metadata::Metadata;
use tracing::warn;
use volley_api::{ConfigMap, Offsets, Result, TopicPartition};

use crate::broker_error;
use crate::committer::PROBE_GROUP;
use crate::connection::Connection;
use crate::consumer_events::{ConsumerEvents, NativeConsumer};
use crate::partition_offsets::list_offsets;
use crate::token_polling::TokenPolling;
use crate::topic_pattern::TopicPattern;
use crate::{ClientRole, TopicSelection, translate};

/// How long a question to the broker may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The offset of the next message of each partition of `topics` (with `isolation.level=read_committed`: the last stable
/// offset), for a consumer with these properties. A topic that does not exist has none. Blocks.
///
/// # Errors
/// `Retriable` when the broker cannot be asked; `Config` when it refuses, when a property has a bad value, or when the pattern
/// does not parse.
pub fn subscribed_end_offsets(properties: &ConfigMap, topics: &TopicSelection) -> Result<Offsets> {
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
    list_offsets(&consumer, &connection, &partitions, Offset::End, TIMEOUT)
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
                let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT);
                let metadata = connection.outcome(&format!("look up topic {topic}"), metadata)?;
                found.extend(partitions_in(&metadata, |_| true));
            }
        }
        TopicSelection::Pattern(pattern) => {
            let pattern = TopicPattern::new(pattern)?;
            let metadata = connection.outcome("list topics", consumer.fetch_metadata(None, TIMEOUT))?;
            found.extend(partitions_in(&metadata, |topic| pattern.matches(topic)));
        }
    }
    Ok(found)
}

fn partitions_in(metadata: &Metadata, is_wanted: impl Fn(&str) -> bool) -> Vec<TopicPartition> {
    let topics = metadata.topics().iter().filter(|topic| is_wanted(topic.name()));
    let partitions = topics.flat_map(|topic| {
        topic.partitions().iter().map(|partition| TopicPartition::new(topic.name(), partition.id())).collect::<Vec<_>>()
    });
    partitions.collect()
}
