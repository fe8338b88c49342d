//! The progress of a connector whose tasks run on several workers.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::testbed::{Kafka, Vendor, send, wait_until};
use crate::worker_group::{SOON, WorkerGroup, verifiable_source};

const TASKS: usize = 3;

fn progress(group: &WorkerGroup, worker: usize, query: &str) -> Value {
    group.ask(worker, "GET", &format!("/volley/connectors/numbers/progress{query}"), None)
}

/// The tasks that are counted, and their workers.
fn counted(progress: &Value) -> BTreeMap<u64, String> {
    let tasks = progress["tasks"].as_array().unwrap().iter();
    tasks.map(|task| (task["id"].as_u64().unwrap(), task["worker_id"].as_str().unwrap().to_owned())).collect()
}

#[test]
fn any_worker_tells_the_progress_of_all_tasks_and_whose_it_does_not_know() {
    let kafka = Kafka::shared();
    // A worker that is killed is not missed while the test runs.
    let mut group = WorkerGroup::with(kafka, "progress", &[("session.timeout.ms", "60000")]);
    let [first, second, java] = [Vendor::Volley, Vendor::Volley, Vendor::Java].map(|vendor| group.add(&[vendor])[0]);
    group.put(java, "numbers", &verifiable_source(&kafka.topic("progress", 1), TASKS, 100));
    let owners = group.await_state("numbers", "RUNNING", TASKS);
    let address = |worker: usize| group.worker(worker).address();
    let of = |worker: usize| -> Vec<u64> {
        let id = address(worker);
        owners.tasks.iter().filter(|(_, owner)| **owner == id).map(|(task, _)| *task).collect()
    };
    assert!([first, second, java].iter().all(|worker| of(*worker).len() == 1), "{owners:?}");

    for worker in [first, second] {
        wait_until(SOON, "the tasks of both workers are counted, and those of Java are not", || {
            let progress = progress(&group, worker, "");
            let expected: BTreeMap<u64, String> = [first, second]
                .iter()
                .flat_map(|worker| of(*worker).into_iter().map(|task| (task, address(*worker))))
                .collect();
            let rows = |value: &Value| value["rows_out"].as_u64().unwrap();
            let tasks = progress["tasks"].as_array().unwrap();
            let is_sum = rows(&progress["total"]) == tasks.iter().map(rows).sum::<u64>();
            let reason = progress["not_counted"][0]["reason"].as_str().unwrap_or_default().to_owned();
            let silent = json!([{ "worker_id": address(java), "tasks": of(java), "reason": reason }]);
            assert!(is_sum, "{progress}");
            let is_so =
                counted(&progress) == expected && tasks.iter().all(|task| rows(task) > 10) && reason.contains("Java");
            (is_so && progress["not_counted"] == silent).then_some(())
        });
        let own = progress(&group, worker, "?forward=false");
        assert_eq!(counted(&own).into_keys().collect::<Vec<_>>(), of(worker));
    }

    for worker in [first, second] {
        let metrics = send(&address(worker), "GET", "/metrics", &[], None).unwrap().text();
        let has = |start: &str| metrics.lines().any(|line| line.starts_with(start));
        for task in of(worker) {
            assert!(has(&format!(
                "kafka_connect_source_task_source_record_write_total{{connector=\"numbers\",task=\"{task}\"}} "
            )));
        }
        assert!(has("kafka_connect_worker_task_count 1"), "{metrics}");
        assert!(has("kafka_connect_worker_rebalance_rebalancing 0"), "{metrics}");
        assert!(has("kafka_connect_worker_rebalance_leader_name{leader_name=\"http://"), "{metrics}");
    }

    let (gone, gone_tasks) = (address(second), of(second));
    group.kill(second);
    let progress = progress(&group, first, "");
    let not_counted = progress["not_counted"].as_array().unwrap();
    let dead = not_counted.iter().find(|silent| silent["worker_id"] == gone).unwrap_or_else(|| panic!("{progress}"));
    assert_eq!(dead["tasks"], json!(gone_tasks));
    assert!(dead["reason"].as_str().unwrap().starts_with("it was not reached: "), "{dead}");
    assert_eq!((counted(&progress).len(), &progress["total"]["lag"]), (1, &Value::Null));
}
