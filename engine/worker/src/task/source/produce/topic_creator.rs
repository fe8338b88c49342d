//! Creates the topics of a source connector as its `topic.creation.*` keys say (KIP-158).

use std::fmt::Write as _;

use tracing::info;
use volley_api::{ConfigMap, Error, Result};
use volley_kafka::{Admin, NewTopic};

use crate::connector_config::TopicCreation;
use crate::connector_task_id::ConnectorTaskId;
use crate::task::errors::cluster_refusal::{execution_exception, refusal};

/// What is asked of the cluster.
pub(crate) trait TopicAdmin: Send + Sync {
    /// Whether there is such a topic.
    fn exists(&self, topic: &str) -> Result<bool>;

    /// Creates it; `false` if it exists already.
    fn create(&self, topic: &NewTopic) -> Result<bool>;
}

/// An admin client for each question: they are rare, and a client has threads and connections.
pub(crate) struct AdminProperties(pub(crate) ConfigMap);

impl TopicAdmin for AdminProperties {
    fn exists(&self, topic: &str) -> Result<bool> {
        Ok(Admin::connect(&self.0)?.topic(topic)?.is_some())
    }

    fn create(&self, topic: &NewTopic) -> Result<bool> {
        Admin::connect(&self.0)?.create_topic(topic)
    }
}

/// The creation groups of a connector and the client to create topics with.
pub(crate) struct TopicCreator {
    pub(crate) id: ConnectorTaskId,
    pub(crate) creation: TopicCreation,
    pub(crate) admin: Box<dyn TopicAdmin>,
}

impl TopicCreator {
    /// Creates the topic if there is none. Blocks on the broker.
    ///
    /// # Errors
    /// `Retriable` if the broker did not answer; else the topic can be neither found nor created, in Kafka Connect's words.
    pub(crate) fn ensure(&self, topic: &str) -> Result<()> {
        let is_there = self.admin.exists(topic).map_err(|error| {
            let text = match error.is_retriable() {
                true => format!("Timed out while describing topics '{topic}'"),
                false if is_authorization(&error) => format!("Not authorized to describe topic(s) '{topic}'"),
                false => format!("Error while attempting to describe topics '{topic}'"),
            };
            as_failure(text, &error, execution_exception(&error))
        })?;
        if is_there {
            return Ok(());
        }
        let (group, new_topic) = self.creation.new_topic(topic);
        let is_new = self.admin.create(&new_topic).map_err(|error| creation_error(&new_topic, &error))?;
        if is_new {
            info!(task = %self.id, topic, group, "topic created");
        }
        Ok(())
    }
}

fn creation_error(topic: &NewTopic, error: &Error) -> Error {
    let name = &topic.name;
    let refusal = refusal(error);
    let text = match error.is_retriable() {
        _ if is_authorization(error) => format!(
            "Task failed to create new topic {}. Ensure that the task is authorized to create topics or that the topic \
             exists and restart the task",
            describe(topic)
        ),
        true => format!(
            "Timed out while checking for or creating topic(s) '{name}'. This could indicate a connectivity issue, \
             unavailable topic partitions, or if this is your first use of the topic it may have taken too long to create."
        ),
        false => format!("Unable to create topic(s) '{name}': {refusal}"),
    };
    as_failure(text, error, refusal)
}

fn is_authorization(error: &Error) -> bool {
    error.exception().ends_with("AuthorizationException")
}

fn as_failure(text: String, error: &Error, cause: Error) -> Error {
    let failure = if error.is_retriable() { Error::retriable(text) } else { Error::fatal(text) };
    failure.with_source(cause)
}

/// As Kafka's Java client shows a topic that is to be created.
fn describe(topic: &NewTopic) -> String {
    let count = |count: i32| if count == -1 { "default".to_owned() } else { count.to_string() };
    let mut configs = String::new();
    for (key, value) in &topic.configs {
        let separator = if configs.is_empty() { "" } else { ", " };
        // writing to a string does not fail
        let _ = write!(configs, "{separator}{key}={value}");
    }
    format!(
        "(name={}, numPartitions={}, replicationFactor={}, replicasAssignments=null, configs={{{configs}}})",
        topic.name,
        count(topic.partitions),
        count(topic.replication_factor)
    )
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use volley_api::testing::config_map;

    use super::*;

    struct FakeAdmin {
        outcome: fn() -> Result<bool>,
        exists: bool,
        created: Arc<Mutex<Vec<NewTopic>>>,
    }

    impl TopicAdmin for FakeAdmin {
        fn exists(&self, _: &str) -> Result<bool> {
            Ok(self.exists)
        }

        fn create(&self, topic: &NewTopic) -> Result<bool> {
            self.created.lock().unwrap().push(topic.clone());
            (self.outcome)()
        }
    }

    fn creator(exists: bool, outcome: fn() -> Result<bool>) -> (TopicCreator, Arc<Mutex<Vec<NewTopic>>>) {
        let config = config_map(&[
            ("topic.creation.default.replication.factor", "-1"),
            ("topic.creation.default.partitions", "3"),
            ("topic.creation.default.cleanup.policy", "compact"),
        ]);
        let created = Arc::default();
        let admin = FakeAdmin { outcome, exists, created: Arc::clone(&created) };
        let creation = TopicCreation::parse(&config).unwrap().unwrap();
        let id = ConnectorTaskId { connector: "c".into(), task: 0 };
        (TopicCreator { id, creation, admin: Box::new(admin) }, created)
    }

    #[test]
    fn a_missing_topic_is_created_and_an_existing_one_left_alone() {
        let (missing, created) = creator(false, || Ok(true));
        missing.ensure("t").unwrap();
        assert_eq!(created.lock().unwrap()[0].partitions, 3);
        let (existing, created) = creator(true, || Ok(true));
        existing.ensure("t").unwrap();
        assert_eq!(created.lock().unwrap().len(), 0);
        // somebody else was faster
        creator(false, || Ok(false)).0.ensure("t").unwrap();
    }

    #[test]
    fn who_may_not_create_topics_is_told_in_kafka_connect_s_words() {
        let (creator, _) = creator(false, || {
            Err(Error::config("no").with_exception("org.apache.kafka.common.errors.TopicAuthorizationException"))
        });
        let error = creator.ensure("t").unwrap_err();
        assert_eq!(
            error.to_string(),
            "Task failed to create new topic (name=t, numPartitions=3, replicationFactor=default, \
             replicasAssignments=null, configs={cleanup.policy=compact}). Ensure that the task is authorized to create \
             topics or that the topic exists and restart the task"
        );
        assert!(!error.is_retriable());
    }

    #[test]
    fn a_broker_that_does_not_answer_is_asked_again() {
        let (creator, _) = creator(false, || Err(Error::retriable("timed out")));
        assert!(creator.ensure("t").unwrap_err().is_retriable());
    }
}
