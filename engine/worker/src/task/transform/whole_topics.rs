//! Topics that a transformation reads as a whole, with the clients of its connector.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use volley_api::{ConfigMap, Error, Result, TakeRecord, TopicReader};
use volley_kafka::{
    Admin, ClientRole, LogEnds, LogListener, LogRecord, ReadingSettings, TopicReading, check_bootstrap_servers,
};

use crate::worker_config::WorkerConfig;

/// How long reading a topic may make no progress when a task starts.
const READ_LIMIT: Duration = Duration::from_secs(120);

/// Reads topics with the settings of the worker's clients and the overrides of the connector.
pub(crate) struct WholeTopics {
    worker_config: Arc<WorkerConfig>,
    connector_config: ConfigMap,
    connector: String,
    task: usize,
}

impl WholeTopics {
    pub(crate) fn new(
        worker_config: Arc<WorkerConfig>,
        connector_config: ConfigMap,
        connector: String,
        task: usize,
    ) -> Self {
        Self { worker_config, connector_config, connector, task }
    }
}

impl fmt::Debug for WholeTopics {
    /// Leaves out the configurations, whose values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WholeTopics").field("connector", &self.connector).finish_non_exhaustive()
    }
}

impl TopicReader for WholeTopics {
    fn read_topic(&self, topic: &str, client: &ConfigMap, take: TakeRecord) -> Result<Box<dyn Send>> {
        let (worker, connector) = (&self.worker_config, &self.connector_config);
        let own = |mut properties: ConfigMap| {
            properties.extend(client.iter().map(|(key, value)| (key.clone(), value.clone())));
            properties
        };
        let admin = own(worker.admin_properties(connector, &self.connector, self.task));
        check_bootstrap_servers(&admin, ClientRole::Admin)?;
        let Some(found) = Admin::connect(&admin)?.topic(topic)? else {
            return Err(Error::config(format!(
                "there is no topic {topic} to read as a table; create it, or correct its name"
            )));
        };
        let settings = ReadingSettings {
            topic: topic.to_owned(),
            partitions: found.partitions,
            consumer: own(worker.offset_store_clients(connector, &self.connector).consumer),
            has_transactions: true,
        };
        let ends = LogEnds::connect(&admin)?;
        Ok(Box::new(TopicReading::start(&settings, &ends, Box::new(Taker(take)), READ_LIMIT)?))
    }
}

struct Taker(TakeRecord);

impl LogListener for Taker {
    fn record(&mut self, record: &LogRecord<'_>) {
        (self.0)(record.key, record.value);
    }
}
