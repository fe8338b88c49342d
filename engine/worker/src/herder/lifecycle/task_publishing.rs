//! How the actor of an instance has the tasks published that its connector makes, and the end of a bounded run written.
//!
//! ```text
//!  start, resume, a request ─► reconfigure ─► has_changed_tasks ─► publish ─► on_published ─► reconfigure, if asked meanwhile
//!                                  │  ▲             │ fails                       │ fails
//!                                  │  └─ later ◄────┴──────── retry_later ◄───────┘
//!                                  └─► a run that is over: take (end_of_run, STOPPED) ─► on_published ─► reconfigure
//! ```

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::{info, warn};
use volley_api::{ConfigMap, Result};

use super::assigned_instance::AssignedInstance;
use super::bounded::{CompletionStep, next_step, with_run_offsets};
use super::connector_parts::{max_tasks, resolved};
use super::publishing::Published;
use super::task_configs::{have_changed, stored_task_configs};
use super::worker_connector::WorkerConnector;
use crate::clock::now_ms;
use crate::connector_config::BoundedRange;
use crate::error::HerderResult;
use crate::group::ExponentialBackoff;
use crate::herder::WorkerContext;
use crate::plugin_call::Deadline;
use crate::spawned_task::SpawnedTask;
use crate::storage::{ClusterConfigState, TargetState};

const NOT_RECONFIGURED: &str = "tasks could not be reconfigured";

impl AssignedInstance {
    /// Ends the run of a bounded connector if all its tasks are done, whoever ran them.
    pub(super) async fn end_run_if_over(&mut self) {
        // A write that is under way, or will be tried again, goes on with the next step by itself.
        if self.publishing.is_none() && self.retry_at.is_none() && self.completion_step().is_some() {
            self.reconfigure().await;
        }
    }

    fn completion_step(&self) -> Option<CompletionStep> {
        if !self.is_bounded || self.started.is_none() {
            return None;
        }
        let (context, name) = (&self.parts.context, &self.parts.name);
        let runs = context.statuses.task_runs(name);
        next_step(&context.configs.snapshot(), name, &runs, self.completed_run, now_ms())
    }

    async fn take(&mut self, step: CompletionStep) {
        let (publisher, name) = (Arc::clone(&self.publisher), self.parts.name.clone());
        match step {
            CompletionStep::Stop { run, completion } => {
                let deadline = self.deadline();
                if let Some(connector) = self.connector.as_mut().filter(|connector| connector.is_running())
                    && let Err(error) = connector.end_of_run(completion.ended_run(), deadline).await
                {
                    return self.retry_later("the run could not be ended", &error.to_string());
                }
                let (rows, files) = (completion.rows, completion.files);
                info!(connector = name, rows, files, "bounded connector is done");
                self.start_publishing(async move {
                    let is_written = publisher.complete(&name, run, completion).await?;
                    Ok(Published::Completion(is_written.then_some(run)))
                });
            }
            CompletionStep::TakeTasksAway => self.start_publishing(async move {
                publisher.publish(&name, Vec::new()).await?;
                // The next look at the store has to show that they are gone.
                publisher.refresh().await?;
                Ok(Published::NoTasks)
            }),
        }
    }

    fn start_publishing(&mut self, writing: impl Future<Output = HerderResult<Published>> + Send + 'static) {
        let what = format!("publishing the tasks of connector `{}`", self.parts.name);
        self.publishing = Some(SpawnedTask::start_here(what, writing));
    }

    pub(super) async fn reconfigure_now(&mut self) {
        self.renew_expedite();
        self.reconfigure().await;
    }

    /// Asks the connector for its tasks, and has them published if they or the configuration have changed.
    pub(super) async fn reconfigure(&mut self) {
        if self.expedite.token().is_cancelled() {
            // Another instance, or none, takes its place.
            return;
        }
        if self.publishing.is_some() {
            // It is not known which tasks are in force.
            self.must_ask_again = true;
            return;
        }
        if let Some(step) = self.completion_step() {
            return self.take(step).await;
        }
        match self.has_changed_tasks().await {
            Ok(false) => self.failed_attempts = 0,
            Ok(true) => self.publish(),
            Err(error) => {
                self.outcome = Err(error.clone().into());
                match error.exception().ends_with("TooManyTasksException") {
                    // Another try would end the same way.
                    true => self.fail_connector(error),
                    false => self.retry_later(NOT_RECONFIGURED, &error.to_string()),
                }
            }
        }
    }

    /// Asks the connector for its tasks. Returns whether they, or its configuration, are not those in force.
    async fn has_changed_tasks(&mut self) -> Result<bool> {
        if self.state_of_instance().is_none() {
            return Ok(false);
        }
        let deadline = self.deadline();
        let Some(connector) = &mut self.connector else { return Ok(false) };
        let made = connector.task_configs(max_tasks(connector.config()), deadline.clone()).await?;
        // It may have taken a while.
        let Some(state) = self.state_of_instance() else { return Ok(false) };
        let Some(connector) = &self.connector else { return Ok(false) };
        let (context, name) = (&self.parts.context, &self.parts.name);
        let raw = state.connector_config(name).cloned().unwrap_or_default();
        let made = stored_task_configs(made, connector.plugin(), &raw);
        let have_changed = have_changed(&state, name, &made);
        let (config, plugin) = (connector.config().clone(), connector.plugin().clone());
        let have_changed = have_changed || !is_applied(context, name, &state, &config, deadline.clone()).await?;
        // References are stored, so that other values of theirs do not show in what is in force.
        let before = self.tasks_of.replace(config.clone());
        self.has_new_values |= before.is_some_and(|before| before != config) && !self.is_bounded;
        let have_changed = have_changed || self.has_new_values;
        // One worker alone finds the usual ends by itself.
        let has_offsets = self.publisher.shares_runs() || BoundedRange::of(&config)? != BoundedRange::default();
        self.made = Some(match have_changed && self.is_bounded && has_offsets {
            true => with_run_offsets(made, context, name, (&plugin, config), deadline).await?,
            false => made,
        });
        Ok(have_changed)
    }

    /// The configurations in force, while the instance runs, shall run and has the latest configuration: only then do its
    /// tasks count.
    fn state_of_instance(&self) -> Option<Arc<ClusterConfigState>> {
        let (state, name) = (self.parts.context.configs.snapshot(), &self.parts.name);
        let is_running = self.connector.as_ref().is_some_and(WorkerConnector::is_running);
        let shall_run = state.target_state(name) == Some(TargetState::Started);
        let is_latest = self.started.is_some_and(|started| started.position == state.config_position(name));
        (is_running && shall_run && is_latest).then_some(state)
    }

    /// Publishes the tasks that the connector has made.
    fn publish(&mut self) {
        let Some(configs) = self.made.clone() else { return };
        let (publisher, name) = (Arc::clone(&self.publisher), self.parts.name.clone());
        self.commit_came = false;
        self.start_publishing(async move {
            publisher.publish(&name, configs).await?;
            Ok(Published::Tasks)
        });
    }

    pub(super) async fn on_published(&mut self, outcome: HerderResult<Published>) {
        self.publishing = None;
        let must_ask_again = std::mem::take(&mut self.must_ask_again);
        match outcome {
            Err(error) => {
                self.retry_later(NOT_RECONFIGURED, &error.to_string());
                self.outcome = Err(error);
            }
            Ok(published) => {
                self.failed_attempts = 0;
                self.has_new_values &= published != Published::Tasks;
                if let Published::Completion(Some(run)) = published {
                    self.completed_run = Some(run);
                }
                if must_ask_again || published != Published::Tasks {
                    self.reconfigure_now().await;
                } else if self.commit_came {
                    self.on_commit();
                }
            }
        }
    }

    /// Publishes again if the last commit is not what the connector made last: it came late, from here or an earlier owner, or
    /// lost its tasks to compaction.
    pub(super) fn on_commit(&mut self) {
        self.commit_came = self.publishing.is_some();
        if self.commit_came || self.retry_at.is_some() {
            return;
        }
        let (Some(made), Some(state)) = (&self.made, self.state_of_instance()) else { return };
        // A commit of no tasks precedes the target state STOPPED.
        if state.task_count(&self.parts.name) > 0 && have_changed(&state, &self.parts.name, made) {
            info!(connector = self.parts.name, "the tasks in force are not those that the connector made last");
            match self.is_bounded {
                // The end of the run has to be found again.
                true => self.retry_at = Some(Instant::now()),
                false => self.publish(),
            }
        }
    }

    fn retry_later(&mut self, what: &str, error: &str) {
        let delay = ExponentialBackoff::task_reconfiguration().delay_ms(self.failed_attempts);
        let delay = Duration::from_millis(delay.unsigned_abs());
        self.failed_attempts = self.failed_attempts.saturating_add(1);
        warn!(connector = self.parts.name, error, retry_in = ?delay, "{what}");
        self.retry_at = Some(Instant::now() + delay);
    }
}

/// Whether the configuration of the last commit means the same as that of the instance.
async fn is_applied(
    context: &WorkerContext,
    name: &str,
    state: &ClusterConfigState,
    config: &ConfigMap,
    deadline: Deadline,
) -> Result<bool> {
    match state.applied_connector_config(name) {
        None => Ok(false),
        Some(applied) if Some(applied) == state.connector_config(name) => Ok(true),
        Some(applied) => Ok(resolved(context, name, applied, deadline).await?.config == *config),
    }
}
