//! A topic full of payments.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::payment::{self, JsonSize};
use crate::testbed::Kafka;

const PATIENCE: Duration = Duration::from_secs(120);
const QUEUE_FULL_WAIT: Duration = Duration::from_millis(10);

/// What the records of a topic are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Json(JsonSize),
    Avro {
        /// In the registry.
        schema_id: u32,
    },
}

impl Encoding {
    /// As an argument of a process.
    pub(crate) fn to_argument(self) -> String {
        match self {
            Self::Json(JsonSize::Small) => "json".to_owned(),
            Self::Json(JsonSize::Large) => "large-json".to_owned(),
            Self::Json(JsonSize::Kilobyte) => "kilobyte-json".to_owned(),
            Self::Avro { schema_id } => schema_id.to_string(),
        }
    }

    /// Reads such an argument.
    pub(crate) fn from_argument(text: &str) -> Result<Self> {
        Ok(match text {
            "json" => Self::Json(JsonSize::Small),
            "large-json" => Self::Json(JsonSize::Large),
            "kilobyte-json" => Self::Json(JsonSize::Kilobyte),
            _ => Self::Avro { schema_id: text.parse()? },
        })
    }

    fn write(self, number: u64, message: &mut Vec<u8>) {
        match self {
            Self::Json(size) => payment::write_json(number, size, message),
            Self::Avro { schema_id } => payment::write_avro(number, schema_id, message),
        }
    }
}

/// A topic with payments `0..records`, dealt out to its partitions in turn.
#[derive(Debug)]
pub(crate) struct PaymentsTopic {
    pub(crate) name: String,
    pub(crate) partitions: usize,
    pub(crate) records: u64,
    pub(crate) encoding: Encoding,
    /// How many of them [`payment::QUERY`] keeps.
    pub(crate) kept_by_filter: u64,
}

impl PaymentsTopic {
    /// Creates and fills the topic.
    /// Its batches are compressed with `codec`.
    pub(crate) fn fill(
        kafka: &Kafka,
        partitions: usize,
        records: u64,
        encoding: Encoding,
        codec: &str,
    ) -> Result<Self> {
        let name = kafka.topic("payments", i32::try_from(partitions)?);
        let topic = Self {
            name,
            partitions,
            records,
            encoding,
            kept_by_filter: (0..records).filter(|number| payment::passes_filter(*number)).count() as u64,
        };
        topic.produce(&kafka.bootstrap_servers(), codec)?;
        let found = topic.count(&kafka.bootstrap_servers())?;
        ensure!(found == records, "the topic has {found} records instead of {records}");
        Ok(topic)
    }

    fn produce(&self, bootstrap_servers: &str, codec: &str) -> Result<()> {
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", bootstrap_servers)
            .set("compression.type", codec)
            .set("enable.idempotence", "true")
            .set("linger.ms", "50")
            .create()?;
        let mut message = Vec::new();
        for number in 0..self.records {
            message.clear();
            self.encoding.write(number, &mut message);
            let partition = i32::try_from(number % self.partitions as u64)?;
            let mut record = BaseRecord::<(), [u8]>::to(&self.name).partition(partition).payload(&message);
            while let Err((error, back)) = producer.send(record) {
                if !matches!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)) {
                    return Err(error.into());
                }
                producer.poll(QUEUE_FULL_WAIT);
                record = back;
            }
            if number.is_multiple_of(1000) {
                producer.poll(Duration::ZERO);
            }
        }
        producer.flush(PATIENCE).context("the broker does not take the records")
    }

    fn count(&self, bootstrap_servers: &str) -> Result<u64> {
        let consumer: BaseConsumer = ClientConfig::new().set("bootstrap.servers", bootstrap_servers).create()?;
        let mut records = 0;
        for partition in 0..i32::try_from(self.partitions)? {
            let (low, high) = consumer.fetch_watermarks(&self.name, partition, PATIENCE)?;
            records += u64::try_from(high - low)?;
        }
        Ok(records)
    }
}
