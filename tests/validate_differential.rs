//! Validation and definitions of plug-ins, by asking a Java worker and Volley the same.
//!
//! What may differ is said in `tests/data/validate_requests.json`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::testbed::{
    ConnectWorker, Kafka, Mode, Vendor, WorkerProperties, distributed_properties, standalone_properties,
};

const REQUESTS: &str = include_str!("data/validate_requests.json");
/// The group of the workers, which some of the requests name as that of a sink.
const GROUP: &str = "connect-vfy";
/// Names that are no classes, to be asked for too.
const NAMES: [&str; 7] =
    ["FileStreamSource", "JsonConverter", "RegexRouter", "SimpleHeaderConverter", "HasHeaderKey", "Value", "Nope"];

/// Answers by what was asked.
type Answers = BTreeMap<String, (u16, Value)>;

fn answers(vendor: Vendor, mode: Mode, properties: &WorkerProperties) -> (Answers, BTreeSet<String>) {
    let worker = ConnectWorker::start(vendor, mode, properties);
    let requests: Value = serde_json::from_str(REQUESTS).unwrap();
    let mut answers = Answers::new();
    for request in requests["requests"].as_array().unwrap() {
        let path = format!("/connector-plugins/{}/config/validate", request["type"].as_str().unwrap());
        let answer = worker.ask("PUT", &path, Some(&request["config"]));
        answers.insert(format!("validate: {}", request["name"].as_str().unwrap()), answer);
    }
    let (_, plugins) = worker.ask("GET", "/connector-plugins?connectorsOnly=false", None);
    let classes: BTreeSet<String> =
        plugins.as_array().unwrap().iter().map(|plugin| plugin["class"].as_str().unwrap().to_owned()).collect();
    for name in classes.iter().map(String::as_str).chain(NAMES) {
        let answer = worker.ask("GET", &format!("/connector-plugins/{}/config", name.replace('$', "%24")), None);
        answers.insert(format!("definitions: {name}"), answer);
    }
    (answers, classes)
}

/// Takes away what may differ. `own` are the classes that only one of the two has.
fn normalize(value: &mut Value, own: &BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            members.remove("documentation");
            for (name, value) in members {
                match (name.as_str(), value) {
                    ("recommended_values", Value::Array(values)) => {
                        values.retain(|value| value.as_str().is_none_or(|class| !own.contains(class)));
                    }
                    (_, value) => normalize(value, own),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| normalize(value, own)),
        Value::String(text) => {
            for (start, keeps) in [("Invalid regex: ", "Cannot invoke"), ("available connectors are: ", "\0")] {
                if let Some(at) = text.find(start).map(|at| at + start.len())
                    && !text[at..].starts_with(keeps)
                {
                    text.truncate(at);
                }
            }
        }
        _ => {}
    }
}

fn compare(mode: Mode, properties: &WorkerProperties) {
    let (java, java_classes) = answers(Vendor::Java, mode, properties);
    let (volley, volley_classes) = answers(Vendor::Volley, mode, properties);
    let own: BTreeSet<String> = java_classes.symmetric_difference(&volley_classes).cloned().collect();
    let mut differences = Vec::new();
    for (question, expected) in java {
        if own.iter().any(|class| question == format!("definitions: {class}")) {
            continue;
        }
        let (mut expected, mut found) = (expected, volley[&question].clone());
        normalize(&mut expected.1, &own);
        normalize(&mut found.1, &own);
        if expected != found {
            differences.push(format!(
                "{question}\n  java:   {} {}\n  volley: {} {}",
                expected.0, expected.1, found.0, found.1
            ));
        }
    }
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn a_standalone_worker_validates_as_the_java_worker_does() {
    compare(Mode::Standalone, &standalone_properties(&Kafka::shared().bootstrap_servers()));
}

#[test]
fn a_distributed_worker_validates_as_the_java_worker_does() {
    compare(Mode::Distributed, &distributed_properties(Kafka::shared(), GROUP));
}
