//! Starting and ending: a cluster that is not there, and signals.

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::testbed::{ConnectWorker, Kafka, Mode, Vendor, WorkerProperties, distributed_properties, send, wait_until};
use crate::worker_process::{Ended, Volley};

const SOON: Duration = Duration::from_secs(60);

/// Runs a worker of a group that gives its cluster a few seconds.
fn run_distributed(kafka: &Kafka, more: &[(&'static str, &str)]) -> Ended {
    let mut properties: WorkerProperties = distributed_properties(kafka, &kafka.unique("start"));
    properties.extend([("listeners", "http://127.0.0.1:0".to_owned()), ("default.api.timeout.ms", "8000".to_owned())]);
    properties.extend(more.iter().map(|(key, value)| (*key, (*value).to_owned())));
    let volley = Volley::new();
    let lines: Vec<(&str, &str)> = properties.iter().map(|(key, value)| (*key, value.as_str())).collect();
    volley.file("worker.properties", &lines);
    volley.run(SOON, &["distributed", "worker.properties"])
}

#[test]
fn why_the_cluster_is_not_reached_is_told_again_and_again_and_last() {
    let kafka = Kafka::shared();
    let (plain, tls) = (kafka.bootstrap_servers(), kafka.tls_bootstrap_servers());
    let cases: [(&[(&'static str, &str)], &str); 3] = [
        (&[("bootstrap.servers", "127.0.0.1:1")], "Connection refused"),
        (&[("bootstrap.servers", &plain), ("security.protocol", "SSL")], "does it speak TLS?"),
        (&[("bootstrap.servers", &kafka.sasl_bootstrap_servers())], "does `security.protocol` fit its listener?"),
    ];
    for (more, cause) in cases {
        let ended = run_distributed(kafka, more);
        assert_eq!(ended.status.code(), Some(2), "{}", ended.log);
        let told =
            ended.log.lines().filter(|line| line.contains("kafka does not answer") && line.contains(cause)).count();
        assert!(told >= 2, "{cause}:\n{}", ended.log);
        let last = ended.log.lines().last().unwrap();
        assert!(last.starts_with("error: ") && last.contains(cause), "{}", ended.log);
    }
    let password =
        "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"alice\" password=\"x\";";
    let refused: [(&[(&'static str, &str)], &str); 4] = [
        (&[("bootstrap.servers", &tls)], "check the port in `bootstrap.servers` and `security.protocol`"),
        (
            &[
                ("bootstrap.servers", &kafka.sasl_bootstrap_servers()),
                ("security.protocol", "SASL_PLAINTEXT"),
                ("sasl.mechanism", "PLAIN"),
                ("sasl.jaas.config", password),
            ],
            "Authentication failed: Invalid username or password",
        ),
        (&[("bootstrap.servers", "no.such.host.invalid:1")], "No resolvable bootstrap urls given in bootstrap.servers"),
        (&[("bootstrap.servers", "127.0.0.1")], "Invalid url in bootstrap.servers: 127.0.0.1"),
    ];
    for (more, cause) in refused {
        let ended = run_distributed(kafka, more);
        assert_eq!(ended.status.code(), Some(2), "{}", ended.log);
        let last = ended.log.lines().last().unwrap();
        assert!(last.starts_with("error: ") && last.contains(cause), "{cause}:\n{}", ended.log);
    }
}

#[test]
fn a_standalone_worker_waits_for_its_cluster_and_says_why() {
    let volley = Volley::new();
    volley.worker("127.0.0.1:1", &[]);
    let mut running = volley.start(&["standalone", "worker.properties"]);
    let address = running.rest();
    wait_until(SOON, "the cause is told twice", || {
        let told = |line: &&str| line.contains("kafka does not answer") && line.contains("Connection refused");
        (running.log().lines().filter(told).count() >= 2).then_some(())
    });
    let answer = send(&address, "GET", "/", &[], None).unwrap();
    assert_eq!(answer.status, 503, "{}", answer.json());
    let ended = {
        volley.worker("127.0.0.1", &[]);
        volley.run(SOON, &["standalone", "worker.properties"])
    };
    assert_eq!(ended.status.code(), Some(2));
    assert!(ended.log.ends_with("Invalid url in bootstrap.servers: 127.0.0.1\n"), "{}", ended.log);
}

#[test]
fn a_client_of_a_connector_says_again_and_again_why_its_cluster_is_not_reached() {
    let kafka = Kafka::shared();
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    let sink = |name: &'static str, more: &[(&'static str, &str)]| {
        let mut lines =
            vec![("name", name), ("connector.class", "FileStreamSink"), ("file", "/dev/null"), ("topics", "no-topic")];
        lines.extend_from_slice(more);
        volley.file(&format!("{name}.properties"), &lines).display().to_string()
    };
    let plain = kafka.bootstrap_servers();
    let tls = kafka.tls_bootstrap_servers();
    let files = [
        sink("gone", &[("consumer.override.bootstrap.servers", "127.0.0.1:1")]),
        sink("tls", &[("consumer.override.bootstrap.servers", &plain), ("consumer.override.security.protocol", "SSL")]),
        sink("plain", &[("consumer.override.bootstrap.servers", &tls)]),
    ];
    let mut arguments = vec!["standalone", "worker.properties"];
    arguments.extend(files.iter().map(String::as_str));
    let running = volley.start(&arguments);
    for (client, cause) in [("gone", "Connection refused"), ("tls", "does it speak TLS?")] {
        let client = format!("connector-consumer-{client}-0");
        wait_until(SOON, &client, || {
            let told = |line: &&str| {
                line.contains("kafka cannot be reached") && line.contains(&client) && line.contains(cause)
            };
            (running.log().lines().filter(told).count() >= 2).then_some(())
        });
    }
    // nothing but another setting helps here
    wait_until(SOON, "the task that speaks no TLS fails", || {
        let told = |line: &str| line.contains("task=plain-0") && line.contains("a port with TLS wants SSL");
        running.log().lines().any(told).then_some(())
    });
}

#[test]
fn the_first_answer_of_a_worker_has_the_id_of_its_cluster() {
    let kafka = Kafka::shared();
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    let mut running = volley.start(&["standalone", "worker.properties"]);
    let address = running.rest();
    let first = wait_until(SOON, "an answer", || {
        let answer = send(&address, "GET", "/", &[], None).ok()?;
        (answer.status != 404).then_some(answer)
    });
    assert_eq!(first.json()["kafka_cluster_id"], "4L6g3nShT-eMCtK--X86sw");
}

#[test]
fn a_hang_up_ends_a_worker_in_order() {
    let kafka = Kafka::shared();
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    let mut running = volley.start(&["standalone", "worker.properties"]);
    running.rest();
    running.signal("HUP");
    wait_until(SOON, "the worker ends", || (!running.is_running()).then_some(()));
    assert!(running.log().contains("worker has ended"), "{}", running.log());

    let properties = distributed_properties(kafka, &kafka.unique("hang-up"));
    let mut worker = ConnectWorker::start(Vendor::Volley, Mode::Distributed, &properties);
    worker.signal("HUP");
    wait_until(SOON, "the worker ends", || (!worker.is_running()).then_some(()));
    assert!(worker.log().contains("worker has ended"), "{}", worker.log());
    worker.kill();
}

#[test]
fn a_daemon_appends_to_its_log() {
    let directory = tempfile::tempdir().unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/bin/connect-distributed.sh");
    for run in 1..=2 {
        let status = Command::new(script)
            .args(["-daemon", "worker.properties"])
            .env("VOLLEY_BIN", "echo")
            .env("LOG_DIR", directory.path())
            .status()
            .unwrap();
        assert!(status.success());
        wait_until(SOON, "the worker has written", || {
            let log = fs::read_to_string(directory.path().join("connectDistributed.out")).ok()?;
            (log == "distributed worker.properties\n".repeat(run)).then_some(())
        });
    }
}

#[test]
fn keys_that_nobody_knows_are_told_in_one_line() {
    let kafka = Kafka::shared();
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[("offset.flush.intervall.ms", "hush"), ("some.note", "hush")]);
    let mut running = volley.start(&["standalone", "worker.properties"]);
    running.rest();
    let log = running.log();
    let line = log.lines().find(|line| line.contains("nobody knows")).unwrap();
    assert!(
        line.contains("`offset.flush.intervall.ms` (did you mean `offset.flush.interval.ms`?), `some.note`"),
        "{line}"
    );
    assert!(!log.contains("hush"), "{log}");
}

#[test]
fn a_worker_that_is_to_outlive_the_terminal_does() {
    let kafka = Kafka::shared();
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    let mut running = volley.start_by("nohup", &["standalone", "worker.properties"]);
    let address = running.rest();
    running.signal("HUP");
    let answer = send(&address, "GET", "/", &[], None).unwrap();
    assert!(answer.status == 200 && running.is_running(), "{}", running.log());
}
