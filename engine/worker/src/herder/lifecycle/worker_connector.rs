//! One instance of a connector's plug-in on this worker, and its life cycle.

use std::sync::Arc;
use std::time::Duration;

use tracing::{error, info};
use volley_api::{ConfigMap, Connector, Error, Plugin, PluginFactory, Result};

use super::connector_parts::check_task_count;
use super::connector_requests::ConnectorRequests;
use super::status_writer::StatusWriter;
use crate::plugin_call::{Deadline, call_plugin};
use crate::storage::{State, TargetState};

/// How long a connector may take to stop: Kafka Connect's limit.
const STOP_DEADLINE: Duration = Duration::from_secs(5);

/// A connector instance. Calls go to a thread of their own each, one at a time; one that does not return in time takes the
/// instance with it.
pub(crate) struct WorkerConnector {
    name: String,
    plugin: Plugin,
    config: ConfigMap,
    /// `None` while a call is out, and for ever if it does not return.
    connector: Option<Box<dyn Connector>>,
    is_started: bool,
    is_failed: bool,
    is_bounded: bool,
    requests: Arc<ConnectorRequests>,
    status: StatusWriter,
}

impl WorkerConnector {
    /// Makes an instance and takes it to its target state. `config` has its variables resolved.
    ///
    /// The instance is returned whatever happens; the error is why it is FAILED.
    ///
    /// # Cancellation
    /// Calls that are out go on; the instance is lost.
    pub(crate) async fn start(
        name: &str,
        plugin: Plugin,
        config: ConfigMap,
        target: TargetState,
        parts: (Arc<ConnectorRequests>, StatusWriter),
        deadline: Deadline,
    ) -> (Self, Result<()>) {
        let (requests, status) = parts;
        let mut this = Self {
            name: name.to_owned(),
            plugin,
            config,
            connector: None,
            is_started: false,
            is_failed: false,
            is_bounded: false,
            requests,
            status,
        };
        let outcome = match this.make(deadline.clone()).await {
            Ok(()) => this.transition(target, deadline).await,
            Err(error) => this.fail(error),
        };
        (this, outcome)
    }

    async fn make(&mut self, deadline: Deadline) -> Result<()> {
        let new = match &self.plugin.factory {
            PluginFactory::Source { connector, .. } | PluginFactory::Sink { connector, .. } => Arc::clone(connector),
            _ => return Err(Error::config(format!("`{}` is not a connector", self.plugin.class))),
        };
        let (what, config) = (self.call_name("creation"), self.config.clone());
        let (connector, is_bounded) = call_plugin(&what, deadline, move || {
            let connector = new();
            let is_bounded = connector.is_bounded(&config);
            (connector, is_bounded)
        })
        .await?;
        self.connector = Some(connector);
        self.is_bounded = is_bounded;
        Ok(())
    }

    /// Takes the instance to another state. A FAILED one only goes to STOPPED.
    ///
    /// # Cancellation
    /// As for [`WorkerConnector::start`].
    pub(crate) async fn transition(&mut self, target: TargetState, deadline: Deadline) -> Result<()> {
        if self.is_failed && target != TargetState::Stopped {
            return Err(Error::fatal(format!("connector `{}` is FAILED: restart or reconfigure it", self.name)));
        }
        match target {
            TargetState::Started => {
                if !self.is_started {
                    let (context, config) = (self.requests.context(&self.name), self.config.clone());
                    let started =
                        self.call("start", deadline, move |connector| connector.start(context, &config)).await;
                    if let Err(error) = started.and_then(|outcome| outcome) {
                        return self.fail(error);
                    }
                    self.is_started = true;
                    info!(connector = self.name, "connector started");
                }
                self.status.connector(State::Running, None, Some(self.plugin.version));
            }
            TargetState::Paused => {
                self.stop_started().await?;
                self.status.connector(State::Paused, None, Some(self.plugin.version));
            }
            TargetState::Stopped => {
                if let Err(error) = self.stop_started().await {
                    error!(connector = self.name, error = %error.trace(), "connector failed while it was being stopped");
                }
                self.is_failed = false;
                self.status.connector(State::Stopped, None, Some(self.plugin.version));
            }
        }
        Ok(())
    }

    async fn stop_started(&mut self) -> Result<()> {
        if std::mem::take(&mut self.is_started) {
            self.call("stop", Deadline::after(STOP_DEADLINE), |connector| connector.stop()).await?;
        }
        Ok(())
    }

    /// Puts the instance into FAILED; returns the error.
    pub(crate) fn fail(&mut self, error: Error) -> Result<()> {
        error!(connector = self.name, error = %error.trace(), "connector failed and will not recover until it is restarted");
        self.is_failed = true;
        self.status.connector(State::Failed, Some(error.trace()), Some(self.plugin.version));
        Err(error)
    }

    /// Ends the instance: nothing that it does from now on counts.
    ///
    /// # Cancellation
    /// As for [`WorkerConnector::start`].
    pub(crate) async fn shut_down(mut self) {
        self.requests.close();
        if let Err(error) = self.stop_started().await {
            error!(connector = self.name, error = %error.trace(), "connector failed while it was being stopped");
        }
        self.status.connector(State::Unassigned, None, None);
        // Dropping a plug-in runs its code, too.
        if let Some(connector) = self.connector.take() {
            let _ = call_plugin("drop", Deadline::after(STOP_DEADLINE), move || drop(connector)).await;
        }
    }

    /// The configurations of its tasks.
    ///
    /// # Errors
    /// That of the connector; too many tasks where `tasks.max.enforce`.
    ///
    /// # Cancellation
    /// As for [`WorkerConnector::start`].
    pub(crate) async fn task_configs(&mut self, max_tasks: usize, deadline: Deadline) -> Result<Vec<ConfigMap>> {
        let config = self.config.clone();
        let configs =
            self.call("taskConfigs", deadline, move |connector| connector.task_configs(&config, max_tasks)).await??;
        check_task_count(&self.name, &self.config, configs.len())?;
        Ok(configs)
    }

    async fn call<T: Send + 'static>(
        &mut self,
        call: &str,
        deadline: Deadline,
        body: impl FnOnce(&mut dyn Connector) -> T + Send + 'static,
    ) -> Result<T> {
        let what = self.call_name(call);
        let mut connector = self
            .connector
            .take()
            .ok_or_else(|| Error::fatal(format!("connector `{}` hangs in an earlier call: restart it", self.name)))?;
        let (connector, value) = call_plugin(&what, deadline, move || {
            let value = body(&mut *connector);
            (connector, value)
        })
        .await?;
        self.connector = Some(connector);
        Ok(value)
    }

    fn call_name(&self, call: &str) -> String {
        format!("`{call}` of connector `{}`", self.name)
    }

    /// Whether it has been started, and not failed.
    pub(crate) fn is_running(&self) -> bool {
        self.is_started && !self.is_failed
    }

    /// Whether it is FAILED.
    pub(crate) fn is_failed(&self) -> bool {
        self.is_failed
    }

    /// Whether a call took it away for ever.
    pub(crate) fn is_lost(&self) -> bool {
        self.connector.is_none()
    }

    /// Whether it says of itself that it ends.
    pub(crate) fn is_bounded(&self) -> bool {
        self.is_bounded
    }

    /// Its configuration, variables resolved.
    pub(crate) fn config(&self) -> &ConfigMap {
        &self.config
    }

    /// Its plug-in.
    pub(crate) fn plugin(&self) -> &Plugin {
        &self.plugin
    }

    /// Its requests to the worker.
    pub(crate) fn requests(&self) -> &ConnectorRequests {
        &self.requests
    }
}
