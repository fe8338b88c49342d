//! A task in a process: its place there, its lanes, and its end.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tracing::warn;
use volley_api::{ConfigMap, Error, OwnChain, Result};

use crate::callback::Asker;
use crate::control::CallError;
use crate::frames::{FrameError, Kind, Outgoing};
use crate::hosts::{IsGivenUp, Occupant};
use crate::lane::{Answer, ExpectedLane, Lane, LaneError};
use crate::process::HostProcess;
use crate::runtime::{JavaRuntime, START_LIMIT};
use crate::{config_json, java_error};

/// For lanes, which the host opens while it makes the task.
const LANE_LIMIT: Duration = Duration::from_secs(10);
/// For calls that run no code of a plug-in for long.
const END_LIMIT: Duration = Duration::from_secs(5);

type IsAbandoned = Arc<IsGivenUp>;

/// What a task is made of.
pub(crate) struct NewTask<'a> {
    pub(crate) connector: &'a str,
    pub(crate) task: usize,
    pub(crate) config: &'a ConfigMap,
    pub(crate) own_chain: Option<&'a OwnChain>,
    pub(crate) asker: Asker,
    /// Whether the worker has given it up.
    pub(crate) is_abandoned: IsAbandoned,
}

/// Why a call of a task failed.
#[derive(Debug)]
pub(crate) enum TaskError {
    /// The task says why; it lives. The host's answer is beside the error.
    Java(Error, Box<Value>),
    /// The task is gone, or of no use any more.
    Lost(Error),
}

impl From<TaskError> for Error {
    fn from(error: TaskError) -> Self {
        match error {
            TaskError::Java(error, _) | TaskError::Lost(error) => error,
        }
    }
}

#[derive(Debug)]
struct Lanes {
    occupant: Occupant,
    main: Lane,
    /// Until it is taken.
    second: Option<Lane>,
}

/// The second lane of a task: a source is told of deliveries on it while it polls, a sink prepares records on it while it puts.
pub(crate) struct SecondLane {
    id: String,
    process: Arc<HostProcess>,
    /// The error for all calls once the task is lost.
    lane: std::result::Result<Lane, Error>,
    is_abandoned: IsAbandoned,
}

/// A task that was made in a process. Dropped, it is stopped and ended there.
pub(crate) struct HostedTask {
    id: String,
    /// The error for all calls once the task is lost.
    lanes: std::result::Result<Lanes, Error>,
    is_abandoned: IsAbandoned,
    is_stopped: bool,
}

impl HostedTask {
    /// Makes and starts a task; what TASK_NEW answered is beside it.
    ///
    /// # Errors
    /// If there is no process for it, or the plug-in fails.
    pub(crate) fn start(java: &JavaRuntime, new: NewTask<'_>) -> Result<(Self, Value)> {
        let Some(own_chain) = new.own_chain else {
            return Err(Error::fatal("a Java task was started without what its converters are made of"));
        };
        let occupant =
            java.enter(new.connector, &[&own_chain.connector_config, new.config, &own_chain.worker_config])?;
        occupant.watch(&new.is_abandoned);
        let id = format!("{}-{}", new.connector, new.task);
        let process = Arc::clone(occupant.process());
        let main = process.lanes().expect();
        let second = process.lanes().expect();
        let (kind, name_of_second) = match new.asker {
            Asker::Source(_) => ("source", "commit_lane"),
            Asker::Sink(..) => ("sink", "prepare_lane"),
        };
        let request = json!({
            "task": id, "connector": new.connector, "kind": kind,
            "lane": main.number, name_of_second: second.number, "exactly_once": own_chain.exactly_once,
            "connector_config": config_json::to_json(&own_chain.connector_config),
            "task_config": config_json::to_json(new.config),
            "worker_config": config_json::to_json(&own_chain.worker_config),
        });
        process.askers().add_task(&id, new.asker);
        let made = process.calls().call("TASK_NEW", request, START_LIMIT, &*new.is_abandoned);
        let started = match made {
            Ok(answer) => Self::open(occupant, main, second).map(|lanes| (lanes, answer)),
            Err(error) => Err(occupant.failed(error).1),
        };
        match started {
            Ok((lanes, answer)) => {
                let mut this = Self { id, lanes: Ok(lanes), is_abandoned: new.is_abandoned, is_stopped: false };
                this.call(Outgoing::new(Kind::Start))?;
                Ok((this, answer))
            }
            Err(error) => {
                process.askers().remove_task(&id);
                Err(error)
            }
        }
    }

    fn open(occupant: Occupant, main: ExpectedLane, second: ExpectedLane) -> Result<Lanes> {
        match (main.open(LANE_LIMIT), second.open(LANE_LIMIT)) {
            (Some(main), Some(second)) => Ok(Lanes { occupant, main, second: Some(second) }),
            _ => {
                occupant.process().kill("it did not open the connections of a task");
                Err(occupant.process().await_failure())
            }
        }
    }

    /// Calls the task on its main lane.
    ///
    /// # Errors
    /// See [`TaskError`].
    pub(crate) fn call(&mut self, request: Outgoing) -> std::result::Result<Value, TaskError> {
        self.on_main_lane(|lane, is_over| lane.call(request, is_over))
    }

    /// Sends a request on its main lane, whose answer is to be received before the next one.
    ///
    /// # Errors
    /// See [`TaskError`].
    pub(crate) fn send(&mut self, request: Outgoing) -> std::result::Result<(), TaskError> {
        self.on_main_lane(|lane, is_over| lane.send(request, is_over))
    }

    /// Waits for the answer to what was sent, where it is one frame.
    ///
    /// # Errors
    /// See [`TaskError`].
    pub(crate) fn await_answer(&mut self) -> std::result::Result<Value, TaskError> {
        self.on_main_lane(|lane, is_over| lane.await_answer(is_over))
    }

    /// Waits for the next frame of the answer, and whether more has arrived already.
    ///
    /// # Errors
    /// See [`TaskError`].
    pub(crate) fn receive(&mut self) -> std::result::Result<(Answer, bool), TaskError> {
        self.on_main_lane(|lane, is_over| Ok((lane.receive(is_over)?, lane.has_more())))
    }

    fn on_main_lane<T>(
        &mut self,
        operation: impl FnOnce(&mut Lane, &dyn Fn() -> bool) -> std::result::Result<T, LaneError>,
    ) -> std::result::Result<T, TaskError> {
        let is_abandoned = Arc::clone(&self.is_abandoned);
        let lanes = self.lanes()?;
        let process = Arc::clone(lanes.occupant.process());
        let is_over = || is_abandoned() || process.failure().is_some();
        operation(&mut lanes.main, &is_over).map_err(|error| self.failed(error))
    }

    /// The host breaks the protocol: it is of no use any more.
    pub(crate) fn broken(&mut self, error: FrameError) -> TaskError {
        self.failed(LaneError::Broken(error))
    }

    /// The second lane, once.
    pub(crate) fn take_second_lane(&mut self) -> Option<SecondLane> {
        let lanes = self.lanes.as_mut().ok()?;
        Some(SecondLane {
            id: self.id.clone(),
            process: Arc::clone(lanes.occupant.process()),
            lane: Ok(lanes.second.take()?),
            is_abandoned: Arc::clone(&self.is_abandoned),
        })
    }

    /// Why the task is of no use any more, if it is so.
    pub(crate) fn check(&mut self) -> std::result::Result<(), TaskError> {
        let failure = self.lanes()?.occupant.process().failure();
        match failure {
            Some(error) => Err(self.lost(error)),
            None => Ok(()),
        }
    }

    fn lanes(&mut self) -> std::result::Result<&mut Lanes, TaskError> {
        self.lanes.as_mut().map_err(|error| TaskError::Lost(error.clone()))
    }

    fn failed(&mut self, error: LaneError) -> TaskError {
        let Ok(lanes) = &self.lanes else { return TaskError::Lost(Error::fatal("a task was lost twice")) };
        let process = Arc::clone(lanes.occupant.process());
        match error {
            LaneError::Failed(answer) => TaskError::Java(java_error::from_json(&answer["error"]), Box::new(answer)),
            LaneError::Ended => self.lost(process.await_failure()),
            LaneError::Broken(error) => {
                process.kill(&format!("it broke the protocol in task `{}`: {error}", self.id));
                self.lost(process.await_failure())
            }
            LaneError::Abandoned => match process.failure() {
                Some(error) => self.lost(error),
                None => self.abandon(),
            },
        }
    }

    fn lost(&mut self, error: Error) -> TaskError {
        if let Ok(lanes) = std::mem::replace(&mut self.lanes, Err(error.clone())) {
            lanes.occupant.process().askers().remove_task(&self.id);
        }
        TaskError::Lost(error)
    }

    fn abandon(&mut self) -> TaskError {
        let error = given_up(&self.id);
        if let Ok(lanes) = std::mem::replace(&mut self.lanes, Err(error.clone())) {
            let process = Arc::clone(lanes.occupant.process());
            process.askers().remove_task(&self.id);
            drop((lanes.main, lanes.second));
            lanes.occupant.abandon();
            // where the process stays for others: what hangs in Kafka's own retries can be ended
            let _ = process.calls().call("TASK_CANCEL", json!({ "task": self.id }), END_LIMIT, &|| false);
        }
        TaskError::Lost(error)
    }

    /// Stops the task, and ends it in its process.
    pub(crate) fn stop(&mut self) {
        if std::mem::replace(&mut self.is_stopped, true) || self.lanes.is_err() {
            return;
        }
        match self.call(Outgoing::new(Kind::Stop)) {
            Ok(_) => {}
            Err(TaskError::Java(error, _)) => {
                warn!(target: "volley_jvm", task = self.id, error = error.trace(), "a Java task could not stop in order");
            }
            Err(TaskError::Lost(error)) => {
                warn!(target: "volley_jvm", task = self.id, %error, "a Java task was lost while it stopped");
                return;
            }
        }
        let ended = Error::fatal(format!("task `{}` has been stopped", self.id));
        let Ok(lanes) = std::mem::replace(&mut self.lanes, Err(ended)) else { return };
        let process = lanes.occupant.process();
        process.askers().remove_task(&self.id);
        let end = process.calls().call("TASK_END", json!({ "task": self.id }), END_LIMIT, &*self.is_abandoned);
        if let Err(error) = end {
            let hangs = matches!(error, CallError::Hangs(_));
            let error = Error::from(error);
            warn!(target: "volley_jvm", task = self.id, error = error.trace(), "a Java task could not end in order");
            if hangs {
                lanes.occupant.abandon();
            }
        }
    }
}

impl SecondLane {
    /// Calls the task beside what it is called for on its main lane.
    ///
    /// # Errors
    /// See [`TaskError`].
    pub(crate) fn call(&mut self, request: Outgoing) -> std::result::Result<Value, TaskError> {
        self.on_lane(|lane, is_over| lane.call(request, is_over))
    }

    /// Sends a request, whose answer is to be awaited before the next one.
    ///
    /// # Errors
    /// See [`TaskError`].
    pub(crate) fn send(&mut self, request: Outgoing) -> std::result::Result<(), TaskError> {
        self.on_lane(|lane, is_over| lane.send(request, is_over))
    }

    /// Waits for the answer to what was sent.
    ///
    /// # Errors
    /// See [`TaskError`].
    pub(crate) fn await_answer(&mut self) -> std::result::Result<Value, TaskError> {
        self.on_lane(|lane, is_over| lane.await_answer(is_over))
    }

    fn on_lane<T>(
        &mut self,
        operation: impl FnOnce(&mut Lane, &dyn Fn() -> bool) -> std::result::Result<T, LaneError>,
    ) -> std::result::Result<T, TaskError> {
        let lane = self.lane.as_mut().map_err(|error| TaskError::Lost(error.clone()))?;
        let (process, is_abandoned) = (&self.process, &self.is_abandoned);
        let is_over = || is_abandoned() || process.failure().is_some();
        let lost = match operation(lane, &is_over) {
            Ok(answer) => return Ok(answer),
            Err(LaneError::Failed(answer)) => {
                return Err(TaskError::Java(java_error::from_json(&answer["error"]), Box::new(answer)));
            }
            Err(LaneError::Ended) => process.await_failure(),
            Err(LaneError::Broken(error)) => {
                process.kill(&format!("it broke the protocol in task `{}`: {error}", self.id));
                process.await_failure()
            }
            // the main lane's next call gives the task up in its process
            Err(LaneError::Abandoned) => process.failure().unwrap_or_else(|| given_up(&self.id)),
        };
        self.lane = Err(lost.clone());
        Err(TaskError::Lost(lost))
    }
}

impl std::fmt::Debug for SecondLane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecondLane").field("id", &self.id).field("lane", &self.lane).finish_non_exhaustive()
    }
}

fn given_up(id: &str) -> Error {
    Error::fatal(format!("task `{id}` was given up: a call of it did not return in time"))
}

impl Drop for HostedTask {
    fn drop(&mut self) {
        self.stop();
    }
}

impl std::fmt::Debug for HostedTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostedTask").field("id", &self.id).field("lanes", &self.lanes).finish_non_exhaustive()
    }
}
