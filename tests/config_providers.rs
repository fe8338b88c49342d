//! Variables of config providers, beside the Java worker: what it refuses is refused in its words; what it cannot resolve and
//! then takes as it is written is refused too.

use std::fs;
use std::time::Duration;

use serde_json::json;

use crate::testbed::{ConnectWorker, Kafka, Mode, Vendor, WorkerProperties, standalone_properties};
use crate::worker_process::Volley;

const PROVIDERS: [(&str, &str); 6] = [
    ("config.providers", "file,free,directory,env"),
    ("config.providers.file.class", "org.apache.kafka.common.config.provider.FileConfigProvider"),
    ("config.providers.free.class", "org.apache.kafka.common.config.provider.FileConfigProvider"),
    ("config.providers.directory.class", "org.apache.kafka.common.config.provider.DirectoryConfigProvider"),
    ("config.providers.env.class", "org.apache.kafka.common.config.provider.EnvVarConfigProvider"),
    ("config.providers.env.param.allowlist.pattern", "PATH|VOLLEY_.*"),
];

/// What becomes of a configuration with a variable.
enum Fate {
    /// Both take it.
    Taken,
    /// Both refuse it, alike.
    Refused,
    /// Java takes the variable itself as the value; Volley gives this reason.
    RefusedHere(&'static str),
}

#[test]
fn a_variable_that_its_provider_cannot_resolve_is_an_error_with_the_reason() {
    use Fate::{Refused, RefusedHere, Taken};
    let kafka = Kafka::shared();
    let directory = tempfile::tempdir().unwrap();
    let [allowed, other] = ["allowed", "other"].map(|name| directory.path().join(name));
    for place in [&allowed, &other] {
        fs::create_dir(place).unwrap();
        fs::write(place.join("f.properties"), "topic=lines\n").unwrap();
    }
    let [allowed, other] = [&allowed, &other].map(|path| path.display().to_string());
    let mut properties: WorkerProperties = standalone_properties(&kafka.bootstrap_servers());
    properties.extend(PROVIDERS.map(|(key, value)| (key, value.to_owned())));
    properties.push(("config.providers.file.param.allowed.paths", allowed.clone()));
    let [java, volley] =
        [Vendor::Java, Vendor::Volley].map(|vendor| ConnectWorker::start(vendor, Mode::Standalone, &properties));

    for (variable, fate) in [
        (format!("${{file:{allowed}/f.properties:topic}}"), Taken),
        (format!("${{directory:{allowed}:f.properties}}"), Taken),
        ("${nobody:path:key}".to_owned(), Taken),
        ("${key}".to_owned(), Taken),
        (format!("${{file:{allowed}/nofile.properties:topic}}"), Refused),
        (format!("${{file:{allowed}:topic}}"), Refused),
        ("${free:/no/such/file:topic}".to_owned(), Refused),
        ("${env:/path:PATH}".to_owned(), Refused),
        (format!("${{file:{allowed}/f.properties:nokey}}"), RefusedHere("Could not find key `nokey` in file ")),
        (format!("${{file:{other}/f.properties:topic}}"), RefusedHere("`allowed.paths`")),
        (format!("${{file:{other}/nofile.properties:topic}}"), RefusedHere("`allowed.paths`")),
        ("${file:topic}".to_owned(), RefusedHere("Could not find key `topic` without a file")),
        (format!("${{directory:{allowed}:nofile}}"), RefusedHere("Could not find a file named `nofile` in directory ")),
        ("${directory:/no/such/directory:x}".to_owned(), RefusedHere("Could not list directory /no/such/directory")),
        ("${directory:x}".to_owned(), RefusedHere("without a directory")),
        ("${env:VOLLEY_NOT_SET}".to_owned(), RefusedHere("Could not find environment variable `VOLLEY_NOT_SET`")),
        ("${env:HOME}".to_owned(), RefusedHere("`allowlist.pattern`")),
    ] {
        let config = json!({ "connector.class": "FileStreamSource", "topic": "t", "file": "absent.txt",
            "variable": variable });
        let [asked_java, asked_volley] =
            [&java, &volley].map(|worker| worker.ask("PUT", "/connectors/x/config", Some(&config)));
        match fate {
            Taken => assert!(asked_java.0 < 300 && asked_volley.0 < 300, "{variable}: {asked_java:?} {asked_volley:?}"),
            Refused => {
                assert_eq!(asked_java, asked_volley, "{variable}");
                assert_eq!(asked_java.0, 500, "{variable}");
            }
            RefusedHere(reason) => {
                assert!(asked_java.0 < 300, "{variable}: {asked_java:?}");
                let message = asked_volley.1["message"].as_str().unwrap_or_default();
                assert!(asked_volley.0 == 500 && message.contains(reason), "{variable}: {asked_volley:?}");
            }
        }
    }
}

#[test]
fn a_worker_file_with_such_a_variable_starts_no_worker() {
    let volley = Volley::new();
    let file = volley.path("secrets.properties").display().to_string();
    volley.file("secrets.properties", &[("user", "alice")]);
    let variable = format!("${{file:{file}:password}}");
    volley.worker("127.0.0.1:1", &[&PROVIDERS[..], &[("sasl.jaas.config", &variable)]].concat());
    let ended = volley.run(Duration::from_secs(60), &["standalone", "worker.properties"]);
    assert_eq!(ended.status.code(), Some(2), "{}", ended.log);
    assert!(ended.log.contains(&format!("Could not find key `password` in file {file}")), "{}", ended.log);
}
