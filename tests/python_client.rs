//! A client from the package index, unchanged, manages connectors.

use std::process::Command;

use crate::testbed::{ConnectWorker, Kafka, Mode, Vendor, distributed_properties, installed};

#[test]
fn kafka_connect_py_manages_connectors_of_either_worker() {
    let kafka = Kafka::shared();
    let python = installed("clients").join("bin/python");
    for vendor in [Vendor::Java, Vendor::Volley] {
        let properties = distributed_properties(kafka, &kafka.unique("python"));
        let worker = ConnectWorker::start(vendor, Mode::Distributed, &properties);
        let output = Command::new(&python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/manage_connectors.py"))
            .args([format!("http://{}", worker.address()), kafka.topic("python", 1)])
            .output()
            .unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{vendor:?}: {said}");
    }
}
