//! Laws of the standalone herder.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::time::timeout;
use volley_api::testing::config_map;

use crate::error::{HerderError, HerderResult};
use crate::herder::{ConnectorOffset, ConnectorStateInfo, Created, Herder, StandaloneHerder};
use crate::json_config::GivenConfig;
use crate::spawned_task::SpawnedTask;
use crate::storage::{RestartRequest, TargetState};
use crate::testing::{Gate, eventually, test_herder};

async fn create(herder: &StandaloneHerder, name: &str, more: &[(&str, &str)]) -> HerderResult<Created> {
    put(herder, name, more, None, false).await
}

async fn put(
    herder: &StandaloneHerder,
    name: &str,
    more: &[(&str, &str)],
    initial: Option<TargetState>,
    may_replace: bool,
) -> HerderResult<Created> {
    let mut config = config_map(&[("name", name), ("connector.class", "FakeSource")]);
    config.extend(config_map(more));
    herder.put_connector(name, GivenConfig::from(config), initial, may_replace).await
}

async fn status(herder: &StandaloneHerder, name: &str) -> ConnectorStateInfo {
    herder.connector_status(name).await.unwrap()
}

fn states(status: &ConnectorStateInfo) -> (String, Vec<String>) {
    (status.connector.state.clone(), status.tasks.iter().map(|task| task.state.clone()).collect())
}

async fn reaches(herder: &Arc<StandaloneHerder>, name: &str, connector: &str, tasks: &[&str]) {
    eventually(&format!("{name} is {connector} {tasks:?}"), || async {
        match herder.connector_status(name).await {
            Ok(status) => {
                let (state, task_states) = states(&status);
                state == connector && task_states == tasks
            }
            Err(_) => false,
        }
    })
    .await;
}

#[tokio::test]
async fn a_connector_and_its_tasks_live_and_die() {
    let herder = test_herder();
    let created = create(&herder, "a", &[("tasks.max", "2")]).await.unwrap();
    assert!(created.is_new);
    assert_eq!((created.info.tasks.len(), created.info.kind), (2, "source"));
    reaches(&herder, "a", "RUNNING", &["RUNNING", "RUNNING"]).await;
    assert_eq!(status(&herder, "a").await.connector.version.as_deref(), Some("1.0"));

    herder.set_target_state("a", TargetState::Paused).await.unwrap();
    reaches(&herder, "a", "PAUSED", &["PAUSED", "PAUSED"]).await;
    herder.set_target_state("a", TargetState::Started).await.unwrap();
    reaches(&herder, "a", "RUNNING", &["RUNNING", "RUNNING"]).await;
    herder.set_target_state("a", TargetState::Stopped).await.unwrap();
    assert_eq!(states(&status(&herder, "a").await), ("STOPPED".into(), vec![]));
    assert!(herder.task_infos("a").await.unwrap().is_empty());
    herder.set_target_state("a", TargetState::Started).await.unwrap();
    reaches(&herder, "a", "RUNNING", &["RUNNING", "RUNNING"]).await;

    herder.delete_connector("a").await.unwrap();
    assert!(herder.connectors().await.unwrap().is_empty());
    assert_eq!(herder.connector_status("a").await.unwrap_err().status(), 404);
    assert_eq!(herder.delete_connector("a").await.unwrap_err().status(), 404);
    assert!(create(&herder, "a", &[]).await.unwrap().is_new, "the name is free again");
}

#[tokio::test]
async fn bad_topic_creation_keys_fail_the_connector_when_it_starts() {
    let herder = test_herder();
    let error = create(&herder, "a", &[("topic.creation.default.partitions", "1")]).await.unwrap_err();
    let message =
        "Missing required configuration \"topic.creation.default.replication.factor\" which has no default value.";
    assert_eq!((error.status(), error.to_string()), (500, message.to_owned()));
    let status = status(&herder, "a").await;
    assert_eq!(states(&status), ("FAILED".into(), vec![]));
    assert!(status.connector.trace.is_some_and(|trace| trace.contains(message)));
}

#[tokio::test]
async fn a_connector_is_created_once() {
    let herder = test_herder();
    create(&herder, "a", &[]).await.unwrap();
    let error = create(&herder, "a", &[]).await.unwrap_err();
    assert_eq!((error.status(), error.to_string().as_str()), (409, "Connector a already exists"));
    assert!(!put(&herder, "a", &[("tasks.max", "3")], None, true).await.unwrap().is_new);
    reaches(&herder, "a", "RUNNING", &["RUNNING", "RUNNING", "RUNNING"]).await;
}

#[tokio::test]
async fn an_initial_state_holds() {
    let herder = test_herder();
    for (name, initial, state) in [("p", TargetState::Paused, "PAUSED"), ("s", TargetState::Stopped, "STOPPED")] {
        put(&herder, name, &[], Some(initial), false).await.unwrap();
        assert_eq!(states(&status(&herder, name).await), (state.into(), vec![]));
        put(&herder, name, &[("tasks.max", "2")], None, true).await.unwrap();
        assert_eq!(
            states(&status(&herder, name).await),
            (state.into(), vec![]),
            "a new configuration does not start it"
        );
    }
    herder.set_target_state("s", TargetState::Started).await.unwrap();
    reaches(&herder, "s", "RUNNING", &["RUNNING", "RUNNING"]).await;
}

#[tokio::test]
async fn an_invalid_configuration_changes_nothing() {
    let herder = test_herder();
    let error = create(&herder, "a", &[("tasks.max", "none")]).await.unwrap_err();
    assert_eq!(error.status(), 400);
    let text = error.to_string();
    assert!(text.starts_with("Connector configuration is invalid and contains the following 2 error(s):\n"), "{text}");
    assert!(herder.connectors().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_connector_that_fails_to_start_is_failed_and_can_be_reconfigured() {
    let herder = test_herder();
    let error = create(&herder, "a", &[("fail.in", "start")]).await.unwrap_err();
    assert_eq!((error.status(), error.to_string().as_str()), (500, "told to fail in start"));
    let failed = status(&herder, "a").await;
    assert_eq!(states(&failed), ("FAILED".into(), vec![]));
    assert!(failed.connector.trace.unwrap().contains("told to fail in start"));

    herder.set_target_state("a", TargetState::Started).await.unwrap();
    assert_eq!(status(&herder, "a").await.connector.state, "FAILED", "resuming does not heal");
    put(&herder, "a", &[], None, true).await.unwrap();
    reaches(&herder, "a", "RUNNING", &["RUNNING"]).await;
}

#[tokio::test]
async fn a_connector_may_fail_later() {
    let herder = test_herder();
    create(&herder, "a", &[("fail.in", "later")]).await.unwrap();
    eventually("FAILED", || async { status(&herder, "a").await.connector.state == "FAILED" }).await;
}

#[tokio::test]
async fn a_panicking_plug_in_is_an_error_like_others() {
    let herder = test_herder();
    create(&herder, "a", &[("fail.in", "stop")]).await.unwrap();
    herder.set_target_state("a", TargetState::Stopped).await.unwrap();
    assert_eq!(status(&herder, "a").await.connector.state, "STOPPED");
    herder.set_target_state("a", TargetState::Started).await.unwrap();
    reaches(&herder, "a", "RUNNING", &["RUNNING"]).await;
}

/// Pain 4: one hanging connector costs nobody else anything.
#[tokio::test]
async fn a_stuck_plug_in_never_blocks_others() {
    let herder = test_herder();
    let stuck = ["validate", "start", "taskConfigs"].map(|call| {
        let (stuck, name) = (Arc::clone(&herder), format!("stuck-{call}"));
        SpawnedTask::start_here("a request", async move {
            create(&stuck, &name, &[("hang.in", call), ("gate", "never")]).await.map(|_| ())
        })
    });
    eventually("two of them exist", || async { herder.connectors().await.unwrap().len() == 2 }).await;
    let begun = Instant::now();
    create(&herder, "fine", &[]).await.unwrap();
    reaches(&herder, "fine", "RUNNING", &["RUNNING"]).await;
    herder.set_target_state("stuck-start", TargetState::Paused).await.unwrap();
    herder.connector_info("stuck-start").await.unwrap();
    herder.delete_connector("fine").await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(4), "took {:?}", begun.elapsed());
    // Deleting waits for the connector to come back, but not for ever.
    herder.delete_connector("stuck-start").await.unwrap();
    assert_eq!(herder.connectors().await.unwrap(), ["stuck-taskConfigs"]);
    let [_, mut deleted, _] = stuck;
    let refused = deleted.outcome().await.unwrap().unwrap_err();
    assert!(refused.to_string().contains("did not return in time"), "{refused}");
    Gate::named("never").open();
}

#[tokio::test]
async fn a_task_that_hangs_in_stop_is_abandoned() {
    let herder = test_herder();
    create(&herder, "a", &[("hang.in", "task.stop"), ("gate", "task-stop")]).await.unwrap();
    reaches(&herder, "a", "RUNNING", &["RUNNING"]).await;
    let begun = Instant::now();
    herder.set_target_state("a", TargetState::Stopped).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_eq!(states(&status(&herder, "a").await), ("STOPPED".into(), vec![]));
    Gate::named("task-stop").open();
}

#[tokio::test]
async fn a_failed_task_leaves_its_siblings_and_restarts_on_request() {
    let herder = test_herder();
    create(&herder, "a", &[("fail.in", "poll")]).await.unwrap();
    reaches(&herder, "a", "RUNNING", &["FAILED"]).await;
    let trace = herder.task_status("a", 0).await.unwrap().trace.unwrap();
    assert_eq!(trace, "org.apache.kafka.connect.errors.ConnectException: told to fail in poll");
    herder.restart_task("a", 0).await.unwrap();
    reaches(&herder, "a", "RUNNING", &["FAILED"]).await;
    assert_eq!(herder.restart_task("a", 1).await.unwrap_err().to_string(), "Unknown task: a-1");
    assert_eq!(herder.restart_task("b", 0).await.unwrap_err().to_string(), "Unknown connector: b");

    let request = RestartRequest { connector: "a".into(), only_failed: true, include_tasks: true };
    let shown = herder.restart(request).await.unwrap();
    assert_eq!(states(&shown), ("RUNNING".into(), vec!["RESTARTING".into()]));
    reaches(&herder, "a", "RUNNING", &["FAILED"]).await;
}

#[tokio::test]
async fn a_restart_with_everything_comes_back() {
    let herder = test_herder();
    create(&herder, "a", &[("tasks.max", "2")]).await.unwrap();
    reaches(&herder, "a", "RUNNING", &["RUNNING", "RUNNING"]).await;
    let request = RestartRequest { connector: "a".into(), only_failed: false, include_tasks: true };
    let shown = herder.restart(request).await.unwrap();
    assert_eq!(states(&shown), ("RESTARTING".into(), vec!["RESTARTING".into(), "RESTARTING".into()]));
    reaches(&herder, "a", "RUNNING", &["RUNNING", "RUNNING"]).await;
    herder.restart_connector("a").await.unwrap();
    assert_eq!(status(&herder, "a").await.connector.state, "RUNNING");
}

#[tokio::test]
async fn too_many_tasks_fail_the_connector() {
    let herder = test_herder();
    let error = create(&herder, "a", &[("size", "3"), ("tasks.max", "2")]).await.unwrap_err();
    assert!(error.to_string().contains("has generated 3 tasks, which is greater than 2"), "{error}");
    assert_eq!(status(&herder, "a").await.connector.state, "FAILED");
    put(&herder, "a", &[("size", "3"), ("tasks.max", "2"), ("tasks.max.enforce", "false")], None, true).await.unwrap();
    reaches(&herder, "a", "RUNNING", &["RUNNING", "RUNNING", "RUNNING"]).await;
}

#[tokio::test]
async fn task_configurations_that_fail_are_told_to_the_caller_and_made_again() {
    let herder = test_herder();
    let fails_once = [("fail.once", "standalone-task-configs"), ("fail.once.in", "taskConfigs")];
    let error = create(&herder, "a", &fails_once).await.unwrap_err();
    assert_eq!((error.status(), error.to_string().as_str()), (500, "told to fail once"));
    assert_eq!(status(&herder, "a").await.connector.state, "RUNNING", "the connector itself has not failed");
    reaches(&herder, "a", "RUNNING", &["RUNNING"]).await;
}

#[tokio::test]
async fn a_request_returns_with_the_tasks_that_it_led_to() {
    let herder = test_herder();
    create(&herder, "a", &[("tasks.max", "3")]).await.unwrap();
    assert_eq!(herder.task_infos("a").await.unwrap().len(), 3);
    reaches(&herder, "a", "RUNNING", &["RUNNING", "RUNNING", "RUNNING"]).await;
    let replaced = put(&herder, "a", &[("tasks.max", "1")], None, true).await.unwrap();
    assert_eq!((replaced.info.tasks.len(), herder.task_infos("a").await.unwrap().len()), (1, 1));
    assert_eq!(status(&herder, "a").await.tasks.len(), 1, "those that are no more are not shown");
    reaches(&herder, "a", "RUNNING", &["RUNNING"]).await;
}

#[tokio::test]
async fn a_restart_of_a_selection_shows_at_once() {
    let herder = test_herder();
    create(&herder, "a", &[("hang.in", "stop"), ("gate", "restart-shows")]).await.unwrap();
    reaches(&herder, "a", "RUNNING", &["RUNNING"]).await;
    let request = RestartRequest { connector: "a".into(), only_failed: false, include_tasks: false };
    herder.restart(request).await.unwrap();
    assert_eq!(status(&herder, "a").await.connector.state, "RESTARTING");
    Gate::named("restart-shows").open();
    reaches(&herder, "a", "RUNNING", &["RUNNING"]).await;
}

#[tokio::test]
async fn a_connector_that_is_created_while_its_name_is_deleted_is_another_one() {
    let herder = test_herder();
    create(&herder, "a", &[("hang.in", "task.stop"), ("gate", "deleted-meanwhile")]).await.unwrap();
    reaches(&herder, "a", "RUNNING", &["RUNNING"]).await;
    let deleting = Arc::clone(&herder);
    let mut delete = SpawnedTask::start_here("a request", async move { deleting.delete_connector("a").await });
    eventually("it is deleted", || async { herder.connectors().await.unwrap().is_empty() }).await;
    assert!(create(&herder, "a", &[]).await.unwrap().is_new);
    delete.outcome().await.unwrap().unwrap();
    reaches(&herder, "a", "RUNNING", &["RUNNING"]).await;
    Gate::named("deleted-meanwhile").open();
}

#[tokio::test]
async fn a_delete_goes_on_when_nobody_waits_for_it() {
    let herder = test_herder();
    create(&herder, "a", &[("hang.in", "task.stop"), ("gate", "delete-goes-on")]).await.unwrap();
    reaches(&herder, "a", "RUNNING", &["RUNNING"]).await;
    assert!(timeout(Duration::from_millis(50), herder.delete_connector("a")).await.is_err());
    eventually("its statuses are gone", || async { herder.connector_status("a").await.is_err() }).await;
    Gate::named("delete-goes-on").open();
}

#[tokio::test]
async fn a_bounded_connector_ends_stopped_with_a_record_of_what_it_did() {
    let herder = test_herder();
    create(&herder, "endless", &[]).await.unwrap();
    create(&herder, "a", &[("end", "true"), ("tasks.max", "2")]).await.unwrap();
    let done = herder.await_all_bounded_done().await.unwrap();
    assert_eq!(done.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["a"]);
    reaches(&herder, "a", "STOPPED", &[]).await;
    let completion = status(&herder, "a").await.completion.unwrap();
    assert!(completion.completed_at > 0);
    let progress = herder.progress("a").await.unwrap();
    assert_eq!((progress.state.as_str(), progress.tasks.len()), ("STOPPED", 2));
    assert_eq!(progress.completion, Some(completion));

    herder.set_target_state("a", TargetState::Started).await.unwrap();
    eventually("done again", || async { herder.await_all_bounded_done().await.is_ok() }).await;
}

#[tokio::test]
async fn waiting_for_bounded_connectors_fails_if_one_fails_or_there_is_none() {
    let herder = test_herder();
    create(&herder, "endless", &[]).await.unwrap();
    assert!(herder.await_all_bounded_done().await.unwrap_err().to_string().contains("no connector is bounded"));
    create(&herder, "a", &[("end", "true"), ("fail.in", "poll")]).await.unwrap();
    let error = herder.await_all_bounded_done().await.unwrap_err();
    assert!(error.to_string().contains("connector `a` failed"), "{error}");
}

#[tokio::test]
async fn what_stands_for_a_secret_is_taken_as_the_secret() {
    let herder = test_herder();
    create(&herder, "a", &[("password", "hunter2")]).await.unwrap();
    let mut back = herder.connector_info("a").await.unwrap().config;
    back.values.extend(config_map(&[("tasks.max", "2"), ("password", "[hidden]")]));
    herder.put_connector("a", back, None, true).await.unwrap();
    let patch = GivenConfig { values: config_map(&[("size", "1"), ("password", "[hidden]")]), nulls: vec![] };
    herder.patch_connector("a", patch).await.unwrap();
    let snapshot = herder.queries().snapshot();
    assert_eq!(snapshot.connector_config("a").unwrap()["password"], "hunter2");
}

#[tokio::test]
async fn a_null_is_kept_and_shown_until_it_is_replaced_or_removed() {
    let herder = test_herder();
    let mut config = GivenConfig::from(config_map(&[("name", "a"), ("connector.class", "FakeSource")]));
    config.nulls = vec!["password".into(), "fail.in".into()];
    let created = herder.put_connector("a", config, None, false).await.unwrap();
    assert_eq!(json!(created.info)["config"]["password"], json!(null));
    assert_eq!(created.info.config.nulls, ["password", "fail.in"]);
    let patch = GivenConfig { values: config_map(&[("password", "x")]), nulls: vec!["fail.in".into()] };
    let info = herder.patch_connector("a", patch).await.unwrap();
    assert!(info.config.nulls.is_empty() && !info.config.values.contains_key("fail.in"), "{info:?}");
}

#[tokio::test]
async fn offsets_change_only_while_stopped() {
    let herder = test_herder();
    create(&herder, "a", &[("size", "1")]).await.unwrap();
    assert!(herder.offsets("a").await.unwrap().offsets.is_empty());
    let object = |value: serde_json::Value| value.as_object().cloned();
    let entry = ConnectorOffset { partition: object(json!({"p": 1})), offset: object(json!({"o": 2})) };
    let error = herder.alter_offsets("a", vec![entry.clone()]).await.unwrap_err();
    assert!(matches!(error, HerderError::BadRequest(_)), "{error}");
    assert!(error.to_string().starts_with("Connectors must be in the STOPPED state"), "{error}");

    herder.set_target_state("a", TargetState::Stopped).await.unwrap();
    let message = herder.alter_offsets("a", vec![entry.clone()]).await.unwrap();
    assert_eq!(message, "The offsets for this connector have been altered successfully");
    assert_eq!(herder.offsets("a").await.unwrap().offsets, [entry]);
    herder.reset_offsets("a").await.unwrap();
    assert!(herder.offsets("a").await.unwrap().offsets.is_empty());
    assert_eq!(herder.offsets("b").await.unwrap_err().to_string(), "Connector b not found");
}

#[tokio::test]
async fn a_connector_reads_its_stored_offsets_when_it_starts() {
    let herder = test_herder();
    create(&herder, "a", &[("size", "1"), ("needs.offset", "true")]).await.unwrap_err();
    reaches(&herder, "a", "FAILED", &[]).await;
    herder.set_target_state("a", TargetState::Stopped).await.unwrap();
    let object = |value: serde_json::Value| value.as_object().cloned();
    let entry = ConnectorOffset { partition: object(json!({"p": 1})), offset: object(json!({"o": 2})) };
    herder.alter_offsets("a", vec![entry]).await.unwrap();
    herder.set_target_state("a", TargetState::Started).await.unwrap();
    reaches(&herder, "a", "RUNNING", &["RUNNING"]).await;
}

#[tokio::test]
async fn a_worker_that_ends_takes_everything_with_it() {
    let herder = test_herder();
    create(&herder, "a", &[]).await.unwrap();
    create(&herder, "b", &[]).await.unwrap();
    herder.shut_down().await;
    assert_eq!(states(&status(&herder, "a").await), ("UNASSIGNED".into(), vec!["UNASSIGNED".into()]));
    for refused in [create(&herder, "c", &[]).await.map(|_| ()), herder.restart_connector("a").await] {
        let error = refused.unwrap_err();
        assert_eq!((error.status(), error.to_string().as_str()), (500, "Worker is shutting down"));
    }
}
