//! `volley distributed`

use std::path::PathBuf;
use std::sync::Arc;

use volley_api::Plugin;
use volley_java::read_properties;
use volley_worker::distributed_worker::DistributedWorker;
use volley_worker::loggers::LogLevels;

use super::Failure;
use super::signals::Signals;
use crate::java_plugins::with_java_plugins;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The worker's configuration: a Kafka Connect worker file
    worker: PathBuf,
}

pub(super) fn run(arguments: &Arguments, plugins: Vec<Plugin>, levels: Arc<dyn LogLevels>) -> Result<(), Failure> {
    let properties = read_properties(&arguments.worker).map_err(Failure::worker)?;
    let mut signals = Signals::listen().map_err(Failure::worker)?;
    // reading the internal topics may take a while
    let plugins = with_java_plugins(plugins, Some(&arguments.worker));
    let start = move || DistributedWorker::start(properties, plugins, Some(levels));
    let Some(started) = signals.unless_interrupted_at_start(start) else { return Ok(()) };
    let mut worker = started.map_err(Failure::worker)?;
    let outcome = signals.unless_interrupted(worker.failed());
    worker.shut_down();
    outcome.map_or(Ok(()), |error| Err(Failure::worker(error)))
}
