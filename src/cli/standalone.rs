//! `volley standalone`

use std::path::PathBuf;
use std::sync::Arc;

use volley_api::Plugin;
use volley_java::read_properties;
use volley_worker::connector_file::read_connector_file;
use volley_worker::herder::Completion;
use volley_worker::loggers::LogLevels;
use volley_worker::plugins::Plugins;
use volley_worker::worker::Worker;

use super::Failure;
use super::connector_class::check_class;
use super::output::say;
use super::signals::Signals;
use crate::java_plugins::{may_be_in_java, with_java_plugins};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The worker's configuration: a Kafka Connect worker file
    worker: PathBuf,
    /// Connectors to start: properties files, or JSON as POST /connectors takes it
    connectors: Vec<PathBuf>,
    /// End with exit code 0 when all bounded connectors (volley.mode=bounded, Datagen with rows) are done
    #[arg(long)]
    until_done: bool,
}

pub(super) fn run(arguments: &Arguments, plugins: Vec<Plugin>, levels: Arc<dyn LogLevels>) -> Result<(), Failure> {
    let properties = read_properties(&arguments.worker).map_err(Failure::worker)?;
    let files: Result<Vec<_>, _> = arguments.connectors.iter().map(|path| read_connector_file(path)).collect();
    let connectors = files.map_err(Failure::connector)?;
    let known = Plugins::new(plugins.clone());
    // whether a class is there in Java, only the worker finds out
    if !may_be_in_java(&properties) {
        for (connector, path) in connectors.iter().zip(&arguments.connectors) {
            check_class(&known, &connector.config.values, path)?;
        }
    }
    let mut signals = Signals::listen().map_err(Failure::worker)?;
    let plugins = with_java_plugins(plugins, Some(&arguments.worker));
    let start = move || Worker::start(properties, plugins, Some(levels));
    let Some(started) = signals.unless_interrupted_at_start(start) else {
        return if arguments.until_done { Err(stopped_early()) } else { Ok(()) };
    };
    let worker = started.map_err(Failure::worker)?;
    let outcome = serve(&worker, connectors, arguments.until_done, signals);
    worker.shut_down();
    outcome
}

fn serve(
    worker: &Worker,
    connectors: Vec<volley_worker::connector_file::CreateConnector>,
    until_done: bool,
    mut signals: Signals,
) -> Result<(), Failure> {
    for connector in connectors {
        worker.create_connector(connector).map_err(Failure::connector)?;
    }
    worker.mark_ready();
    if until_done {
        let wait = worker.bounded_done();
        let Some(done) = signals.unless_interrupted(wait) else {
            return Err(stopped_early());
        };
        for (name, completion) in done.map_err(Failure::connector)? {
            report(&name, &completion);
        }
        return Ok(());
    }
    let _: Option<()> = signals.unless_interrupted(std::future::pending());
    Ok(())
}

fn stopped_early() -> Failure {
    Failure::connector(anyhow::anyhow!("stopped before all was done"))
}

fn report(name: &str, done: &Completion) {
    say!(
        "{name}: done in {:.1} s, {} rows read, {} delivered, {} rejected, {} files, {} bytes written",
        done.duration_ms as f64 / 1000.0,
        done.rows,
        done.rows_delivered,
        done.rows_rejected,
        done.files,
        done.written_bytes
    );
}
