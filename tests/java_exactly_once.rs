//! Java sources that deliver exactly once (KIP-618), whatever is killed: the transactions are the worker's.

use std::fs::{self, File};
use std::io::Write;

use serde_json::json;

use crate::exactly_once_sources::ENABLED;
use crate::rounds::rounds;
use crate::testbed::{Kafka, Vendor, host_of, java_properties, signal, wait_until};
use crate::worker_group::{SOON, WorkerGroup};

const LINES: usize = 2000;
/// That source gives a full poll and leaves lines in its buffer, which it looks at only when more is written: at most so many.
const LEFT: usize = 200;

#[test]
fn a_java_source_delivers_each_line_once_though_its_host_and_its_worker_are_killed() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("java-once", 1);
    let properties = java_properties(&["connect-file"]);
    let mut given: Vec<_> = properties.iter().map(|(key, value)| (*key, value.as_str())).collect();
    given.extend(ENABLED);
    let mut group = WorkerGroup::with(kafka, "java-once", &given);
    let worker = group.add(&[Vendor::Volley])[0];
    let directory = tempfile::tempdir().unwrap();
    let input = directory.path().join("input");
    fs::write(&input, "").unwrap();
    let mut written = Vec::new();
    let mut append = || {
        let mut file = File::options().append(true).open(&input).unwrap();
        for _ in 0..LINES {
            writeln!(file, "line {}", written.len()).unwrap();
            written.push(format!("line {}", written.len()));
        }
        written.len()
    };
    let config = json!({
        "connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector",
        "file": input,
        "topic": topic,
        "batch.size": "7",
        "exactly.once.support": "required",
        "value.converter": "org.apache.kafka.connect.storage.StringConverter",
    });
    group.put(worker, "once", &config);
    group.await_state("once", "RUNNING", 1);
    let await_lines = |lines: usize| {
        wait_until(SOON, "lines are committed", || (kafka.read_topic(&topic).len() >= lines).then_some(()));
    };
    for round in 0..rounds(2) {
        let so_far = append();
        await_lines(so_far - LINES + 100 + 37 * round);
        signal(host_of(group.worker(worker).pid(), "once"), "KILL");
        wait_until(SOON, "the task has failed", || {
            let status = group.ask(worker, "GET", "/connectors/once/status", None);
            (status["tasks"][0]["state"] == "FAILED").then_some(())
        });
        group.ask(worker, "POST", "/connectors/once/restart?includeTasks=true", None);
        group.await_state("once", "RUNNING", 1);
        await_lines(so_far - LINES / 2);
        group.kill(worker);
        group.start_again(worker);
        group.await_state("once", "RUNNING", 1);
        await_lines(so_far - LEFT);
    }
    let values = kafka.read_topic(&topic).into_iter().map(|message| message.value.unwrap());
    let values: Vec<_> = values.map(|value| String::from_utf8(value).unwrap()).collect();
    assert!(
        values == written[..values.len().min(written.len())],
        "of {} lines {} are there",
        written.len(),
        values.len()
    );
}
