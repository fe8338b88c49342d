//! `volley distributed`

use std::path::PathBuf;
use std::sync::Arc;

use volley_api::Plugin;
use volley_java::read_properties;
use volley_worker::distributed_worker::DistributedWorker;
use volley_worker::loggers::LogLevels;

use super::{Failure, signals};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The worker's configuration: a Kafka Connect worker file
    worker: PathBuf,
}

pub(super) fn run(arguments: &Arguments, plugins: Vec<Plugin>, levels: Arc<dyn LogLevels>) -> Result<(), Failure> {
    let properties = read_properties(&arguments.worker).map_err(Failure::worker)?;
    // Reading the internal topics may take a while, in which a signal ends the process at once: nothing runs yet.
    let mut worker = DistributedWorker::start(properties, plugins, Some(levels)).map_err(Failure::worker)?;
    let outcome = signals::unless_interrupted(worker.failed()).map_err(Failure::worker);
    worker.shut_down();
    match outcome? {
        None => Ok(()),
        Some(error) => Err(Failure::worker(error)),
    }
}
