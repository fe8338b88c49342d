//! Config providers in Java (KIP-297), beside the Java worker: with a plug-in of our own (`tests/java/Secrets.java`).

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::testbed::{Kafka, Vendor, compile_plugin, host_directory, hosts_of, java_properties, signal, wait_until};
use crate::worker_group::{SOON, WorkerGroup};
use crate::worker_process::Volley;

const PROVIDER: &str = "org.volley.tests.Secrets$Provider";
const SOURCE: &str = "org.volley.tests.Secrets$Source";

/// A worker whose secrets are in files, and a connector that tells which it has got.
struct Secrets {
    directory: tempfile::TempDir,
    group: WorkerGroup,
}

impl Secrets {
    /// With one worker, a key of which is a secret. Secrets hold for `ttl` milliseconds.
    fn new(kafka: &Kafka, vendor: Vendor, ttl: Option<&str>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let plugins = directory.path().join("plugins");
        compile_secrets(&plugins);
        fs::create_dir(directory.path().join("secrets")).unwrap();
        fs::write(directory.path().join("secrets/worker"), "flush=1234\n").unwrap();
        let mut properties = java_properties(&[]);
        properties.retain(|(key, _)| *key != "plugin.path");
        properties.extend([
            ("plugin.path", plugins.display().to_string()),
            ("config.providers", "secrets".to_owned()),
            ("config.providers.secrets.class", PROVIDER.to_owned()),
            ("config.providers.secrets.param.dir", directory.path().join("secrets").display().to_string()),
            ("offset.flush.interval.ms", "${secrets:worker:flush}".to_owned()),
        ]);
        properties.extend(ttl.map(|ttl| ("config.providers.secrets.param.ttl", ttl.to_owned())));
        let given: Vec<_> = properties.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let mut group = WorkerGroup::with(kafka, "java-secrets", &given);
        group.add(&[vendor]);
        Self { directory, group }
    }

    fn rotate(&self, secret: &str) {
        let (new, file) = (self.directory.path().join("new"), self.directory.path().join("secrets/app"));
        fs::write(&new, format!("password={secret}\n")).unwrap();
        fs::rename(new, file).unwrap();
    }

    fn config(&self, name: &str, secret: &str, more: &Value) -> Value {
        let mut config = json!({"connector.class": SOURCE, "tasks.max": "1", "secret": secret,
            "told": self.directory.path().join(name)});
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        config
    }

    fn start(&self, name: &str, more: &Value) {
        self.group.put(0, name, &self.config(name, "${secrets:app:password}", more));
        self.group.await_state(name, "RUNNING", 1);
    }

    /// What the connector has told.
    fn told(&self, name: &str) -> Vec<String> {
        let told = fs::read_to_string(self.directory.path().join(name)).unwrap_or_default();
        told.lines().map(str::to_owned).collect()
    }

    fn await_told(&self, name: &str, line: &str) {
        wait_until(SOON, &format!("{name}: {line}"), || self.told(name).iter().any(|told| told == line).then_some(()));
    }

    fn ask_for(&self, name: &str, secret: &str) -> (u16, Value) {
        self.group.worker(0).ask(
            "PUT",
            &format!("/connectors/{name}/config"),
            Some(&self.config(name, secret, &json!({}))),
        )
    }

    /// The calls of providers that are not for values.
    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.directory.path().join("secrets/calls")).unwrap_or_default();
        calls.lines().map(str::to_owned).collect()
    }
}

fn compile_secrets(plugins: &std::path::Path) {
    let services: [(&str, &[&str]); 2] = [
        ("org.apache.kafka.common.config.provider.ConfigProvider", &[PROVIDER]),
        ("org.apache.kafka.connect.source.SourceConnector", &[SOURCE]),
    ];
    compile_plugin(plugins, "Secrets", &services);
}

#[test]
fn a_secret_that_changes_when_it_expires_reaches_the_connector_and_its_task() {
    let kafka = Kafka::shared();
    for vendor in [Vendor::Java, Vendor::Volley] {
        let secrets = Secrets::new(kafka, vendor, Some("1000"));
        secrets.rotate("hush-0");
        secrets.start("a", &json!({}));
        for line in ["connector hush-0", "task hush-0", "configs hush-0"] {
            secrets.await_told("a", line);
        }
        for rotation in 1..=3 {
            secrets.rotate(&format!("hush-{rotation}"));
            secrets.await_told("a", &format!("configs hush-{rotation}"));
            secrets.await_told("a", &format!("connector hush-{rotation}"));
            // Kafka compares with what it has resolved when it first looked after the tasks were made, and so misses some
            if vendor == Vendor::Volley {
                secrets.await_told("a", &format!("task hush-{rotation}"));
            }
        }
        secrets.group.await_state("a", "RUNNING", 1);
        for path in ["/connectors/a", "/connectors/a/config", "/connectors/a/tasks", "/connectors/a/status"] {
            let answer = secrets.group.ask(0, "GET", path, None).to_string();
            assert!(!answer.contains("hush"), "{vendor:?} {path}: {answer}");
        }
        assert!(!secrets.group.worker(0).log().contains("hush"), "{vendor:?}: a secret is in the log");
    }
}

#[test]
fn what_a_provider_refuses_is_refused_in_the_words_of_the_java_worker() {
    let kafka = Kafka::shared();
    let [java, volley] = [Vendor::Java, Vendor::Volley].map(|vendor| Secrets::new(kafka, vendor, None));
    for secrets in [&java, &volley] {
        secrets.rotate("hush");
    }
    let [by_java, by_volley] = [&java, &volley].map(|secrets| secrets.ask_for("b", "${secrets:nowhere:password}"));
    assert_eq!((by_volley.0, by_volley.1["message"].clone()), (by_java.0, by_java.1["message"].clone()));
    assert_eq!(by_java.0, 500, "{by_java:?}");
    // a reference that Java then takes as the value itself
    let (status, answer) = volley.ask_for("b", "${secrets:app:none}");
    let message = answer["message"].as_str().unwrap_or_default();
    assert_eq!((status, message), (500, "Could not find key `none` at path `app` of config provider `secrets`"));
    assert_eq!(volley.calls(), ["configure"], "one provider for all");
}

#[test]
fn values_that_expire_unchanged_start_nothing_again_nor_do_any_where_the_connector_does_not_want_it() {
    let secrets = Secrets::new(Kafka::shared(), Vendor::Volley, Some("200"));
    secrets.rotate("one");
    secrets.start("same", &json!({"secret": "${secrets:worker:flush}"}));
    secrets.start("none", &json!({"config.action.reload": "none"}));
    secrets.start("other", &json!({}));
    for secret in ["two", "three"] {
        secrets.rotate(secret);
        secrets.await_told("other", &format!("task {secret}"));
    }
    let started = |name| secrets.told(name).into_iter().filter(|line| !line.starts_with("configs")).collect::<Vec<_>>();
    assert_eq!(started("same"), ["connector 1234", "task 1234"]);
    assert_eq!(started("none"), ["connector one", "task one"]);
}

#[test]
fn a_provider_that_dies_or_does_not_answer_costs_the_call_that_it_died_of() {
    let secrets = Secrets::new(Kafka::shared(), Vendor::Volley, Some("200"));
    secrets.rotate("one");
    secrets.start("c", &json!({}));
    let (status, answer) = secrets.ask_for("d", "${secrets:exit:password}");
    assert_eq!(status, 500, "{answer}");
    let message = answer["message"].as_str().unwrap_or_default();
    assert!(message.contains("config providers"), "{message}");

    // where it has no values any more, what runs goes on with those that it has got
    fs::remove_file(secrets.directory.path().join("secrets/app")).unwrap();
    let warning = "values of a config provider have expired, and it gives no others";
    wait_until(SOON, warning, || secrets.group.worker(0).log().contains(warning).then_some(()));
    secrets.group.await_state("c", "RUNNING", 1);

    let worker = secrets.group.worker(0).pid();
    hosts_of(worker).into_iter().for_each(|host| signal(host, "KILL"));
    secrets.rotate("two");
    secrets.start("e", &json!({}));
    secrets.await_told("e", "task two");
}

#[test]
fn a_worker_tells_its_provider_of_its_end_and_starts_with_none_that_it_cannot_use() {
    let mut secrets = Secrets::new(Kafka::shared(), Vendor::Volley, None);
    secrets.rotate("hush");
    secrets.group.stop(0);
    assert_eq!(secrets.calls(), ["configure", "close"]);

    let volley = Volley::new();
    let plugins = volley.path("plugins");
    compile_secrets(&plugins);
    let [plugins, host, none] = [plugins, host_directory(), volley.path("none")].map(|path| path.display().to_string());
    for (class, home, reason) in [
        ("org.example.Vault", "", "Class org.example.Vault could not be found"),
        (PROVIDER, none.as_str(), "volley.java.home"),
        (PROVIDER, "", "could not make config provider `secrets`"),
    ] {
        let mut properties = vec![
            ("plugin.path", plugins.as_str()),
            ("volley.java.host.dir", host.as_str()),
            ("config.providers", "secrets"),
            ("config.providers.secrets.class", class),
            ("config.providers.secrets.param.dir", "/no/such/directory"),
        ];
        properties.extend((!home.is_empty()).then_some(("volley.java.home", home)));
        volley.worker("127.0.0.1:1", &properties);
        let ended = volley.run(Duration::from_secs(120), &["standalone", "worker.properties"]);
        assert_eq!(ended.status.code(), Some(2), "{}", ended.log);
        assert!(ended.log.contains(reason), "{class}: {}", ended.log);
    }
}

#[test]
fn a_command_that_runs_no_class_in_java_needs_no_java_and_one_that_needs_a_provider_asks_it() {
    let (kafka, volley) = (Kafka::shared(), Volley::new());
    let (topic, servers) = (kafka.topic("java-commands", 1), kafka.bootstrap_servers());
    kafka.produce_pairs(&topic, &[("k", Some("7"))]);
    let (plugins, secrets) = (volley.path("plugins"), volley.path("secrets"));
    compile_secrets(&plugins);
    fs::create_dir(&secrets).unwrap();
    fs::write(secrets.join("worker"), format!("servers={servers}\n")).unwrap();
    let [plugins, host, secrets, none, out] =
        [plugins, host_directory(), secrets, volley.path("none"), volley.path("out")]
            .map(|path| path.display().to_string());
    volley.file(
        "sink.properties",
        &[("name", "s"), ("connector.class", "FileStreamSink"), ("topics", &topic), ("file", &out)],
    );
    let java = [("plugin.path", plugins.as_str()), ("volley.java.host.dir", &host)];
    let without_java = [("volley.java", "always"), ("volley.java.home", &none), ("plugin.discovery", "hybrid_fail")];
    let provider = [
        ("config.providers", "secrets"),
        ("config.providers.secrets.class", PROVIDER),
        ("config.providers.secrets.param.dir", &secrets),
    ];
    for (servers, keys) in [(servers.as_str(), &without_java), ("${secrets:worker:servers}", &provider)] {
        volley.worker(servers, &[&java[..], keys].concat());
        for command in [
            ["preview", "worker.properties", "sink.properties", "--rows", "1"].as_slice(),
            &["export", "--worker-config", "worker.properties", "--topic", &topic, "--to", &out],
            &["dlq", "show", "--worker-config", "worker.properties", "--topic", &topic],
        ] {
            let ended = volley.run(SOON, command);
            assert!(ended.status.success(), "{command:?}: {}\n{}", ended.stdout, ended.log);
            assert!(!ended.log.contains("java.home"), "{command:?}: {}", ended.log);
        }
    }
}
