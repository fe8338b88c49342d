//! `volley quickstart`

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use arrow::util::pretty::pretty_format_batches;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use volley_api::Plugin;
use volley_java::read_properties;
use volley_kafka::{Admin, NewTopic};
use volley_worker::connector_file::read_connector_file;
use volley_worker::herder::ConnectorProgress;
use volley_worker::loggers::LogLevels;
use volley_worker::worker::Worker;

use super::Failure;
use super::number_text::{bytes, thousands};
use super::output::say;
use super::signals::Signals;
use crate::embedded_broker::EmbeddedBroker;
use crate::quickstart::{ConfigFiles, DataDir, QUERY, QuickstartConfig, TOPIC, preview};

const SOURCE: &str = "orders-source";
const SINK: &str = "orders-parquet";
/// How often the display is brought up to date.
const REFRESH: Duration = Duration::from_millis(200);
/// How often a line is printed where there is no terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(2);
/// After this long without a record the quickstart gives up.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Number of orders
    #[arg(long, default_value_t = 1_000_000)]
    records: u64,
    /// Where everything is written; what an earlier quickstart left there is removed
    #[arg(long, default_value = "volley-data")]
    dir: PathBuf,
    /// Partitions of the topic
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(i32).range(1..=1000))]
    partitions: i32,
    /// Where REST listens
    #[arg(long, default_value = "http://127.0.0.1:0")]
    listener: String,
    /// Leave broker, worker and REST up until Ctrl-C
    #[arg(long)]
    keep_running: bool,
}

pub(super) fn run(arguments: &Arguments, plugins: Vec<Plugin>, levels: Arc<dyn LogLevels>) -> Result<(), Failure> {
    let dir = DataDir::prepare(&arguments.dir).map_err(Failure::worker)?;
    let broker = EmbeddedBroker::start().map_err(Failure::worker)?;
    let files = configure(arguments, &dir, &broker).map_err(Failure::worker)?;
    create_topic(&broker, arguments.partitions).map_err(Failure::worker)?;
    let properties = read_properties(&files.worker).map_err(Failure::worker)?;
    let worker = Worker::start(properties, plugins, Some(levels)).map_err(Failure::worker)?;
    say!("broker on {} (in this process), REST on {}\n", broker.bootstrap_servers(), worker.url());
    let outcome = show(arguments, &dir, &files, &worker);
    if outcome.is_ok() && arguments.keep_running {
        say!("\nbroker, worker and REST stay up until Ctrl-C");
        let mut signals = Signals::listen().map_err(Failure::worker)?;
        let _: Option<()> = signals.unless_interrupted(std::future::pending());
    }
    worker.shut_down();
    outcome
}

fn configure(arguments: &Arguments, dir: &DataDir, broker: &EmbeddedBroker) -> Result<ConfigFiles> {
    let config = QuickstartConfig {
        dir: dir.path(),
        bootstrap_servers: &broker.bootstrap_servers(),
        listener: &arguments.listener,
        records: arguments.records,
    };
    let files = config.write()?;
    for path in [&files.worker, &files.source, &files.sink] {
        say!("── {}", shown(path));
        say!("{}", std::fs::read_to_string(path)?);
    }
    Ok(files)
}

fn create_topic(broker: &EmbeddedBroker, partitions: i32) -> volley_api::Result<()> {
    let properties = [("bootstrap.servers".to_owned(), broker.bootstrap_servers())].into_iter().collect();
    let admin = Admin::connect(&properties)?;
    let topic = NewTopic {
        name: TOPIC.to_owned(),
        partitions,
        replication_factor: 1,
        configs: std::collections::BTreeMap::new(),
    };
    admin.create_topic(&topic).map(|_| ())
}

fn show(arguments: &Arguments, dir: &DataDir, files: &ConfigFiles, worker: &Worker) -> Result<(), Failure> {
    let started = Instant::now();
    for path in [&files.source, &files.sink] {
        let connector = read_connector_file(path).map_err(Failure::connector)?;
        worker.create_connector(connector).map_err(Failure::connector)?;
    }
    worker.mark_ready();
    let drained = drain(arguments.records, worker).map_err(Failure::connector)?;
    let seconds = (drained - started).as_secs_f64();
    result(arguments, dir, files, worker, seconds).map_err(Failure::connector)
}

/// Shows progress until all orders are in complete files. Returns when the last was.
fn drain(records: u64, worker: &Worker) -> Result<Instant> {
    let mut display = Display::new(records);
    let (mut last_rows, mut last_change) = (0, Instant::now());
    loop {
        let source = worker.progress(SOURCE)?;
        let sink = worker.progress(SINK)?;
        display.update(&source, &sink);
        for (name, progress) in [(SOURCE, &source), (SINK, &sink)] {
            if progress.state == "FAILED" || progress.tasks.iter().any(|task| task.state.as_deref() == Some("FAILED")) {
                bail!("connector {name} failed; the log above says why");
            }
        }
        let rows = source.total.rows_out + sink.total.rows_in;
        if rows != last_rows {
            (last_rows, last_change) = (rows, Instant::now());
        }
        if sink.total.rows_in >= records && sink.total.open_files == 0 && sink.total.files > 0 {
            display.finish();
            return Ok(last_change);
        }
        if last_change.elapsed() > PATIENCE {
            bail!("nothing has moved for {} s", PATIENCE.as_secs());
        }
        std::thread::sleep(REFRESH);
    }
}

/// Two bars on a terminal, lines elsewhere.
struct Display {
    bars: Option<(ProgressBar, ProgressBar)>,
    records: u64,
    next_line: Instant,
}

impl Display {
    fn new(records: u64) -> Self {
        let bars = std::io::stdout().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{prefix:>9} {wide_bar:.cyan} {percent:>3}%  {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            let all = MultiProgress::new();
            let bar =
                |name: &'static str| all.add(ProgressBar::new(records).with_style(style.clone()).with_prefix(name));
            (bar("produced"), bar("delivered"))
        });
        Self { bars, records, next_line: Instant::now() }
    }

    fn update(&mut self, source: &ConnectorProgress, sink: &ConnectorProgress) {
        let produced = format!("{} rows/s", thousands(source.rates.rows_in_per_second as u64));
        let delivered = format!(
            "{} rows/s, {}/s, lag {}, {} files",
            thousands(sink.rates.rows_in_per_second as u64),
            bytes(sink.rates.bytes_in_per_second as u64),
            sink.total.lag.map_or_else(|| "?".to_owned(), thousands),
            sink.total.files
        );
        match &self.bars {
            Some((first, second)) => {
                first.set_position(source.total.rows_out.min(self.records));
                first.set_message(produced);
                second.set_position(sink.total.rows_in.min(self.records));
                second.set_message(delivered);
            }
            None if Instant::now() >= self.next_line => {
                self.next_line = Instant::now() + LINE_INTERVAL;
                say!(
                    "produced {} ({produced}), delivered {} ({delivered})",
                    thousands(source.total.rows_out),
                    thousands(sink.total.rows_in)
                );
            }
            None => {}
        }
    }

    fn finish(&self) {
        if let Some((first, second)) = &self.bars {
            first.finish();
            second.finish();
        }
    }
}

fn result(arguments: &Arguments, dir: &DataDir, files: &ConfigFiles, worker: &Worker, seconds: f64) -> Result<()> {
    let written = dir.parquet_files()?;
    say!("\n{QUERY}");
    say!("{}", pretty_format_batches(&preview(&written)?)?);
    let sink = worker.progress(SINK)?.total;
    say!(
        "{} orders through SQL ({} kept) into {} Parquet files ({}) in {seconds:.1} s: {} rows/s",
        thousands(sink.rows_in),
        thousands(sink.rows_out),
        written.len(),
        bytes(sink.written_bytes),
        thousands((arguments.records as f64 / seconds.max(0.001)) as u64)
    );
    say!("files: {}", shown(&dir.path().join("topics").join(TOPIC)));
    say!("\nnext:");
    say!("  volley quickstart --keep-running          # then: curl {}/connectors?expand=status", worker.url());
    say!("  volley plugins ObjectStoreSink            # what the sink can do");
    say!("  volley validate {}", shown(&files.sink));
    Ok(())
}

/// Relative to where we are, if it is below.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&here).unwrap_or(path).display().to_string()
}
