//! Java connectors in Volley's hosts, beside the same ones in Kafka's own worker.
//!
//! ```text
//!  tests/testbed: Kafka, PostgreSQL ─► one worker, Volley's or Kafka's ─► one connector of one task, Java's class in both
//!                     └─► rows a second, CPU time of the worker with its hosts, peak memory ─► table
//!                 many connectors with nothing to do ─► memory at rest ─► table
//! ```
//!
//! ```sh
//! make java-host
//! cargo bench --profile dist --bench java_plugins                              # all of it
//! cargo bench --profile dist --bench java_plugins -- --write                   # and the tables go into docs/performance.md
//! cargo bench --profile dist --bench java_plugins -- --only file-source --rows 1000000 --runs 1 --connectors 0
//! ```
//!
//! What is measured begins when the connector is created: a worker that runs already, as one does. Volley starts a JVM then,
//! Kafka's worker has its own.

#[path = "../marked_page.rs"]
mod marked_page;
#[path = "../payment.rs"]
mod payment;
#[expect(dead_code, reason = "each bench uses a part of it")]
#[path = "../payments_topic.rs"]
mod payments_topic;
mod processes;
mod report;
mod rest;
mod run;
#[path = "../../tests/testbed/mod.rs"]
mod testbed;
mod workload;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail, ensure};
use clap::{Parser, ValueEnum};

use marked_page::write_between_marks;
use run::{Arena, Moved};
use testbed::Vendor;
use workload::Workload;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Speed, CPU time and memory of Java connectors.
#[derive(Debug, Parser)]
struct Arguments {
    /// Measure only these, separated by commas
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Workload>,
    /// Rows of each run; of what takes long a quarter
    #[arg(long, default_value_t = 4_000_000)]
    rows: u64,
    /// How often each is measured, in turn
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Connectors of which the memory at rest is measured; 0: none
    #[arg(long, default_value_t = 10)]
    connectors: usize,
    /// Write the tables into docs/performance.md
    #[arg(long)]
    write: bool,
    /// Given by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if !arguments.bench {
        // cargo runs benches as tests too, and this one would take minutes
        println!("java_plugins: run it with `cargo bench --profile dist --bench java_plugins`");
        return Ok(());
    }
    ensure!(arguments.rows > 0 && arguments.runs > 0, "--rows and --runs must be at least 1");
    let script = Path::new(ROOT).join("tests/testbed/install.sh");
    ensure!(Command::new(&script).status()?.success(), "{} failed", script.display());
    let wanted: Vec<_> = Workload::value_variants()
        .iter()
        .copied()
        .filter(|workload| arguments.only.is_empty() || arguments.only.contains(workload))
        .collect();
    let arena = Arena::new(arguments.rows, &wanted)?;
    let mut moved: BTreeMap<(Workload, bool), Vec<Moved>> = BTreeMap::new();
    let mut failures = Vec::new();
    for run in 1..=arguments.runs {
        for workload in &wanted {
            for vendor in [Vendor::Java, Vendor::Volley] {
                let what = format!("run {run}, {vendor:?}, {}", workload.label());
                match arena.run(*workload, vendor) {
                    Ok(one) => {
                        eprintln!("java_plugins: {what}: {one}");
                        moved.entry((*workload, vendor == Vendor::Volley)).or_default().push(one);
                    }
                    Err(error) => {
                        eprintln!("java_plugins: {what}: failed");
                        failures.push(format!("{what}: {error:#}"));
                    }
                }
            }
        }
    }
    let mut text = report::speed(&moved);
    if arguments.connectors > 0 {
        text.push_str(&report::memory(arguments.connectors, &rest::measure(&arena, arguments.connectors)?));
    }
    println!("{text}");
    if !failures.is_empty() {
        bail!("failed: {}", failures.join("\n"));
    }
    if arguments.write {
        write_between_marks(&Path::new(ROOT).join("docs/performance.md"), "java-plugins", &text)?;
    }
    Ok(())
}
