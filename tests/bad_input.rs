//! Law 4: whatever the user gives, he gets a message that names the thing and a sane exit code; nothing panics.

use std::time::Duration;

use crate::testbed::{Kafka, S3, wait_until};
use crate::worker_process::{Ended, Volley, request};
use serde_json::json;

const SOON: Duration = Duration::from_secs(60);

fn sink<'a>(topic: &'a str, url: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("name", topic),
        ("connector.class", "ObjectStoreSink"),
        ("topics", topic),
        ("store.url", url),
        ("volley.mode", "bounded"),
    ]
}

fn run_sink(volley: &Volley, lines: &[(&str, &str)]) -> Ended {
    volley.file("sink.properties", lines);
    volley.run(SOON, &["standalone", "worker.properties", "sink.properties", "--until-done"])
}

fn assert_refused(end: &Ended, code: i32, says: &[&str]) {
    assert_eq!(end.status.code(), Some(code), "{}", end.log);
    for text in says {
        assert!(end.log.contains(text), "`{text}` is not said:\n{}", end.log);
    }
    assert!(!end.log.contains("panicked"), "{}", end.log);
}

#[test]
fn usage_errors_exit_with_1() {
    let volley = Volley::new();
    assert_eq!(volley.run(SOON, &["standalone"]).status.code(), Some(1));
    assert_eq!(volley.run(SOON, &["no-such-command"]).status.code(), Some(1));
    assert_eq!(volley.run(SOON, &["plugins", "NoSuchPlugin"]).status.code(), Some(1));
    assert_eq!(volley.run(SOON, &["--help"]).status.code(), Some(0));
}

#[test]
fn a_worker_file_that_cannot_be_used_exits_with_2_and_names_the_key() {
    let volley = Volley::new();
    assert_refused(&volley.run(SOON, &["standalone", "missing.properties"]), 2, &["missing.properties"]);
    volley.file("worker.properties", &[("bootstrap.servers", "127.0.0.1:1")]);
    assert_refused(&volley.run(SOON, &["standalone", "worker.properties"]), 2, &["key.converter"]);
    std::fs::write(volley.path("bad.properties"), "bootstrap.servers=\\u12zz\n").unwrap();
    assert_refused(&volley.run(SOON, &["standalone", "bad.properties"]), 2, &["bad.properties"]);
    volley.worker("127.0.0.1:1", &[("offset.flush.interval.ms", "often")]);
    assert_refused(&volley.run(SOON, &["standalone", "worker.properties"]), 2, &["offset.flush.interval.ms", "often"]);
}

#[test]
fn a_connector_that_cannot_be_created_exits_with_3_and_says_why() {
    let volley = Volley::new();
    volley.worker("127.0.0.1:1", &[]);
    let url = format!("file://{}", volley.path("out").display());
    let cases: &[(&str, &str, &[&str])] = &[
        ("connector.class", "NoSuchSink", &["NoSuchSink"]),
        ("tasks.max", "many", &["tasks.max", "many"]),
        ("store.url", "ftp://example", &["store.url"]),
        ("format.class", "Papyrus", &["format.class"]),
        ("transforms", "sql", &["transforms.sql.type"]),
        ("errors.tolerance", "some", &["errors.tolerance", "none, all"]),
        ("volley.mode", "sideways", &["volley.mode"]),
    ];
    for (key, value, says) in cases {
        let mut lines = sink("t", &url);
        lines.retain(|(name, _)| name != key);
        lines.push((key, value));
        assert_refused(&run_sink(&volley, &lines), 3, says);
    }
}

#[test]
fn sql_that_cannot_run_is_refused_with_its_position() {
    let volley = Volley::new();
    volley.worker("127.0.0.1:1", &[]);
    let url = format!("file://{}", volley.path("out").display());
    let cases: &[(&str, &[&str])] = &[
        ("SELECT FROM WHERE", &["line 1"]),
        ("SELECT count(*) FROM records", &["line 1", "column 8"]),
        ("SELECT a FROM records ORDER BY a", &["ORDER BY", "line 1"]),
        ("DROP TABLE records", &["line 1"]),
    ];
    for (query, says) in cases {
        let mut lines = sink("t", &url);
        lines.extend([("transforms", "sql"), ("transforms.sql.type", "Sql"), ("transforms.sql.query", query)]);
        assert_refused(&run_sink(&volley, &lines), 3, says);
    }
}

#[test]
fn sql_that_names_a_column_that_no_record_has_says_what_is_near_and_how_to_declare_it() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("columns", 1);
    kafka.produce(&topic, 10, |_, _, value| {
        value.extend_from_slice(br#"{"userId":1,"amount":2}"#);
        0
    });
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    let url = format!("file://{}", volley.path("out").display());
    let mut lines = sink(&topic, &url);
    lines.extend([("transforms", "sql"), ("transforms.sql.type", "Sql")]);
    lines.push(("transforms.sql.query", "SELECT userId, amuont FROM records"));
    let end = run_sink(&volley, &lines);
    assert!(end.status.success(), "{}", end.log);
    let advice = "value.converter=org.apache.kafka.connect.json.JsonConverter, value.converter.schemas.enable=false and \
                  value.converter.volley.schema=amuont VARCHAR";
    for said in ["amuont", "no record has had this field so far, so it is null", "did you mean `amount`?", advice] {
        assert!(end.log.contains(said), "{said} is not in:\n{}", end.log);
    }
    // The advice, to the letter.
    lines.extend([
        ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
        ("value.converter.schemas.enable", "false"),
        ("value.converter.volley.schema", "amuont VARCHAR"),
    ]);
    let again = format!("declared-{topic}");
    let elsewhere = format!("{url}-declared");
    let lines: Vec<_> = lines
        .into_iter()
        .filter(|line| !matches!(line.0, "name" | "store.url"))
        .chain([("name", again.as_str()), ("store.url", elsewhere.as_str())])
        .collect();
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    let end = run_sink(&volley, &lines);
    assert!(end.status.success() && !end.log.contains("amuont"), "{}", end.log);
}

#[test]
fn wrong_s3_credentials_or_a_missing_bucket_are_said_at_once() {
    let (kafka, s3) = (Kafka::shared(), S3::shared());
    let topic = kafka.topic("bucketless", 1);
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    let endpoint = s3.endpoint();
    let mut lines = sink(&topic, "s3://no-such-bucket-here/lake");
    lines.extend([
        ("store.s3.endpoint", endpoint.as_str()),
        ("store.s3.region", S3::REGION),
        ("store.s3.access.key.id", S3::ACCESS_KEY_ID),
        ("store.s3.secret.access.key", "hunter2-secret"),
    ]);
    let end = run_sink(&volley, &lines);
    assert_refused(&end, 3, &["no-such-bucket-here"]);
    assert!(!end.log.contains("hunter2-secret"), "law 7:\n{}", end.log);
}

#[test]
fn a_directory_that_cannot_be_written_fails_the_connector_after_its_time_out() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("unwritable", 1);
    kafka.produce(&topic, 10, |_, _, value| {
        value.extend_from_slice(b"{\"a\":1}");
        0
    });
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    // a file where the directory of the topic must be: root may write anywhere else
    std::fs::create_dir_all(volley.path("out")).unwrap();
    std::fs::write(volley.path("out/topics"), "in the way").unwrap();
    let url = format!("file://{}", volley.path("out").display());
    let mut lines = sink(&topic, &url);
    lines.push(("retry.timeout.ms", "2000"));
    assert_refused(&run_sink(&volley, &lines), 3, &["out/topics"]);
}

#[test]
fn an_unreachable_broker_is_said_and_waited_for() {
    let volley = Volley::new();
    volley.worker("127.0.0.1:1", &[]);
    let url = format!("file://{}", volley.path("out").display());
    volley.file("sink.properties", &sink("t", &url));
    let mut worker = volley.start(&["standalone", "worker.properties", "sink.properties"]);
    wait_until(SOON, "the broker is named", || worker.log().contains("127.0.0.1:1").then_some(()));
    let rest = worker.rest();
    wait_until(SOON, "the task runs", || {
        let (status, body) = request(&rest, "GET", "/connectors/t/status", None);
        (status == 200 && body["tasks"][0]["state"] == "RUNNING").then_some(())
    });
    worker.stop(Duration::from_secs(90));
}

#[test]
fn a_topic_that_does_not_exist_is_said_and_waited_for() {
    let kafka = Kafka::shared();
    let topic = kafka.unique("not-there-yet");
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[("consumer.allow.auto.create.topics", "false")]);
    let url = format!("file://{}", volley.path("out").display());
    let mut lines = sink(&topic, &url);
    lines.retain(|(key, _)| *key != "volley.mode");
    lines.push(("rotate.idle.ms", "200"));
    volley.file("sink.properties", &lines);
    let worker = volley.start(&["standalone", "worker.properties", "sink.properties"]);
    wait_until(SOON, "the topic is named", || worker.log().contains("does not exist").then_some(()));
    kafka.create_topic(&topic, 1, &[]);
    kafka.produce(&topic, 5, |_, _, value| {
        value.extend_from_slice(b"{\"a\":1}");
        0
    });
    wait_until(SOON, "the records arrive all the same", || {
        (!crate::worker_process::parquet_files(&volley.path("out")).is_empty()).then_some(())
    });
}

#[test]
fn odd_but_valid_json_is_delivered() {
    let kafka = Kafka::shared();
    let topic = kafka.topic_with("odd", 1, &[("max.message.bytes", "30000000")]);
    let wide: String = (0..10_000).map(|column| format!("\"c{column}\":{column},")).collect();
    let values: Vec<String> = vec![
        format!("{{{}\"last\":1}}", wide),
        format!("{{\"deep\":{}1{}}}", "[".repeat(5_000), "]".repeat(5_000)),
        r#"{"twice":1,"twice":2}"#.to_owned(),
        r#"{"huge":123456789012345678901234567890123456789012345678901234567890}"#.to_owned(),
        r#"{"exact":1e400,"neg":-0.0,"unicode":"\ud83d\ude00 ✓"}"#.to_owned(),
        r#"[1,2,3]"#.to_owned(),
        r#"{}"#.to_owned(),
    ];
    kafka.produce(&topic, values.len(), |number, _, value| {
        value.extend_from_slice(values[number].as_bytes());
        0
    });
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    let url = format!("file://{}", volley.path("out").display());
    let mut lines = sink(&topic, &url);
    let dead = kafka.unique("odd-dead");
    lines.extend([
        ("errors.tolerance", "all"),
        ("errors.deadletterqueue.topic.name", dead.as_str()),
        ("errors.deadletterqueue.topic.replication.factor", "1"),
    ]);
    let end = run_sink(&volley, &lines);
    assert!(end.status.success(), "{}", end.log);
    let rows: usize = crate::worker_process::parquet_files(&volley.path("out")).iter().map(|file| rows_of(file)).sum();
    let letters = kafka.read_topic(&dead).len();
    assert_eq!(rows + letters, values.len(), "a record is in the files or dead-lettered\n{}", end.log);
    assert!(letters <= 1, "{letters} of them were refused\n{}", end.log);
}

#[test]
fn a_message_of_20_mb_is_delivered() {
    let kafka = Kafka::shared();
    let topic = kafka.topic_with("large", 1, &[("max.message.bytes", "30000000")]);
    let large = format!("{{\"text\":\"{}\"}}", "x".repeat(20_000_000));
    let settings = [("max.request.size", "30000000"), ("acks", "all")];
    let mut producer = volley_kafka::Producer::connect(&kafka.properties(&settings)).unwrap();
    let message = volley_kafka::Outgoing {
        topic: &topic,
        partition: Some(0),
        timestamp: None,
        key: None,
        value: Some(large.as_bytes()),
        headers: &[],
    };
    producer.send(&message, 0).unwrap();
    producer.flush(SOON).unwrap();
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    let url = format!("file://{}", volley.path("out").display());
    let end = run_sink(&volley, &sink(&topic, &url));
    assert!(end.status.success(), "{}", end.log);
    assert_eq!(
        crate::worker_process::parquet_files(&volley.path("out")).iter().map(|file| rows_of(file)).sum::<usize>(),
        1
    );
}

#[test]
fn rest_answers_bad_requests_as_kafka_connect_does() {
    let volley = Volley::new();
    volley.worker("127.0.0.1:1", &[]);
    let mut worker = volley.start(&["standalone", "worker.properties"]);
    let rest = worker.rest();
    let ask = |method: &str, path: &str, body: Option<&serde_json::Value>| request(&rest, method, path, body);
    assert_eq!(ask("GET", "/connectors/nope", None).0, 404);
    assert_eq!(ask("GET", "/nowhere", None), (404, json!({"error_code": 404, "message": "HTTP 404 Not Found"})));
    assert_eq!(ask("POST", "/connectors", Some(&json!({"name": "a", "config": {}}))).0, 400);
    assert_eq!(ask("POST", "/connectors", Some(&json!({"name": "a", "config": {"connector.class": "X"}}))).0, 400);
    assert_eq!(ask("POST", "/connectors", Some(&json!([]))).0, 500);
    assert_eq!(ask("PUT", "/connectors/a/config", Some(&json!({"connector.class": "Blackhole"}))).0, 400);
    assert!(worker.is_running());
}

fn rows_of(file: &std::path::Path) -> usize {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    let reader = SerializedFileReader::new(std::fs::File::open(file).unwrap()).unwrap();
    usize::try_from(reader.metadata().file_metadata().num_rows()).unwrap()
}
