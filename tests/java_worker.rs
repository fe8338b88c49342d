//! The test bed's own proof: Kafka's own Connect worker starts, runs the tool connectors and stops.

use std::time::Duration;

use serde_json::{Value, json};

use crate::testbed::{ConnectWorker, Kafka, Mode, Vendor, distributed_properties, standalone_properties, wait_until};

const SOON: Duration = Duration::from_secs(60);

/// The sequence numbers that a Verifiable source has said were acknowledged.
fn committed(worker: &ConnectWorker) -> Vec<u64> {
    let records = worker.stdout_lines().into_iter().filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    records.filter(|record| record["committed"] == true).filter_map(|record| record["seqno"].as_u64()).collect()
}

#[test]
fn the_java_worker_runs_tool_connectors_in_both_modes_and_stops_cleanly() {
    let kafka = Kafka::shared();
    let workers = [
        (Mode::Standalone, standalone_properties(&kafka.bootstrap_servers())),
        (Mode::Distributed, distributed_properties(kafka, &kafka.unique("java-worker"))),
    ];
    for (mode, properties) in workers {
        let mut worker = ConnectWorker::start(Vendor::Java, mode, &properties);
        let config = json!({
            "connector.class": "VerifiableSource", "topic": kafka.topic("java-worker", 1), "throughput": "50",
        });
        assert_eq!(worker.ask("PUT", "/connectors/made/config", Some(&config)).0, 201);
        wait_until(SOON, "records are acknowledged", || (committed(&worker).len() > 10).then_some(()));
        let (_, status) = worker.ask("GET", "/connectors/made/status", None);
        assert_eq!(status["tasks"][0]["worker_id"], worker.address());
        let status = worker.stop();
        // a JVM that ends orderly on SIGTERM says 128 + 15
        assert_eq!(status.code(), Some(143));
    }
}
