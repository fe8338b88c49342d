//! A group of one worker: everything is assigned to it.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::error::{HerderError, HerderResult};
use crate::group::{ConnectorsAndTasks, ExtendedAssignment};
use crate::herder::WorkerContext;
use crate::herder::lifecycle::{AssignedWork, StatusWriter, TaskConfigPublisher, desired_here};
use crate::storage::{ClusterConfigState, ConfigRecord, TargetState};

/// Writes to the config store, and sets the desired states from it.
pub(super) struct LocalGroup {
    context: Arc<WorkerContext>,
    /// What runs here.
    pub(super) work: AssignedWork,
    /// Held while the store is written and the desired states follow.
    turn: Mutex<Turn>,
}

#[derive(Default)]
struct Turn {
    is_shut_down: bool,
}

impl Turn {
    fn check(&self) -> HerderResult<()> {
        if self.is_shut_down { Err(HerderError::shutting_down()) } else { Ok(()) }
    }
}

impl LocalGroup {
    /// A group without connectors, whose instances publish through `publisher`. MUST be made within a tokio runtime.
    pub(super) fn new<P: TaskConfigPublisher + 'static>(
        context: Arc<WorkerContext>,
        publisher: impl FnOnce(Weak<Self>) -> P,
    ) -> Arc<Self> {
        Arc::new_cyclic(|group| {
            let work = AssignedWork::new(Arc::clone(&context), Arc::new(publisher(Weak::clone(group))));
            Self { context, work, turn: Mutex::default() }
        })
    }

    /// Fails if the worker is shutting down.
    ///
    /// # Errors
    /// `Internal`
    pub(super) fn check(&self) -> HerderResult<()> {
        self.turn.lock().check()
    }

    /// Writes the records that `decide` makes of the configurations as they are. They are the desired state when this
    /// returns.
    ///
    /// # Errors
    /// Those of `decide` and of the store; if the worker is shutting down.
    pub(super) fn write<T>(
        &self,
        decide: impl FnOnce(&ClusterConfigState) -> HerderResult<(T, Vec<ConfigRecord>)>,
    ) -> HerderResult<T> {
        let turn = self.turn.lock();
        turn.check()?;
        let (decided, records) = decide(&self.context.configs.snapshot())?;
        if records.is_empty() {
            return Ok(decided);
        }
        self.context.configs.write(&records)?;
        let state = self.context.configs.snapshot();
        self.work.set_desired(desired_here(Some(&everything(&state)), &state, state.offset()));
        self.context.has_changed();
        Ok(decided)
    }

    /// Sets the target state of a connector.
    ///
    /// # Errors
    /// If there is no such connector.
    pub(super) fn set_target(&self, connector: &str, target: TargetState) -> HerderResult<()> {
        self.write(|state| match state.contains(connector) {
            true => Ok(((), vec![ConfigRecord::TargetState(connector.to_owned(), Some(target))])),
            false => Err(HerderError::unknown_connector(connector)),
        })
    }

    /// Takes the tasks of a connector away, and then makes it STOPPED. Returns once it is.
    ///
    /// # Errors
    /// If there is no such connector.
    ///
    /// # Cancellation
    /// It may have no tasks, and another state.
    pub(super) async fn stop(&self, connector: &str) -> HerderResult<()> {
        let no_tasks = |state: &ClusterConfigState| match state.contains(connector) {
            true => Ok(((), ConfigRecord::tasks(connector, &[]))),
            false => Err(HerderError::unknown_connector(connector)),
        };
        self.write(no_tasks)?;
        self.work.await_stopped_connector(connector).await;
        self.write(|state| {
            // The connector may have made others meanwhile.
            let ((), mut records) = no_tasks(state)?;
            records.push(ConfigRecord::TargetState(connector.to_owned(), Some(TargetState::Stopped)));
            Ok(((), records))
        })?;
        // A connector that fails to stop is STOPPED all the same.
        let _ = self.work.await_reached(connector).await;
        self.clean_up(connector).await;
        Ok(())
    }

    /// Waits until everything has stopped that shall not run of a connector. Then deletes the statuses of deleted parts.
    ///
    /// # Cancellation
    /// The statuses may stay.
    pub(super) async fn clean_up(&self, connector: &str) {
        self.work.await_stopped_connector(connector).await;
        let _turn = self.turn.lock();
        let state = self.context.configs.snapshot();
        StatusWriter::new(Arc::clone(&self.context), connector).forget_deleted(&state);
    }

    /// Stops everything, and takes no more records.
    ///
    /// # Cancellation
    /// It stops, but nobody waits for that.
    pub(super) async fn shut_down(&self) {
        {
            let mut turn = self.turn.lock();
            turn.is_shut_down = true;
            self.work.set_desired(desired_here(None, &self.context.configs.snapshot(), 0));
        }
        self.work.await_stopped().await;
    }
}

fn everything(state: &ClusterConfigState) -> ExtendedAssignment {
    let ConnectorsAndTasks { connectors, tasks } = ConnectorsAndTasks::configured(state);
    ExtendedAssignment { connectors, tasks, ..ExtendedAssignment::default() }
}
