//! Laws of what happens on one worker while something else is under way there.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Worker;
use crate::herder::RestartPlan;
use crate::herder::connector_queries::ConnectorQueries;
use crate::herder::lifecycle::restart_schedule::Part;
use crate::storage::{ConfigRecord, RestartRequest, TargetState};
use crate::testing::{Gate, eventually};

/// Far less than anything that hangs is given, and far more than it takes when nothing is in the way.
async fn in_moments<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(4), what).await.unwrap()
}

async fn published(worker: &Worker, times: usize) {
    let what = format!("{times} commits were published");
    eventually(&what, || async { worker.leader.published.load(Ordering::SeqCst) == times }).await;
}

async fn asked(worker: &Worker, times: usize) {
    let what = format!("{times} commits were asked for");
    eventually(&what, || async { worker.leader.asked.load(Ordering::SeqCst) == times }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_start_and_pause_and_stop_while_their_connector_hangs() {
    let worker = Worker::new();
    worker.put("a", &[("tasks.max", "2"), ("hang.in", "taskConfigs"), ("gate", "tasks-go-on")]);
    worker.commit("a", &[&[], &[]]);
    worker.rebalance().await;
    worker.reaches("a", "RUNNING", &["RUNNING", "RUNNING"]).await;
    worker.target("a", TargetState::Paused);
    worker.apply().await;
    worker.reaches("a", "RUNNING", &["PAUSED", "PAUSED"]).await;
    in_moments(worker.apply_without(&[1])).await;
    worker.reaches("a", "RUNNING", &["PAUSED", "UNASSIGNED"]).await;
    Gate::named("tasks-go-on").open();
    worker.reaches("a", "PAUSED", &["PAUSED", "UNASSIGNED"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_that_are_slow_to_start_keep_no_other_from_stopping() {
    let worker = Worker::new();
    worker.leader.is_held.send_replace(true);
    worker.put("a", &[("tasks.max", "3")]);
    worker.commit("a", &[&[], &[("password", "${fake:slow-task-start:x}")], &[]]);
    worker.rebalance().await;
    worker.reaches("a", "RUNNING", &["RUNNING"]).await;
    in_moments(worker.apply_without(&[0])).await;
    worker.reaches("a", "RUNNING", &["UNASSIGNED"]).await;
    let restart = worker.work.restart("a", Part::Task(1));
    in_moments(worker.apply_without(&[0, 2])).await;
    Gate::named("slow-task-start").open();
    worker.reaches("a", "RUNNING", &["UNASSIGNED", "RUNNING"]).await;
    assert!(restart.unwrap().await.is_ok(), "who asked for a restart is answered");
    worker.apply_without(&[0]).await;
    worker.reaches("a", "RUNNING", &["UNASSIGNED", "RUNNING", "RUNNING"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_not_stopped_yet_keeps_its_place() {
    let worker = Worker::new();
    worker.put("a", &[("hang.in", "start"), ("gate", "keeps-its-place")]);
    worker.rebalance().await;
    worker.work.set_desired(Default::default());
    worker.work.forget_what_has_stopped();
    assert!(worker.work.view("a").is_some(), "another actor of the same connector would be the second");
    worker.work.await_stopped().await;
    assert!(worker.work.view("a").is_none());
    Gate::named("keeps-its-place").open();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_tasks_are_published_of_a_connector_that_was_stopped_meanwhile() {
    let worker = Worker::started("a", &[("hang.in", "taskConfigs"), ("gate", "stopped-meanwhile")]).await;
    worker.reaches("a", "RUNNING", &[]).await;
    worker.commit("a", &[]);
    worker.target("a", TargetState::Stopped);
    Gate::named("stopped-meanwhile").open();
    worker.apply().await;
    worker.reaches("a", "STOPPED", &[]).await;
    assert_eq!(worker.leader.asked.load(Ordering::SeqCst), 0);
    assert_eq!(worker.context.configs.snapshot().task_count("a"), 0);
    worker.target("a", TargetState::Started);
    worker.apply().await;
    published(&worker, 1).await;
    worker.has_tasks("a", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_published_late_is_not_the_last_word() {
    let worker = Worker::started("a", &[("tasks.max", "2")]).await;
    worker.has_tasks("a", 2).await;
    worker.leader.is_held.send_replace(true);
    worker.put("a", &[("tasks.max", "3")]);
    worker.apply().await;
    asked(&worker, 2).await;
    worker.put("a", &[("tasks.max", "2")]);
    worker.apply().await;
    let restarted = worker.work.restart("a", Part::Connector).unwrap();
    restarted.await.unwrap().unwrap();
    worker.leader.is_held.send_replace(false);
    published(&worker, 3).await;
    worker.has_tasks("a", 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_earlier_owner_publishes_late_is_not_the_last_word() {
    let worker = Worker::started("a", &[("tasks.max", "2")]).await;
    worker.has_tasks("a", 2).await;
    worker.leader.is_held.send_replace(true);
    worker.put("a", &[("tasks.max", "3")]);
    worker.apply().await;
    asked(&worker, 2).await;
    worker.lose_everything().await;
    worker.put("a", &[("tasks.max", "2")]);
    worker.rebalance().await;
    worker.reaches("a", "RUNNING", &["RUNNING", "RUNNING"]).await;
    worker.leader.is_held.send_replace(false);
    published(&worker, 2).await;
    worker.has_tasks("a", 3).await;
    worker.apply().await;
    worker.has_tasks("a", 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_lost_its_tasks_is_made_good() {
    let worker = Worker::started("a", &[("tasks.max", "2")]).await;
    worker.has_tasks("a", 2).await;
    worker.context.configs.write(&[ConfigRecord::Commit("a".into(), 2)]).unwrap();
    assert_eq!(worker.context.configs.snapshot().inconsistent_connectors().count(), 1);
    worker.apply().await;
    worker.has_tasks("a", 2).await;
    published(&worker, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn variables_are_resolved_before_a_configuration_is_heeded() {
    let variables = [
        ("tasks.max", "${fake:2}"),
        ("connector.class", "${fake:FakeSource}"),
        ("volley.restart.max.attempts", "${fake:100}"),
        ("volley.restart.backoff.ms", "${fake:10}"),
        ("fail.once", "variables-are-resolved"),
    ];
    let worker = Worker::started("a", &variables).await;
    worker.has_tasks("a", 2).await;
    worker.rebalance().await;
    worker.reaches("a", "RUNNING", &["RUNNING", "RUNNING"]).await;
    let restarted = worker.work.restart("a", Part::Task(1)).unwrap();
    restarted.await.unwrap().unwrap();
    worker.reaches("a", "RUNNING", &["RUNNING", "RUNNING"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_that_was_taken_back_leaves_nothing_paused() {
    let worker = Worker::started("a", &[("hang.in", "stop"), ("gate", "pause-taken-back")]).await;
    worker.has_tasks("a", 1).await;
    worker.rebalance().await;
    worker.reaches("a", "RUNNING", &["RUNNING"]).await;
    worker.target("a", TargetState::Paused);
    let connector = worker.work.restart("a", Part::Connector).unwrap();
    let task = worker.work.restart("a", Part::Task(0)).unwrap();
    Gate::named("pause-taken-back").open();
    connector.await.unwrap().unwrap();
    task.await.unwrap().unwrap();
    worker.target("a", TargetState::Started);
    worker.apply().await;
    worker.reaches("a", "RUNNING", &["RUNNING"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_that_is_not_taken_is_not_shown() {
    let worker = Worker::started("a", &[("hang.in", "taskConfigs"), ("gate", "too-many-restarts")]).await;
    worker.reaches("a", "RUNNING", &[]).await;
    let busy = || worker.work.restart("a", Part::Connector).is_err();
    eventually("too many restarts wait", || async { busy() }).await;
    let request = RestartRequest { connector: "a".into(), include_tasks: false, only_failed: false };
    let states = ConnectorQueries::new(Arc::clone(&worker.context)).states("a").unwrap();
    worker.work.restart_share(&RestartPlan::new(&request, states)).unwrap_err();
    assert_ne!(worker.states("a").0, "RESTARTING");
    Gate::named("too-many-restarts").open();
}
