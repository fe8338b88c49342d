//! The settings that each plug-in defines: Kafka's own worker and Volley are asked, and must answer the same.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::testbed::{ConnectWorker, Kafka, Mode, Vendor, standalone_properties};

/// Names that are no classes, to be asked for too.
const NAMES: [&str; 7] =
    ["FileStreamSource", "JsonConverter", "RegexRouter", "SimpleHeaderConverter", "HasHeaderKey", "Value", "Nope"];

/// What was answered, by name.
type Answers = BTreeMap<String, (u16, Value)>;

fn answers(vendor: Vendor) -> (Answers, BTreeSet<String>) {
    let worker =
        ConnectWorker::start(vendor, Mode::Standalone, &standalone_properties(&Kafka::shared().bootstrap_servers()));
    let (_, plugins) = worker.ask("GET", "/connector-plugins?connectorsOnly=false", None);
    let classes: BTreeSet<String> =
        plugins.as_array().unwrap().iter().map(|plugin| plugin["class"].as_str().unwrap().to_owned()).collect();
    let definitions = |name: &str| {
        let answer = worker.ask("GET", &format!("/connector-plugins/{}/config", name.replace('$', "%24")), None);
        (name.to_owned(), answer)
    };
    (classes.iter().map(String::as_str).chain(NAMES).map(definitions).collect(), classes)
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

#[test]
fn plugins_define_the_settings_that_they_define_in_a_java_worker() {
    let (java, java_classes) = answers(Vendor::Java);
    let (volley, volley_classes) = answers(Vendor::Volley);
    let own: BTreeSet<String> = java_classes.symmetric_difference(&volley_classes).cloned().collect();
    let mut differences = Vec::new();
    for (name, mut expected) in java.into_iter().filter(|(name, _)| !own.contains(name)) {
        let mut found = volley[&name].clone();
        normalize(&mut expected.1, &own);
        normalize(&mut found.1, &own);
        if expected != found {
            differences
                .push(format!("{name}\n  java:   {} {}\n  volley: {} {}", expected.0, expected.1, found.0, found.1));
        }
    }
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}
