//! A compacted topic as a table: read as a whole at the start, and kept current by a thread of its own.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use arrow::array::{Array, RecordBatch};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::SchemaRef;
use parking_lot::Mutex;
use volley_api::metrics::Counter;
use volley_api::{
    ConfigMap, Converter, Error, OffsetRange, Origin, RawBatch, Result, Side, TimestampType, TopicPartition,
    TransformationContext,
};

use super::lookup_config::LookupConfig;
use super::refreshed_file::{FAILED_REFRESHES, NewRows, REFRESHES};
use super::topic_columns::{first_columns, table_of};
use super::topic_rows::TopicRows;

const STRING_CONVERTER: &str = "org.apache.kafka.connect.storage.StringConverter";
const JSON_CONVERTER: &str = "org.apache.kafka.connect.json.JsonConverter";

/// More than so much does not fit into one array.
const MOST_BYTES: u64 = 2_000_000_000;

const INTERVAL: Duration = Duration::from_secs(1);

type Shared = Arc<Mutex<TopicRows>>;

/// Reads a topic until it is dropped.
pub(super) struct TopicTable {
    rows: Shared,
    new_rows: NewRows,
    too_large: Error,
    _reading: Box<dyn Send>,
    /// Its end ends the thread.
    _until: SyncSender<()>,
}

impl fmt::Debug for TopicTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TopicTable")
    }
}

impl TopicTable {
    /// Reads the topic to its end. The first rows, and the table that gives newer ones. `named`: the columns that the query
    /// names.
    ///
    /// # Errors
    /// `Config`, naming the key, if there is no such topic, a converter does not exist, or there are too many rows.
    pub(super) fn start(
        config: &LookupConfig,
        topic: &str,
        named: &[String],
        context: &TransformationContext,
    ) -> Result<(RecordBatch, Self)> {
        let key = &config.key;
        let refused = |error: Error| {
            let kind = error.kind();
            Error::new(kind, format!("`{key}`: could not read the topic {topic} as a table")).with_source(error)
        };
        let Some(topics) = context.topics() else {
            return Err(Error::config(format!("`{key}`: topics cannot be read here as tables")));
        };
        let max_bytes = config.max_bytes.min(MOST_BYTES);
        let rows: Shared = Arc::new(Mutex::new(TopicRows::new(max_bytes)));
        let taken = Arc::clone(&rows);
        let take = Box::new(move |key: Option<&[u8]>, value: Option<&[u8]>| taken.lock().take(key, value));
        let client = client_settings(&config.settings);
        let reading = topics.read_topic(topic, &client, take).map_err(refused)?;
        let too_large = Error::config(format!(
            "`{key}`: the rows of topic {topic} have more than {max_bytes} bytes; raise `lookup.max.bytes` to hold them in \
             memory"
        ));
        let mut converting = Converting {
            table: config.name.clone(),
            topic: topic.into(),
            key: converter(config, context, Side::Key).map_err(refused)?,
            value: converter(config, context, Side::Value).map_err(refused)?,
            rows: Arc::clone(&rows),
            changes: 0,
            schema: first_columns(named),
            last_failure: None,
            refreshes: context.metrics().counter(REFRESHES),
            failures: context.metrics().counter(FAILED_REFRESHES),
        };
        if rows.lock().is_too_large() {
            return Err(too_large);
        }
        let first = converting.table().map_err(refused)?;
        let (until, ended) = sync_channel(0);
        let new_rows = NewRows::default();
        let (given, interval) = (Arc::clone(&new_rows), config.refresh.unwrap_or(INTERVAL));
        let convert = move || {
            while ended.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                if let Some(rows) = converting.newer() {
                    *given.lock() = Some(rows);
                }
            }
        };
        std::thread::Builder::new().name(format!("lookup {}", config.name)).spawn(convert).map_err(|error| {
            Error::fatal(format!("could not start the thread that keeps `{key}` current")).with_source(error)
        })?;
        Ok((first, Self { rows, new_rows, too_large, _reading: reading, _until: until }))
    }

    /// The rows of the topic since the last call, if they are others.
    ///
    /// # Errors
    /// `Config` if there are more than may be held.
    pub(super) fn take(&self) -> Result<Option<RecordBatch>> {
        if self.rows.lock().is_too_large() {
            return Err(self.too_large.clone());
        }
        Ok(self.new_rows.lock().take())
    }
}

/// The keys of the consumer that differ from the connector's.
fn client_settings(settings: &ConfigMap) -> ConfigMap {
    let own = settings.iter().filter_map(|(key, value)| {
        let name = if key == "bootstrap.servers" { Some(key.as_str()) } else { key.strip_prefix("consumer.") };
        name.map(|name| (name.to_owned(), value.clone()))
    });
    own.collect()
}

fn converter(config: &LookupConfig, context: &TransformationContext, side: Side) -> Result<Box<dyn Converter>> {
    let (key, default) = match side {
        Side::Key => ("key.converter", STRING_CONVERTER),
        Side::Value => ("value.converter", JSON_CONVERTER),
    };
    let prefix = format!("{key}.");
    let own = config.settings.iter().filter_map(|(key, value)| Some((key.strip_prefix(&prefix)?, value)));
    let mut settings: ConfigMap = own.map(|(key, value)| (key.to_owned(), value.clone())).collect();
    let class = config.settings.get(key).map(|class| class.trim());
    if class.is_none() && side == Side::Value {
        settings.entry("schemas.enable".to_owned()).or_insert_with(|| "false".to_owned());
    }
    context.plugins().new_converter(class.unwrap_or(default), &settings, side)
}

/// Makes the table out of the bytes.
struct Converting {
    table: String,
    topic: Arc<str>,
    key: Box<dyn Converter>,
    value: Box<dyn Converter>,
    rows: Shared,
    /// Of the rows that the last table was made of.
    changes: u64,
    schema: SchemaRef,
    last_failure: Option<String>,
    refreshes: Counter,
    failures: Counter,
}

impl Converting {
    /// The table, if it is another.
    fn newer(&mut self) -> Option<RecordBatch> {
        if self.rows.lock().changes() == self.changes {
            return None;
        }
        match self.table() {
            Ok(table) => {
                self.refreshes.add(1);
                self.last_failure = None;
                Some(table)
            }
            Err(error) => {
                self.failures.add(1);
                let reason = format!("{error:#}");
                if self.last_failure.as_ref() != Some(&reason) {
                    tracing::warn!(table = self.table, topic = %self.topic, reason, "could not convert a lookup table; it stays as it was");
                    self.last_failure = Some(reason);
                }
                None
            }
        }
    }

    fn table(&mut self) -> Result<RecordBatch> {
        let (batch, changes) = {
            let rows = self.rows.lock();
            (self.raw_batch(&rows), rows.changes())
        };
        let keys = self.key.to_connect(&batch, Side::Key)?;
        let values = self.value.to_connect(&batch, Side::Value)?;
        let bad = keys.rejected.iter().chain(&values.rejected);
        if let Some(rejected) = bad.clone().next() {
            let (count, error) = (bad.count(), format!("{:#}", rejected.error));
            tracing::warn!(table = self.table, topic = %self.topic, count, error, "some records of a lookup table cannot be converted and are left out");
        }
        let table = table_of(&keys.runs, &values.runs, batch.keys.len(), &self.schema)?;
        self.schema = table.schema();
        self.changes = changes;
        Ok(table)
    }

    fn raw_batch(&self, rows: &TopicRows) -> RawBatch {
        let (keys, values) = rows.to_arrays();
        let len = keys.len();
        let count = i64::try_from(len).unwrap_or(i64::MAX);
        let origin = Origin {
            partition: TopicPartition::new(Arc::clone(&self.topic), 0),
            range: OffsetRange { first: 0, end: count },
            offsets: (0..count).collect::<ScalarBuffer<i64>>(),
            timestamp_type: TimestampType::CreateTime,
            timestamps: std::iter::repeat_n(-1, len).collect(),
        };
        RawBatch { keys, values, headers: None, origin: Arc::new(origin) }
    }
}
