//! `volley export`: a worker in this process with one bounded `ObjectStoreSink`.
//!
//! ```text
//!  Arguments ─► ExportConnector ─► --print-config
//!      │               │
//!      └► properties ──┴─► look at the cluster ─► Worker ─► Display … ─► summary
//! ```

mod arguments;
mod cluster;
mod connector;
mod display;
mod file_format;
mod layout;
mod value_converter;

use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use volley_api::Plugin;
use volley_worker::connector_file::CreateConnector;
use volley_worker::herder::{Completion, Herder};
use volley_worker::loggers::LogLevels;
use volley_worker::worker::Worker;

use self::cluster::{partitions_begun, worker_properties};
use self::connector::ExportConnector;
use self::display::Display;
use super::Failure;
use super::number_text::{bytes, thousands};
use super::output::say;
use super::signals::Signals;
use crate::java_plugins::with_java_config_providers;

pub(super) use arguments::Arguments;

/// How often the display is brought up to date.
const REFRESH: Duration = Duration::from_millis(200);

/// What a shell says of a program that Ctrl-C has ended.
const EXIT_INTERRUPTED: u8 = 130;

pub(super) fn run(arguments: &Arguments, plugins: Vec<Plugin>, levels: Arc<dyn LogLevels>) -> Result<(), Failure> {
    let export = ExportConnector::of(arguments).map_err(Failure::usage)?;
    if arguments.print_config {
        say!("{:#}", export.json());
        return Ok(());
    }
    let properties = worker_properties(arguments)?;
    let offered = || with_java_config_providers(plugins.clone(), arguments.worker_config.as_deref());
    let begun = partitions_begun(&properties, offered(), &export)?;
    if begun > 0 && export.is_query() {
        say!("{}: takes the records behind those that it has taken before; another --name begins anew", export.name);
    } else if begun > 0 {
        say!(
            "{}: goes on behind what it has delivered of {begun} partitions; --from counts for others only. Another --name \
             begins anew",
            export.name
        );
    }
    let worker = Worker::start(properties, offered(), Some(levels)).map_err(Failure::worker)?;
    let outcome = deliver(&worker, &export);
    worker.shut_down();
    outcome
}

/// Runs the connector to its end.
fn deliver(worker: &Worker, export: &ExportConnector) -> Result<(), Failure> {
    let (name, config) = (export.name.clone(), export.config.clone().into());
    let mut signals = Signals::listen().map_err(Failure::worker)?;
    worker.create_connector(CreateConnector { name, config, initial_state: None }).map_err(Failure::connector)?;
    worker.mark_ready();
    let mut display = Display::new(&export.name);
    let outcome = signals.unless_interrupted(until_done(worker, export, &mut display));
    display.end();
    match outcome {
        Some(Ok(completion)) => {
            report(export, &completion);
            Ok(())
        }
        Some(Err(error)) => Err(Failure::connector(error)),
        None => Err(Failure {
            message: format!("{} was interrupted; the same command {}", export.name, again(export)),
            code: EXIT_INTERRUPTED,
        }),
    }
}

/// What the same command does after an interruption.
fn again(export: &ExportConnector) -> &'static str {
    if export.is_query() { "begins anew" } else { "goes on from here" }
}

async fn until_done(worker: &Worker, export: &ExportConnector, display: &mut Display) -> anyhow::Result<Completion> {
    let name = export.name.as_str();
    let herder = worker.herder();
    let done = worker.bounded_done();
    tokio::pin!(done);
    let mut ticks = tokio::time::interval(REFRESH);
    loop {
        tokio::select! {
            outcome = &mut done => {
                let goes_on = if export.is_query() { "begins anew" } else { "goes on" };
                let completions =
                    outcome.map_err(|error| anyhow!("{error:#}\nthe same command {goes_on} once the reason is gone"))?;
                let completion = completions.into_iter().find(|(of, _)| of == name);
                return completion.map(|(_, completion)| completion).ok_or_else(|| anyhow!("{name} is not there any more"));
            }
            _ = ticks.tick() => {
                let share = herder.run_share(name).unwrap_or_default();
                display.update(&herder.progress(name).await?, share);
            }
        }
    }
}

fn report(export: &ExportConnector, done: &Completion) {
    say!(
        "{}: done in {:.1} s, {} rows read, {} delivered, {} rejected, {} files, {} bytes written ({})",
        export.name,
        done.duration_ms as f64 / 1000.0,
        thousands(done.rows),
        thousands(done.rows_delivered),
        thousands(done.rows_rejected),
        thousands(done.files),
        thousands(done.written_bytes),
        bytes(done.written_bytes)
    );
    say!("files: {}", export.directory());
}
