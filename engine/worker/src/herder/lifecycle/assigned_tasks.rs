//! The tasks of one connector that are assigned to this worker: their actor makes run what is wanted.
//!
//! It waits for config providers and for tasks that stop, and for nothing else. What else is wanted is heeded between two
//! tasks that start, and while one does.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;
use tracing::{info, warn};
use volley_api::ConfigMap;

use super::assigned_connector::{AssignedView, Reply, in_the_way};
use super::connector_parts::{at, plan_restarts, task_parts};
use super::connector_tasks::TaskParts;
use super::reconciliation::{DesiredState, Reconciliation};
use super::restart_schedule::{Part, RestartSchedule};
use super::status_writer::StatusWriter;
use crate::error::{HerderError, HerderResult};
use crate::herder::WorkerContext;
use crate::herder::lifecycle::bounded::TaskRunNotes;
use crate::storage::{State, TargetState};

/// A restart of tasks.
#[derive(Debug)]
pub(crate) enum TaskRestart {
    /// One, and somebody waits.
    One(usize, Reply),
    /// This worker's share of a selection; they are RESTARTING until they run.
    Share(Vec<usize>),
}

/// The actor of the tasks.
pub(crate) struct AssignedTasks {
    name: String,
    context: Arc<WorkerContext>,
    status: StatusWriter,
    view: Arc<AssignedView>,
    restarts: mpsc::Receiver<TaskRestart>,
    changes: watch::Receiver<(u64, DesiredState)>,
    work: Arc<Reconciliation>,
    wake: Arc<Notify>,
    /// Whether the next task begins a new run of the connector here.
    begins_run: bool,
    /// Positions that tasks were started from, also of those that could not be.
    started: BTreeMap<usize, i64>,
    target: TargetState,
    notes: TaskRunNotes,
    /// The connector's configuration that tasks were last started with.
    config: Option<ConfigMap>,
    schedule: RestartSchedule,
}

impl AssignedTasks {
    /// An actor that runs nothing yet. `wake` tells it that a task has failed.
    pub(crate) fn new(
        (name, context, status): (&str, Arc<WorkerContext>, StatusWriter),
        view: Arc<AssignedView>,
        restarts: mpsc::Receiver<TaskRestart>,
        work: Arc<Reconciliation>,
        wake: Arc<Notify>,
    ) -> Self {
        let notes = TaskRunNotes::new(Arc::clone(&context), name, status.clone());
        Self {
            name: name.to_owned(),
            context,
            status,
            view,
            restarts,
            changes: work.subscribe(),
            work,
            wake,
            begins_run: true,
            started: BTreeMap::new(),
            target: TargetState::Started,
            notes,
            config: None,
            schedule: RestartSchedule::default(),
        }
    }

    /// Works until nobody can tell it anything any more.
    ///
    /// # Cancellation
    /// Never dropped while the runtime lives.
    pub(crate) async fn run(mut self) {
        let wake = Arc::clone(&self.wake);
        loop {
            self.plan_restarts();
            let restart_at = self.schedule.next();
            tokio::select! {
                biased;
                // The sender is in `self.work`: it cannot be gone.
                Ok(()) = self.changes.changed() => self.reconcile().await,
                restart = self.restarts.recv() => match restart {
                    Some(restart) => self.restart(restart).await,
                    None => return self.stop_undesired(&DesiredState::nothing()).await,
                },
                () = wake.notified() => self.note_done(),
                () = at(restart_at) => self.restart_due().await,
            }
        }
    }

    fn plan_restarts(&mut self) {
        let failed: Vec<Part> = self.view.tasks.take_failed().into_iter().map(Part::Task).collect();
        plan_restarts(&mut self.schedule, &self.context, &self.name, self.config.as_ref(), &failed);
    }

    /// Makes run what is wanted, and nothing else.
    async fn reconcile(&mut self) {
        let (version, desired) = self.changes.borrow_and_update().clone();
        // What shall move nothing does not wait for what stops; what shall go on does.
        if desired.target != TargetState::Started {
            self.move_to(desired.target);
        }
        self.stop_undesired(&desired).await;
        self.work.has_stopped(version);
        self.move_to(desired.target);
        self.begins_run |= self.started.is_empty();
        self.start_missing(desired.tasks).await;
    }

    async fn start_missing(&mut self, desired: BTreeMap<usize, i64>) {
        let missing = desired.into_iter().filter(|(task, _)| !self.started.contains_key(task));
        let (done, missing): (BTreeMap<_, _>, BTreeMap<_, _>) =
            missing.partition(|(task, run)| self.notes.is_done(*task, *run));
        if !done.is_empty() {
            info!(connector = self.name, tasks = ?done.keys(), "tasks are done already");
            self.started.extend(done);
        }
        if !missing.is_empty() {
            // What went wrong is written as FAILED, and said.
            let _ = self.start(missing).await;
        }
    }

    fn note_done(&mut self) {
        for (task, progress) in self.view.tasks.done() {
            self.notes.end(task, progress, true);
        }
    }

    fn move_to(&mut self, target: TargetState) {
        if std::mem::replace(&mut self.target, target) == target {
            return;
        }
        match target {
            TargetState::Started => self.view.tasks.resume(),
            // No tasks are wanted of a STOPPED connector: these end soon.
            TargetState::Paused | TargetState::Stopped => self.view.tasks.pause(),
        }
    }

    /// Stops what is not wanted, or out of date.
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
        let ended = self.view.tasks.stop_these(tasks).await;
        self.started.retain(|task, _| !tasks.contains(task));
        let done = self.view.tasks.done_tasks();
        for (task, progress) in ended {
            let is_done = done.contains(&task);
            if is_done || self.view.tasks.is_bounded() {
                self.notes.end(task, progress, is_done);
            }
        }
    }

    /// Starts tasks, unless something else is wanted meanwhile: what is missing then is started with that.
    async fn start(&mut self, tasks: BTreeMap<usize, i64>) -> HerderResult<()> {
        let mut changes = self.changes.clone();
        tokio::select! {
            biased;
            Ok(()) = changes.changed() => Err(in_the_way()),
            outcome = self.start_all(tasks) => outcome,
        }
    }

    /// Starts tasks, one after the other; the last error. May be dropped at any time.
    async fn start_all(&mut self, tasks: BTreeMap<usize, i64>) -> HerderResult<()> {
        let parts = match task_parts(&self.context, &self.name, self.target).await {
            Ok(parts) => parts,
            Err(HerderError::Plugin(error)) => {
                tasks.keys().for_each(|task| self.view.tasks.fail(*task, &error));
                self.started.extend(tasks);
                return Err(error.into());
            }
            // Deleted meanwhile: the next wish is without them.
            Err(error) => return Err(error),
        };
        self.config = Some(parts.connector_config.clone());
        if std::mem::take(&mut self.begins_run) {
            self.view.tasks.begin_run(&parts);
        }
        info!(connector = self.name, tasks = ?tasks.keys(), "starting tasks");
        let mut outcome = Ok(());
        for (task, position) in tasks {
            outcome = self.start_one(task, position, &parts).await.and(outcome);
        }
        outcome
    }

    async fn start_one(&mut self, task: usize, position: i64, parts: &TaskParts) -> HerderResult<()> {
        self.notes.start(task, position);
        let outcome = self.view.tasks.start(task, parts).await;
        self.started.insert(task, position);
        Ok(outcome?)
    }

    async fn restart(&mut self, restart: TaskRestart) {
        match restart {
            TaskRestart::One(task, reply) => {
                self.schedule.forget(Part::Task(task));
                let _ = reply.send(self.restart_these(&[task]).await);
            }
            TaskRestart::Share(tasks) => {
                for task in &tasks {
                    self.schedule.forget(Part::Task(*task));
                    if self.started.contains_key(task) {
                        self.status.task(*task, State::Restarting, None, None);
                    }
                }
                if let Err(error) = self.restart_these(&tasks).await {
                    warn!(connector = self.name, ?tasks, %error, "tasks could not all be restarted");
                }
            }
        }
    }

    async fn restart_due(&mut self) {
        for part in self.schedule.take_due(Instant::now()) {
            if let Part::Task(task) = part
                && let Err(error) = self.restart_these(&[task]).await
            {
                warn!(connector = self.name, task, %error, "what has failed could not be started again");
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
