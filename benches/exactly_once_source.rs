//! A source that delivers exactly once, beside the same source at least once: Datagen to a real broker.
//!
//! ```text
//!  tests/testbed: Kafka ─► one worker ─► Datagen, one task, so many rows ─► rows a second until all offsets are committed
//! ```
//!
//! ```sh
//! cargo bench --profile dist --bench exactly_once_source
//! VOLLEY_BINARY=target/debug/volley cargo bench --bench exactly_once_source -- --rows 200000
//! ```
//!
//! `interval` is `transaction.boundary=interval` with the default of `offset.flush.interval.ms` (a minute, shorter than which the
//! run is: one transaction, which the end of the source commits); `poll` is the default boundary.

#[path = "../tests/testbed/mod.rs"]
mod testbed;

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::Parser;
use serde_json::{Value, json};

use testbed::{ConnectWorker, Kafka, Mode, Vendor, distributed_properties, wait_until};

const LONGEST: Duration = Duration::from_secs(600);

/// What exactly-once costs a source.
#[derive(Debug, Parser)]
struct Arguments {
    /// Rows of each run
    #[arg(long, default_value_t = 3_000_000)]
    rows: u64,
    /// Runs of each kind; the best counts
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Given by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if !arguments.bench {
        // cargo runs benches as tests too, and this one would take minutes
        println!("exactly_once_source: run it with `cargo bench --profile dist --bench exactly_once_source`");
        return Ok(());
    }
    ensure!(arguments.rows > 0 && arguments.runs > 0, "--rows and --runs must be at least 1");
    let kafka = Kafka::start();
    let mut at_least_once = None;
    for (kind, support, boundary) in [
        ("at least once", "disabled", "poll"),
        ("exactly once, interval", "enabled", "interval"),
        ("exactly once, poll", "enabled", "poll"),
    ] {
        let mut best = Duration::MAX;
        for _ in 0..arguments.runs {
            best = best.min(run(&kafka, arguments.rows, support, boundary)?);
        }
        let rate = arguments.rows as f64 / best.as_secs_f64();
        let base = *at_least_once.get_or_insert(rate);
        println!("{kind}: {rate:.0} rows/s, {:.2} of at least once", rate / base);
    }
    Ok(())
}

/// How long it takes from the start of the task until the offset behind the last row is committed.
fn run(kafka: &Kafka, rows: u64, support: &'static str, boundary: &str) -> Result<Duration> {
    let topic = kafka.topic("rows", 4);
    let mut properties = distributed_properties(kafka, &kafka.unique("bench"));
    properties.retain(|(key, _)| *key != "offset.flush.interval.ms");
    properties.push(("exactly.once.source.support", support.to_owned()));
    let mut worker = ConnectWorker::start(Vendor::Volley, Mode::Distributed, &properties);
    let config = json!({
        "name": "rows",
        "connector.class": "Datagen",
        "schema": "orders",
        "topic": topic,
        "rows": rows.to_string(),
        "transaction.boundary": boundary,
    });
    let (status, answer) = worker.ask("PUT", "/connectors/rows/config", Some(&config));
    ensure!(status == 201, "{answer}");
    let state = |worker: &ConnectWorker| -> Option<Value> {
        worker.try_ask("GET", "/connectors/rows/status", None)?.json().pointer("/tasks/0/state").cloned()
    };
    wait_until(LONGEST, "the task runs", || state(&worker).filter(|state| *state == "RUNNING"));
    let started = Instant::now();
    wait_until(LONGEST, "all rows are committed", || {
        let offsets = worker.try_ask("GET", "/connectors/rows/offsets", None)?.json();
        (offsets.pointer("/offsets/0/offset/row")?.as_u64()? >= rows).then_some(())
    });
    let took = started.elapsed();
    worker.stop();
    Ok(took)
}
