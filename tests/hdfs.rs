//! Law 6 and law 1 in HDFS: neither a second copy nor a gap, whoever goes away and comes back.

use std::time::Duration;

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

fn start(volley: &Volley) -> Running {
    volley.start(&["standalone", "worker.properties", "sink.properties"])
}

/// Lets it write what is left, and ends it.
fn drain(volley: &Volley, environment: &[(&str, &str)]) {
    let sink = std::fs::read_to_string(volley.path("sink.properties")).unwrap();
    std::fs::write(volley.path("sink.properties"), format!("{sink}volley.mode=bounded\n")).unwrap();
    let arguments = ["standalone", "worker.properties", "sink.properties", "--until-done"];
    let end = volley.run_with(Duration::from_secs(300), &arguments, environment);
    assert!(end.status.success(), "{}", end.log);
}

fn wait_for_more(worker: &mut Running, files: impl Fn() -> usize) {
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
}

/// Two workers of one consumer group, of which one stands still until the other has gone on with its partitions, and does not
/// know. What it was about to do it does afterwards.
#[test]
#[ignore = "a further HDFS takes a minute: `make soak`"]
fn every_offset_is_in_hdfs_exactly_once_though_workers_sleep_and_others_take_over() {
    let (kafka, hdfs) = (Kafka::shared(), Hdfs::start());
    let topic = numbered_topic(kafka, 0);
    let url = hdfs.url("lake");
    let volleys = [(); 2].map(|()| sink(kafka, &topic, &url, &[]));
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
#[ignore = "a third HDFS and its KDC take a minute: `make soak`"]
fn a_sink_logs_in_with_the_key_of_its_principal_and_without_is_told_so() {
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
}
