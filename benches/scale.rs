//! Many connectors in a group of workers: Java's workers, then Volley's, on the same broker and the same properties.
//!
//! ```text
//!  tests/testbed: Kafka ─► three workers ─► 500 connectors of one task each ─► a fourth worker joins
//!                    └─ start, creation, GET ?expand=status, pause of a rebalance, memory, CPU at rest ─► table of ratios
//! ```
//!
//! ```sh
//! cargo bench --profile dist --bench scale                                   # both, 500 connectors
//! cargo bench --profile dist --bench scale -- --write                        # and the table goes into docs/performance.md
//! cargo bench --profile dist --bench scale -- --only volley --connectors 50
//! ```
//!
//! The connector is FileStreamSource on an empty file: it looks once a second whether there is more, and has a producer of its
//! own, so that what is measured is the worker. Java runs as `connect-distributed.sh` starts it.

mod group_measurement;
mod marked_page;
mod scale_report;
#[path = "../tests/testbed/mod.rs"]
mod testbed;

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::{Parser, ValueEnum};

use group_measurement::{GroupMeasurement, Load};
use marked_page::write_between_marks;
use testbed::{Kafka, Vendor};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Whose workers are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Contender {
    Java,
    Volley,
}

impl Contender {
    fn vendor(self) -> Vendor {
        match self {
            Self::Java => Vendor::Java,
            Self::Volley => Vendor::Volley,
        }
    }
}

/// How a group of workers carries many connectors.
#[derive(Debug, Parser)]
struct Arguments {
    /// Measure only these, separated by commas
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Contender>,
    /// Connectors of one task each
    #[arg(long, default_value_t = 500)]
    connectors: usize,
    /// Workers in the group, before one more joins
    #[arg(long, default_value_t = 3)]
    workers: usize,
    /// Seconds over which the CPU time at rest is taken
    #[arg(long, default_value_t = 30)]
    rest_seconds: u64,
    /// Write the table into docs/performance.md
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
        println!("scale: run it with `cargo bench --profile dist --bench scale`");
        return Ok(());
    }
    ensure!(arguments.workers > 0 && arguments.connectors > 0, "--workers and --connectors must be at least 1");
    install_testbed()?;
    let kafka = Kafka::start();
    let load =
        Load { connectors: arguments.connectors, workers: arguments.workers, rest_seconds: arguments.rest_seconds };
    let mut measured: Vec<GroupMeasurement> = Vec::new();
    for contender in [Contender::Java, Contender::Volley] {
        if arguments.only.is_empty() || arguments.only.contains(&contender) {
            measured.push(GroupMeasurement::take(&kafka, contender.vendor(), &load)?);
        }
    }
    let markdown = scale_report::markdown(&load, &measured);
    println!("{markdown}");
    if arguments.write {
        write_between_marks(&Path::new(ROOT).join("docs/performance.md"), "scale", &markdown)?;
    }
    Ok(())
}

fn install_testbed() -> Result<()> {
    let script = Path::new(ROOT).join("tests/testbed/install.sh");
    let status = Command::new(&script).status().with_context(|| format!("could not run {}", script.display()))?;
    ensure!(status.success(), "{} failed", script.display());
    Ok(())
}
