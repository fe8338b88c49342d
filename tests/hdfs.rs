//! Law 6 and law 1 in HDFS: neither a second copy nor a gap, whoever goes away and comes back. And the way back: what is in HDFS
//! is replayed.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use hdfs_native::WriteOptions;
use hdfs_native::sync::{ClientBuilder, FileWriter};
use volley_kafka::{TopicSelection, subscribed_end_offsets};

use crate::delivered_rows::{assert_exactly_once, files_in_hdfs, in_hdfs};
use crate::exactly_once::{PARTITIONS, numbered_topic, produce_numbered};
use crate::rounds::{kills, rounds};
use crate::testbed::{Hdfs, Kafka, wait_until, write_hadoop_configuration};
use crate::worker_process::{Running, Volley};

const PER_PARTITION: i64 = 20_000;
const SOON: Duration = Duration::from_secs(120);
/// What the worker says about a call that failed.
const TRIES_AGAIN: &str = "trying again";

/// A worker with a sink that writes many small files to `url`.
fn sink(kafka: &Kafka, topic: &str, url: &str, more: &[(&str, &str)]) -> Volley {
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    let name = format!("hdfs-{topic}");
    let mut lines = vec![
        ("name", name.as_str()),
        ("connector.class", "ObjectStoreSink"),
        ("tasks.max", "2"),
        ("topics", topic),
        ("store.url", url),
        // an outage is noticed soon
        ("store.request.timeout.ms", "3000"),
        ("flush.size", "211"),
        ("rotate.idle.ms", "300"),
    ];
    lines.extend_from_slice(more);
    volley.file("sink.properties", &lines);
    volley
}

pub(crate) fn start(volley: &Volley) -> Running {
    volley.start(&["standalone", "worker.properties", "sink.properties"])
}

/// Lets it write what is left, and ends it.
pub(crate) fn drain(volley: &Volley, environment: &[(&str, &str)]) {
    let sink = std::fs::read_to_string(volley.path("sink.properties")).unwrap();
    std::fs::write(volley.path("sink.properties"), format!("{sink}volley.mode=bounded\n")).unwrap();
    let arguments = ["standalone", "worker.properties", "sink.properties", "--until-done"];
    // after many rounds much is left to write
    let end = volley.run_with(Duration::from_secs(60) * kills(5) as u32, &arguments, environment);
    assert!(end.status.success(), "{}", end.log);
}

pub(crate) fn wait_for_more(worker: &mut Running, files: impl Fn() -> usize) {
    let before = files();
    wait_until(SOON, "further files", || {
        assert!(worker.is_running(), "the worker ended:\n{}", worker.log());
        (files() > before).then_some(())
    });
}

fn wait_for_trouble(worker: &Running, since: usize) {
    wait_until(SOON, "the outage is noticed", || (tries(worker) > since).then_some(()));
}

fn tries(worker: &Running) -> usize {
    worker.log().matches(TRIES_AGAIN).count()
}

#[test]
fn every_offset_is_in_hdfs_exactly_once_though_its_nodes_stop_and_the_worker_is_killed() {
    let (kafka, hdfs) = (Kafka::shared(), Hdfs::start());
    let topic = numbered_topic(kafka, PER_PARTITION);
    let url = hdfs.url("lake");
    let volley = sink(kafka, &topic, &url, &[]);
    let files = || files_in_hdfs(&url, &[]);
    for round in 0..rounds(3) {
        let mut worker = start(&volley);
        wait_for_more(&mut worker, files);
        let tried = tries(&worker);
        if round % 2 == 0 {
            hdfs.stop_name_node();
            wait_for_trouble(&worker, tried);
            hdfs.start_name_node();
        } else {
            hdfs.stop_data_node();
            wait_for_trouble(&worker, tried);
            hdfs.start_data_node();
        }
        wait_for_more(&mut worker, files);
        worker.kill();
    }
    drain(&volley, &[]);
    assert_exactly_once(&in_hdfs(&url, &[]), PARTITIONS, PER_PARTITION);
}

/// The configuration of a source of everything below `url`.
fn source(volley: &Volley, topic: &str, url: &str, more: &[(&str, &str)]) {
    let mut lines = vec![
        ("name", topic),
        ("connector.class", "ObjectStoreSource"),
        ("topic", topic),
        ("store.url", url),
        ("store.request.timeout.ms", "3000"),
        ("volley.mode", "bounded"),
    ];
    lines.extend_from_slice(more);
    volley.file("source.properties", &lines);
}

/// A file below `url`, in place of the one that may be there, with this in it; open.
fn begun(url: &str, path: &str, text: &str) -> FileWriter {
    let client = ClientBuilder::new().with_url(url).build().unwrap();
    let directory = url.splitn(4, '/').nth(3).unwrap();
    let mut file = client.create(&format!("/{directory}/{path}"), WriteOptions::default().overwrite(true)).unwrap();
    if !text.is_empty() {
        file.write_bytes(text.to_owned().into()).unwrap();
        file.hsync().unwrap();
    }
    file
}

const REPLAY: [&str; 4] = ["standalone", "worker.properties", "source.properties", "--until-done"];

/// The numbers of each partition, in their order.
fn numbers(kafka: &Kafka, topic: &str) -> BTreeMap<i32, Vec<i64>> {
    let mut numbers: BTreeMap<i32, Vec<i64>> = BTreeMap::new();
    for message in kafka.read_topic(topic) {
        let value: serde_json::Value = serde_json::from_slice(&message.value.unwrap()).unwrap();
        assert_eq!(value["p"], message.partition);
        numbers.entry(message.partition).or_default().push(value["n"].as_i64().unwrap());
    }
    numbers
}

/// How many records a topic has.
fn end_of(kafka: &Kafka, topic: &str) -> i64 {
    let topics = TopicSelection::Topics(vec![topic.to_owned()]);
    // the leaders of a new topic may not be known yet
    let ends =
        wait_until(SOON, "the ends of the topic", || subscribed_end_offsets(&kafka.properties(&[]), &topics).ok());
    ends.values().sum()
}

#[test]
fn an_export_to_hdfs_is_replayed_in_order_though_its_name_node_stops_and_the_worker_is_killed() {
    let (kafka, hdfs) = (Kafka::shared(), Hdfs::start());
    let topic = numbered_topic(kafka, PER_PARTITION);
    let url = hdfs.url("lake");
    // its labels are hidden files beside those of the rows
    let lines = [("format.class", "JsonLines"), ("file.compression.type", "gzip"), ("flush.size", "1000")];
    let volley = sink(kafka, &topic, &url, &lines);
    drain(&volley, &[]);
    let back = kafka.topic("back", PARTITIONS as i32);
    // a row at a time, so that it takes a while
    source(&volley, &back, &url, &[("tasks.max", "2"), ("keep.partition", "true"), ("batch.max.rows", "1")]);
    let replayed = || end_of(kafka, &back);
    let wait_for_replayed = |worker: &mut Running, what: &str| {
        let before = replayed();
        wait_until(SOON, what, || {
            assert!(worker.is_running(), "it ended:\n{}", worker.log());
            (replayed() > before).then_some(())
        });
    };
    let mut worker = volley.start(&REPLAY);
    wait_for_replayed(&mut worker, "first rows");
    let tried = tries(&worker);
    hdfs.stop_name_node();
    wait_for_trouble(&worker, tried);
    hdfs.start_name_node();
    wait_for_replayed(&mut worker, "rows after the outage");
    worker.kill();
    assert!(replayed() < PARTITIONS * PER_PARTITION, "all was replayed before the worker was killed");
    let end = volley.run(SOON, &REPLAY);
    assert!(end.status.success(), "{}", end.log);
    // the order of the topic, which its own producer may have changed
    let exported = numbers(kafka, &topic);
    for (partition, came) in numbers(kafka, &back) {
        let places: HashMap<_, _> = exported[&partition].iter().zip(0_i64..).collect();
        let came: Vec<_> = came.iter().map(|number| places[number]).collect();
        // what was not committed comes again: at most one step back, from a worker that was killed
        let steps_back = came.windows(2).filter(|pair| pair[1] <= pair[0]).count();
        let gaps = came.windows(2).filter(|pair| pair[1] > pair[0] + 1).count();
        let ends = (came[0], came[came.len() - 1]);
        assert_eq!((ends, gaps), ((0, PER_PARTITION - 1), 0), "partition {partition}:\n{}", end.log);
        assert!(steps_back <= 1, "partition {partition}: {steps_back} steps back");
    }
    // nothing is new
    let after = replayed();
    assert!(volley.run(SOON, &REPLAY).status.success());
    assert_eq!(replayed(), after);
}

#[test]
#[ignore = "a second HDFS takes a minute: `make soak`"]
fn a_file_of_hdfs_that_is_open_is_passed_over_and_one_that_is_replaced_is_noticed() {
    let (kafka, hdfs) = (Kafka::shared(), Hdfs::start());
    let url = hdfs.url("lake");
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    let back = kafka.topic("back", 1);
    source(&volley, &back, &url, &[]);
    let lines = |first: i64| (first..first + 10).map(|n| format!("{{\"p\":0,\"n\":{n}}}\n")).collect::<String>();
    let replay = || volley.run(SOON, &REPLAY);
    let end = replay();
    assert!(!end.status.success() && end.log.contains("does not exist"), "{}", end.log);

    begun(&url, "a dir/x=1/y.json", &lines(0)).close().unwrap();
    begun(&url, "a dir/_temporary/y.json", "no JSON").close().unwrap();
    let mut open = begun(&url, "z.json", &lines(10));
    let _without_bytes = begun(&url, "open.parquet", "");
    let end = replay();
    assert!(end.status.success() && end.log.contains("still being written"), "{}", end.log);
    assert_eq!(numbers(kafka, &back)[&0], (0..10).collect::<Vec<_>>());
    open.close().unwrap();
    assert!(replay().status.success());
    assert_eq!(numbers(kafka, &back)[&0], (0..20).collect::<Vec<_>>());

    begun(&url, "z.json", &lines(20)).close().unwrap();
    let end = replay();
    assert!(!end.status.success() && end.log.contains("`z.json` has been replaced"), "{}", end.log);
    source(&volley, &back, &url, &[("on.changed.file", "restart")]);
    assert!(replay().status.success());
    assert_eq!(numbers(kafka, &back)[&0], (0..30).collect::<Vec<_>>());
}

#[test]
#[ignore = "a second HDFS takes a minute: `make soak`"]
fn every_offset_is_in_hdfs_exactly_once_after_a_fail_over() {
    let (kafka, hdfs) = (Kafka::shared(), Hdfs::with_two_name_nodes());
    let topic = numbered_topic(kafka, PER_PARTITION);
    let (url, hadoop) = ("hdfs://volley/lake", hdfs.name_service());
    let volley = sink(kafka, &topic, url, &[("store.hdfs.conf.dir", "hadoop")]);
    write_hadoop_configuration(&volley.path("hadoop"), &hadoop);
    let files = || files_in_hdfs(url, &hadoop);
    let mut worker = start(&volley);
    wait_for_more(&mut worker, files);
    hdfs.fail_over();
    wait_for_more(&mut worker, files);
    worker.kill();
    drain(&volley, &[]);
    assert_exactly_once(&in_hdfs(url, &hadoop), PARTITIONS, PER_PARTITION);
    let back = kafka.topic("back", PARTITIONS as i32);
    source(&volley, &back, url, &[("store.hdfs.conf.dir", "hadoop"), ("keep.partition", "true")]);
    let end = volley.run(SOON, &REPLAY);
    assert!(end.status.success(), "{}", end.log);
    assert_eq!(end_of(kafka, &back), PARTITIONS * PER_PARTITION);
}

/// Two workers of one consumer group, of which one stands still until the other has gone on with its partitions, and does not
/// know. What it was about to do it does afterwards.
fn let_workers_sleep_and_others_take_over(lines: &[(&str, &str)]) {
    let (kafka, hdfs) = (Kafka::shared(), Hdfs::start());
    let topic = numbered_topic(kafka, 0);
    let url = hdfs.url("lake");
    // the least that brokers allow: each round waits for it
    let lines = [lines, &[("consumer.override.session.timeout.ms", "6000")]].concat();
    let volleys = [(); 2].map(|()| sink(kafka, &topic, &url, &lines));
    let mut workers = volleys.each_ref().map(start);
    let files = || files_in_hdfs(&url, &[]);
    let mut produced = 0;
    for round in 0..kills(2) {
        produce_numbered(kafka, &topic, produced..produced + PER_PARTITION / 4);
        produced += PER_PARTITION / 4;
        wait_for_more(&mut workers[0], files);
        let [sleeper, other] = [round % 2, 1 - round % 2];
        workers[sleeper].signal("STOP");
        let assigned = |worker: &Running| worker.log().matches("partitions assigned").count();
        let before = assigned(&workers[other]);
        wait_until(SOON, "the other takes over", || (assigned(&workers[other]) > before).then_some(()));
        wait_for_more(&mut workers[other], files);
        workers[sleeper].signal("CONT");
    }
    workers.into_iter().for_each(Running::kill);
    drain(&volleys[0], &[]);
    assert_exactly_once(&in_hdfs(&url, &[]), PARTITIONS, produced);
}

#[test]
#[ignore = "a further HDFS takes a minute: `make soak`"]
fn every_offset_is_in_hdfs_exactly_once_though_workers_sleep_and_others_take_over() {
    let_workers_sleep_and_others_take_over(&[]);
}

#[test]
#[ignore = "a further HDFS takes a minute: `make soak`"]
fn every_offset_is_in_hdfs_exactly_once_though_workers_sleep_where_names_have_the_last_offset() {
    let_workers_sleep_and_others_take_over(&[("file.name.last.offset", "true")]);
}

#[test]
#[ignore = "a third HDFS and its KDC take a minute: `make soak`"]
fn a_sink_and_a_source_log_in_with_the_key_of_their_principal_and_without_are_told_so() {
    let (kafka, hdfs) = (Kafka::shared(), Hdfs::with_kerberos());
    let topic = numbered_topic(kafka, 1_000);
    let url = hdfs.url("lake");
    let keytab = hdfs.keytab().display().to_string();
    let krb5_conf = hdfs.krb5_conf().display().to_string();
    let environment = [("KRB5_CONFIG", krb5_conf.as_str())];
    let stranger = sink(kafka, &topic, &url, &[("volley.mode", "bounded"), ("retry.timeout.ms", "0")]);
    let arguments = ["standalone", "worker.properties", "sink.properties", "--until-done"];
    let end = stranger.run_with(Duration::from_secs(120), &arguments, &environment);
    assert!(!end.status.success() && end.log.contains("`store.hdfs.kerberos.principal`"), "{}", end.log);

    let conf_dir = ("store.hdfs.conf.dir", "hadoop");
    let principal = ("store.hdfs.kerberos.principal", "volley@EXAMPLE.COM");
    let volley = sink(kafka, &topic, &url, &[conf_dir, principal, ("store.hdfs.kerberos.keytab", &keytab)]);
    let protection = ("dfs.data.transfer.protection", "authentication".to_owned());
    write_hadoop_configuration(&volley.path("hadoop"), &[protection]);
    drain(&volley, &environment);
    let log = std::fs::read_to_string(volley.path("log")).unwrap();
    assert!(!log.contains(TRIES_AGAIN), "{log}");
    let back = kafka.topic("back", PARTITIONS as i32);
    source(&volley, &back, &url, &[conf_dir, principal, ("store.hdfs.kerberos.keytab", &keytab)]);
    let end = volley.run_with(SOON, &REPLAY, &environment);
    assert!(end.status.success(), "{}", end.log);
    assert_eq!(end_of(kafka, &back), PARTITIONS * 1_000);
}
