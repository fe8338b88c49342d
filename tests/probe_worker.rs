//! A worker that knows the plug-ins of Kafka's own tests: Volley's probes that look like them, or the Java classes themselves.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::testbed::{Kafka, distributed_properties, host_directory, installed, wait_until};
use crate::worker_process::{Running, Volley, request};

/// Also for a JVM on a slow machine.
pub(crate) const SOON: Duration = Duration::from_secs(120);
/// Within this, requests are answered that have nothing to do with who hangs.
const PROMPTLY: Duration = Duration::from_secs(10);
/// The same where each starts a JVM, on a slow machine.
const PROMPTLY_IN_A_JVM: Duration = Duration::from_secs(60);
/// Makes the worker offer its own probes.
pub(crate) const PROBES: (&str, &str) = ("VOLLEY_PROBES", "1");

/// Whose plug-ins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Probes {
    /// Volley's, in the worker.
    Native,
    /// Kafka's, in hosts.
    Java,
}

impl Probes {
    fn properties(self) -> Vec<(&'static str, String)> {
        match self {
            Self::Native => Vec::new(),
            Self::Java => vec![
                ("volley.java", "always".to_owned()),
                ("volley.java.host.dir", host_directory().display().to_string()),
                ("volley.java.heap", "96m".to_owned()),
            ],
        }
    }

    /// Kafka's are on the hosts' class path: they are never loaded from a plug-in path.
    fn environment(self) -> (&'static str, String) {
        match self {
            Self::Native => (PROBES.0, PROBES.1.to_owned()),
            Self::Java => ("CLASSPATH", format!("{}/*", installed("connect-tests").display())),
        }
    }
}

/// A worker with its directory.
pub(crate) struct ProbeWorker {
    pub(crate) process: Running,
    volley: Volley,
    rest: String,
    probes: Probes,
}

impl ProbeWorker {
    pub(crate) fn distributed(kafka: &Kafka, group: &str, probes: Probes) -> Self {
        let volley = Volley::new();
        let mut lines = distributed_properties(kafka, group);
        lines.extend(probes.properties());
        lines.push(("listeners", "http://127.0.0.1:0".to_owned()));
        lines.push(("task.shutdown.graceful.timeout.ms", "1000".to_owned()));
        let lines: Vec<(&str, &str)> = lines.iter().map(|(key, value)| (*key, value.as_str())).collect();
        volley.file("worker.properties", &lines);
        Self::launch(volley, "distributed", probes)
    }

    pub(crate) fn standalone(kafka: &Kafka, more: &[(&str, &str)], probes: Probes) -> Self {
        let volley = Volley::new();
        let of_probes = probes.properties();
        let mut lines: Vec<(&str, &str)> = of_probes.iter().map(|(key, value)| (*key, value.as_str())).collect();
        lines.push(("plugin.discovery", "service_load"));
        lines.extend_from_slice(more);
        volley.worker(&kafka.bootstrap_servers(), &lines);
        Self::launch(volley, "standalone", probes)
    }

    fn launch(volley: Volley, mode: &str, probes: Probes) -> Self {
        let (variable, value) = probes.environment();
        let mut process = volley.start_with(&[mode, "worker.properties"], &[(variable, value.as_str())]);
        let rest = process.rest();
        let worker = Self { process, volley, rest, probes };
        wait_until(SOON, "the worker is healthy", || (worker.ask("GET", "/health", None).0 == 200).then_some(()));
        // Java's are scanned at the first look, the keys of one that hangs are waited for
        wait_until(SOON, "the plug-ins are known", || {
            let plugins = worker.ask("GET", "/connector-plugins", None).1.to_string();
            plugins.contains("BlockingConnectorTest$BlockingConnector").then_some(())
        });
        worker
    }

    pub(crate) fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        request(&self.rest, method, path, body)
    }

    pub(crate) fn create(&self, name: &str, config: &Value) {
        let body = json!({ "name": name, "config": config });
        let (status, answer) = self.ask("POST", "/connectors", Some(&body));
        assert_eq!(status, 201, "{name}: {answer}");
    }

    /// Creates a connector that may hang, without waiting for the answer.
    pub(crate) fn create_aside(&self, name: &str, config: &Value) {
        let (rest, body) = (self.rest.clone(), json!({ "name": name, "config": config }));
        thread::spawn(move || request(&rest, "POST", "/connectors", Some(&body)));
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        self.ask("GET", &format!("/connectors/{name}"), None).0 == 200
    }

    pub(crate) fn await_running(&self, name: &str) {
        wait_until(SOON, &format!("{name} runs"), || {
            let status = self.ask("GET", &format!("/connectors/{name}/status"), None).1;
            let tasks = status["tasks"].as_array().filter(|tasks| !tasks.is_empty())?;
            let is_running =
                status["connector"]["state"] == "RUNNING" && tasks.iter().all(|task| task["state"] == "RUNNING");
            is_running.then_some(())
        });
    }

    /// Waits until a connector is stopped or, with two tasks, runs again.
    pub(crate) fn await_target(&self, name: &str, action: &str) {
        let state = if action == "stop" { "STOPPED" } else { "RUNNING" };
        wait_until(SOON, &format!("{name} is {state}"), || {
            let status = self.ask("GET", &format!("/connectors/{name}/status"), None).1;
            let tasks = status["tasks"].as_array()?;
            let is_done = match action {
                "stop" => tasks.is_empty(),
                _ => tasks.len() == 2 && tasks.iter().all(|task| task["state"] == "RUNNING"),
            };
            (status["connector"]["state"] == state && is_done).then_some(())
        });
    }

    pub(crate) fn rows_out(&self, name: &str) -> u64 {
        let progress = self.ask("GET", &format!("/volley/connectors/{name}/progress"), None).1;
        progress["total"]["rows_out"].as_u64().unwrap_or_default()
    }

    /// Whatever hangs, others are created, run, and go. `alive` is one that runs all the time.
    pub(crate) fn others_live(&self, what: &str) {
        let begin = Instant::now();
        assert_eq!(self.ask("GET", "/health", None).0, 200, "{what}");
        let before = self.rows_out("alive");
        self.create("fresh", &json!({ "connector.class": "MockSource" }));
        self.await_running("fresh");
        assert_eq!(self.ask("DELETE", "/connectors/fresh", None).0, 204, "{what}");
        wait_until(SOON, "messages flow", || (self.rows_out("alive") > before).then_some(()));
        self.await_running("alive");
        let took = begin.elapsed();
        let limit = match self.probes {
            Probes::Native => PROMPTLY,
            Probes::Java => PROMPTLY_IN_A_JVM,
        };
        assert!(took < limit, "{what}: others took {took:?}");
    }

    /// The JSON objects that its connectors have printed. What a host prints goes into the worker's log.
    pub(crate) fn printed(&self) -> Vec<Value> {
        match self.probes {
            Probes::Native => fs::read_to_string(self.volley.path("stdout"))
                .unwrap()
                .lines()
                .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not a message: {line}")))
                .collect(),
            Probes::Java => self.process.log().lines().filter_map(object_in).collect(),
        }
    }
}

fn object_in(line: &str) -> Option<Value> {
    let text = &line[line.find("{\"")?..];
    serde_json::Deserializer::from_str(text).into_iter().next()?.ok()
}
