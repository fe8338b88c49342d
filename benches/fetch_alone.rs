//! Volley's consumer without anything behind it: from the broker to batches of columns, which are dropped. The drain bench runs it
//! as a process of its own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use volley_api::{ConfigMap, Offsets, TopicPartition};
use volley_kafka::{FetchSettings, Fetcher, RebalanceListener, TopicSelection};

/// First argument of a process that is to be this.
const ROLE: &str = "run-fetch";
/// As tasks of sinks have them by default.
const MAX_ROWS: usize = 32_768;
const MAX_BYTES: usize = 8 << 20;
const LINGER: Duration = Duration::from_millis(100);
const POLL: Duration = Duration::from_millis(100);
/// Silence after which the broker counts as lost.
const SILENCE: Duration = Duration::from_secs(30);

/// What to fetch.
#[derive(Clone, Debug)]
pub(crate) struct FetchAlone {
    pub(crate) bootstrap_servers: String,
    pub(crate) topic: String,
    /// How many are in the topic.
    pub(crate) records: u64,
    /// `volley.fetch.client`
    pub(crate) client: String,
}

impl FetchAlone {
    /// The arguments of a process that does this; see [`FetchAlone::from_arguments`].
    pub(crate) fn to_arguments(&self) -> [String; 5] {
        [
            ROLE.to_owned(),
            self.bootstrap_servers.clone(),
            self.topic.clone(),
            self.records.to_string(),
            self.client.clone(),
        ]
    }

    /// What this process is to fetch; `None` if it is something else.
    pub(crate) fn from_arguments(arguments: impl Iterator<Item = String>) -> Result<Option<Self>> {
        let arguments: Vec<_> = arguments.collect();
        match arguments.as_slice() {
            [role, bootstrap_servers, topic, records, client] if role == ROLE => Ok(Some(Self {
                bootstrap_servers: bootstrap_servers.clone(),
                topic: topic.clone(),
                records: records.parse()?,
                client: client.clone(),
            })),
            _ => Ok(None),
        }
    }

    /// Reads the whole topic once.
    pub(crate) fn run(&self) -> Result<()> {
        let properties: ConfigMap = [
            ("bootstrap.servers", self.bootstrap_servers.as_str()),
            ("group.id", &format!("fetch-alone-{}", std::process::id())),
            ("auto.offset.reset", "earliest"),
            ("volley.fetch.client", &self.client),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
        let settings = FetchSettings {
            topics: TopicSelection::Topics(vec![self.topic.clone()]),
            max_rows: MAX_ROWS,
            max_bytes: MAX_BYTES,
            linger: LINGER,
        };
        let mut fetcher = Fetcher::connect(&properties, settings, Arc::new(Nobody))?;
        let (mut rows, mut last) = (0, Instant::now());
        while rows < self.records {
            let batches = fetcher.poll(POLL)?;
            if !batches.is_empty() {
                last = Instant::now();
            }
            if last.elapsed() > SILENCE {
                bail!("only {rows} of {} records came", self.records);
            }
            rows += batches.iter().map(|batch| batch.len() as u64).sum::<u64>();
        }
        ensure!(rows == self.records, "{rows} records came instead of {}", self.records);
        Ok(())
    }
}

/// Nothing is committed.
struct Nobody;

impl RebalanceListener for Nobody {
    fn assigned(&self, _: &Offsets) {}

    fn revoked(&self, _: &[TopicPartition]) {}

    fn lost(&self, _: &[TopicPartition]) {}
}
