//! What a Java connector is given to do.

use clap::ValueEnum;
use serde_json::{Value, json};

/// A connector of one task, and its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Workload {
    /// A topic of JSON to MockSink, which drops its records
    DroppingSink,
    /// A topic of texts to FileStreamSink
    FileSink,
    /// A file of lines to a topic: FileStreamSource, up to 2000 records a poll
    FileSource,
    /// SchemaSource: one record a poll
    SingleRecords,
    /// Debezium's snapshot of a table of PostgreSQL
    Debezium,
}

impl Workload {
    /// Its row in the table.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::DroppingSink => "a topic of JSON to MockSink",
            Self::FileSink => "a topic of texts to FileStreamSink",
            Self::FileSource => "FileStreamSource to a topic",
            Self::SingleRecords => "SchemaSource to a topic, a record a poll",
            Self::Debezium => "Debezium's snapshot of a table of PostgreSQL",
        }
    }

    /// Begins the names of its topics and files.
    pub(crate) fn key(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// The plug-in that it needs, as the test bed names it; `None` for one of Kafka's own tools.
    pub(crate) fn plugin(self) -> Option<&'static str> {
        match self {
            Self::DroppingSink | Self::SingleRecords => None,
            Self::FileSink | Self::FileSource => Some("connect-file"),
            Self::Debezium => Some("debezium-connector-postgres"),
        }
    }

    /// How many rows of `rows`: what takes long gets fewer.
    pub(crate) fn rows(self, rows: u64) -> u64 {
        match self {
            Self::DroppingSink | Self::FileSink | Self::FileSource => rows,
            Self::SingleRecords | Self::Debezium => rows / 4,
        }
    }

    /// Whether it reads a topic.
    pub(crate) fn is_sink(self) -> bool {
        matches!(self, Self::DroppingSink | Self::FileSink)
    }

    /// The configuration that does not depend on the run.
    pub(crate) fn config(self) -> Value {
        let text = "org.apache.kafka.connect.storage.StringConverter";
        match self {
            Self::DroppingSink => json!({
                "connector.class": "org.apache.kafka.connect.tools.MockSinkConnector",
                "key.converter": text,
                "value.converter": "org.apache.kafka.connect.json.JsonConverter",
                "value.converter.schemas.enable": "false",
            }),
            Self::FileSink => json!({
                "connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector",
                "key.converter": text,
                "value.converter": text,
            }),
            Self::FileSource => json!({
                "connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector",
                "batch.size": "2000",
                "key.converter": text,
                "value.converter": text,
            }),
            Self::SingleRecords => json!({
                "connector.class": "org.apache.kafka.connect.tools.SchemaSourceConnector",
                "key.converter": "org.apache.kafka.connect.json.JsonConverter",
                "key.converter.schemas.enable": "false",
                "value.converter": "org.apache.kafka.connect.json.JsonConverter",
                "value.converter.schemas.enable": "false",
                "id": "1",
                "throughput": "-1",
                "partition.count": "1",
                "multiple.schema": "false",
            }),
            Self::Debezium => json!({
                "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
                "plugin.name": "pgoutput",
                "publication.autocreate.mode": "filtered",
                "table.include.list": "public.orders",
                "database.password": "unused",
                "key.converter": "org.apache.kafka.connect.json.JsonConverter",
                "key.converter.schemas.enable": "false",
                "value.converter": "org.apache.kafka.connect.json.JsonConverter",
                "value.converter.schemas.enable": "false",
            }),
        }
    }
}
