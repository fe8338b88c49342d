//! The herder's handle of a task, and the specification to start one.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::{error, warn};
use volley_api::{ConfigMap, ConnectorKind, Error, Plugin, Result};

use crate::connector_task_id::ConnectorTaskId;
use crate::memory_budget::MemoryBudget;
use crate::metrics::TaskMetrics;
use crate::plugins::Plugins;
use crate::storage::{OffsetBackingStore, State};
use crate::task::control::{Control, Wanted};
use crate::task::sink::BoundedRun;
use crate::task::sink::sink_task;
use crate::task::source::{ExactlyOnceGuard, source_task};
use crate::worker_config::WorkerConfig;

/// Observed state of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskState {
    /// It runs.
    Running,
    /// It waits to be resumed.
    Paused,
    /// It has failed for good; the trace says why.
    Failed {
        /// `class: message` and the causes, a line each.
        trace: String,
    },
    /// It has stopped as requested.
    Unassigned,
    /// It is bounded and has delivered everything.
    Done,
}

impl TaskState {
    /// The state that users see: a task that is done is UNASSIGNED.
    pub(crate) fn observed(&self) -> State {
        match self {
            Self::Running => State::Running,
            Self::Paused => State::Paused,
            Self::Failed { .. } => State::Failed,
            Self::Unassigned | Self::Done => State::Unassigned,
        }
    }
}

/// Called on every change of a task's state, from the task's own threads. MUST NOT block.
pub trait StatusListener: Send + Sync {
    /// The task `id` is now in `state`.
    fn task_changed(&self, id: &ConnectorTaskId, state: TaskState);

    /// The task `id` reads from or writes to `topic` (KIP-558). Called about once a second while it does.
    fn topic_used(&self, _id: &ConnectorTaskId, _topic: &str) {}
}

/// Reads a configuration.
pub type ReadConfig = Arc<dyn Fn() -> Result<ConfigMap> + Send + Sync>;

/// All that a task needs to run. Configurations have their variables resolved.
pub struct TaskSpec {
    /// The id of the task.
    pub id: ConnectorTaskId,
    /// Sink or source.
    pub kind: ConnectorKind,
    /// The connector's plug-in, which makes the task.
    pub plugin: Plugin,
    /// Configuration of the connector: converters, transformations, error handling, client overrides.
    pub connector_config: ConfigMap,
    /// Configuration of the task, from the connector.
    pub task_config: ConfigMap,
    /// Reads the configuration of the task with its variables resolved anew. Blocks on config providers.
    pub current_config: ReadConfig,
    /// The worker's configuration.
    pub worker_config: Arc<WorkerConfig>,
    /// All plug-ins.
    pub plugins: Arc<Plugins>,
    /// Offsets of source connectors.
    pub offsets: Arc<dyn OffsetBackingStore>,
    /// Set for a source that delivers exactly once.
    pub exactly_once: Option<Arc<dyn ExactlyOnceGuard>>,
    /// The worker's budget for batches in memory.
    pub budget: Arc<MemoryBudget>,
    /// Set for a sink with `volley.mode=bounded`: shared by all tasks of one start of the connector.
    pub bounded: Option<Arc<BoundedRun>>,
    /// Whether it starts paused.
    pub paused: bool,
    /// The task's metrics.
    pub metrics: Arc<TaskMetrics>,
    /// Receives the task's states.
    pub listener: Arc<dyn StatusListener>,
}

impl fmt::Debug for TaskSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskSpec").field("id", &self.id).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// A started task. Dropping it does not stop the task: call [`TaskHandle::request_stop`].
pub struct TaskHandle {
    control: Arc<Control>,
    metrics: Arc<TaskMetrics>,
    graceful_timeout: Duration,
}

impl fmt::Debug for TaskHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskHandle").field("id", &self.control.id()).finish_non_exhaustive()
    }
}

/// Starts a task on threads of its own. Returns at once; the outcome is reported to the spec's listener.
pub fn spawn(spec: TaskSpec) -> TaskHandle {
    let control =
        Arc::new(Control::new(spec.id.clone(), Arc::clone(&spec.listener), Arc::clone(&spec.metrics), spec.paused));
    let metrics = Arc::clone(&spec.metrics);
    let handle = TaskHandle {
        control: Arc::clone(&control),
        metrics: Arc::clone(&metrics),
        graceful_timeout: spec.worker_config.task_shutdown_timeout(),
    };
    let (thread_control, name) = (Arc::clone(&control), format!("task-{}", spec.id));
    let thread = std::thread::Builder::new().name(name).spawn(move || {
        let outcome = catch_unwind(AssertUnwindSafe(|| match spec.kind {
            ConnectorKind::Sink => sink_task::run(&spec, &thread_control, &metrics),
            ConnectorKind::Source => source_task::run(&spec, &thread_control, &metrics),
        }));
        let state = match outcome.unwrap_or_else(|panic| Err(panic_error(&*panic))) {
            Ok(state) => state,
            Err(error) if thread_control.is_stopping() => {
                warn!(task = %spec.id, error = %error.trace(), "task failed after it was asked to stop");
                TaskState::Unassigned
            }
            Err(error) => {
                error!(task = %spec.id, error = %error.trace(), "task failed and will not recover until it is restarted");
                TaskState::Failed { trace: error.trace() }
            }
        };
        thread_control.report(state);
        thread_control.ended();
    });
    if let Err(error) = thread {
        let error = Error::fatal("could not start the task's thread").with_source(error);
        control.report(TaskState::Failed { trace: error.trace() });
        control.ended();
    }
    handle
}

/// The error of a plug-in that panicked.
pub(crate) fn panic_error(panic: &(dyn Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned());
    Error::fatal(format!("the task panicked: {text}; this is a defect of Volley or of the plug-in"))
}

impl TaskHandle {
    /// Requests a pause: the task keeps its place in the group but delivers nothing more. Returns at once.
    pub fn pause(&self) {
        self.control.want(Wanted::Paused);
    }

    /// Requests the task to resume. Returns at once.
    pub fn resume(&self) {
        self.control.want(Wanted::Running);
    }

    /// Requests the task to stop, without waiting. It may use `task.shutdown.graceful.timeout.ms` to deliver its
    /// records.
    pub fn request_stop(&self) {
        self.control.want(Wanted::Stopped { deadline: Instant::now() + self.graceful_timeout.mul_f32(0.8) });
    }

    /// Waits until the task has ended; `false` if it has not within `timeout`. Then the task is abandoned, and none of
    /// its further actions is reported. Blocks: never call it on the control runtime.
    pub fn await_stop(&self, timeout: Duration) -> bool {
        self.control.await_end(timeout)
    }

    /// The metrics of the task.
    pub fn metrics(&self) -> &TaskMetrics {
        &self.metrics
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use volley_api::testing::config_map;
    use volley_api::{
        ConfigDef, Connector, ConnectorContext, PluginFactory, Result, RunningConnector, SourceContext, single_task,
    };

    use super::*;
    use crate::testing::{FakeSourceTask, Gate, test_context};

    #[derive(Default)]
    struct States(Mutex<Vec<TaskState>>);

    impl StatusListener for States {
        fn task_changed(&self, _: &ConnectorTaskId, state: TaskState) {
            self.0.lock().unwrap().push(state);
        }
    }

    fn spec(listener: &Arc<States>, config: &[(&str, &str)]) -> TaskSpec {
        let context = test_context();
        let mut connector_config = config_map(&[("name", "c"), ("connector.class", "FakeSource")]);
        connector_config.extend(config_map(config));
        TaskSpec {
            id: ConnectorTaskId { connector: "c".into(), task: 0 },
            kind: ConnectorKind::Source,
            plugin: context.plugins.find_connector("FakeSource").unwrap().clone(),
            task_config: connector_config.clone(),
            current_config: Arc::new(|| Ok(ConfigMap::new())),
            connector_config,
            worker_config: Arc::clone(&context.config),
            plugins: Arc::clone(&context.plugins),
            offsets: Arc::clone(&context.offsets),
            exactly_once: None,
            budget: Arc::clone(&context.budget),
            bounded: None,
            paused: false,
            metrics: TaskMetrics::alone(ConnectorKind::Source),
            listener: Arc::clone(listener) as _,
        }
    }

    #[test]
    fn a_task_that_fails_after_it_was_asked_to_stop_has_stopped() {
        let states = Arc::new(States::default());
        let gate = "a_task_that_fails_after_it_was_asked_to_stop";
        let task = spawn(spec(&states, &[("hang.in", "poll"), ("fail.in", "poll"), ("gate", gate)]));
        task.request_stop();
        Gate::named(gate).open();
        assert!(task.await_stop(Duration::from_secs(20)));
        assert_eq!(states.0.lock().unwrap().last(), Some(&TaskState::Unassigned));
    }

    #[test]
    fn bad_client_properties_and_creation_keys_fail_a_task_when_it_starts() {
        for (key, value, reason) in [
            ("producer.override.acks", "banana", "acks"),
            ("topic.creation.default.partitions", "3", "topic.creation.default.replication.factor"),
        ] {
            let states = Arc::new(States::default());
            let task = spawn(spec(&states, &[(key, value)]));
            assert!(task.await_stop(Duration::from_secs(20)));
            let states = states.0.lock().unwrap();
            let [TaskState::Failed { trace }] = &states[..] else { panic!("{key}: {states:?}") };
            assert!(trace.contains(reason), "{trace}");
        }
    }

    /// A source whose tasks convert by themselves.
    struct OwnChainSource;

    impl Connector for OwnChainSource {
        fn config_def(&self) -> ConfigDef {
            ConfigDef::new()
        }

        fn start(&self, _: ConnectorContext, config: &ConfigMap) -> Result<Box<dyn RunningConnector>> {
            single_task(config)
        }

        fn has_own_chain(&self) -> bool {
            true
        }
    }

    #[test]
    fn no_converters_and_transformations_are_made_for_a_task_that_has_its_own() {
        let states = Arc::new(States::default());
        let given = [("value.converter", "org.example.OfAJar"), ("transforms", "a"), ("transforms.a.type", "OfAJar")];
        let (told, seen) = crossbeam_channel::bounded(1);
        let mut spec = spec(&states, &given);
        spec.plugin.factory = PluginFactory::source(OwnChainSource, move |context: SourceContext, config| {
            let is_abandoned = context.is_abandoned();
            told.send((context.own_chain().cloned(), is_abandoned)).unwrap();
            FakeSourceTask::start(context, config)
        });
        let connector_config = spec.connector_config.clone();
        let task = spawn(spec);
        let (own_chain, is_abandoned) = seen.recv_timeout(Duration::from_secs(20)).unwrap();
        let own_chain = own_chain.unwrap();
        assert_eq!((own_chain.connector_config, own_chain.max_poll_records), (connector_config, 500));
        assert!(own_chain.worker_config.contains_key("key.converter") && !is_abandoned);
        task.request_stop();
        assert!(task.await_stop(Duration::from_secs(20)));
        assert_eq!(states.0.lock().unwrap().last(), Some(&TaskState::Unassigned));
    }
}
