//! A bounded connector ends by itself in a group of workers, whatever happens to them meanwhile.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::delivered_rows::{assert_exactly_once, on_disk};
use crate::exactly_once::{PARTITIONS, numbered_topic, produce_numbered};
use crate::rounds::rounds;
use crate::testbed::{Kafka, Vendor, wait_until};
use crate::worker_group::{SOON, WorkerGroup};
use crate::worker_process::parquet_files;

const THREE: [Vendor; 3] = [Vendor::Volley; 3];

fn sink(topic: &str, directory: &Path, more: &[(&str, &str)]) -> Value {
    let mut config = json!({
        "connector.class": "ObjectStoreSink",
        "tasks.max": "4",
        "topics": topic,
        "store.url": format!("file://{}", directory.display()),
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": "false",
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "volley.mode": "bounded",
    });
    for (key, value) in more {
        config[key] = json!(value);
    }
    config
}

fn status(group: &WorkerGroup, worker: usize, name: &str) -> Value {
    let answer = group.worker(worker).try_ask("GET", &format!("/connectors/{name}/status"), None);
    answer.filter(|answer| answer.status == 200).map(|answer| answer.json()).unwrap_or_default()
}

/// Waits until each worker that runs says that the connector is STOPPED and what it did, and that alike.
fn await_completion(group: &WorkerGroup, workers: &[usize], name: &str) -> Value {
    let mut last = Vec::new();
    let done = |last: &mut Vec<Value>| {
        *last = workers.iter().map(|worker| status(group, *worker, name)).collect();
        let same = last.windows(2).all(|pair| pair[0] == pair[1]);
        let is_done = |status: &Value| {
            status["connector"]["state"] == "STOPPED"
                && status["completion"].is_object()
                && status["tasks"] == json!([])
        };
        (same && last.iter().all(is_done)).then(|| last[0]["completion"].clone())
    };
    let deadline = std::time::Instant::now() + 2 * SOON;
    loop {
        if let Some(completion) = done(&mut last) {
            return completion;
        }
        assert!(std::time::Instant::now() < deadline, "{name} is not done: {last:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_bounded_sink_of_a_group_ends_stopped_and_takes_only_what_came_since_when_it_is_resumed() {
    let kafka = Kafka::shared();
    let topic = numbered_topic(kafka, 2_000);
    let out = tempfile::tempdir().unwrap();
    let mut group = WorkerGroup::new(kafka, "bounded-group");
    let workers = group.add(&THREE);
    group.put(0, &topic, &sink(&topic, out.path(), &[]));
    let completion = await_completion(&group, &workers, &topic);
    assert_eq!(completion["rows"], PARTITIONS * 2_000, "{completion}");
    assert_eq!(completion["rows_delivered"], PARTITIONS * 2_000, "{completion}");
    assert_eq!(completion["files"], parquet_files(out.path()).len(), "{completion}");
    assert_exactly_once(&on_disk(out.path()), PARTITIONS, 2_000);

    produce_numbered(kafka, &topic, 2_000..2_500);
    group.ask(1, "PUT", &format!("/connectors/{topic}/resume"), None);
    wait_until(SOON, "what it did is forgotten", || status(&group, 1, &topic)["completion"].is_null().then_some(()));
    let completion = await_completion(&group, &workers, &topic);
    assert_eq!(completion["rows"], PARTITIONS * 500, "{completion}");
    assert_exactly_once(&on_disk(out.path()), PARTITIONS, 2_500);

    // who comes later knows it too, and to configure it anew starts it no more than before
    group.stop(2);
    group.start_again(2);
    assert_eq!(await_completion(&group, &workers, &topic), completion);
    group.put(2, &topic, &sink(&topic, out.path(), &[("flush.size", "5000")]));
    wait_until(SOON, "it is STOPPED, and has done nothing yet", || {
        let status = status(&group, 0, &topic);
        (status["connector"]["state"] == "STOPPED" && status["completion"].is_null()).then_some(())
    });
    group.stop_all();
}

#[test]
fn a_bounded_source_of_a_group_ends_stopped() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("bounded-made", 2);
    let mut group = WorkerGroup::new(kafka, "bounded-source");
    let workers = group.add(&THREE);
    let source = json!({"connector.class": "Datagen", "topic": topic, "rows": "3000", "tasks.max": "3"});
    group.put(0, &topic, &source);
    let completion = await_completion(&group, &workers, &topic);
    assert_eq!(completion["rows_delivered"], 3_000, "{completion}");
    assert_eq!(kafka.read_topic(&topic).len(), 3_000);
    group.stop_all();
}

/// The worker that said last, of those that run, that it leads.
fn leader(group: &WorkerGroup, workers: &[usize]) -> usize {
    wait_until(SOON, "one of the workers leads", || {
        let leads = |worker: &&usize| {
            let log = group.worker(**worker).log();
            log.lines().rfind(|line| line.contains("Joined group")).is_some_and(|line| line.contains("is_leader=true"))
        };
        workers.iter().filter(|worker| group.worker(**worker).is_running()).find(leads).copied()
    })
}

#[test]
fn a_bounded_sink_ends_with_every_row_once_whoever_is_killed_meanwhile() {
    let per_partition = 60_000 * rounds(1) as i64;
    let kafka = Kafka::shared();
    let topic = numbered_topic(kafka, per_partition);
    let out = tempfile::tempdir().unwrap();
    let mut group = WorkerGroup::new(kafka, "bounded-kills");
    let workers = group.add(&THREE);
    group.put(0, &topic, &sink(&topic, out.path(), &[("flush.size", "1000")]));
    let mut random = u64::from(std::process::id());
    let kills = rounds(4);
    let least_files = (PARTITIONS * per_partition) as usize / 1_000;
    let mut in_the_run = 0;
    for kill in 0..kills {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let files = || parquet_files(out.path()).len();
        let moment = (kill * 64 + (random >> 33) as usize % 64) * least_files / (kills * 64);
        // those that are not killed go on meanwhile, and may be done
        let is_done = || status(&group, 0, &topic)["connector"]["state"] == "STOPPED";
        wait_until(SOON, "the moment of the kill", || (files() > moment || is_done()).then_some(()));
        in_the_run += usize::from(files() < least_files);
        let leader = leader(&group, &workers);
        let other = workers[(leader + 1) % workers.len()];
        let victim = if kill % 2 == 0 { leader } else { other };
        println!("killed worker {victim} after {} files, the leader is {leader}", files());
        group.kill(victim);
        if kill == 1 {
            // what comes now is not of this run
            produce_numbered(kafka, &topic, per_partition..per_partition + 500);
        }
        group.start_again(victim);
    }
    let completion = await_completion(&group, &workers, &topic);
    println!("{completion}, killed {in_the_run} times before the end");
    assert!(in_the_run > 0, "no kill was before the end");
    assert!(completion["rows_delivered"].as_i64() > Some(0), "{completion}");
    assert_exactly_once(&on_disk(out.path()), PARTITIONS, per_partition);

    group.ask(0, "PUT", &format!("/connectors/{topic}/resume"), None);
    wait_until(SOON, "it has done nothing yet", || status(&group, 0, &topic)["completion"].is_null().then_some(()));
    let completion = await_completion(&group, &workers, &topic);
    assert_eq!(completion["rows"], PARTITIONS * 500, "{completion}");
    assert_exactly_once(&on_disk(out.path()), PARTITIONS, per_partition + 500);
    group.stop_all();
}

#[test]
fn a_bounded_sink_of_a_group_ends_stopped_where_no_topic_exists() {
    let kafka = Kafka::shared();
    let out = tempfile::tempdir().unwrap();
    let mut group = WorkerGroup::new(kafka, "bounded-absent");
    let workers = group.add(&[Vendor::Volley; 2]);
    for (key, topics) in [("topics", "no-topic-has-this-name"), ("topics.regex", "no-topic-has-this-name-.*")] {
        let name = kafka.unique("absent");
        let mut config = sink("", out.path(), &[(key, topics)]);
        if key != "topics" {
            config.as_object_mut().unwrap().remove("topics");
        }
        group.put(0, &name, &config);
        let completion = await_completion(&group, &workers, &name);
        assert_eq!(completion["rows"], 0, "{key}: {completion}");
    }
    group.stop_all();
}
