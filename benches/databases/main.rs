//! Tables of PostgreSQL into topics of a real broker, and topics into tables: Volley beside a floor written by hand and a
//! Java program of the shape of a JDBC sink.
//!
//! ```text
//!  tests/testbed: PostgreSQL ─► table of orders ─► each contender, a process of its own ─► topic, counted
//!                 Kafka ─► topic of orders, Avro ─► each contender ─► table, counted
//!                             └─► CPU time of the process, peak memory, wall time ─► table
//! ```
//!
//! ```sh
//! cargo bench --profile dist --bench databases                                   # all contenders, 5 M rows
//! cargo bench --profile dist --bench databases -- --write                        # and the table goes into docs/performance.md
//! cargo bench --profile dist --bench databases -- --only read-floor,read --rows 1000000 --runs 1
//! ```

mod floor;
#[path = "../marked_page.rs"]
mod marked_page;
#[expect(dead_code, reason = "each bench uses a part of it")]
#[path = "../measured_process.rs"]
mod measured_process;
mod orders;
mod report;
#[path = "../../tests/testbed/mod.rs"]
mod testbed;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use clap::{Parser, ValueEnum};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};

use floor::{Floor, Work};
use marked_page::write_between_marks;
use measured_process::MeasuredProcess;
use report::{Moved, markdown};
use testbed::{Database, Kafka, Postgres, Registry, free_port, installed};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const TABLE: &str = "orders";
const PARTITIONS: i32 = 4;
/// A contender slower than this many rows a second has failed …
const LEAST_RATE: u64 = 5_000;
/// … after this time at the earliest.
const LEAST_PATIENCE: Duration = Duration::from_secs(120);
const SILENCE: Duration = Duration::from_secs(30);

/// What the bench measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Contender {
    /// The program written by hand, table to JSON
    ReadFloor,
    /// Volley, table to JSON
    Read,
    /// The program written by hand, table to Avro
    ReadAvroFloor,
    /// Volley, table to Avro
    ReadAvro,
    /// The program written by hand, Avro to table
    InsertFloor,
    /// Volley, Avro to table
    Insert,
    /// The Java program, Avro to table
    InsertJava,
    /// The same with `INSERT … ON CONFLICT`
    UpsertFloor,
    /// Volley, upserts
    Upsert,
    /// The Java program, upserts
    UpsertJava,
}

impl Contender {
    /// What it is measured against.
    pub(crate) fn floor(self) -> Self {
        match self {
            Self::ReadFloor | Self::Read => Self::ReadFloor,
            Self::ReadAvroFloor | Self::ReadAvro => Self::ReadAvroFloor,
            Self::InsertFloor | Self::Insert | Self::InsertJava => Self::InsertFloor,
            Self::UpsertFloor | Self::Upsert | Self::UpsertJava => Self::UpsertFloor,
        }
    }

    /// Its row in the table.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::ReadFloor => "table to JSON: floor, written by hand",
            Self::Read => "table to JSON: volley",
            Self::ReadAvroFloor => "table to Avro: floor",
            Self::ReadAvro => "table to Avro: volley",
            Self::InsertFloor => "Avro to table, insert: floor",
            Self::Insert => "Avro to table, insert: volley",
            Self::InsertJava => "Avro to table, insert: Java program",
            Self::UpsertFloor => "Avro to table, upsert: floor",
            Self::Upsert => "Avro to table, upsert: volley",
            Self::UpsertJava => "Avro to table, upsert: Java program",
        }
    }

    fn reads(self) -> bool {
        matches!(self, Self::ReadFloor | Self::Read | Self::ReadAvroFloor | Self::ReadAvro)
    }

    fn is_upsert(self) -> bool {
        self.floor() == Self::UpsertFloor
    }
}

/// CPU time, memory and speed of moving a table of PostgreSQL.
#[derive(Debug, Parser)]
struct Arguments {
    /// Measure only these, separated by commas
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Contender>,
    /// Rows of the table
    #[arg(long, default_value_t = 5_000_000)]
    rows: u64,
    /// How often each is measured, in turn
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Write the table into docs/performance.md
    #[arg(long)]
    write: bool,
    /// The client that fetches for Volley: native or librdkafka
    #[arg(long, default_value = "native")]
    fetch_client: String,
    /// Another `volley` binary than the one that cargo has just built
    #[arg(long, default_value = env!("CARGO_BIN_EXE_volley"))]
    binary: PathBuf,
    /// Given by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<()> {
    if let Some(floor) = Floor::from_arguments(env::args().skip(1))? {
        return floor.run();
    }
    let arguments = Arguments::parse();
    if !arguments.bench {
        // cargo runs benches as tests too, and this one would take minutes
        println!("databases: run it with `cargo bench --profile dist --bench databases`");
        return Ok(());
    }
    ensure!(arguments.runs > 0, "--runs must be at least 1");
    let script = Path::new(ROOT).join("tests/testbed/install.sh");
    ensure!(Command::new(&script).arg("postgresql").status()?.success(), "{} failed", script.display());
    let arena = Arena::new(arguments.binary.clone(), arguments.fetch_client.clone(), arguments.rows)?;
    let all = Contender::value_variants().iter().copied();
    let wanted: Vec<_> =
        all.filter(|contender| arguments.only.is_empty() || arguments.only.contains(contender)).collect();
    let mut moved: BTreeMap<Contender, Vec<Moved>> = BTreeMap::new();
    let mut failures = Vec::new();
    for run in 1..=arguments.runs {
        for contender in &wanted {
            let label = contender.label();
            match arena.run(*contender, run) {
                Ok(one) => {
                    eprintln!(
                        "databases: run {run}, {label}: {:.2} CPU-s per million, {:.0} rows/s, {:.0} MB",
                        one.cpu_seconds_per_million(),
                        one.rows_per_second(),
                        one.cost.peak_bytes as f64 / 1e6
                    );
                    moved.entry(*contender).or_default().push(one);
                }
                Err(error) => {
                    eprintln!("databases: run {run}, {label}: failed");
                    failures.push(format!("{label}: {error:#}"));
                }
            }
        }
    }
    let text = markdown(arguments.rows, &moved);
    println!("{text}");
    if !failures.is_empty() {
        bail!("failed: {}", failures.join("\n"));
    }
    if arguments.write {
        write_between_marks(&Path::new(ROOT).join("docs/performance.md"), "databases", &text)?;
    }
    Ok(())
}

/// Where contenders run.
struct Arena {
    kafka: Kafka,
    /// Ends with the value.
    _postgres: Postgres,
    database: Database,
    registry: String,
    schema_id: u32,
    /// Rows in Avro, for who writes a table.
    topic: String,
    rows: u64,
    volley: PathBuf,
    /// `volley.fetch.client` of its consumers.
    fetch_client: String,
    directory: tempfile::TempDir,
}

impl Arena {
    fn new(volley: PathBuf, fetch_client: String, rows: u64) -> Result<Self> {
        let (kafka, postgres) = (Kafka::start(), Postgres::start());
        let database = postgres.database("bench");
        eprintln!("databases: filling a table with {rows} rows");
        orders::create(&database, TABLE, rows)?;
        let registry = Registry::shared();
        let schema_id = registry.register("orders-value", orders::AVRO_SCHEMA);
        let topic = kafka.topic("orders", PARTITIONS);
        let arena = Self {
            registry: registry.url(),
            schema_id,
            topic,
            kafka,
            _postgres: postgres,
            database,
            rows,
            volley,
            fetch_client,
            directory: tempfile::tempdir()?,
        };
        arena.floor(Work::ReadAvro { schema_id }, TABLE, &arena.topic).run()?;
        ensure!(arena.messages(&arena.topic)? == rows, "the topic of orders is not complete");
        Ok(arena)
    }

    fn run(&self, contender: Contender, run: usize) -> Result<Moved> {
        let name = format!("{}-{run}", contender.to_possible_value().map_or_else(String::new, |v| v.get_name().into()));
        let directory = self.directory.path().join(&name);
        fs::create_dir_all(&directory)?;
        let (topic, table) = (self.kafka.topic("copy", PARTITIONS), name.replace('-', "_"));
        if !contender.reads() {
            orders::create(&self.database, &table, 0)?;
        }
        let mut command = match contender {
            Contender::ReadFloor => self.floor_command(Work::ReadJson, TABLE, &topic)?,
            Contender::ReadAvroFloor => {
                self.floor_command(Work::ReadAvro { schema_id: self.schema_id }, TABLE, &topic)?
            }
            Contender::InsertFloor => self.floor_command(Work::Insert, &table, &self.topic)?,
            Contender::UpsertFloor => self.floor_command(Work::Upsert, &table, &self.topic)?,
            Contender::Read | Contender::ReadAvro => self.source(contender, &directory, &topic)?,
            Contender::Insert | Contender::Upsert => self.sink(contender, &name, &directory, &table)?,
            Contender::InsertJava | Contender::UpsertJava => self.java(contender, &table)?,
        };
        let patience = LEAST_PATIENCE.max(Duration::from_secs(self.rows / LEAST_RATE));
        let cost = MeasuredProcess::start(&mut command, &name, &directory.join("log"))?.finish(patience)?;
        let found = if contender.reads() {
            self.messages(&topic)?
        } else {
            let count = self.database.sql(&format!("SELECT count(*) FROM {table}")).trim().parse()?;
            self.database.sql(&format!("DROP TABLE {table}"));
            count
        };
        ensure!(found == self.rows, "{name} has moved {found} rows instead of {}", self.rows);
        Ok(Moved { cost, rows: self.rows })
    }

    fn floor(&self, work: Work, table: &str, topic: &str) -> Floor {
        let url = self.database.url();
        let (address, database) = url.trim_start_matches("jdbc:postgresql://").split_once('/').unwrap_or_default();
        let (host, port) = address.split_once(':').unwrap_or_default();
        Floor {
            work,
            bootstrap_servers: self.kafka.bootstrap_servers(),
            database: format!("host={host} port={port} user={} dbname={database}", self.database.user()),
            table: table.to_owned(),
            topic: topic.to_owned(),
        }
    }

    fn floor_command(&self, work: Work, table: &str, topic: &str) -> Result<Command> {
        let mut command = Command::new(env::current_exe()?);
        command.args(self.floor(work, table, topic).to_arguments());
        Ok(command)
    }

    /// A standalone worker with one connector, which ends when that is done.
    fn worker(&self, directory: &Path, connector: &str) -> Result<Command> {
        let worker = format!(
            "bootstrap.servers={}\nlisteners=http://127.0.0.1:{}\noffset.storage.file.filename={}\n\
             key.converter=org.apache.kafka.connect.storage.StringConverter\n\
             value.converter=io.confluent.connect.avro.AvroConverter\nvalue.converter.schema.registry.url={}\n\
             connector.client.config.override.policy=All\nconsumer.volley.fetch.client={}\n",
            self.kafka.bootstrap_servers(),
            free_port(),
            directory.join("offsets").display(),
            self.registry,
            self.fetch_client
        );
        let files = [("worker.properties", worker.as_str()), ("connector.properties", connector)];
        for (name, text) in files {
            fs::write(directory.join(name), text)?;
        }
        let mut command = Command::new(&self.volley);
        command.arg("standalone").args(files.map(|(name, _)| directory.join(name))).arg("--until-done");
        Ok(command)
    }

    fn source(&self, contender: Contender, directory: &Path, topic: &str) -> Result<Command> {
        let converter = match contender {
            Contender::Read => {
                "value.converter=org.apache.kafka.connect.json.JsonConverter\nvalue.converter.schemas.enable=false\n"
            }
            _ => "",
        };
        let text = format!(
            "name={topic}\nconnector.class=io.confluent.connect.jdbc.JdbcSourceConnector\ntasks.max=1\n\
             connection.url={}\nconnection.user={}\nmode=bulk\nquery=SELECT * FROM {TABLE}\ntopic.prefix={topic}\n\
             volley.mode=bounded\nproducer.override.compression.type=lz4\n{converter}",
            self.database.url(),
            self.database.user()
        );
        self.worker(directory, &text)
    }

    fn sink(&self, contender: Contender, name: &str, directory: &Path, table: &str) -> Result<Command> {
        let mode = if contender.is_upsert() { "upsert\npk.mode=record_value\npk.fields=id" } else { "insert" };
        let text = format!(
            "name={name}\nconnector.class=io.confluent.connect.jdbc.JdbcSinkConnector\ntasks.max=1\ntopics={}\n\
             connection.url={}\nconnection.user={}\ntable.name.format={table}\ninsert.mode={mode}\n\
             volley.mode=bounded\n",
            self.topic,
            self.database.url(),
            self.database.user()
        );
        self.worker(directory, &text)
    }

    fn java(&self, contender: Contender, table: &str) -> Result<Command> {
        let classes = self.directory.path().join("classes");
        let jars = format!("{}/*:{}/*", installed("converters").display(), installed("postgresql").display());
        if !classes.exists() {
            let source = Path::new(ROOT).join("benches/java/JdbcSinkBench.java");
            let status = Command::new("javac").args(["-cp", &jars, "-d"]).arg(&classes).arg(source).status()?;
            ensure!(status.success(), "javac failed");
        }
        let mode = if contender.is_upsert() { "upsert" } else { "insert" };
        let mut command = Command::new("java");
        command.args(["-Xmx1G", "-cp", &format!("{}:{jars}", classes.display()), "JdbcSinkBench"]);
        command.args([&self.kafka.bootstrap_servers(), &self.topic, &self.database.url(), self.database.user()]);
        command.args([table, mode, orders::AVRO_SCHEMA]);
        Ok(command)
    }

    fn messages(&self, topic: &str) -> Result<u64> {
        let servers = self.kafka.bootstrap_servers();
        let consumer: BaseConsumer = ClientConfig::new().set("bootstrap.servers", servers).create()?;
        let mut messages = 0;
        for partition in 0..PARTITIONS {
            let (low, high) = consumer.fetch_watermarks(topic, partition, SILENCE)?;
            messages += u64::try_from(high - low)?;
        }
        Ok(messages)
    }
}
