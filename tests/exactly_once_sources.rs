//! Sources that are to deliver exactly once, which they do not yet: that is said, and not only in the documentation.

use serde_json::{Value, json};

use crate::testbed::{Kafka, Vendor, distributed_properties, wait_until};
use crate::worker_group::{SOON, WorkerGroup};
use crate::worker_process::Volley;

const ENABLED: [(&str, &str); 1] = [("exactly.once.source.support", "enabled")];
const REASON: &str = "This version of Volley delivers the records of sources at least once";

fn lines(key: &str, value: &str) -> Value {
    json!({ "connector.class": "FileStreamSource", "topic": "t", "file": "absent.txt", key: value })
}

#[test]
fn what_requires_exactly_once_is_refused_by_a_worker_that_could_promise_it() {
    let kafka = Kafka::shared();
    let mut group = WorkerGroup::with(kafka, "eos-refused", &ENABLED);
    let volley = group.add(&[Vendor::Volley])[0];
    let worker = group.worker(volley);
    for (key, value, reason) in [
        ("exactly.once.support", "required", REASON),
        (
            "transaction.boundary",
            "interval",
            "This version of Volley sends the records of sources without transactions",
        ),
    ] {
        let config = lines(key, value);
        let body = json!({ "name": "x", "config": config });
        for (method, path, body) in [("POST", "/connectors", &body), ("PUT", "/connectors/x/config", &config)] {
            let (status, answer) = worker.ask(method, path, Some(body));
            assert_eq!(status, 400, "{method}: {answer}");
            assert!(answer["message"].as_str().unwrap().contains(reason), "{answer}");
        }
        let mut named = config;
        named["name"] = json!("x");
        let target = "/connector-plugins/FileStreamSource/config/validate";
        let (status, infos) = worker.ask("PUT", target, Some(&named));
        assert_eq!((status, &infos["error_count"]), (200, &json!(1)), "{infos}");
        let found = infos["configs"].as_array().unwrap().iter().find(|config| config["value"]["name"] == key).unwrap();
        assert!(found["value"]["errors"][0].as_str().unwrap().starts_with(reason), "{found}");
    }
    group.put(volley, "x", &lines("exactly.once.support", "requested"));
    assert!(group.worker(volley).log().contains("delivers the records of sources at least once"), "nothing is said");
}

#[test]
fn the_command_line_says_the_same_of_a_distributed_worker_s_file() {
    let volley = Volley::new();
    let worker = distributed_properties(Kafka::shared(), "eos-file");
    let worker: Vec<_> = worker.iter().map(|(key, value)| (*key, value.as_str())).chain(ENABLED).collect();
    volley.file("worker.properties", &worker);
    for (support, code) in [("required", 3), ("requested", 0)] {
        let connector = [
            ("name", "x"),
            ("connector.class", "FileStreamSource"),
            ("topic", "t"),
            ("file", "absent.txt"),
            ("exactly.once.support", support),
        ];
        volley.file("x.properties", &connector);
        let ended = volley.run(SOON, &["validate", "--worker", "worker.properties", "x.properties"]);
        assert_eq!(ended.status.code(), Some(code), "{}{}", ended.stdout, ended.log);
        assert_eq!(ended.stdout.contains(REASON), code == 3, "{}", ended.stdout);
    }
}

/// A Java worker takes the configuration, as it could do it.
#[test]
fn the_tasks_of_what_requires_exactly_once_fail_on_volley_and_run_on_java() {
    let kafka = Kafka::shared();
    let mut group = WorkerGroup::with(kafka, "eos-mixed", &ENABLED);
    let java = group.add(&[Vendor::Java])[0];
    group.await_leader(&[java]);
    let volley = group.add(&[Vendor::Volley])[0];
    let volley_id = group.worker(volley).address();
    let names = ["a", "b", "c", "d"];
    for name in names {
        group.put(java, name, &lines("exactly.once.support", "required"));
    }
    wait_until(SOON, "every task runs on Java or has failed on Volley, and there are both", || {
        let task = |name: &&str| {
            let answer = group.worker(java).try_ask("GET", &format!("/connectors/{name}/status"), None)?;
            answer.json().pointer("/tasks/0").cloned()
        };
        let tasks: Vec<Value> = names.iter().map(task).collect::<Option<_>>()?;
        let is_as_it_should_be = |task: &Value| match task["worker_id"] == volley_id {
            true => task["state"] == "FAILED" && task["trace"].as_str().is_some_and(|trace| trace.contains(REASON)),
            false => task["state"] == "RUNNING",
        };
        let has_both =
            tasks.iter().any(|task| task["state"] == "FAILED") && tasks.iter().any(|task| task["state"] == "RUNNING");
        (has_both && tasks.iter().all(is_as_it_should_be)).then_some(())
    });
}
