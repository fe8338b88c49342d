//! What workers of both kinds say of their health.

use std::time::Duration;

use serde_json::json;

use crate::testbed::{ConnectWorker, Kafka, Mode, Vendor, distributed_properties, wait_until};

/// The answer alone takes ten seconds.
const SOON: Duration = Duration::from_secs(120);

fn says(worker: &ConnectWorker) -> (u16, String, String) {
    let (status, body) = worker.ask("GET", "/health", None);
    let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
    (status, text("status"), text("message"))
}

#[test]
fn a_worker_that_is_cut_off_from_its_group_is_unhealthy_and_says_what_it_is_at() {
    let mut kafka = Kafka::start();
    for vendor in [Vendor::Java, Vendor::Volley] {
        let properties = distributed_properties(&kafka, &kafka.unique("cut-off"));
        let worker = ConnectWorker::start(vendor, Mode::Distributed, &properties);
        assert_eq!(says(&worker).0, 200);
        kafka.stop();
        let (_, status, message) = wait_until(SOON, &format!("the {vendor:?} worker is unhealthy"), || {
            let said = says(&worker);
            (said.0 == 500).then_some(said)
        });
        assert_eq!(status, "unhealthy", "{vendor:?}");
        let beginning = "Worker was unable to handle this request and may be unable to handle other requests. \
                         The worker is currently ensuring membership in the cluster, which began at ";
        assert!(message.starts_with(beginning), "{vendor:?}: {message}");
        let config = json!({"connector.class": "VerifiableSink", "topics": "any"});
        let created = std::thread::scope(|scope| {
            let request = scope.spawn(|| worker.ask("PUT", "/connectors/later/config", Some(&config)));
            kafka.restart();
            request.join().unwrap()
        });
        assert_eq!(created.0, 201, "{vendor:?}: a request waits for the worker to come back: {}", created.1);
        wait_until(SOON, &format!("the {vendor:?} worker is healthy again"), || (says(&worker).0 == 200).then_some(()));
    }
}
