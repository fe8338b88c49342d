//! Tasks of exactly-once sources that were replaced and do not know it (KIP-618): nothing that they do has an effect.

use serde_json::json;

use crate::exactly_once_sources::{
    ENABLED, assert_exactly_once, await_committed, await_restarted, await_workers, numbers,
};
use crate::testbed::{Kafka, Vendor, wait_until};
use crate::worker_group::{SOON, WorkerGroup, sequences};

const HELD_OPEN: [(&str, &str); 2] =
    [("transaction.boundary", "interval"), ("transaction.boundary.interval.ms", "3600000")];

#[test]
fn a_hanging_task_that_wakes_up_after_it_was_replaced_has_no_effect() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("eos-zombie", 3);
    let mut group = WorkerGroup::with(kafka, "eos-zombie", &ENABLED);
    let leader = group.add(&[Vendor::Volley])[0];
    let hanging = group.add(&[Vendor::Volley])[0];
    let name = kafka.unique("numbers");
    group.put(leader, &name, &numbers(&topic, 4, 300, json!({})));
    await_workers(&group, &name, 4, 2);
    await_committed(kafka, &topic, 200);
    for _ in 0..2 {
        group.worker(hanging).signal("STOP");
        let owners = await_owner(&group, leader, &name, 4);
        assert_eq!(owners, group.worker(leader).address());
        await_committed(kafka, &topic, 200);
        group.worker(hanging).signal("CONT");
        await_committed(kafka, &topic, 200);
        await_restarted(&group, leader, &name, 4);
    }
    assert_exactly_once(kafka, &group, leader, &name, &topic, 4);
}

/// Waits until one worker runs all tasks, by its own account.
fn await_owner(group: &WorkerGroup, worker: usize, name: &str, tasks: usize) -> String {
    let address = group.worker(worker).address();
    wait_until(SOON, "one worker runs all tasks", || {
        let status = group.worker(worker).try_ask("GET", &format!("/connectors/{name}/status"), None)?.json();
        let all = status["tasks"].as_array()?;
        let is_here = |task: &serde_json::Value| task["worker_id"] == address && task["state"] == "RUNNING";
        (all.len() == tasks && all.iter().all(is_here)).then_some(())
    });
    address
}

#[test]
fn offsets_that_a_user_sets_or_forgets_are_safe_from_tasks_that_still_write() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("eos-altered", 1);
    let mut group = WorkerGroup::with(kafka, "eos-altered", &ENABLED);
    let leader = group.add(&[Vendor::Volley])[0];
    let hanging = group.add(&[Vendor::Volley])[0];
    let name = kafka.unique("numbers");
    let mut config = numbers(&topic, 2, 300, json!({}));
    HELD_OPEN.iter().for_each(|(key, value)| config[*key] = json!(value));
    group.put(leader, &name, &config);
    let owners = await_workers(&group, &name, 2, 2);
    let task = *owners.tasks.iter().find(|(_, owner)| **owner == group.worker(hanging).address()).unwrap().0;
    group.await_more(&name, 0);
    wait_until(SOON, "both tasks have polled", || {
        let (_, progress) = group.worker(leader).ask("GET", &format!("/volley/connectors/{name}/progress"), None);
        let tasks = progress["tasks"].as_array()?;
        (tasks.len() == 2 && tasks.iter().all(|task| task["rows_in"].as_u64() > Some(100))).then_some(())
    });
    group.worker(hanging).signal("STOP");
    group.ask(leader, "PUT", &format!("/connectors/{name}/stop"), None);
    let path = format!("/connectors/{name}/offsets");
    let altered = json!({"offsets": [{"partition": {"id": task}, "offset": {"seqno": 5000}}]});
    group.ask(leader, "PATCH", &path, Some(&altered));
    group.worker(hanging).signal("CONT");
    group.await_state(&name, "STOPPED", 0);
    let offset_of = |task: u64| {
        let (_, offsets) = group.worker(leader).ask("GET", &path, None);
        let found = offsets["offsets"].as_array()?.iter().find(|entry| entry["partition"]["id"] == task)?;
        found["offset"]["seqno"].as_u64()
    };
    assert_eq!(offset_of(task), Some(5000));
    group.ask(leader, "PUT", &format!("/connectors/{name}/resume"), None);
    group.await_state(&name, "RUNNING", 2);
    wait_until(SOON, "both tasks have polled", || {
        let (_, progress) = group.worker(leader).ask("GET", &format!("/volley/connectors/{name}/progress"), None);
        let tasks = progress["tasks"].as_array()?;
        (tasks.len() == 2 && tasks.iter().all(|task| task["rows_in"].as_u64() > Some(100))).then_some(())
    });
    group.ask(leader, "PUT", &format!("/connectors/{name}/stop"), None);
    group.await_state(&name, "STOPPED", 0);
    let numbers = sequences(kafka, &topic).remove(&task).expect("the task has delivered");
    assert_eq!(numbers.first(), Some(&5001), "the transaction of the hanging task was committed");
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");

    group.ask(leader, "DELETE", &path, None);
    assert_eq!(offset_of(task), None);
}

/// Each side fences the other's zombies, whoever leads.
#[test]
fn java_and_volley_deliver_exactly_once_in_one_group_and_fence_each_other() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("eos-mixed", 3);
    let mut group = WorkerGroup::with(kafka, "eos-mixed", &ENABLED);
    let java = group.add(&[Vendor::Java])[0];
    group.await_leader(&[java]);
    let volley = group.add(&[Vendor::Volley])[0];
    let name = kafka.unique("numbers");
    group.put(volley, &name, &numbers(&topic, 4, 200, json!({})));
    await_restarted(&group, volley, &name, 4);
    await_committed(kafka, &topic, 200);
    // Volley's tasks hang, and Java takes over; then the other way round, with Volley as the leader
    for (hanging, other) in [(volley, java), (java, volley)] {
        group.worker(hanging).signal("STOP");
        await_owner(&group, other, &name, 4);
        await_committed(kafka, &topic, 200);
        group.worker(hanging).signal("CONT");
        await_committed(kafka, &topic, 200);
        await_restarted(&group, other, &name, 4);
    }
    for (killed, other) in [(java, volley), (volley, java)] {
        group.kill(killed);
        await_restarted(&group, other, &name, 4);
        await_committed(kafka, &topic, 200);
        group.start_again(killed);
        await_restarted(&group, other, &name, 4);
        await_committed(kafka, &topic, 200);
    }
    assert_exactly_once(kafka, &group, java, &name, &topic, 4);
    group.stop_all();
}

/// As Kafka Connect's own tests have it: who may not fence or write in transactions is told, and goes on once he may.
#[test]
fn a_task_that_may_not_fence_or_take_over_fails_and_runs_once_it_may() {
    let kafka = Kafka::start_with(&[
        ("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer"),
        ("super.users", "User:ANONYMOUS"),
    ]);
    let topic = kafka.topic("eos-acl", 1);
    let mut group = WorkerGroup::with(&kafka, "eos-acl", &ENABLED);
    let worker = group.add(&[Vendor::Volley])[0];
    let login = "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"alice\" password=\"alice-secret\";";
    let as_alice = |client: &str| {
        json!({
            (format!("{client}.override.bootstrap.servers")): kafka.sasl_bootstrap_servers(),
            (format!("{client}.override.security.protocol")): "SASL_PLAINTEXT",
            (format!("{client}.override.sasl.mechanism")): "PLAIN",
            (format!("{client}.override.sasl.jaas.config")): login,
        })
    };
    let await_failure = |name: &str, reasons: [&str; 2]| {
        wait_until(SOON, "a task fails", || {
            let status = group.worker(worker).ask("GET", &format!("/connectors/{name}/status"), None).1;
            let failed = status["tasks"].as_array()?.iter().find(|task| task["state"] == "FAILED")?.clone();
            let trace = failed["trace"].as_str()?;
            reasons.iter().for_each(|reason| assert!(trace.contains(reason), "{trace}"));
            Some(())
        });
    };
    let refused = "org.apache.kafka.common.errors.TransactionalIdAuthorizationException";
    let rights = ["--operation", "Write", "--operation", "Describe"];

    // the leader fences with the connector's admin client
    group.put(worker, "fences", &numbers(&topic, 2, 100, as_alice("admin")));
    group.await_state("fences", "RUNNING", 2);
    group.put(worker, "fences", &numbers(&topic, 3, 100, as_alice("admin")));
    await_failure("fences", ["Failed to perform round of zombie fencing", refused]);
    let id = format!("{}-fences-", group.id());
    kafka.allow(
        "User:alice",
        &[&rights[..], &["--transactional-id", &id, "--resource-pattern-type", "prefixed"]].concat(),
    );
    await_restarted(&group, worker, "fences", 3);
    await_committed(&kafka, &topic, 50);

    // the producer takes over its transactional id
    group.put(worker, "writes", &numbers(&topic, 1, 100, as_alice("producer")));
    await_failure("writes", ["could not take over the transactional id", refused]);
}
