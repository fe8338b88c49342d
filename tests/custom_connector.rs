//! The connectors of the example run in a worker of their own program.

use volley::worker::connector_file::CreateConnector;
use volley::worker::worker::Worker;

use crate::testbed::{Kafka, properties};

#[allow(dead_code)]
#[path = "../examples/custom_connector.rs"]
mod example;

fn connector(lines: &[(&str, &str)]) -> CreateConnector {
    let config = properties(lines);
    CreateConnector { name: config["name"].clone(), config: config.into(), initial_state: None }
}

#[test]
fn a_source_and_a_sink_of_ones_own_deliver_every_record_once() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("numbers", 1);
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let mut plugins = volley::builtin_plugins();
    plugins.extend(example::plugins());
    let worker_properties = kafka.properties(&[
        ("listeners", "http://127.0.0.1:0"),
        ("key.converter", "org.apache.kafka.connect.storage.StringConverter"),
        ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
        ("offset.storage.file.filename", &path("offsets")),
    ]);
    let worker = Worker::start(worker_properties, plugins, None).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();

    let source = [("name", "counter"), ("connector.class", "CounterSource"), ("topic", &topic), ("upto", "2500")];
    worker.create_connector(connector(&source)).unwrap();
    runtime.block_on(worker.bounded_done()).unwrap();

    let total = path("total.txt");
    let sink = [
        ("name", "totals"),
        ("connector.class", "TotalSink"),
        ("topics", topic.as_str()),
        ("field", "number"),
        ("file", &total),
        ("volley.mode", "bounded"),
    ];
    worker.create_connector(connector(&sink)).unwrap();
    runtime.block_on(worker.bounded_done()).unwrap();
    worker.shut_down();

    assert_eq!(std::fs::read_to_string(&total).unwrap().trim(), (2500 * 2501 / 2).to_string());
}
