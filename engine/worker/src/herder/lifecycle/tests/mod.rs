//! Laws of what runs on one worker of a group, with everything assigned to it, and stores in memory.

mod races;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::{oneshot, watch};
use volley_api::ConfigMap;
use volley_api::testing::config_map;

use crate::connector_task_id::ConnectorTaskId;
use crate::error::{HerderError, HerderResult};
use crate::group::{ConnectorsAndTasks, ExtendedAssignment};
use crate::herder::WorkerContext;
use crate::herder::connector_queries::ConnectorQueries;
use crate::herder::lifecycle::assigned_work::AssignedWork;
use crate::herder::lifecycle::desired::desired_here;
use crate::herder::lifecycle::restart_schedule::Part;
use crate::herder::lifecycle::task_config_publisher::{TaskConfigPublisher, check_takes_tasks, is_current};
use crate::spawned_task::SpawnedTask;
use crate::storage::TaskProgressSnapshot;
use crate::storage::{Completion, ConfigRecord, TargetState, TaskRun};
use crate::testing::{Gate, eventually, test_context};

/// Writes as the leader would; fails as often as it is told to first.
pub(crate) struct FakeLeader {
    context: Arc<WorkerContext>,
    failures: AtomicUsize,
    /// How many commits it was asked for.
    pub(crate) asked: AtomicUsize,
    pub(crate) published: Arc<AtomicUsize>,
    completed: AtomicUsize,
    /// Whether what it is asked for has to wait.
    pub(crate) is_held: watch::Sender<bool>,
    writes: Mutex<Vec<SpawnedTask>>,
}

#[async_trait]
impl TaskConfigPublisher for FakeLeader {
    async fn publish(&self, connector: &str, configs: Vec<ConfigMap>) -> HerderResult<()> {
        if self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return Err(HerderError::Forward(None));
        }
        self.asked.fetch_add(1, Ordering::SeqCst);
        let (context, published) = (Arc::clone(&self.context), Arc::clone(&self.published));
        let (mut is_held, connector) = (self.is_held.subscribe(), connector.to_owned());
        let (reply, answer) = oneshot::channel();
        // Whoever asks may give up waiting: it is written all the same.
        let writing = SpawnedTask::start_here("a write of the leader", async move {
            is_held.wait_for(|is_held| !is_held).await.unwrap();
            let written = check_takes_tasks(&context.configs.snapshot(), &connector, &configs).and_then(|()| {
                context.configs.write(&ConfigRecord::tasks(&connector, &configs))?;
                published.fetch_add(1, Ordering::SeqCst);
                Ok(())
            });
            let _ = reply.send(written);
        });
        self.writes.lock().push(writing);
        answer.await.unwrap()
    }

    async fn complete(&self, connector: &str, run: i64, completion: Completion) -> HerderResult<bool> {
        if !is_current(&self.context.configs.snapshot(), connector, run) {
            return Ok(false);
        }
        self.completed.fetch_add(1, Ordering::SeqCst);
        self.context.configs.write(&[ConfigRecord::Completed(connector.to_owned(), completion)])?;
        Ok(true)
    }

    async fn refresh(&self) -> HerderResult<()> {
        Ok(())
    }

    fn shares_runs(&self) -> bool {
        true
    }
}

pub(crate) struct Worker {
    pub(crate) context: Arc<WorkerContext>,
    pub(crate) leader: Arc<FakeLeader>,
    pub(crate) work: AssignedWork,
    agreed: Mutex<i64>,
}

impl FakeLeader {
    fn new(context: &Arc<WorkerContext>) -> Self {
        Self {
            context: Arc::clone(context),
            failures: 0.into(),
            asked: 0.into(),
            published: Arc::default(),
            completed: 0.into(),
            is_held: watch::Sender::new(false),
            writes: Mutex::default(),
        }
    }
}

impl Worker {
    pub(crate) fn new() -> Self {
        let context = test_context();
        let leader = Arc::new(FakeLeader::new(&context));
        let work = AssignedWork::new(Arc::clone(&context), Arc::clone(&leader) as Arc<dyn TaskConfigPublisher>);
        Self { context, leader, work, agreed: Mutex::new(0) }
    }

    pub(crate) fn put(&self, name: &str, more: &[(&str, &str)]) {
        let mut config = config_map(&[("name", name), ("connector.class", "FakeSource")]);
        config.extend(config_map(more));
        self.context.configs.write(&[ConfigRecord::Connector(name.into(), Some(config.into()))]).unwrap();
    }

    pub(crate) fn target(&self, name: &str, state: TargetState) {
        self.context.configs.write(&[ConfigRecord::TargetState(name.into(), Some(state))]).unwrap();
    }

    /// As if a rebalance had given everything to this worker.
    pub(crate) async fn rebalance(&self) {
        *self.agreed.lock() = self.context.configs.snapshot().offset();
        self.apply().await;
    }

    /// As if the config topic had told the loop of something new.
    pub(crate) async fn apply(&self) {
        self.apply_without(&[]).await;
    }

    /// The same, but these tasks belong to other workers.
    pub(crate) async fn apply_without(&self, elsewhere: &[usize]) {
        let state = self.context.configs.snapshot();
        let mut all = ConnectorsAndTasks::configured(&state);
        all.tasks.retain(|id| !elsewhere.contains(&id.task));
        let assignment =
            ExtendedAssignment { connectors: all.connectors, tasks: all.tasks, ..ExtendedAssignment::default() };
        let agreed = *self.agreed.lock();
        self.work.set_desired(desired_here(Some(&assignment), &state, agreed));
        self.work.await_stopped().await;
    }

    pub(crate) async fn lose_everything(&self) {
        self.work.set_desired(desired_here(None, &self.context.configs.snapshot(), 0));
        self.work.await_stopped().await;
    }

    pub(crate) fn states(&self, name: &str) -> (String, Vec<String>) {
        match ConnectorQueries::new(Arc::clone(&self.context)).states(name) {
            Ok(states) => (states.connector.state, states.tasks.into_iter().map(|task| task.state).collect()),
            Err(_) => (String::new(), Vec::new()),
        }
    }

    pub(crate) async fn reaches(&self, name: &str, connector: &str, tasks: &[&str]) {
        let what = format!("{name} is {connector} {tasks:?}");
        eventually(&what, || async {
            let (state, states) = self.states(name);
            state == connector && states == tasks
        })
        .await;
    }

    /// Commits tasks as if the connector had made them elsewhere.
    pub(crate) fn commit(&self, name: &str, tasks: &[&[(&str, &str)]]) {
        let tasks: Vec<_> = tasks.iter().map(|config| config_map(config)).collect();
        self.context.configs.write(&ConfigRecord::tasks(name, &tasks)).unwrap();
    }

    pub(crate) async fn has_tasks(&self, name: &str, tasks: usize) {
        let what = format!("{name} has {tasks} tasks");
        eventually(&what, || async { self.context.configs.snapshot().task_configs(name).len() == tasks }).await;
    }

    pub(crate) async fn started(name: &str, more: &[(&str, &str)]) -> Self {
        let worker = Self::new();
        worker.put(name, more);
        worker.rebalance().await;
        worker
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tasks_of_a_commit_run_once_an_assignment_was_made_from_it() {
    let worker = Worker::started("a", &[("tasks.max", "2")]).await;
    worker.reaches("a", "RUNNING", &[]).await;
    worker.has_tasks("a", 2).await;
    worker.apply().await;
    assert_eq!(worker.states("a").1.len(), 0, "committed, but not assigned yet");
    worker.rebalance().await;
    worker.reaches("a", "RUNNING", &["RUNNING", "RUNNING"]).await;

    // Another commit stops them, and the next assignment starts what it has.
    worker.put("a", &[("tasks.max", "3")]);
    worker.apply().await;
    worker.has_tasks("a", 3).await;
    worker.apply().await;
    assert_eq!(worker.states("a").1, ["UNASSIGNED", "UNASSIGNED"]);
    worker.rebalance().await;
    worker.reaches("a", "RUNNING", &["RUNNING", "RUNNING", "RUNNING"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_configuration_again_restarts_the_connector_and_leaves_its_tasks_alone() {
    let worker = Worker::started("a", &[]).await;
    worker.has_tasks("a", 1).await;
    worker.rebalance().await;
    worker.reaches("a", "RUNNING", &["RUNNING"]).await;
    worker.put("a", &[]);
    worker.apply().await;
    worker.reaches("a", "RUNNING", &["RUNNING"]).await;
    worker.put("a", &[("fail.in", "start")]);
    worker.apply().await;
    worker.reaches("a", "FAILED", &["RUNNING"]).await;
    worker.put("a", &[]);
    worker.apply().await;
    worker.reaches("a", "RUNNING", &["RUNNING"]).await;
    assert_eq!(worker.leader.published.load(Ordering::SeqCst), 1, "the same tasks are not published again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn target_states_are_reached_in_place() {
    let worker = Worker::started("a", &[]).await;
    worker.has_tasks("a", 1).await;
    worker.rebalance().await;
    for (target, state) in [(TargetState::Paused, "PAUSED"), (TargetState::Started, "RUNNING")] {
        worker.target("a", target);
        worker.apply().await;
        worker.reaches("a", state, &[state]).await;
    }
    worker.context.configs.write(&ConfigRecord::tasks("a", &[])).unwrap();
    worker.target("a", TargetState::Stopped);
    worker.apply().await;
    worker.reaches("a", "STOPPED", &["UNASSIGNED"]).await;
    worker.rebalance().await;
    worker.target("a", TargetState::Started);
    worker.apply().await;
    worker.has_tasks("a", 1).await;
    worker.rebalance().await;
    worker.reaches("a", "RUNNING", &["RUNNING"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn publishing_is_tried_again_until_there_is_a_leader() {
    let worker = Worker::new();
    worker.leader.failures.store(2, Ordering::SeqCst);
    worker.put("a", &[]);
    worker.rebalance().await;
    worker.has_tasks("a", 1).await;
    assert_eq!(worker.leader.published.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn task_configurations_that_fail_are_made_again() {
    let fails_once = [("fail.once", "distributed-task-configs"), ("fail.once.in", "taskConfigs")];
    let worker = Worker::started("a", &fails_once).await;
    worker.reaches("a", "RUNNING", &[]).await;
    worker.has_tasks("a", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_tasks_fail_the_connector_for_good() {
    let worker = Worker::started("a", &[("size", "3"), ("tasks.max", "2")]).await;
    worker.reaches("a", "FAILED", &[]).await;
    assert_eq!(worker.leader.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_topic_creation_keys_fail_the_connector_when_it_starts() {
    let worker = Worker::started("a", &[("topic.creation.default.partitions", "1")]).await;
    worker.reaches("a", "FAILED", &[]).await;
    worker.put("a", &[]);
    worker.apply().await;
    worker.reaches("a", "RUNNING", &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_lost_has_stopped_when_the_loop_goes_on() {
    let worker = Worker::started("a", &[("tasks.max", "2")]).await;
    worker.has_tasks("a", 2).await;
    worker.rebalance().await;
    worker.reaches("a", "RUNNING", &["RUNNING", "RUNNING"]).await;
    worker.lose_everything().await;
    assert_eq!(worker.states("a"), ("UNASSIGNED".into(), vec!["UNASSIGNED".into(), "UNASSIGNED".into()]));
    worker.rebalance().await;
    worker.reaches("a", "RUNNING", &["RUNNING", "RUNNING"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connector_that_hangs_holds_up_no_other() {
    let worker = Worker::new();
    worker.put("stuck", &[("hang.in", "start"), ("gate", "distributed-stuck")]);
    worker.put("free", &[]);
    worker.rebalance().await;
    worker.reaches("free", "RUNNING", &[]).await;
    worker.has_tasks("free", 1).await;
    tokio::time::timeout(Duration::from_secs(20), worker.lose_everything()).await.unwrap();
    assert_eq!(worker.states("free").0, "UNASSIGNED");
    Gate::named("distributed-stuck").open();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restarts_reach_what_is_here_and_nothing_else() {
    let worker = Worker::started("a", &[]).await;
    worker.has_tasks("a", 1).await;
    worker.rebalance().await;
    worker.reaches("a", "RUNNING", &["RUNNING"]).await;
    let answer = worker.work.restart("a", Part::Task(0)).unwrap();
    answer.await.unwrap().unwrap();
    worker.reaches("a", "RUNNING", &["RUNNING"]).await;
    let answer = worker.work.restart("a", Part::Task(1)).unwrap();
    assert!(matches!(answer.await.unwrap(), Err(HerderError::Forward(None))));
    assert!(matches!(worker.work.restart("b", Part::Connector), Err(HerderError::Forward(None))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_is_started_again_where_the_user_wants_that() {
    let desired =
        [("volley.restart.max.attempts", "100"), ("volley.restart.backoff.ms", "10"), ("fail.once", "restart-me")];
    let worker = Worker::started("a", &desired).await;
    worker.reaches("a", "RUNNING", &[]).await;
    worker.has_tasks("a", 1).await;

    let worker = Worker::started("a", &[("fail.once", "leave-me")]).await;
    worker.reaches("a", "FAILED", &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connector_all_of_whose_tasks_are_done_stops_once_and_starts_again_when_it_is_resumed() {
    let worker = Worker::started("a", &[("tasks.max", "2"), ("end", "true")]).await;
    for runs in 1..=2 {
        worker.has_tasks("a", 2).await;
        worker.rebalance().await;
        worker.has_tasks("a", 0).await;
        worker.apply().await;
        eventually("it is STOPPED", || async { worker.states("a").0 == "STOPPED" }).await;
        let queries = ConnectorQueries::new(Arc::clone(&worker.context));
        assert!(queries.states("a").unwrap().completion.is_some());
        assert_eq!(worker.leader.completed.load(Ordering::SeqCst), runs);
        worker.rebalance().await;
        worker.target("a", TargetState::Started);
        assert_eq!(queries.states("a").unwrap().completion, None, "resumed");
        worker.apply().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_complete_once_its_connector_has_heard_of_the_end_however_often_it_has_to_be_told() {
    let fails_once = [("end", "true"), ("fail.once", "end-of-run"), ("fail.once.in", "endOfRun")];
    let worker = Worker::started("a", &fails_once).await;
    worker.has_tasks("a", 1).await;
    worker.rebalance().await;
    worker.has_tasks("a", 0).await;
    worker.apply().await;
    eventually("it is STOPPED", || async { worker.states("a").0 == "STOPPED" }).await;
    assert!(!Gate::named("end-of-run").open_once(), "it was told, and failed");
    assert_eq!(worker.leader.completed.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_is_done_is_not_started_again_and_what_was_done_before_counts() {
    let worker = Worker::started("a", &[("tasks.max", "2"), ("end", "true")]).await;
    worker.has_tasks("a", 2).await;
    let run = worker.context.configs.snapshot().tasks_position("a");
    let task = |task| ConnectorTaskId { connector: "a".into(), task };
    let progress = TaskProgressSnapshot { rows_out: 7, ..TaskProgressSnapshot::default() };
    let before = TaskRun { run, is_done: false, started_at: 1, progress };
    worker.context.statuses.put_task_run(task(0), Some(TaskRun { is_done: true, ..before.clone() }));
    worker.context.statuses.put_task_run(task(1), Some(before));
    worker.rebalance().await;
    worker.has_tasks("a", 0).await;
    let state = worker.context.configs.snapshot();
    assert_eq!(state.completion("a").unwrap().rows_delivered, 14, "what was done before counts");
    assert_eq!(worker.states("a").1, ["UNASSIGNED"], "task 0 was never started");
}
