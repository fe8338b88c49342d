//! How each contender is run: as a process of its own, into an empty directory.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::contender::{Contender, Program};
use crate::drained_files::DrainedFiles;
use crate::fetch_alone::FetchAlone;
use crate::floor::Floor;
use crate::group_by::GroupBy;
use crate::java_sink::JavaSink;
use crate::measured_process::{Cost, MeasuredProcess};
use crate::payment;
use crate::payments_topic::PaymentsTopic;
use crate::testbed::S3;
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

/// A finished drain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drained {
    pub(crate) cost: Cost,
    pub(crate) records: u64,
    pub(crate) output: DrainedFiles,
    /// How long DuckDB has read the files, where it was asked.
    pub(crate) group_by: Option<Duration>,
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
    /// `volley.fetch.client` of its consumers.
    pub(crate) fetch_client: String,
    /// For configurations, logs and output.
    pub(crate) directory: PathBuf,
    /// Reads what was written, where that is wanted.
    pub(crate) group_by: Option<GroupBy>,
}

impl Arena {
    /// Lets `contender` drain `topic`; checks the number of rows that it has written.
    pub(crate) fn drain(&self, contender: Contender, topic: &PaymentsTopic, run: usize) -> Result<Drained> {
        let name = format!("{}-{run}", contender.key());
        let directory = self.directory.join(&name);
        let output = match contender {
            Contender::S3 => bucket_directory(&name),
            _ => directory.join("output"),
        };
        fs::create_dir_all(&directory)?;
        fs::create_dir_all(&output)?;
        let log = directory.join("log");
        let patience = LEAST_PATIENCE.max(Duration::from_secs(topic.records / LEAST_RATE));
        let cost = match contender.program() {
            Program::Floor => self.measure(&mut self.floor(contender, topic, &output)?, &name, &log, patience)?,
            Program::Volley => {
                self.measure(&mut self.volley_drain(contender, topic, &name, &output)?, &name, &log, patience)?
            }
            Program::Fetcher => self.measure(&mut self.fetch_alone(topic)?, &name, &log, patience)?,
            Program::Java => {
                let sink = JavaSink { directory: &directory, bootstrap_servers: &self.bootstrap_servers };
                let process = MeasuredProcess::start(&mut sink.command(&name, topic, &output)?, &name, &log)?;
                process.finish_when(|| sink.has_written(&output, topic.records), patience)?
            }
        };
        let expected = match contender {
            Contender::Sql => topic.kept_by_filter,
            Contender::Fetch => 0,
            _ => topic.records,
        };
        let drained = DrainedFiles::under(&output)?;
        ensure!(drained.rows == expected, "{name} has written {} rows instead of {expected}", drained.rows);
        // with SQL there are other columns
        let is_comparable = drained.is_parquet && contender != Contender::Sql;
        let group_by = self.group_by.as_ref().filter(|_| is_comparable).map(|group_by| group_by.of(&output));
        let drained = Drained { cost, records: topic.records, output: drained, group_by: group_by.transpose()? };
        // ext4 looks at every inode freed in the last minutes before it gives out one: with the many files of this one removed, the
        // next run would pay for that, at up to a millisecond for each of its own, as no sink does that only adds files
        if contender != Contender::Directories {
            fs::remove_dir_all(&output)?;
            fs::remove_dir_all(&directory)?;
        }
        Ok(drained)
    }

    fn measure(&self, command: &mut Command, name: &str, log: &Path, patience: Duration) -> Result<Cost> {
        MeasuredProcess::start(command, name, log)?.finish(patience)
    }

    fn floor(&self, contender: Contender, topic: &PaymentsTopic, output: &Path) -> Result<Command> {
        let floor = Floor {
            bootstrap_servers: self.bootstrap_servers.clone(),
            topic: topic.name.clone(),
            partitions: topic.partitions,
            encoding: topic.encoding,
            copies_lines: contender == Contender::LinesFloor,
            flush_size: FLUSH_SIZE,
            directory: output.to_owned(),
        };
        let mut command = Command::new(env::current_exe()?);
        command.args(floor.to_arguments());
        Ok(command)
    }

    fn fetch_alone(&self, topic: &PaymentsTopic) -> Result<Command> {
        let fetch = FetchAlone {
            bootstrap_servers: self.bootstrap_servers.clone(),
            topic: topic.name.clone(),
            records: topic.records,
            client: self.fetch_client.clone(),
        };
        let mut command = Command::new(env::current_exe()?);
        command.args(fetch.to_arguments());
        Ok(command)
    }

    fn worker_files<'a>(&'a self, directory: &'a Path) -> WorkerFiles<'a> {
        WorkerFiles { directory, bootstrap_servers: &self.bootstrap_servers, fetch_client: &self.fetch_client }
    }

    fn volley_drain(&self, contender: Contender, topic: &PaymentsTopic, name: &str, output: &Path) -> Result<Command> {
        let directory = self.directory.join(name);
        let files = self.worker_files(&directory);
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
            (Contender::S3, _) => s3_keys(name),
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
        let files = self.worker_files(&directory);
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

/// Where the S3 server keeps the bucket `name`.
fn bucket_directory(name: &str) -> PathBuf {
    S3::shared_on_disk().bucket_directory(name)
}

/// The settings of a sink to the bucket `name`; they stand behind those of the local one, and the last of a key counts.
fn s3_keys(name: &str) -> String {
    format!(
        "store.url=s3://{name}\nstore.s3.endpoint={}\nstore.s3.region={}\nstore.s3.access.key.id={}\n\
         store.s3.secret.access.key={}\n",
        S3::shared_on_disk().endpoint(),
        S3::REGION,
        S3::ACCESS_KEY_ID,
        S3::SECRET_ACCESS_KEY,
    )
}

/// Whether processes can be pinned to a core here.
pub(crate) fn can_pin() -> bool {
    let quiet = Command::new("taskset").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success())
}
