//! `volley export`: exactly the records of a range, each once, whatever ends it in between.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde_json::Value;
use volley_kafka::{Outgoing, Producer};

use crate::delivered_rows::{assert_exactly_once, in_bucket, on_disk};
use crate::exactly_once::{PARTITIONS, numbered_topic, produce_numbered};
use crate::testbed::{Kafka, S3, Vendor, wait_until};
use crate::worker_group::{SOON, WorkerGroup};
use crate::worker_process::{Ended, Volley, parquet_files};

/// 2025-11-30T08:00:00Z
const MORNING: i64 = 1_764_489_600_000;

/// A topic of two partitions with a record of each minute, in turns.
fn topic_of_minutes(kafka: &Kafka, minutes: i64) -> String {
    let topic = kafka.topic_with("minutes", 2, &[("retention.ms", "-1")]);
    let mut producer = Producer::connect(&kafka.properties(&[])).unwrap();
    for n in 0..minutes {
        let value = format!(r#"{{"p":{},"n":{n}}}"#, n % 2);
        let (partition, timestamp) = (Some((n % 2) as i32), Some(MORNING + n * 60_000));
        let value = Some(value.as_bytes());
        let record = Outgoing { topic: &topic, partition, timestamp, key: None, value, headers: &[] };
        producer.send(&record, n as u64).unwrap();
    }
    producer.flush(SOON).unwrap();
    topic
}

/// The numbers in the files below a directory, of which none may be there twice.
fn numbers(dir: &Path) -> BTreeSet<i64> {
    let found = on_disk(dir);
    assert!(found.values().all(|times| *times == 1), "a row is there twice: {found:?}");
    found.keys().map(|(_, n)| *n).collect()
}

fn export(volley: &Volley, servers: &str, topic: &str, more: &[&str]) -> Ended {
    let to = volley.path("out").display().to_string();
    let arguments = ["export", "--bootstrap-servers", servers, "--topic", topic, "--to", &to];
    volley.run(2 * SOON, &[&arguments[..], more].concat())
}

fn assert_done(end: &Ended, rows: &str) {
    assert!(end.status.success(), "{}\n{}", end.stdout, end.log);
    assert!(end.stdout.contains(&format!(" {rows} rows read, {rows} delivered, 0 rejected, ")), "{}", end.stdout);
}

#[test]
fn a_range_of_time_is_exactly_its_records_and_the_running_connector_goes_on_where_it_is() {
    let kafka = Kafka::shared();
    let topic = topic_of_minutes(kafka, 600);
    let running = Volley::new();
    running.worker(&kafka.bootstrap_servers(), &[]);
    let url = format!("file://{}", running.path("out").display());
    let name = format!("running-{topic}");
    running.file(
        "sink.properties",
        &[
            ("name", &name),
            ("connector.class", "ObjectStoreSink"),
            ("topics", &topic),
            ("store.url", &url),
            ("flush.size", "300"),
        ],
    );
    let worker = running.start(&["standalone", "worker.properties", "sink.properties"]);
    let group = format!("connect-{name}");
    let committed = wait_until(SOON, "the running connector has committed everything", || {
        let offsets = kafka.admin().group_offsets(&group).unwrap();
        (offsets.len() == 2 && offsets.values().all(|offset| *offset == 300)).then_some(offsets)
    });

    let volley = Volley::new();
    let servers = kafka.bootstrap_servers();
    let range = ["--from", "2025-11-30T10:00:00Z", "--until", "2025-11-30T12:30+01:00", "--partition-by", "hour"];
    let end = export(&volley, &servers, &topic, &range);
    assert_done(&end, "90");
    assert_eq!(numbers(&volley.path("out")), (120..210).collect());
    let hours: BTreeSet<_> = parquet_files(&volley.path("out"))
        .iter()
        .map(|file| file.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    assert_eq!(hours, BTreeSet::from(["hour=10".to_owned(), "hour=11".to_owned()]));
    assert!(end.stdout.contains(&format!("files: {}", volley.path("out/topics").display())), "{}", end.stdout);
    assert_eq!(kafka.admin().group_offsets(&group).unwrap(), committed);
    drop(worker);
}

#[test]
fn an_empty_range_is_done_at_once_and_an_end_that_is_not_there_yet_is_not_waited_for() {
    let kafka = Kafka::shared();
    let topic = topic_of_minutes(kafka, 60);
    let servers = kafka.bootstrap_servers();
    for (name, range, expected) in [
        ("backwards", ["--from", "2025-11-30T08:30Z", "--until", "2025-11-30T08:10Z"], 0..0),
        ("future", ["--from", "2030-01-01", "--until", "2031-01-01"], 0..0),
        ("offsets", ["--from", "10", "--until", "20"], 20..40),
        ("behind", ["--from", "25", "--until", "1000000"], 50..60),
        ("ahead", ["--from", "2025-11-30T08:50Z", "--until", "2031-01-01"], 50..60),
    ] {
        let volley = Volley::new();
        let end = export(&volley, &servers, &topic, &[&range[..], &["--name", &format!("{name}-{topic}")]].concat());
        assert_done(&end, &(expected.end - expected.start).to_string());
        assert_eq!(numbers(&volley.path("out")), expected.collect(), "{name}");
    }
}

/// Removes what stands before an offset, as retention does.
fn remove_before(kafka: &Kafka, topic: &str, partition: i32, offset: i64) {
    let mut settings = ClientConfig::new();
    let admin: AdminClient<DefaultClientContext> =
        settings.set("bootstrap.servers", kafka.bootstrap_servers()).create().unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, partition, Offset::Offset(offset)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let removed = runtime.block_on(admin.delete_records(&list, &AdminOptions::new())).unwrap();
    removed.elements().iter().for_each(|element| element.error().unwrap());
}

#[test]
fn where_retention_has_removed_the_start_it_begins_with_what_is_left_and_says_so() {
    let kafka = Kafka::shared();
    let topic = topic_of_minutes(kafka, 100);
    remove_before(kafka, &topic, 0, 25);
    let volley = Volley::new();
    let end = export(&volley, &kafka.bootstrap_servers(), &topic, &["--from", "10", "--until", "30"]);
    assert_done(&end, "25");
    let (left, all) = ((25..30).map(|offset| 2 * offset), (10..30).map(|offset| 2 * offset + 1));
    assert_eq!(numbers(&volley.path("out")), left.chain(all).collect());
    assert!(end.log.contains("not in the partition's log any more"), "{}", end.log);
}

#[test]
fn killed_in_the_middle_the_same_command_finishes_with_each_row_once_and_then_takes_what_has_come_since() {
    let kafka = Kafka::shared();
    let per_partition = 50_000;
    let topic = numbered_topic(kafka, per_partition);
    let volley = Volley::new();
    let out = volley.path("out");
    let (servers, to) = (kafka.bootstrap_servers(), out.display().to_string());
    let mut command = vec!["export", "--bootstrap-servers", &servers, "--topic", &topic, "--to", &to, "--tasks", "2"];
    command.extend(["-c", "flush.size=1009"]);
    for more in [3, 40] {
        let mut running = volley.start(&command);
        let wanted = parquet_files(&out).len() + more;
        wait_until(2 * SOON, "files", || {
            let is_there = parquet_files(&out).len() >= wanted;
            assert!(is_there || running.is_running(), "it ended before it could be killed:\n{}", running.log());
            is_there.then_some(())
        });
        running.kill();
    }
    let interrupted = volley.start(&command);
    let files = parquet_files(&out).len();
    wait_until(2 * SOON, "another file", || (parquet_files(&out).len() > files).then_some(()));
    interrupted.signal("INT");
    let status = interrupted.ended(SOON);
    let log = std::fs::read_to_string(volley.path("log")).unwrap();
    assert!(status.code() == Some(130) && log.contains("the same command goes on"), "{status}\n{log}");

    let end = volley.run(3 * SOON, &command);
    assert!(end.status.success(), "{}", end.log);
    assert_exactly_once(&on_disk(&out), PARTITIONS, per_partition);
    produce_numbered(kafka, &topic, per_partition..per_partition + 7);
    let end = volley.run(2 * SOON, &command);
    assert_done(&end, "56");
    assert!(end.stdout.contains("goes on behind what it has delivered of 8 partitions"), "{}", end.stdout);
    assert_exactly_once(&on_disk(&out), PARTITIONS, per_partition + 7);
}

#[test]
fn a_query_and_another_format_are_what_the_files_have() {
    let kafka = Kafka::shared();
    let topic = topic_of_minutes(kafka, 100);
    let volley = Volley::new();
    let query = "SELECT n * 2 AS doubled FROM records WHERE n < 10 AND p = 0";
    let more = ["--sql", query, "--format", "csv", "-c", "topics.dir=lines"];
    let end = export(&volley, &kafka.bootstrap_servers(), &topic, &more);
    assert!(end.status.success() && end.stdout.contains(" 100 rows read, 5 delivered"), "{}\n{}", end.stdout, end.log);
    let dir = volley.path("out").join("lines").join(&topic).join("partition=0");
    let file = dir.read_dir().unwrap().next().unwrap().unwrap().path();
    assert_eq!(
        std::fs::read_to_string(file).unwrap().lines().collect::<Vec<_>>(),
        ["doubled", "0", "4", "8", "12", "16"]
    );
    let left = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with("volley-export-");
    let names = std::env::temp_dir().read_dir().unwrap().filter_map(|entry| Some(entry.ok()?.file_name()));
    assert_eq!(names.filter(|name| left(name)).count(), 0, "nothing temporary lies around");
}

/// As AWS' command line writes them.
/// Files named `_SUCCESS` below the output, relative to it, in order.
fn success_files(volley: &Volley) -> Vec<(String, Value)> {
    fn add(directory: &Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            match entry.path() {
                path if path.is_dir() => add(&path, found),
                path if path.ends_with("_SUCCESS") => found.push(path),
                _ => {}
            }
        }
    }
    let (root, mut found) = (volley.path("out"), Vec::new());
    add(&root, &mut found);
    found.sort();
    let read = |path: std::path::PathBuf| {
        let text = std::fs::read(&path).unwrap();
        (path.strip_prefix(&root).unwrap().display().to_string(), serde_json::from_slice(&text).unwrap())
    };
    found.into_iter().map(read).collect()
}

#[test]
fn the_end_of_a_run_is_told_where_it_was_asked_for_and_not_before_it() {
    let kafka = Kafka::shared();
    let topic = topic_of_minutes(kafka, 200);
    let servers = kafka.bootstrap_servers();
    let volley = Volley::new();
    let range = ["--until", "2025-11-30T10:00:00Z", "--partition-by", "hour", "--tasks", "2"];
    let by_topic = ["-c", "success.file=topic", "-c", "file.delim=-"];
    assert_done(&export(&volley, &servers, &topic, &[&range[..], &by_topic].concat()), "120");
    let found = success_files(&volley);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, format!("topics/{topic}/_SUCCESS"));
    let count = |key: &str| found[0].1[key].as_u64();
    assert_eq!(found[0].1["connector"], format!("export-{topic}"));
    assert_eq!((count("rows_delivered"), count("rows_rejected")), (Some(120), Some(0)));
    assert_eq!(count("files"), Some(parquet_files(&volley.path("out")).len() as u64));

    // what has come since, into further directories; a failure says nothing
    std::fs::remove_file(volley.path("out").join(&found[0].0)).unwrap();
    let mut producer = Producer::connect(&kafka.properties(&[])).unwrap();
    let bad = Outgoing {
        topic: &topic,
        partition: Some(0),
        timestamp: Some(MORNING + 200 * 60_000),
        key: None,
        value: Some(b"no JSON"),
        headers: &[],
    };
    producer.send(&bad, 0).unwrap();
    producer.flush(SOON).unwrap();
    let by_directory = ["--partition-by", "hour", "-c", "success.file=directory", "-c", "file.delim=-"];
    let end = export(&volley, &servers, &topic, &by_directory);
    assert_eq!(end.status.code(), Some(3), "{}", end.log);
    assert_eq!(success_files(&volley), []);
    let end = export(&volley, &servers, &topic, &[&by_directory[..], &["-c", "errors.tolerance=all"]].concat());
    assert!(end.status.success(), "{}", end.log);
    let directories: Vec<_> = success_files(&volley).into_iter().map(|(path, _)| path).collect();
    let expected = |hour| format!("topics/{topic}/year=2025/month=11/day=30/hour={hour}/_SUCCESS");
    assert_eq!(directories, ["08", "09", "10", "11"].map(expected));
    assert_eq!(numbers(&volley.path("out")), (0..200).collect());

    // a run without end has none to tell, and names without directories of topics leave no place for it
    let template =
        ["-c", "success.file=topic", "-c", "file.name.template={{topic}}-{{partition}}-{{start_offset}}.parquet"];
    let end = export(&volley, &servers, &topic, &template);
    assert!(!end.status.success() && end.log.contains("`success.file`: with `file.name.template`"), "{}", end.log);
}

#[test]
fn keys_of_a_profile_are_used_and_a_profile_that_is_not_there_is_named() {
    let (kafka, s3) = (Kafka::shared(), S3::shared());
    let topic = topic_of_minutes(kafka, 10);
    s3.create_bucket(&topic);
    let volley = Volley::new();
    let files = volley.file("aws", &[("[lake]\naws_access_key_id", "test"), ("aws_secret_access_key", "test")]);
    let (servers, to) = (kafka.bootstrap_servers(), format!("s3://{topic}/lake"));
    let endpoint = format!("store.s3.endpoint={}", s3.endpoint());
    let run = |profile: &str| {
        let profile = format!("store.s3.profile={profile}");
        let mut command = vec!["export", "--bootstrap-servers", &servers, "--topic", &topic, "--to", &to];
        command.extend(["-c", &endpoint, "-c", "store.s3.region=us-east-1", "-c", &profile]);
        let path = files.display().to_string();
        volley.run_with(2 * SOON, &command, &[("AWS_SHARED_CREDENTIALS_FILE", &path), ("AWS_CONFIG_FILE", "/none")])
    };
    let end = run("nobody");
    assert!(end.status.code() == Some(3) && end.log.contains("the profile `nobody` is neither in"), "{}", end.log);
    assert_done(&run("lake"), "10");
    assert_eq!(in_bucket(s3, &topic).len(), 10);
}

#[test]
fn a_bad_record_ends_it_with_the_reason_and_the_same_command_with_tolerance_finishes() {
    let kafka = Kafka::shared();
    let topic = topic_of_minutes(kafka, 10);
    kafka.produce(&topic, 1, |_, _, value| {
        value.extend_from_slice(b"no json");
        0
    });
    let volley = Volley::new();
    let servers = kafka.bootstrap_servers();
    let end = export(&volley, &servers, &topic, &[]);
    assert_eq!(end.status.code(), Some(3), "{}", end.log);
    assert!(end.log.contains(&format!("{topic}-0")) && end.log.contains("the same command goes on"), "{}", end.log);
    let end = export(&volley, &servers, &topic, &["-c", "errors.tolerance=all"]);
    assert!(end.status.success() && end.stdout.contains(" 1 rejected"), "{}\n{}", end.stdout, end.log);
    assert_eq!(numbers(&volley.path("out")), (0..10).collect());
}

#[test]
fn what_is_wrong_is_told_with_its_exit_code_and_in_time() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("wrong", 1);
    let servers = kafka.bootstrap_servers();
    let began = Instant::now();
    for (servers, topic, more, code, expected) in [
        (servers.as_str(), "no-topic-of-this-name", &[][..], 3, "there is no topic `no-topic-of-this-name` at"),
        (&servers, &topic, &["--to", "ftp://host/dir"], 3, "unknown scheme `ftp`"),
        (&servers, &topic, &["--to", "/proc/no-directory"], 3, "/proc/no-directory"),
        (&servers, &topic, &["--sql", "SELEC 1"], 1, "SELEC"),
        (&servers, &topic, &["--sql", "SELECT count(*) FROM another"], 3, "`another`, which is none of the topics"),
        (&servers, &topic, &["-c", "flush.size=many"], 3, "flush.size"),
        ("127.0.0.1:1", &topic, &[], 3, "127.0.0.1:1"),
        ("no-host.invalid:9092", &topic, &[], 2, "no-host.invalid"),
        (&servers, &topic, &["--until", "soon"], 1, "write now, an offset"),
        (&servers, &topic, &["--compression", "rar"], 1, "give one of zstd"),
    ] {
        let volley = Volley::new();
        let to = volley.path("out").display().to_string();
        let mut arguments = vec!["export", "--bootstrap-servers", servers, "--topic", topic];
        if !more.contains(&"--to") {
            arguments.extend(["--to", &to]);
        }
        arguments.extend(more);
        let end = volley.run(SOON, &arguments);
        assert!(end.status.code() == Some(code) && end.log.contains(expected), "{more:?}: {}\n{}", end.status, end.log);
        assert!(end.log.contains("error: "), "{}", end.log);
    }
    assert!(began.elapsed() < 2 * SOON);
}

#[test]
fn a_printed_connector_does_the_same_in_a_group_and_keeps_its_starts_and_ends_when_a_worker_goes() {
    let kafka = Kafka::shared();
    let topic = topic_of_minutes(kafka, 40_000);
    let volley = Volley::new();
    let mut arguments = vec!["--from", "2025-12-01", "--until", "timestamp:1766462400000", "--tasks", "2"];
    arguments.extend(["--print-config", "-c", "flush.size=500"]);
    let printed = export(&volley, &kafka.bootstrap_servers(), &topic, &arguments);
    assert!(printed.status.success() && !volley.path("out").exists(), "{}", printed.log);
    let printed: Value = serde_json::from_str(&printed.stdout).unwrap();
    let name = printed["name"].as_str().unwrap();

    let mut group = WorkerGroup::new(kafka, "export");
    let workers = group.add(&[Vendor::Volley; 2]);
    group.put(0, name, &printed["config"]);
    let run_offsets = |worker: usize| {
        let tasks = group.ask(worker, "GET", &format!("/connectors/{name}/tasks"), None);
        let config = tasks[0]["config"].as_object()?.clone();
        let offsets = |key: &str| -> Option<Value> { serde_json::from_str(config.get(key)?.as_str()?).ok() };
        Some((offsets("volley.bounded.starts")?[&topic].clone(), offsets("volley.bounded.ends")?[&topic].clone()))
    };
    let expected = (serde_json::json!({"0": 480, "1": 480}), serde_json::json!({"0": 16_440, "1": 16_440}));
    wait_until(SOON, "the offsets of the run", || {
        let offsets = run_offsets(0)?;
        assert_eq!(offsets, expected);
        Some(())
    });
    wait_until(SOON, "a file", || (!parquet_files(&volley.path("out")).is_empty()).then_some(()));
    group.kill(workers[1]);
    wait_until(Duration::from_secs(120), "the end of the run", || {
        let status = group.worker(0).try_ask("GET", &format!("/connectors/{name}/status"), None)?.json();
        status["completion"].is_object().then_some(())
    });
    assert_eq!(numbers(&volley.path("out")), (960..32_880).collect());
}
