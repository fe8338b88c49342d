//! Several versions of a connector in one plug-in path (KIP-891), beside the Java worker.

use std::fs;

use serde_json::{Value, json};

use crate::testbed::{Kafka, Vendor, compile_plugin, java_properties};
use crate::worker_group::WorkerGroup;

const SOURCE: &str = "org.volley.tests.Secrets$Source";

#[test]
fn of_two_versions_of_a_connector_each_runs_where_it_is_asked_for_and_is_shown_as_by_the_java_worker() {
    let kafka = Kafka::shared();
    let directory = tempfile::tempdir().unwrap();
    let locations = ["1.5", "1.10"].map(|version| {
        let location = directory.path().join(version);
        compile_plugin(&location, "Secrets", &[("org.apache.kafka.connect.source.SourceConnector", &[SOURCE])]);
        fs::write(location.join("secrets/version"), version).unwrap();
        location.display().to_string()
    });
    let mut properties = java_properties(&[]);
    properties.retain(|(key, _)| !matches!(*key, "plugin.path" | "volley.java"));
    properties.push(("plugin.path", locations.join(",")));
    let given: Vec<_> = properties.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let config = |version: Option<&str>| {
        let mut config = json!({"connector.class": SOURCE, "tasks.max": "1", "secret": "s",
            "told": directory.path().join("told")});
        if let Some(version) = version {
            config["connector.plugin.version"] = json!(version);
        }
        config
    };
    let [by_java, by_volley] = [Vendor::Java, Vendor::Volley].map(|vendor| {
        let mut group = WorkerGroup::with(kafka, "java-versions", &given);
        group.add(&[vendor]);
        let mut seen = vec![versions_listed(&group.ask(0, "GET", "/connector-plugins", None))];
        for (name, version) in [("any", None), ("old", Some("[1.5]")), ("new", Some("(1.5,2.0)"))] {
            group.put(0, name, &config(version));
            group.await_state(name, "RUNNING", 1);
            let status = group.ask(0, "GET", &format!("/connectors/{name}/status"), None);
            seen.push(json!([name, status["connector"]["version"], status["tasks"][0]["version"]]));
        }
        for version in [None, Some("[1.5]"), Some("[7.0]"), Some("no range ]")] {
            let mut config = config(version);
            config["name"] = json!("x");
            let path = format!("/connector-plugins/{SOURCE}/config/validate");
            let (status, answer) = group.worker(0).ask("PUT", &path, Some(&config));
            seen.push(json!([version, status, answer["message"], of_version(&answer)]));
        }
        for version in ["1.5", "[1.0,2.0)", "7.0"] {
            let path = format!("/connector-plugins/{SOURCE}/config?version={version}");
            let (status, answer) = group.worker(0).ask("GET", &path, None);
            seen.push(json!([version, status, answer["message"], default_of_version(&answer)]));
        }
        seen
    });
    for (by_java, by_volley) in by_java.iter().zip(&by_volley) {
        assert_eq!(by_volley, by_java);
    }
    assert_eq!(
        by_java[1..4],
        [json!(["any", "1.10", "1.10"]), json!(["old", "1.5", "1.5"]), json!(["new", "1.10", "1.10"])]
    );
}

fn versions_listed(plugins: &Value) -> Value {
    let of_source = plugins.as_array().unwrap().iter().filter(|plugin| plugin["class"] == SOURCE);
    of_source.map(|plugin| plugin["version"].clone()).collect()
}

/// What a validation says of the class and its version.
fn of_version(answer: &Value) -> Value {
    let keys = answer["configs"].as_array().into_iter().flatten();
    let of_both = keys.filter(|key| {
        ["connector.class", "connector.plugin.version"].iter().any(|name| key["definition"]["name"] == *name)
    });
    let shown = |key: &Value| {
        let value = &key["value"];
        let recommended = if value["name"] == "connector.class" { &Value::Null } else { &value["recommended_values"] };
        json!([value["name"], value["value"], recommended, value["errors"], key["definition"]["default_value"]])
    };
    of_both.map(shown).collect()
}

fn default_of_version(definitions: &Value) -> Value {
    let keys = definitions.as_array().into_iter().flatten();
    let of_version = keys.filter(|key| key["name"] == "connector.plugin.version");
    of_version.map(|key| key["default_value"].clone()).collect()
}
