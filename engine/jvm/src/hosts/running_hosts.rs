//! The processes of a worker that run.

use std::sync::Arc;

use parking_lot::Mutex;
use tracing::warn;
use volley_api::Result;

use super::host::{Host, JavaProcess};
use super::log_levels::LogLevels;
use super::{HostName, JavaNumber, plugin_numbers};
use crate::process::{HostProcess, Launch, Patience, spawn};

/// All of them, and what each is told at its start.
#[derive(Debug)]
pub(crate) struct RunningHosts {
    patience: Patience,
    levels: Arc<LogLevels>,
    hosts: Mutex<Vec<Arc<Host>>>,
}

impl RunningHosts {
    pub(crate) fn new(levels: LogLevels, patience: Patience) -> Self {
        Self { patience, levels: Arc::new(levels), hosts: Mutex::default() }
    }

    /// How long each may take for what it owes.
    pub(super) fn patience(&self) -> Patience {
        self.patience
    }

    /// Starts a process, which knows all log levels when this returns.
    ///
    /// # Errors
    /// If it cannot be started.
    pub(super) fn start(&self, name: HostName, launch: &dyn Launch) -> Result<Arc<HostProcess>> {
        let process = HostProcess::start(&name.to_string(), launch, self.patience)?;
        let host = Arc::new(Host::new(name, Arc::clone(&process)));
        let mut hosts = self.hosts.lock();
        // each that has ended holds a socket
        hosts.retain(|host| host.process.failure().is_none());
        hosts.push(Arc::clone(&host));
        drop(hosts);
        // a level that is set from now on finds it in the list
        self.levels.tell(&host);
        Ok(process)
    }

    /// How many are held, those that have ended and were not noticed among them.
    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        self.hosts.lock().len()
    }

    fn alive(&self) -> Vec<Arc<Host>> {
        let mut hosts = self.hosts.lock();
        hosts.retain(|host| host.process.failure().is_none());
        hosts.clone()
    }

    /// Gives a level to all loggers whose names begin so, in all processes and in those that start later. Does not wait for them.
    pub(crate) fn set_log_level(&self, logger: &str, level: &str) {
        self.levels.set(logger, level);
        for host in self.alive() {
            let levels = Arc::clone(&self.levels);
            if let Err(error) = spawn("java-log-levels", move || levels.tell(&host)) {
                warn!(target: "volley_jvm", logger, %error, "a log level is not known to a Java process");
            }
        }
    }

    /// What each of them is, has and does.
    pub(crate) fn describe(&self) -> Vec<JavaProcess> {
        self.alive().iter().filter_map(|host| host.describe()).collect()
    }

    /// The numbers of the plug-ins in each of them. Who does not answer within a moment is left out.
    pub(crate) fn plugin_numbers(&self) -> Vec<JavaNumber> {
        plugin_numbers::ask(&self.alive())
    }
}
