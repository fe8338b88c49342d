//! One instance of a connector's plug-in on this worker, and its life cycle.

use std::sync::Arc;
use std::time::Duration;

use tracing::{error, info};
use volley_api::{ConfigMap, Connector, EndedRun, Error, Metrics, Plugin, PluginKind, Result, RunningConnector};

use super::connector_parts::check_task_count;
use super::connector_requests::ConnectorRequests;
use super::status_writer::StatusWriter;
use crate::plugin_call::{Deadline, call_plugin};
use crate::storage::{LazyOffsetReader, State, TargetState};

/// How long a connector may take to stop: Kafka Connect's limit.
const STOP_DEADLINE: Duration = Duration::from_secs(5);

/// What there is of the plug-in.
enum Instance {
    /// It has not been started, or has been stopped.
    Idle,
    /// It runs.
    Started(Box<dyn RunningConnector>),
    /// A call is out, for ever if it does not return: that of a started instance, or one that starts or stops it.
    Out { is_started: bool },
}

/// A connector instance. Calls go to a thread of their own each, one at a time; one that does not return in time takes the
/// instance with it.
pub(crate) struct WorkerConnector {
    name: String,
    plugin: Plugin,
    config: ConfigMap,
    instance: Instance,
    is_failed: bool,
    is_bounded: bool,
    /// What the plug-in counts itself.
    metrics: Arc<Metrics>,
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
            instance: Instance::Idle,
            is_failed: false,
            is_bounded: false,
            metrics: status.worker().metrics.connector(name),
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
        let (what, connector, config) = (self.call_name("creation"), self.class()?, self.config.clone());
        self.is_bounded = call_plugin(&what, deadline, move || connector.is_bounded(&config)).await?;
        Ok(())
    }

    fn class(&self) -> Result<Arc<dyn Connector>> {
        let connector = self.plugin.factory.connector().cloned();
        connector.ok_or_else(|| Error::config(format!("`{}` is not a connector", self.plugin.class)))
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
                if !matches!(self.instance, Instance::Started(_)) {
                    if let Err(error) = self.start_instance(deadline).await {
                        return self.fail(error);
                    }
                    info!(connector = self.name, "connector started");
                }
                self.status.connector(State::Running, None, Some(&self.plugin.version));
            }
            TargetState::Paused => {
                self.stop_started().await?;
                self.status.connector(State::Paused, None, Some(&self.plugin.version));
            }
            TargetState::Stopped => {
                if let Err(error) = self.stop_started().await {
                    error!(connector = self.name, error = %error.trace(), "connector failed while it was being stopped");
                }
                self.is_failed = false;
                self.status.connector(State::Stopped, None, Some(&self.plugin.version));
            }
        }
        Ok(())
    }

    async fn start_instance(&mut self, deadline: Deadline) -> Result<()> {
        if self.is_lost() {
            return Err(self.hangs());
        }
        let (what, class, config) = (self.call_name("start"), self.class()?, self.config.clone());
        let mut context = self.requests.context(&self.name).with_metrics(Metrics::clone(&self.metrics));
        if self.plugin.kind() == PluginKind::Source {
            let stores = Arc::clone(&self.status.worker().offset_stores);
            context = context.with_offsets(Arc::new(LazyOffsetReader::new(stores, &self.name, &self.config)));
        }
        self.instance = Instance::Out { is_started: false };
        let started = call_plugin(&what, deadline, move || class.start(context, &config)).await?;
        let (instance, outcome) = match started {
            Ok(connector) => (Instance::Started(connector), Ok(())),
            Err(error) => (Instance::Idle, Err(error)),
        };
        self.instance = instance;
        outcome
    }

    async fn stop_started(&mut self) -> Result<()> {
        match std::mem::replace(&mut self.instance, Instance::Out { is_started: false }) {
            Instance::Started(mut connector) => {
                let what = self.call_name("stop");
                // Dropping a plug-in runs its code, too.
                let stop = move || {
                    connector.stop();
                    drop(connector);
                };
                call_plugin(&what, Deadline::after(STOP_DEADLINE), stop).await?;
                self.instance = Instance::Idle;
            }
            Instance::Idle => self.instance = Instance::Idle,
            Instance::Out { .. } => {}
        }
        Ok(())
    }

    /// Puts the instance into FAILED; returns the error.
    pub(crate) fn fail(&mut self, error: Error) -> Result<()> {
        error!(connector = self.name, error = %error.trace(), "connector failed and will not recover until it is restarted");
        self.is_failed = true;
        self.status.connector(State::Failed, Some(error.trace()), Some(&self.plugin.version));
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
    }

    /// The configurations of its tasks.
    ///
    /// # Errors
    /// That of the connector; too many tasks where `tasks.max.enforce`.
    ///
    /// # Cancellation
    /// As for [`WorkerConnector::start`].
    pub(crate) async fn task_configs(&mut self, max_tasks: usize, deadline: Deadline) -> Result<Vec<ConfigMap>> {
        let configs = self.call("taskConfigs", deadline, move |connector| connector.task_configs(max_tasks)).await?;
        check_task_count(&self.name, &self.config, configs.len())?;
        Ok(configs)
    }

    /// Tells it that all tasks of a bounded run are done.
    ///
    /// # Cancellation
    /// As for [`WorkerConnector::start`].
    pub(crate) async fn end_of_run(&mut self, run: EndedRun, deadline: Deadline) -> Result<()> {
        self.call("endOfRun", deadline, move |connector| connector.end_of_run(&run)).await
    }

    /// Calls the started instance.
    async fn call<T: Send + 'static>(
        &mut self,
        name: &str,
        deadline: Deadline,
        call: impl FnOnce(&mut dyn RunningConnector) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let what = self.call_name(name);
        let mut connector = match std::mem::replace(&mut self.instance, Instance::Out { is_started: true }) {
            Instance::Started(connector) => connector,
            Instance::Idle => {
                self.instance = Instance::Idle;
                return Err(Error::fatal(format!("connector `{}` is not started", self.name)));
            }
            Instance::Out { .. } => return Err(self.hangs()),
        };
        let (connector, answer) = call_plugin(&what, deadline, move || {
            let answer = call(connector.as_mut());
            (connector, answer)
        })
        .await?;
        self.instance = Instance::Started(connector);
        answer
    }

    fn hangs(&self) -> Error {
        Error::fatal(format!("connector `{}` hangs in an earlier call: restart it", self.name))
    }

    fn call_name(&self, call: &str) -> String {
        format!("`{call}` of connector `{}`", self.name)
    }

    /// Whether it has been started, and not failed.
    pub(crate) fn is_running(&self) -> bool {
        matches!(self.instance, Instance::Started(_) | Instance::Out { is_started: true }) && !self.is_failed
    }

    /// Whether it is FAILED.
    pub(crate) fn is_failed(&self) -> bool {
        self.is_failed
    }

    /// Whether a call took it away for ever.
    pub(crate) fn is_lost(&self) -> bool {
        matches!(self.instance, Instance::Out { .. })
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
