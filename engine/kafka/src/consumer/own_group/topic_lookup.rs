//! The partitions of topics, and the topics that match a pattern, as brokers say.

use std::collections::BTreeSet;
use std::sync::mpsc::Sender;
use std::time::Duration;

use kafka_protocol::error::{ParseResponseErrorCode, ResponseError};
use tokio::time::sleep;
use tracing::{debug, warn};
use volley_api::{Error, Result, TopicPartition};

use super::cluster::{Cluster, error_in};
use crate::assignors::PartitionCounts;
use crate::consumer::topic_pattern::TopicPattern;

/// Pause after a failure to list topics.
const RETRY: Duration = Duration::from_millis(500);

/// The number of partitions of each of these topics; those that do not exist are left out.
///
/// # Errors
/// `Retriable` when the broker does not answer or does not know yet; `Config` when it refuses. Topics that are not in `own` may be
/// refused: they are left out.
pub(super) async fn partition_counts(
    cluster: &Cluster,
    topics: &BTreeSet<String>,
    own: &[String],
) -> Result<PartitionCounts> {
    let mut counts = PartitionCounts::new();
    if topics.is_empty() {
        return Ok(counts);
    }
    for topic in cluster.metadata(Some(topics.iter().cloned().collect())).await?.topics {
        let Some(name) = topic.name else { continue };
        match topic.error_code.err() {
            // its partitions are known, which is all that counts here
            None => {}
            Some(ResponseError::LeaderNotAvailable) if !topic.partitions.is_empty() => {}
            Some(ResponseError::UnknownTopicOrPartition | ResponseError::UnknownTopicId) => continue,
            Some(ResponseError::TopicAuthorizationFailed) if !own.iter().any(|own| own == name.as_str()) => {
                warn!(topic = name.as_str(), "this user may not see a topic that another member of the group consumes");
                continue;
            }
            Some(error) => return Err(refusal(name.as_str(), error)),
        }
        let count = i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX);
        if count > 0 {
            counts.insert(name.as_str().to_owned(), count);
        }
    }
    Ok(counts)
}

/// The partitions of a topic; none if it does not exist.
///
/// # Errors
/// As [`partition_counts`]; `Retriable` too while it has no leaders.
pub(super) async fn partitions(cluster: &Cluster, topic: &str) -> Result<Vec<TopicPartition>> {
    let mut found = Vec::new();
    for topic in cluster.metadata(Some(vec![topic.to_owned()])).await?.topics {
        let Some(name) = topic.name else { continue };
        match topic.error_code.err() {
            None => {}
            Some(ResponseError::UnknownTopicOrPartition | ResponseError::UnknownTopicId) => continue,
            Some(error) => return Err(refusal(name.as_str(), error)),
        }
        found.extend(
            topic.partitions.iter().map(|partition| TopicPartition::new(name.as_str(), partition.partition_index)),
        );
    }
    found.sort_unstable();
    Ok(found)
}

fn refusal(topic: &str, error: ResponseError) -> Error {
    let action = format!("look up topic {topic}");
    error_in(error.code(), &action).unwrap_or_else(|| Error::retriable(action))
}

/// Tells the topics that match, sorted, each time that they have changed, until nobody listens.
pub(super) async fn watch(
    cluster: &Cluster,
    client: &str,
    pattern: &TopicPattern,
    interval: Duration,
    found: &Sender<Vec<String>>,
    wake: impl Fn(),
) {
    let mut last: Option<Vec<String>> = None;
    loop {
        let pause = match cluster.metadata(None).await {
            Ok(metadata) => {
                let names = metadata.topics.iter().filter_map(|topic| topic.name.as_ref());
                let mut topics: Vec<_> = names.map(|name| name.as_str().to_owned()).collect();
                topics.retain(|topic| pattern.matches(topic));
                topics.sort_unstable();
                if last.as_ref() != Some(&topics) {
                    if topics.is_empty() {
                        warn!(client, pattern = %pattern, "no topic matches, waiting for one");
                    }
                    if found.send(topics.clone()).is_err() {
                        return;
                    }
                    wake();
                    last = Some(topics);
                }
                interval
            }
            Err(error) => {
                debug!(client, %error, "could not list topics");
                RETRY
            }
        };
        sleep(pause).await;
    }
}
