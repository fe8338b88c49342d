//! Who drains the topic, and how each is run: as a process of its own, into an empty directory.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::ValueEnum;

use crate::drained_files::DrainedFiles;
use crate::floor::Floor;
use crate::measured_process::{Cost, MeasuredProcess};
use crate::payment;
use crate::payments_topic::{Encoding, PaymentsTopic};
use crate::worker_files::{WorkerFiles, free_port};

/// Rows of a file, for all contenders.
const FLUSH_SIZE: usize = 500_000;
/// A drain slower than this many records a second has failed …
const LEAST_RATE: u64 = 30_000;
/// … after this time at the earliest.
const LEAST_PATIENCE: Duration = Duration::from_secs(120);
const START_PATIENCE: Duration = Duration::from_secs(30);
const STARTS: usize = 5;
/// How long a worker is left alone before it counts as idle.
const SETTLE: Duration = Duration::from_secs(2);

/// A field that names one of 500 directories, in turns.
const BUCKETS: &str =
    "transforms=sql\ntransforms.sql.type=Sql\ntransforms.sql.query=SELECT *, id % 500 AS bucket FROM records\n";

/// What the bench measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Contender {
    /// The program written by hand: benches/floor.rs
    Floor,
    /// Volley, no transformation
    Volley,
    /// Volley with a projecting and filtering SQL transformation
    Sql,
    /// Volley on one core
    OneCore,
    /// The same program, of payments in Avro
    AvroFloor,
    /// Volley, of payments in Avro with a schema registry
    Avro,
    /// The same program, which copies the JSON into files of lines
    LinesFloor,
    /// Volley, to files of JSON lines
    Lines,
    /// Volley with SQL that names one of 500 buckets
    Buckets,
    /// The same, with a directory for each bucket
    Directories,
    /// Volley draining 64 partitions
    Wide,
    /// A worker without connectors: start and memory at rest
    Idle,
}

impl Contender {
    /// Its row in the table.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Floor => "floor, written by hand",
            Self::Volley => "volley",
            Self::Sql => "volley with SQL",
            Self::OneCore => "volley on one core",
            Self::AvroFloor => "floor, Avro",
            Self::Avro => "volley, Avro",
            Self::LinesFloor => "floor, lines of JSON",
            Self::Lines => "volley, lines of JSON",
            Self::Buckets => "volley with 500 buckets in SQL",
            Self::Directories => "volley, the same in 500 directories",
            Self::Wide => "volley, 64 partitions",
            Self::Idle => "volley at rest",
        }
    }

    /// What it is measured against: who drains the same topic by hand.
    pub(crate) fn floor(self) -> Option<Self> {
        match self {
            Self::Floor | Self::Volley | Self::Sql | Self::OneCore => Some(Self::Floor),
            Self::AvroFloor | Self::Avro => Some(Self::AvroFloor),
            Self::LinesFloor | Self::Lines => Some(Self::LinesFloor),
            Self::Buckets | Self::Directories => Some(Self::Buckets),
            Self::Wide | Self::Idle => None,
        }
    }

    fn key(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Volley => "volley",
            Self::Sql => "sql",
            Self::OneCore => "one-core",
            Self::AvroFloor => "avro-floor",
            Self::Avro => "avro",
            Self::LinesFloor => "lines-floor",
            Self::Lines => "lines",
            Self::Buckets => "buckets",
            Self::Directories => "directories",
            Self::Wide => "wide",
            Self::Idle => "idle",
        }
    }
}

/// A finished drain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drained {
    pub(crate) cost: Cost,
    pub(crate) records: u64,
    pub(crate) output: DrainedFiles,
}

impl Drained {
    /// User and system time for a million records read.
    pub(crate) fn cpu_seconds_per_million(&self) -> f64 {
        self.cost.cpu_seconds() * 1e6 / self.records as f64
    }

    /// From the start of the process to its end.
    pub(crate) fn records_per_second(&self) -> f64 {
        self.records as f64 / self.cost.wall.as_secs_f64()
    }
}

/// A worker that has nothing to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AtRest {
    /// From the start of the process to the answer of `GET /`; the median of several.
    pub(crate) until_rest: Duration,
    /// Resident, with the pages of the binary.
    pub(crate) resident_bytes: u64,
    /// Resident, of its own.
    pub(crate) anonymous_bytes: u64,
}

/// Where contenders run.
#[derive(Debug)]
pub(crate) struct Arena {
    pub(crate) bootstrap_servers: String,
    /// Of a schema registry, where one is needed.
    pub(crate) registry: Option<String>,
    /// The `volley` binary.
    pub(crate) volley: PathBuf,
    /// For configurations, logs and output.
    pub(crate) directory: PathBuf,
}

impl Arena {
    /// Lets `contender` drain `topic`; checks the number of rows that it has written.
    pub(crate) fn drain(&self, contender: Contender, topic: &PaymentsTopic, run: usize) -> Result<Drained> {
        let name = format!("{}-{run}", contender.key());
        let output = self.directory.join(&name).join("output");
        fs::create_dir_all(&output)?;
        let mut command = match contender {
            Contender::Floor | Contender::AvroFloor | Contender::LinesFloor => self.floor(contender, topic, &output)?,
            _ => self.volley_drain(contender, topic, &name, &output)?,
        };
        let log = self.directory.join(&name).join("log");
        let patience = LEAST_PATIENCE.max(Duration::from_secs(topic.records / LEAST_RATE));
        let cost = MeasuredProcess::start(&mut command, &name, &log)?.finish(patience)?;
        let expected = if contender == Contender::Sql { topic.kept_by_filter } else { topic.records };
        let output = DrainedFiles::under(&output)?;
        ensure!(output.rows == expected, "{name} has written {} rows instead of {expected}", output.rows);
        fs::remove_dir_all(self.directory.join(&name))?;
        Ok(Drained { cost, records: topic.records, output })
    }

    fn floor(&self, contender: Contender, topic: &PaymentsTopic, output: &Path) -> Result<Command> {
        let floor = Floor {
            bootstrap_servers: self.bootstrap_servers.clone(),
            topic: topic.name.clone(),
            partitions: topic.partitions,
            schema_id: match topic.encoding {
                Encoding::Json => 0,
                Encoding::Avro { schema_id } => schema_id,
            },
            copies_lines: contender == Contender::LinesFloor,
            flush_size: FLUSH_SIZE,
            directory: output.to_owned(),
        };
        let mut command = Command::new(env::current_exe()?);
        command.args(floor.to_arguments());
        Ok(command)
    }

    fn volley_drain(&self, contender: Contender, topic: &PaymentsTopic, name: &str, output: &Path) -> Result<Command> {
        let files = WorkerFiles { directory: &self.directory.join(name), bootstrap_servers: &self.bootstrap_servers };
        let worker = files.write_worker(free_port()?)?;
        let more = match (contender, &self.registry) {
            (Contender::Sql, _) => {
                format!("transforms=sql\ntransforms.sql.type=Sql\ntransforms.sql.query={}\n", payment::QUERY)
            }
            (Contender::Lines, _) => "format.class=JsonLines\n".to_owned(),
            (Contender::Buckets, _) => BUCKETS.to_owned(),
            (Contender::Directories, _) => {
                format!("{BUCKETS}partitioner.class=FieldPartitioner\npartition.field.name=bucket\n")
            }
            (Contender::Avro, Some(registry)) => format!(
                "value.converter=io.confluent.connect.avro.AvroConverter\nvalue.converter.schema.registry.url={registry}\n"
            ),
            _ => String::new(),
        };
        let sink = files.write_sink(&format!("drain-{name}"), &topic.name, output, FLUSH_SIZE, &more)?;
        let mut command = if contender == Contender::OneCore {
            let mut command = Command::new("taskset");
            command.args(["-c", "0"]).arg(&self.volley);
            command
        } else {
            Command::new(&self.volley)
        };
        command.arg("standalone").args([worker, sink]).arg("--until-done");
        Ok(command)
    }

    /// Starts a worker without connectors some times, and looks at the last one when it has settled.
    pub(crate) fn rest(&self) -> Result<AtRest> {
        let directory = self.directory.join("idle");
        fs::create_dir_all(&directory)?;
        let files = WorkerFiles { directory: &directory, bootstrap_servers: &self.bootstrap_servers };
        let log = directory.join("log");
        let mut starts = Vec::new();
        loop {
            let port = free_port()?;
            let worker = files.write_worker(port)?;
            let mut command = Command::new(&self.volley);
            command.arg("standalone").arg(worker);
            let mut process = MeasuredProcess::start(&mut command, "idle", &log)?;
            starts.push(process.until_rest_answers(port, START_PATIENCE)?);
            if starts.len() == STARTS {
                starts.sort();
                std::thread::sleep(SETTLE);
                return Ok(AtRest {
                    until_rest: starts[STARTS / 2],
                    resident_bytes: process.memory("VmRSS")?,
                    anonymous_bytes: process.memory("RssAnon")?,
                });
            }
        }
    }
}

/// Whether processes can be pinned to a core here.
pub(crate) fn can_pin() -> bool {
    let quiet = Command::new("taskset").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success())
}
