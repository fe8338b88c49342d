//! A query over all records of a bounded run: its whole result, once, whatever ends it in between.

use std::path::Path;

use serde_json::Value;
use volley_kafka::{Outgoing, Producer};

use crate::delivered_rows::{assert_exactly_once, on_disk, texts_in_bucket};
use crate::exactly_once::{PARTITIONS, numbered_topic, produce_numbered};
use crate::rounds::rounds;
use crate::testbed::{Kafka, S3, Vendor, wait_until};
use crate::worker_group::{SOON, WorkerGroup};
use crate::worker_process::{Ended, Volley, parquet_files};

fn success(result: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(result.join("_SUCCESS")).unwrap()).unwrap()
}

fn produce(kafka: &Kafka, topic: &str, values: impl IntoIterator<Item = String>) {
    let mut producer = Producer::connect(&kafka.properties(&[])).unwrap();
    for (number, value) in (0_u64..).zip(values) {
        let value = Some(value.as_bytes());
        let partition = Some(i32::try_from(number % 2).unwrap());
        let record = Outgoing { topic, partition, timestamp: None, key: None, value, headers: &[] };
        producer.send(&record, number).unwrap();
    }
    producer.flush(SOON).unwrap();
}

fn export(volley: &Volley, kafka: &Kafka, more: &[&str]) -> Ended {
    let servers = kafka.bootstrap_servers();
    volley.run(2 * SOON, &[&["export", "--bootstrap-servers", &servers][..], more].concat())
}

#[test]
fn groups_over_all_partitions_are_one_file_and_the_same_command_makes_no_second_one() {
    let kafka = Kafka::shared();
    let topic = numbered_topic(kafka, 1_000);
    let volley = Volley::new();
    let to = volley.path("out").display().to_string();
    let query = "SELECT p, count(*) AS rows, sum(n) AS total FROM records GROUP BY p ORDER BY p";
    let name = format!("totals-{topic}");
    let command = ["--topic", &topic, "--to", &to, "--sql", query, "--format", "csv", "--name", &name];
    let end = export(&volley, kafka, &command);
    assert!(end.status.success(), "{}\n{}", end.stdout, end.log);
    let result = volley.path("out/topics").join(&name);
    assert!(end.stdout.contains(&format!("files: {}", result.display())), "{}", end.stdout);
    let success_of_first = success(&result);
    let file = volley.path("out").join(success_of_first["files"][0]["path"].as_str().unwrap());
    let mut lines: Vec<String> = (0..PARTITIONS).map(|p| format!("{p},1000,499500")).collect();
    lines.insert(0, "p,rows,total".to_owned());
    assert_eq!(std::fs::read_to_string(file).unwrap().lines().collect::<Vec<_>>(), lines);

    let again = export(&volley, kafka, &command);
    assert!(again.status.success() && again.stdout.contains(" 0 rows read"), "{}\n{}", again.stdout, again.log);
    produce_numbered(kafka, &topic, 1_000..1_001);
    let later = export(&volley, kafka, &command);
    assert_eq!(later.status.code(), Some(3), "{}\n{}", later.stdout, later.log);
    assert!(
        later.log.contains("has the result of an earlier run") && later.log.contains("query.name"),
        "{}",
        later.log
    );
    assert_eq!(success(&result), success_of_first);
}

#[test]
fn topics_are_joined_and_sorted_into_objects() {
    let (kafka, s3) = (Kafka::shared(), S3::shared());
    let (orders, users) = (kafka.topic("query-orders", 2), kafka.topic("query-users", 2));
    produce(kafka, &orders, (0..200).map(|id| format!(r#"{{"id":{id},"user":{},"amount":{}}}"#, id % 7, id * 10)));
    produce(kafka, &users, (0..5).map(|id| format!(r#"{{"id":{id},"name":"user {id}"}}"#)));
    s3.create_bucket(&orders);
    let query = format!(
        "SELECT u.name, sum(o.amount) AS total FROM \"{orders}\" o LEFT JOIN \"{users}\" u ON o.user = u.id
         GROUP BY u.name ORDER BY total DESC"
    );
    let (to, topics) = (format!("s3://{orders}/lake"), format!("{orders},{users}"));
    let endpoint = format!("store.s3.endpoint={}", s3.endpoint());
    let keys = [
        endpoint.as_str(),
        "store.s3.region=us-east-1",
        "store.s3.access.key.id=test",
        "store.s3.secret.access.key=test",
    ];
    let mut command = vec!["--topic", &topics, "--to", &to, "--sql", &query, "--format", "jsonl", "--name", "best"];
    keys.iter().for_each(|key| command.extend(["-c", key]));
    let end = export(&Volley::new(), kafka, &command);
    assert!(end.status.success(), "{}\n{}", end.stdout, end.log);
    let objects = texts_in_bucket(s3, &orders);
    let lines: Vec<Value> = objects
        .iter()
        .filter(|(path, _)| path.ends_with(".json"))
        .flat_map(|(_, text)| text.lines().map(|line| serde_json::from_str(line).unwrap()))
        .collect();
    let total = |user: i64| (0..200).filter(|id| id % 7 == user).map(|id| id * 10).sum::<i64>();
    let mut expected: Vec<(Value, i64)> = (0..5).map(|user| (format!("user {user}").into(), total(user))).collect();
    expected.push((Value::Null, total(5) + total(6)));
    expected.sort_by_key(|(_, total)| -total);
    let found: Vec<(Value, i64)> =
        lines.iter().map(|line| (line["name"].clone(), line["total"].as_i64().unwrap())).collect();
    assert_eq!(found, expected, "{objects:?}");
}

#[test]
fn killed_while_it_reads_executes_or_writes_the_same_command_ends_with_the_result_once() {
    let kafka = Kafka::shared();
    let per_partition = 20_000;
    let topic = numbered_topic(kafka, per_partition);
    let volley = Volley::new();
    let out = volley.path("out");
    let (servers, to, name) = (kafka.bootstrap_servers(), out.display().to_string(), format!("sorted-{topic}"));
    let query = "SELECT p, n, count(*) AS copies FROM records GROUP BY p, n ORDER BY n DESC, p";
    let command = [
        "export",
        "--bootstrap-servers",
        &servers,
        "--topic",
        &topic,
        "--to",
        &to,
        "--sql",
        query,
        "--name",
        &name,
        "-c",
        "flush.size=1009",
    ];
    let moments: [&dyn Fn(&str) -> bool; 4] = [
        &|log| log.contains("reading the records of a query"),
        &|log| log.contains("all records are there, the query is executed"),
        &|log| log.contains("the result of the query is written"),
        &|_| parquet_files(&out).len() >= 40,
    ];
    for moment in moments.iter().cycle().take(4 * rounds(1)) {
        let earlier = std::fs::read_to_string(volley.path("log")).map_or(0, |log| log.len());
        let mut running = volley.start_with(&command, &[("RUST_LOG", "info")]);
        wait_until(2 * SOON, "the moment of the kill", || {
            let is_there = moment(&running.log()[earlier..]);
            assert!(is_there || running.is_running(), "it ended before it could be killed:\n{}", running.log());
            is_there.then_some(())
        });
        running.kill();
        assert!(!out.join("topics").join(&name).join("_SUCCESS").exists(), "it was killed too late");
    }
    let end = volley.run(3 * SOON, &command);
    assert!(end.status.success(), "{}\n{}", end.stdout, end.log);
    assert_exactly_once(&on_disk(&out), PARTITIONS, per_partition);
    let success = success(&out.join("topics").join(&name));
    assert_eq!(success["rows"], PARTITIONS * per_partition);
    assert_eq!(success["files"].as_array().unwrap().len(), parquet_files(&out).len());
}

/// The files have no column for the directory, and keys count.
#[test]
fn directories_are_named_after_columns_of_sql() {
    let kafka = Kafka::shared();
    let topic = numbered_topic(kafka, 100);
    let volley = Volley::new();
    let to = volley.path("out").display().to_string();
    let columns = "partition.sql=p % 2 AS half, CASE WHEN n < 50 THEN 'a/b' END AS part, _key IS NULL AS keyless";
    let command = ["--topic", &topic, "--to", &to, "-c", "partitioner.class=Sql", "-c", columns];
    let end = export(&volley, kafka, &command);
    assert!(end.status.success(), "{}\n{}", end.stdout, end.log);
    let root = volley.path("out/topics").join(&topic);
    let files = parquet_files(&volley.path("out"));
    let directories: std::collections::BTreeSet<_> =
        files.iter().map(|file| file.parent().unwrap().strip_prefix(&root).unwrap().display().to_string()).collect();
    let expected = ["half=0/part=a%2Fb", "half=0/part=null", "half=1/part=a%2Fb", "half=1/part=null"];
    assert_eq!(
        directories.into_iter().collect::<Vec<_>>(),
        expected.map(|directory| format!("{directory}/keyless=true"))
    );
    assert_exactly_once(&on_disk(&volley.path("out")), PARTITIONS, 100);
    let other = Volley::new();
    let to = other.path("out").display().to_string();
    let command = ["--topic", &topic, "--to", &to, "-c", "partitioner.class=Sql", "-c", "partition.sql=now() AS n"];
    let end = export(&other, kafka, &command);
    assert!(
        end.status.code() == Some(3) && end.log.contains("partition.sql") && end.log.contains("time or chance"),
        "{}",
        end.log
    );
}

#[test]
fn in_a_group_of_workers_it_ends_by_itself_with_the_result() {
    let kafka = Kafka::shared();
    let topic = numbered_topic(kafka, 500);
    let mut group = WorkerGroup::new(kafka, "query");
    group.add(&[Vendor::Volley; 2]);
    let volley = Volley::new();
    let out = volley.path("out");
    let name = format!("counts-{topic}");
    let mut config = serde_json::json!({
        "connector.class": "ObjectStoreSink",
        "tasks.max": "4",
        "topics": topic,
        "query": "SELECT p, count(DISTINCT n) AS numbers FROM records GROUP BY p",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": "false",
        "store.url": format!("file://{}", out.display()),
        "format.class": "JsonLines",
    });
    let refused = group.worker(1).try_ask("PUT", &format!("/connectors/{name}/config"), Some(&config)).unwrap();
    assert!(refused.status == 400 && refused.text().contains("volley.mode=bounded"), "{}", refused.text());
    config["volley.mode"] = "bounded".into();
    group.put(1, &name, &config);
    wait_until(2 * SOON, "the end of the run", || {
        let status = group.worker(0).try_ask("GET", &format!("/connectors/{name}/status"), None)?.json();
        status["completion"].is_object().then_some(())
    });
    assert_eq!(success(&out.join("topics").join(&name))["rows"], PARTITIONS);
}
