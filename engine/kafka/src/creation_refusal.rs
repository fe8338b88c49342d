//! Why the cluster refuses to create a topic, in its own words. librdkafka's Rust interface keeps the code and drops the
//! words, and `Configuration is invalid` helps nobody: the broker is asked once more, only to validate.

use std::time::Duration;

use kafka_protocol::messages::TopicName;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
use kafka_protocol::protocol::StrBytes;
use tracing::debug;
use volley_api::{ConfigMap, Error, Result};

use crate::NewTopic;
use crate::wire::{Connection, ConnectionSettings, block_on};

/// Nobody should wait long only to be told why.
const TIMEOUT: Duration = Duration::from_secs(5);

/// What the first broker that answers says against `topic`; `None` if nothing is learnt. Blocks.
pub(crate) fn creation_refusal(properties: &ConfigMap, topic: &NewTopic) -> Option<String> {
    block_on(|| ask(properties, topic)).unwrap_or_else(|error| {
        debug!(topic = topic.name, %error, "could not ask why the topic is refused");
        None
    })
}

async fn ask(properties: &ConfigMap, topic: &NewTopic) -> Result<Option<String>> {
    let settings = ConnectionSettings::read(properties)?;
    match tokio::time::timeout(TIMEOUT, ask_any(&settings, topic)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Error::retriable("no broker answered in time")),
    }
}

async fn ask_any(settings: &ConnectionSettings, topic: &NewTopic) -> Result<Option<String>> {
    let mut outcome = Ok(None);
    for address in &settings.bootstrap_servers {
        outcome = match Connection::open(address, settings).await {
            Ok(mut connection) => {
                let answer = connection.call(TIMEOUT, |version| request(topic, version)).await;
                return answer.map(|answer| {
                    let refused = answer.topics.into_iter().find(|refused| refused.error_code != 0);
                    refused.and_then(|refused| refused.error_message).map(|message| message.to_string())
                });
            }
            Err(error) => Err(error),
        };
    }
    outcome
}

fn request(topic: &NewTopic, version: i16) -> CreateTopicsRequest {
    let text = |text: &str| StrBytes::from_string(text.to_owned());
    let configs = topic
        .configs
        .iter()
        .map(|(key, value)| CreatableTopicConfig::default().with_name(text(key)).with_value(Some(text(value))));
    let topic = CreatableTopic::default()
        .with_name(TopicName(text(&topic.name)))
        .with_num_partitions(topic.partitions)
        .with_replication_factor(i16::try_from(topic.replication_factor).unwrap_or(-1))
        .with_configs(configs.collect());
    CreateTopicsRequest::default()
        .with_topics(vec![topic])
        .with_timeout_ms(i32::try_from(TIMEOUT.as_millis()).unwrap_or(i32::MAX))
        .with_validate_only(version >= 1)
}
