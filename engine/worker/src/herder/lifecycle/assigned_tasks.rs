//! The tasks of one connector that are assigned to this worker. Their actor keeps them in the desired state.
//!
//! It waits for config providers and for tasks that stop, and for nothing else. It looks for another desired state before
//! each step, and also while tasks start.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use tracing::{info, warn};
use volley_api::ConfigMap;

use super::actor_parts::{ActorParts, Reply, in_the_way};
use super::bounded::TaskRunNotes;
use super::connector_parts::plan_restarts;
use super::desired::{DesiredState, Reconciler};
use super::restart_schedule::{Part, RestartSchedule};
use super::task_parts::{TaskParts, task_parts};
use crate::clock::sleep_until;
use crate::error::{HerderError, HerderResult};
use crate::storage::TargetState;

/// A restart of tasks.
#[derive(Debug)]
pub(crate) enum TaskRestart {
    /// One task, and somebody waits.
    One(usize, Reply),
    /// A selection. Nobody waits; the states tell what comes of it.
    Selected(Vec<usize>),
}

/// The actor of the tasks.
pub(crate) struct AssignedTasks {
    parts: ActorParts,
    restarts: mpsc::Receiver<TaskRestart>,
    reconciler: Reconciler,
    wake: Arc<Notify>,
    /// Whether the next task begins a new run of the connector here.
    begins_run: bool,
    /// Positions that tasks were started from, also of those that could not be started.
    started: BTreeMap<usize, i64>,
    target: TargetState,
    notes: TaskRunNotes,
    /// The connector's configuration that tasks were last started with.
    config: Option<ConfigMap>,
    schedule: RestartSchedule,
}

impl AssignedTasks {
    /// An actor that runs nothing yet. `wake` is notified when a task is done or has failed.
    pub(crate) fn new(
        parts: ActorParts,
        restarts: mpsc::Receiver<TaskRestart>,
        reconciler: Reconciler,
        wake: Arc<Notify>,
    ) -> Self {
        Self {
            notes: TaskRunNotes::new(Arc::clone(&parts.context), &parts.name),
            parts,
            restarts,
            reconciler,
            wake,
            begins_run: true,
            started: BTreeMap::new(),
            target: TargetState::Started,
            config: None,
            schedule: RestartSchedule::default(),
        }
    }

    /// Works until its owner drops it.
    ///
    /// # Cancellation
    /// Tasks that were started go on.
    pub(crate) async fn run(mut self) {
        let wake = Arc::clone(&self.wake);
        loop {
            self.plan_restarts();
            let restart_at = self.schedule.next();
            tokio::select! {
                biased;
                () = self.reconciler.changed() => self.reconcile().await,
                Some(restart) = self.restarts.recv() => self.restart(restart).await,
                () = wake.notified() => self.note_done(),
                () = sleep_until(restart_at) => self.restart_due().await,
            }
        }
    }

    fn plan_restarts(&mut self) {
        let failed: Vec<Part> = self.parts.view.tasks.take_failed().into_iter().map(Part::Task).collect();
        plan_restarts(&mut self.schedule, &self.parts.context, &self.parts.name, self.config.as_ref(), &failed);
    }

    /// Takes the desired state, and goes there.
    async fn reconcile(&mut self) {
        let desired = self.reconciler.take();
        // Pausing need not wait for stopping tasks; resuming must.
        if desired.target != TargetState::Started {
            self.move_to(desired.target);
        }
        self.stop_undesired(&desired).await;
        self.reconciler.has_stopped();
        self.move_to(desired.target);
        self.begins_run |= self.started.is_empty();
        self.start_missing(desired.tasks).await;
        // A task that cannot be started is FAILED; the others run.
        self.reconciler.has_reached(&Ok(()));
    }

    async fn start_missing(&mut self, desired: BTreeMap<usize, i64>) {
        let missing = desired.into_iter().filter(|(task, _)| !self.started.contains_key(task));
        let (done, missing): (BTreeMap<_, _>, BTreeMap<_, _>) =
            missing.partition(|(task, run)| self.notes.is_done(*task, *run));
        if !done.is_empty() {
            info!(connector = self.parts.name, tasks = ?done.keys(), "tasks are done already");
            self.started.extend(done);
        }
        if !missing.is_empty() {
            // An error is written as the task's state, and logged.
            let _ = self.start(missing).await;
        }
    }

    fn note_done(&mut self) {
        for (task, progress) in self.parts.view.tasks.done() {
            self.notes.end(task, progress, true);
        }
    }

    fn move_to(&mut self, target: TargetState) {
        if std::mem::replace(&mut self.target, target) == target {
            return;
        }
        match target {
            TargetState::Started => self.parts.view.tasks.resume(),
            // A STOPPED connector has no tasks: these end soon.
            TargetState::Paused | TargetState::Stopped => self.parts.view.tasks.pause(),
        }
    }

    /// Stops tasks that are not desired, or out of date.
    async fn stop_undesired(&mut self, desired: &DesiredState) {
        let undesired = |(task, position): (&usize, &i64)| (desired.tasks.get(task) != Some(position)).then_some(*task);
        let tasks: Vec<usize> = self.started.iter().filter_map(undesired).collect();
        if tasks.is_empty() {
            return;
        }
        self.stop_these(&tasks).await;
        tasks.iter().for_each(|task| self.schedule.forget(Part::Task(*task)));
    }

    async fn stop_these(&mut self, tasks: &[usize]) {
        let ended = self.parts.view.tasks.stop_these(tasks).await;
        self.started.retain(|task, _| !tasks.contains(task));
        let done = self.parts.view.tasks.done_tasks();
        for (task, progress) in ended {
            let is_done = done.contains(&task);
            if is_done || self.parts.view.tasks.is_bounded() {
                self.notes.end(task, progress, is_done);
            }
        }
    }

    /// Starts tasks, unless the desired state changes meanwhile. The next reconciliation starts what is missing then.
    async fn start(&mut self, tasks: BTreeMap<usize, i64>) -> HerderResult<()> {
        let mut changes = self.reconciler.changes();
        tokio::select! {
            biased;
            Ok(()) = changes.changed() => Err(in_the_way()),
            outcome = self.start_all(tasks) => outcome,
        }
    }

    /// Starts tasks, one after the other; the last error. May be dropped at any time.
    async fn start_all(&mut self, tasks: BTreeMap<usize, i64>) -> HerderResult<()> {
        let parts = match task_parts(&self.parts.context, &self.parts.name, self.target).await {
            Ok(parts) => parts,
            Err(HerderError::Plugin(error)) => {
                tasks.keys().for_each(|task| self.parts.view.tasks.fail(*task, &error));
                self.started.extend(tasks);
                return Err(error.into());
            }
            // The connector was deleted meanwhile: the next desired state is without the tasks.
            Err(error) => return Err(error),
        };
        self.config = Some(parts.connector_config.clone());
        if std::mem::take(&mut self.begins_run) {
            self.parts.view.tasks.begin_run(&parts);
        }
        info!(connector = self.parts.name, tasks = ?tasks.keys(), "starting tasks");
        let mut outcome = Ok(());
        for (task, position) in tasks {
            outcome = self.start_one(task, position, &parts).await.and(outcome);
        }
        outcome
    }

    async fn start_one(&mut self, task: usize, position: i64, parts: &TaskParts) -> HerderResult<()> {
        self.notes.start(task, position);
        let outcome = self.parts.view.tasks.start(task, position, parts).await;
        self.started.insert(task, position);
        Ok(outcome?)
    }

    async fn restart(&mut self, restart: TaskRestart) {
        match restart {
            TaskRestart::One(task, reply) => {
                self.schedule.forget(Part::Task(task));
                let _ = reply.send(self.restart_these(&[task]).await);
            }
            TaskRestart::Selected(tasks) => {
                tasks.iter().for_each(|task| self.schedule.forget(Part::Task(*task)));
                if let Err(error) = self.restart_these(&tasks).await {
                    warn!(connector = self.parts.name, ?tasks, %error, "tasks could not all be restarted");
                }
            }
        }
    }

    async fn restart_due(&mut self) {
        for part in self.schedule.take_due(Instant::now()) {
            if let Part::Task(task) = part
                && let Err(error) = self.restart_these(&[task]).await
            {
                warn!(connector = self.parts.name, task, %error, "what has failed could not be started again");
            }
        }
    }

    async fn restart_these(&mut self, tasks: &[usize]) -> HerderResult<()> {
        let tasks: BTreeMap<usize, i64> =
            tasks.iter().filter_map(|task| self.started.get_key_value(task)).map(|(task, at)| (*task, *at)).collect();
        if tasks.is_empty() {
            // They were taken away while the request waited.
            return Err(HerderError::Forward(None));
        }
        let numbers: Vec<usize> = tasks.keys().copied().collect();
        self.stop_these(&numbers).await;
        self.start(tasks).await
    }
}
