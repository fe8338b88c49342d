//! Memory of many Java connectors that have nothing to do.

use std::fs;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;

use crate::processes::ProcessTree;
use crate::run::Arena;
use crate::testbed::{Vendor, wait_until};

const SOON: Duration = Duration::from_secs(300);
const SETTLE: Duration = Duration::from_secs(10);
/// Each has read some.
const LINES: usize = 1000;

/// What carries the connectors, and what that takes.
#[derive(Clone, Debug)]
pub(crate) struct AtRest {
    pub(crate) label: &'static str,
    pub(crate) processes: usize,
    pub(crate) bytes: u64,
}

/// Measures each way to carry them.
pub(crate) fn measure(arena: &Arena, connectors: usize) -> Result<Vec<AtRest>> {
    let ways = [
        ("Kafka's worker: one JVM", Vendor::Java, None),
        ("Volley: a JVM for each connector", Vendor::Volley, None),
        ("Volley: one JVM (`volley.java.process=group:small`)", Vendor::Volley, Some("group:small")),
    ];
    ways.into_iter().map(|(label, vendor, process)| one(arena, connectors, label, vendor, process)).collect()
}

fn one(arena: &Arena, connectors: usize, label: &'static str, vendor: Vendor, process: Option<&str>) -> Result<AtRest> {
    let file = arena.directory.path().join("few.txt");
    fs::write(&file, "a line\n".repeat(LINES))?;
    let mut worker = arena.worker(vendor, &["connect-file"], &[]);
    for number in 0..connectors {
        let mut config = json!({
            "connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector",
            "file": file,
            "topic": arena.kafka.unique("few"),
            "value.converter": "org.apache.kafka.connect.storage.StringConverter",
        });
        if let Some(process) = process {
            config["volley.java.process"] = json!(process);
        }
        let (status, answer) = worker.ask("PUT", &format!("/connectors/few-{number}/config"), Some(&config));
        ensure!(status == 201, "{answer}");
    }
    wait_until(SOON, "all have read their files", || {
        let are_read = (0..connectors).all(|number| {
            let offsets = worker.try_ask("GET", &format!("/connectors/few-{number}/offsets"), None);
            offsets.is_some_and(|offsets| offsets.json()["offsets"][0]["offset"]["position"].as_u64() > Some(0))
        });
        are_read.then_some(())
    });
    std::thread::sleep(SETTLE);
    let tree = ProcessTree::look(worker.pid())?;
    worker.stop();
    Ok(AtRest { label, processes: tree.processes, bytes: tree.bytes })
}
