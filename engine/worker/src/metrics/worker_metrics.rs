//! The registry: what is counted of this worker, and of the tasks that it runs.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Instant;

use parking_lot::Mutex;
use volley_api::{ConnectorKind, Metrics};

use super::exposition::Exposition;
use super::names;
use super::starts::Starts;
use super::task_metrics::TaskMetrics;
use super::windowed::{Windowed, Windows};
use crate::connector_task_id::ConnectorTaskId;

/// All metrics of a worker.
#[derive(Debug)]
pub struct WorkerMetrics {
    windows: Windows,
    /// A task's metrics live as long as whoever runs the task holds them: those of a FAILED task until it is taken away.
    tasks: Mutex<BTreeMap<ConnectorTaskId, Weak<TaskMetrics>>>,
    /// What the plug-ins of connectors count themselves.
    connectors: Mutex<BTreeMap<String, Weak<Metrics>>>,
    /// Starts of connector instances.
    pub(crate) connector_starts: Starts,
    /// Starts of tasks.
    task_starts: Arc<Starts>,
    /// Rebalances of the group.
    pub(crate) rebalances: Rebalances,
}

/// Rebalances that this worker took part in; none where it is not in a group.
#[derive(Debug)]
pub(crate) struct Rebalances {
    is_in_group: AtomicBool,
    epoch: AtomicI64,
    leader_url: Mutex<String>,
    completed: AtomicU64,
    /// When the one that is under way began.
    began: Mutex<Option<Instant>>,
    last: Mutex<Option<Instant>>,
    ms: Mutex<Windowed>,
}

impl Rebalances {
    fn new(windows: Windows) -> Self {
        Self {
            is_in_group: AtomicBool::new(false),
            epoch: AtomicI64::new(-1),
            leader_url: Mutex::default(),
            completed: AtomicU64::new(0),
            began: Mutex::default(),
            last: Mutex::default(),
            ms: Mutex::new(Windowed::new(windows)),
        }
    }

    /// This worker waits for an assignment from now on.
    pub(crate) fn begin(&self) {
        self.is_in_group.store(true, Ordering::Relaxed);
        self.began.lock().get_or_insert_with(Instant::now);
    }

    /// The assignment of this generation, from the leader at this URL, is in force.
    pub(crate) fn complete(&self, generation: i32, leader_url: String) {
        self.is_in_group.store(true, Ordering::Relaxed);
        let now = Instant::now();
        if let Some(began) = self.began.lock().take() {
            self.ms.lock().record(now.duration_since(began).as_secs_f64() * 1e3, now);
        }
        self.epoch.store(i64::from(generation), Ordering::Relaxed);
        *self.leader_url.lock() = leader_url;
        self.completed.fetch_add(1, Ordering::Relaxed);
        *self.last.lock() = Some(now);
    }

    fn expose(&self, to: &mut Exposition) {
        if !self.is_in_group.load(Ordering::Relaxed) {
            return;
        }
        let now = Instant::now();
        let since = self.last.lock().map_or(f64::INFINITY, |last| now.duration_since(last).as_secs_f64() * 1e3);
        let is_under_way = self.began.lock().is_some();
        let mut ms = self.ms.lock();
        to.add(&names::REBALANCE_EPOCH, &[], self.epoch.load(Ordering::Relaxed) as f64);
        let leader = self.leader_url.lock();
        if !leader.is_empty() {
            to.add(&names::REBALANCE_LEADER, &[("leader_name", leader.as_str())], 1.0);
        }
        to.add(&names::REBALANCES_COMPLETED, &[], self.completed.load(Ordering::Relaxed) as f64);
        to.add(&names::REBALANCING, &[], f64::from(u8::from(is_under_way)));
        to.add(&names::REBALANCE_MAX_TIME, &[], ms.max(now));
        to.add(&names::REBALANCE_AVG_TIME, &[], ms.average(now));
        to.add(&names::SINCE_REBALANCE, &[], since.round());
    }
}

impl WorkerMetrics {
    /// Nothing counted yet. Recent figures are of these windows.
    pub fn new(windows: Windows) -> Self {
        Self {
            windows,
            tasks: Mutex::default(),
            connectors: Mutex::default(),
            connector_starts: Starts::default(),
            task_starts: Arc::default(),
            rebalances: Rebalances::new(windows),
        }
    }

    /// The metrics of a task that is started. They show until they are dropped, or others take their place.
    pub(crate) fn task(&self, id: &ConnectorTaskId, kind: ConnectorKind) -> Arc<TaskMetrics> {
        let metrics = Arc::new(TaskMetrics::new(kind, self.windows, Arc::clone(&self.task_starts)));
        self.tasks.lock().insert(id.clone(), Arc::downgrade(&metrics));
        metrics
    }

    /// What the plug-in of a connector's instance counts itself. Shown until it is dropped, or another takes its place.
    pub(crate) fn connector(&self, name: &str) -> Arc<Metrics> {
        let metrics = Arc::new(Metrics::default());
        self.connectors.lock().insert(name.to_owned(), Arc::downgrade(&metrics));
        metrics
    }

    /// Adds a sample of every metric that is counted here.
    pub(crate) fn expose(&self, to: &mut Exposition) {
        self.connector_starts.expose(
            &names::CONNECTOR_STARTUP_ATTEMPTS,
            &names::CONNECTOR_STARTUP_SUCCESS,
            &names::CONNECTOR_STARTUP_FAILURE,
            to,
        );
        self.task_starts.expose(
            &names::TASK_STARTUP_ATTEMPTS,
            &names::TASK_STARTUP_SUCCESS,
            &names::TASK_STARTUP_FAILURE,
            to,
        );
        self.rebalances.expose(to);
        let tasks: Vec<_> = {
            let mut tasks = self.tasks.lock();
            tasks.retain(|_, metrics| metrics.strong_count() > 0);
            tasks.iter().filter_map(|(id, metrics)| Some((id.clone(), metrics.upgrade()?))).collect()
        };
        for (id, metrics) in tasks {
            let task = id.task.to_string();
            metrics.expose(&[("connector", &id.connector), ("task", &task)], to);
        }
        let mut connectors = self.connectors.lock();
        connectors.retain(|_, metrics| metrics.strong_count() > 0);
        for (name, metrics) in connectors.iter().filter_map(|(name, metrics)| Some((name, metrics.upgrade()?))) {
            to.add_of_plugin("volley_connector_plugin", &metrics, &[("connector", name)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(metrics: &WorkerMetrics) -> String {
        let mut exposition = Exposition::default();
        metrics.expose(&mut exposition);
        exposition.text()
    }

    #[test]
    fn the_metrics_of_a_task_show_as_long_as_somebody_has_the_task() {
        let worker = WorkerMetrics::new(Windows::default());
        let id = ConnectorTaskId { connector: "c".into(), task: 3 };
        let task = worker.task(&id, ConnectorKind::Sink);
        task.batch_in(5);
        let sample = "kafka_connect_sink_task_sink_record_read_total{connector=\"c\",task=\"3\"} 5\n";
        assert!(text(&worker).contains(sample));
        let next = worker.task(&id, ConnectorKind::Sink);
        assert!(!text(&worker).contains(sample), "another has taken its place");
        drop((task, next));
        assert!(!text(&worker).contains("task=\"3\""));
    }

    #[test]
    fn a_worker_without_a_group_shows_no_rebalances() {
        let worker = WorkerMetrics::new(Windows::default());
        assert!(!text(&worker).contains("rebalance"));
        worker.rebalances.begin();
        assert!(text(&worker).contains("kafka_connect_worker_rebalance_rebalancing 1\n"));
        worker.rebalances.complete(7, "http://h:1/".to_owned());
        let text = text(&worker);
        assert!(text.contains("kafka_connect_worker_rebalance_epoch 7\n"));
        assert!(text.contains("kafka_connect_worker_rebalance_completed_rebalances_total 1\n"));
        assert!(text.contains("kafka_connect_worker_rebalance_rebalancing 0\n"));
        assert!(text.contains("kafka_connect_worker_rebalance_leader_name{leader_name=\"http://h:1/\"} 1\n"));
    }
}
