//! A run of one connector in one worker.

use std::fmt;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use serde_json::{Value, json};

use crate::payment::{self, JsonSize};
use crate::payments_topic::{Encoding, PaymentsTopic};
use crate::processes::ProcessTree;
use crate::testbed::{
    ConnectWorker, Database, Kafka, Mode, Postgres, Vendor, WorkerProperties, distributed_properties, java_properties,
};
use crate::workload::Workload;

const PARTITIONS: usize = 4;
/// A run slower than this many rows a second has failed …
const LEAST_RATE: u64 = 2_000;
/// … after this time at the earliest.
const LEAST_PATIENCE: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_millis(100);
const SILENCE: Duration = Duration::from_secs(30);

/// A run that moved all rows, from the creation of its connector on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moved {
    pub(crate) rows: u64,
    pub(crate) wall: Duration,
    /// Of the worker and its hosts.
    pub(crate) cpu_seconds: f64,
    /// Of the worker and its hosts together.
    pub(crate) peak_bytes: u64,
}

impl Moved {
    pub(crate) fn rows_per_second(&self) -> f64 {
        self.rows as f64 / self.wall.as_secs_f64()
    }

    pub(crate) fn cpu_seconds_per_million(&self) -> f64 {
        self.cpu_seconds * 1e6 / self.rows as f64
    }
}

impl fmt::Display for Moved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.0} rows/s, {:.2} CPU-s per million, {:.0} MB",
            self.rows_per_second(),
            self.cpu_seconds_per_million(),
            self.peak_bytes as f64 / 1e6
        )
    }
}

/// What connectors read, and where they run.
pub(crate) struct Arena {
    pub(crate) kafka: Kafka,
    rows: u64,
    /// For sinks.
    payments: Option<PaymentsTopic>,
    /// For the source of files.
    lines: Option<PathBuf>,
    /// For Debezium.
    database: Option<(Postgres, Database)>,
    pub(crate) directory: tempfile::TempDir,
}

impl Arena {
    pub(crate) fn new(rows: u64, workloads: &[Workload]) -> Result<Self> {
        let (kafka, directory) = (Kafka::start(), tempfile::tempdir()?);
        let fill = || PaymentsTopic::fill(&kafka, PARTITIONS, rows, Encoding::Json(JsonSize::Small), "lz4");
        let payments = workloads.iter().any(|workload| workload.is_sink()).then(fill).transpose()?;
        let path = directory.path().join("lines.txt");
        let lines = workloads.contains(&Workload::FileSource).then(|| write_lines(path, rows)).transpose()?;
        let database = workloads.contains(&Workload::Debezium).then(|| table(Workload::Debezium.rows(rows)));
        Ok(Self { kafka, rows, payments, lines, database, directory })
    }

    /// A worker with these Java plug-ins, up and in its group.
    pub(crate) fn worker(&self, vendor: Vendor, plugins: &[&str], more: &[(&'static str, &str)]) -> ConnectWorker {
        let group = self.kafka.unique("bench");
        let mut properties: WorkerProperties = distributed_properties(&self.kafka, &group);
        properties.retain(|(key, _)| !["offset.flush.interval.ms", "plugin.discovery"].contains(key));
        properties.push(("offset.flush.interval.ms", "1000".to_owned()));
        // Kafka's tools have no service files
        properties.push(("plugin.discovery", "hybrid_warn".to_owned()));
        // Kafka's worker passes over the keys that are not its own
        properties.extend(java_properties(plugins));
        properties.extend(more.iter().map(|(key, value)| (*key, (*value).to_owned())));
        let worker = ConnectWorker::launch_as_distributed(vendor, Mode::Distributed, &properties);
        worker.await_ready();
        worker
    }

    /// Runs a workload to its end.
    pub(crate) fn run(&self, workload: Workload, vendor: Vendor) -> Result<Moved> {
        let name = self.kafka.unique(&workload.key());
        let rows = workload.rows(self.rows);
        let output = self.output(workload, &name);
        let mut config = self.config(workload, &name, &output, rows)?;
        if vendor == Vendor::Volley {
            // some of these classes Volley has itself
            config["volley.java"] = json!("always");
        }
        let mut worker = self.worker(vendor, &[workload.plugin().unwrap_or("connect-file")], &[]);
        // so that what a worker knows of its plug-ins is known
        let (status, answer) = worker.ask("GET", "/connector-plugins", None);
        ensure!(status == 200, "{answer}");
        let before = ProcessTree::look(worker.pid())?.cpu_seconds;
        let started = Instant::now();
        let (status, answer) = worker.ask("PUT", &format!("/connectors/{name}/config"), Some(&config));
        ensure!(status == 201, "{answer}");
        let patience = LEAST_PATIENCE.max(Duration::from_secs(rows / LEAST_RATE));
        while self.moved(workload, &name, &output)? < rows {
            if let Some(trace) = failure(&worker, &name) {
                bail!("the task has failed: {trace}");
            }
            ensure!(started.elapsed() < patience, "it has not ended after {patience:?}:\n{}", worker.log());
            std::thread::sleep(LOOK_EVERY);
        }
        let (wall, tree) = (started.elapsed(), ProcessTree::look(worker.pid())?);
        let moved = Moved { rows, wall, cpu_seconds: tree.cpu_seconds - before, peak_bytes: tree.peak_bytes };
        worker.ask("DELETE", &format!("/connectors/{name}"), None);
        worker.stop();
        Ok(moved)
    }

    /// The topic that a source fills.
    fn output(&self, workload: Workload, name: &str) -> String {
        match workload {
            Workload::DroppingSink | Workload::FileSink => String::new(),
            Workload::Debezium => format!("{name}.public.orders"),
            Workload::FileSource | Workload::SingleRecords => format!("{name}-rows"),
        }
    }

    fn config(&self, workload: Workload, name: &str, output: &str, rows: u64) -> Result<Value> {
        let mut config = workload.config();
        config["tasks.max"] = json!("1");
        if workload.is_sink() {
            config["topics"] = json!(self.payments.as_ref().context("there is no input")?.name);
            config["consumer.override.auto.offset.reset"] = json!("earliest");
        } else {
            self.kafka.create_topic(output, PARTITIONS as i32, &[]);
        }
        match workload {
            Workload::DroppingSink => {}
            Workload::FileSink => config["file"] = json!(self.directory.path().join(name)),
            Workload::FileSource => {
                config["file"] = json!(self.lines.as_ref().context("there is no input")?);
                config["topic"] = json!(output);
            }
            Workload::SingleRecords => {
                config["topic"] = json!(output);
                config["num.messages"] = json!(rows.to_string());
            }
            Workload::Debezium => {
                let (_, database) = self.database.as_ref().context("there is no input")?;
                config["database.hostname"] = json!("127.0.0.1");
                config["database.port"] = json!(database.port().to_string());
                config["database.user"] = json!(database.user());
                config["database.dbname"] = json!(database.name);
                config["topic.prefix"] = json!(name);
                let slot = name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_");
                config["slot.name"] = json!(slot);
                config["publication.name"] = json!(slot);
                config["slot.drop.on.stop"] = json!("true");
            }
        }
        Ok(config)
    }

    /// How many rows are where they are to go.
    fn moved(&self, workload: Workload, name: &str, output: &str) -> Result<u64> {
        if workload.is_sink() {
            let committed = self.kafka.admin().group_offsets(&format!("connect-{name}"))?;
            return Ok(committed.values().sum::<i64>().unsigned_abs());
        }
        messages(&self.kafka, output)
    }
}

/// How many messages a topic has.
pub(crate) fn messages(kafka: &Kafka, topic: &str) -> Result<u64> {
    let consumer: BaseConsumer = ClientConfig::new().set("bootstrap.servers", kafka.bootstrap_servers()).create()?;
    let mut messages = 0;
    for partition in 0..PARTITIONS as i32 {
        let (low, high) = consumer.fetch_watermarks(topic, partition, SILENCE)?;
        messages += (high - low).unsigned_abs();
    }
    Ok(messages)
}

/// Why the task has failed, if it has.
fn failure(worker: &ConnectWorker, name: &str) -> Option<String> {
    let status = worker.try_ask("GET", &format!("/connectors/{name}/status"), None)?.json();
    let parts = status["tasks"].as_array().into_iter().flatten().chain([&status["connector"]]);
    parts.filter(|part| part["state"] == "FAILED").find_map(|part| part["trace"].as_str().map(str::to_owned))
}

fn write_lines(path: PathBuf, rows: u64) -> Result<PathBuf> {
    let mut file = BufWriter::new(File::create(&path)?);
    let mut line = Vec::new();
    for number in 0..rows {
        line.clear();
        payment::write_json(number, JsonSize::Small, &mut line);
        line.push(b'\n');
        file.write_all(&line)?;
    }
    file.flush()?;
    Ok(path)
}

/// A table of orders.
fn table(rows: u64) -> (Postgres, Database) {
    let postgres = Postgres::start();
    let database = postgres.database("bench");
    database.sql(&format!(
        "CREATE TABLE orders (id bigint PRIMARY KEY, buyer text NOT NULL, country text NOT NULL, \
            amount double precision NOT NULL, ok boolean NOT NULL, items integer NOT NULL, created timestamptz NOT NULL, \
            session text NOT NULL, voucher text, note text NOT NULL); \
         INSERT INTO orders SELECT n, 'b-' || n * 7919 % 1000003, 'DE', (n * 104729 % 9000000 + 100) / 100.0, n % 4 <> 0, \
            n % 9 + 1, to_timestamp(1700000000 + n * 0.125), md5(n::text), \
            CASE WHEN n % 3 = 0 THEN 'SUMMER' || n % 100 END, 'left with the neighbor no ' || n % 90 \
            FROM generate_series(1::bigint, {rows}) n; ANALYZE orders"
    ));
    (postgres, database)
}
