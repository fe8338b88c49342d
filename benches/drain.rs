//! End to end: drains a topic of a real broker into local files, Volley beside a floor written by hand.
//!
//! ```text
//!  tests/testbed: Kafka ─► topic of payments ─► each contender, a process of its own ─► Parquet files, counted
//!                                                   └─► CPU time, peak memory, wall time ─► table
//! ```
//!
//! ```sh
//! cargo bench --profile dist --bench drain                                       # all contenders, 10 M records
//! cargo bench --profile dist --bench drain -- --write                            # and the table goes into docs/performance.md
//! cargo bench --profile dist --bench drain -- --only floor,volley --records 1000000 --runs 1
//! cargo bench --profile dist --bench drain -- --only floor,volley,fetch --fetch-client librdkafka --partitions 1 --codec zstd
//! ```

mod arena;
mod contender;
mod drain_report;
mod drained_files;
mod fetch_alone;
mod floor;
mod group_by;
mod java_sink;
mod marked_page;
mod measured_process;
mod payment;
mod payments_topic;
#[path = "../tests/testbed/mod.rs"]
mod testbed;
mod worker_files;

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use clap::{Parser, ValueEnum};

use arena::{Arena, can_pin};
use contender::{Contender, Topic};
use drain_report::DrainReport;
use fetch_alone::FetchAlone;
use floor::Floor;
use group_by::GroupBy;
use marked_page::write_between_marks;
use payment::JsonSize;
use payments_topic::{Encoding, PaymentsTopic};
use testbed::{Kafka, Registry};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// CPU time, memory and speed of draining a topic into Parquet files.
#[derive(Debug, Parser)]
struct Arguments {
    /// Measure only these, separated by commas
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Contender>,
    /// Records in the topic (default: VOLLEY_BENCH_RECORDS, or 10000000)
    #[arg(long)]
    records: Option<u64>,
    /// Partitions of the topics
    #[arg(long, default_value_t = 8)]
    partitions: usize,
    /// What the topics are compressed with: lz4, zstd, snappy, gzip or none
    #[arg(long, default_value = "lz4")]
    codec: String,
    /// Partitions of the topic of many partitions
    #[arg(long, default_value_t = 64)]
    wide_partitions: usize,
    /// Records in the topic of many partitions
    #[arg(long, default_value_t = 2_000_000)]
    wide_records: u64,
    /// How often each is measured, in turn
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Let DuckDB read what was written
    #[arg(long)]
    group_by: bool,
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

impl Arguments {
    fn records(&self) -> Result<u64> {
        match (self.records, env::var("VOLLEY_BENCH_RECORDS")) {
            (Some(records), _) => Ok(records),
            (None, Ok(text)) => text.parse().with_context(|| format!("VOLLEY_BENCH_RECORDS={text} is no number")),
            (None, Err(_)) => Ok(10_000_000),
        }
    }

    fn wants(&self, contender: Contender) -> bool {
        let is_chosen = self.only.is_empty() || self.only.contains(&contender);
        if is_chosen && contender == Contender::OneCore && !can_pin() {
            eprintln!("drain: left out `{}`, since there is no taskset (Debian: util-linux)", contender.label());
            return false;
        }
        is_chosen
    }
}

fn main() -> Result<()> {
    if let Some(floor) = Floor::from_arguments(env::args().skip(1))? {
        return floor.run();
    }
    if let Some(fetch) = FetchAlone::from_arguments(env::args().skip(1))? {
        return fetch.run();
    }
    let arguments = Arguments::parse();
    if !arguments.bench {
        // cargo runs benches as tests too, and this one would take minutes
        println!("drain: run it with `cargo bench --profile dist --bench drain`");
        return Ok(());
    }
    ensure!(arguments.runs > 0, "--runs must be at least 1");
    payment::check();
    install_testbed(arguments.group_by.then_some("duckdb"))?;
    let kafka = Kafka::start();
    let directory = tempfile::tempdir()?;
    let arena = Arena {
        bootstrap_servers: kafka.bootstrap_servers(),
        registry: arguments.wants(Contender::Avro).then(|| Registry::shared().url()),
        volley: arguments.binary.clone(),
        fetch_client: arguments.fetch_client.clone(),
        directory: directory.path().to_owned(),
        group_by: arguments.group_by.then(GroupBy::new),
    };
    let (report, failures) = measure(&arguments, &kafka, &arena)?;
    let markdown = report.markdown();
    println!("{markdown}");
    if !failures.is_empty() {
        bail!("failed: {}", failures.join("\n"));
    }
    if arguments.write {
        write_between_marks(&Path::new(ROOT).join("docs/performance.md"), "drain", &markdown)?;
    }
    Ok(())
}

/// `more`: what no test needs.
fn install_testbed(more: Option<&str>) -> Result<()> {
    let script = Path::new(ROOT).join("tests/testbed/install.sh");
    let status =
        Command::new(&script).args(more).status().with_context(|| format!("could not run {}", script.display()))?;
    ensure!(status.success(), "{} failed", script.display());
    Ok(())
}

/// Measures all that is wanted. Who fails is left out of the report and named.
fn measure(arguments: &Arguments, kafka: &Kafka, arena: &Arena) -> Result<(DrainReport, Vec<String>)> {
    let mut report = DrainReport {
        partitions: arguments.partitions,
        wide_partitions: arguments.wide_partitions,
        codec: arguments.codec.clone(),
        ..DrainReport::default()
    };
    let mut failures = Vec::new();
    for kind in Topic::ALL {
        let all = Contender::value_variants().iter().copied();
        let wanted: Vec<_> =
            all.filter(|contender| contender.topic() == Some(kind) && arguments.wants(*contender)).collect();
        if wanted.is_empty() {
            continue;
        }
        let (partitions, records) = match kind {
            Topic::Wide => (arguments.wide_partitions, arguments.wide_records),
            Topic::Json(_) | Topic::Avro => (arguments.partitions, arguments.records()?),
        };
        let encoding = match kind {
            Topic::Json(size) => Encoding::Json(size),
            Topic::Wide => Encoding::Json(JsonSize::Small),
            Topic::Avro => Encoding::Avro { schema_id: Registry::shared().register("payments", payment::AVRO_SCHEMA) },
        };
        eprintln!("drain: producing {records} records into {partitions} partitions");
        let topic = PaymentsTopic::fill(kafka, partitions, records, encoding, &arguments.codec)?;
        for run in 1..=arguments.runs {
            for contender in &wanted {
                drain(arena, *contender, &topic, run, &mut report, &mut failures);
            }
        }
    }
    if arguments.wants(Contender::Idle) {
        match arena.rest() {
            Ok(at_rest) => report.at_rest = Some(at_rest),
            Err(error) => failures.push(format!("{}: {error:#}", Contender::Idle.label())),
        }
    }
    Ok((report, failures))
}

fn drain(
    arena: &Arena,
    contender: Contender,
    topic: &PaymentsTopic,
    run: usize,
    report: &mut DrainReport,
    failures: &mut Vec<String>,
) {
    let label = contender.label();
    match arena.drain(contender, topic, run) {
        Ok(drained) => {
            eprintln!(
                "drain: run {run}, {label}: {:.2} CPU-s per million, {:.0} records/s, {:.0} MB, {} files",
                drained.cpu_seconds_per_million(),
                drained.records_per_second(),
                drained.cost.peak_bytes as f64 / 1e6,
                drained.output.files
            );
            report.drains.entry(contender).or_default().push(drained);
        }
        Err(error) => {
            eprintln!("drain: run {run}, {label}: failed");
            failures.push(format!("{label}: {error:#}"));
        }
    }
}
