//! `volley dlq`: what has failed is shown, and replayed once, byte for byte, whatever happens in between.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use serde_json::{Value, json};
use volley_api::RawHeader;
use volley_kafka::{Outgoing, Producer, TopicSelection, subscribed_end_offsets};

use crate::testbed::{Kafka, Message, wait_until};
use crate::worker_process::{Ended, Volley, parquet_files};

const SOON: Duration = Duration::from_secs(120);

/// The time of the first record; each has the next millisecond.
const START: i64 = 1_764_510_029_000;

const REPLAYED_FROM: &str = "volley.dlq.replayed.from";

fn header(name: &str, value: &str) -> RawHeader {
    RawHeader { name: name.into(), value: Some(value.into()) }
}

/// The headers of a letter of a sink.
fn rejected(topic: &str, partition: i32) -> Vec<RawHeader> {
    let name = |name: &str| format!("__connect.errors.{name}");
    vec![
        header(&name("topic"), topic),
        header(&name("partition"), &partition.to_string()),
        header(&name("offset"), "0"),
        header(&name("connector.name"), "c"),
        header(&name("stage"), "TASK_PUT"),
        header(&name("exception.class.name"), "a.b.Broken"),
    ]
}

/// A producer that waits for what it has sent when it is closed.
struct Records(Producer, u64);

impl Records {
    fn to(kafka: &Kafka) -> Self {
        Self(Producer::connect(&kafka.properties(&[("acks", "all"), ("linger.ms", "20")])).unwrap(), 0)
    }

    fn send(&mut self, topic: &str, key: Option<&[u8]>, value: Option<&[u8]>, headers: &[RawHeader]) {
        let timestamp = Some(START + self.1 as i64);
        self.0.send(&Outgoing { topic, partition: None, timestamp, key, value, headers }, self.1).unwrap();
        self.1 += 1;
    }

    fn close(mut self) {
        self.0.flush(SOON).unwrap();
        let deliveries = self.0.deliveries(Duration::ZERO);
        assert!(deliveries.iter().all(|delivery| delivery.result.is_ok()));
    }
}

fn dlq(volley: &Volley, kafka: &Kafka, command: &str, topic: &str, more: &[&str]) -> Ended {
    let servers = kafka.bootstrap_servers();
    let arguments = ["dlq", command, "--topic", topic, "--bootstrap-server", &servers];
    volley.run(SOON, &[&arguments, more].concat())
}

fn shown(volley: &Volley, kafka: &Kafka, topic: &str, more: &[&str]) -> Value {
    let end = dlq(volley, kafka, "show", topic, &[&["--json"], more].concat());
    assert!(end.status.success(), "{}\n{}", end.stdout, end.log);
    serde_json::from_str(&end.stdout).unwrap()
}

/// The last line of what a replay says.
fn replayed(volley: &Volley, kafka: &Kafka, topic: &str, more: &[&str]) -> String {
    let end = dlq(volley, kafka, "replay", topic, more);
    assert!(end.status.success(), "{}\n{}", end.stdout, end.log);
    end.stdout.lines().last().unwrap().to_owned()
}

/// Messages by key.
fn by_key(messages: Vec<Message>) -> BTreeMap<String, Vec<Message>> {
    let mut keys: BTreeMap<String, Vec<Message>> = BTreeMap::new();
    for message in messages {
        let key = String::from_utf8(message.key.clone().unwrap_or_default()).unwrap();
        keys.entry(key).or_default().push(message);
    }
    keys
}

#[test]
fn what_has_failed_is_shown_and_replayed_once_when_the_reason_is_mended() {
    const RECORDS: usize = 1000;
    let is_bad = |number: usize| number % 100 == 37;
    let kafka = Kafka::shared();
    let (topic, dead) = (kafka.topic("replayed", 3), kafka.unique("replayed-dead"));
    let mut records = Records::to(kafka);
    for number in 0..RECORDS {
        let value = if is_bad(number) { format!("no json {number}") } else { format!("{{\"n\":{number}}}") };
        let headers = [header("trace", &number.to_string())];
        records.send(&topic, Some(format!("key-{number}").as_bytes()), Some(value.as_bytes()), &headers);
    }
    records.close();
    let originals: BTreeMap<_, _> = by_key(kafka.read_topic(&topic)).into_iter().collect();

    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    let run = |converter: &str, file: &str| {
        let (name, file) = (format!("sink-{topic}"), volley.path(file));
        let properties = [
            ("name", name.as_str()),
            ("connector.class", "FileStreamSink"),
            ("topics", &topic),
            ("file", file.to_str().unwrap()),
            ("value.converter", converter),
            ("value.converter.schemas.enable", "false"),
            ("volley.mode", "bounded"),
            ("errors.tolerance", "all"),
            ("errors.deadletterqueue.topic.name", &dead),
            ("errors.deadletterqueue.topic.replication.factor", "1"),
            ("errors.deadletterqueue.context.headers.enable", "true"),
        ];
        volley.file("sink.properties", &properties);
        let end = volley.run(SOON, &["standalone", "worker.properties", "sink.properties", "--until-done"]);
        assert!(end.status.success(), "{}", end.log);
        let lines: BTreeSet<String> = std::fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect();
        lines
    };
    assert_eq!(run("org.apache.kafka.connect.json.JsonConverter", "first").len(), RECORDS - 10);

    // shown
    let found = shown(&volley, kafka, &dead, &["--records", "100"]);
    let bad: Vec<&Message> =
        (0..RECORDS).filter(|number| is_bad(*number)).map(|number| &originals[&format!("key-{number}")][0]).collect();
    let text = |bytes: &Option<Vec<u8>>| String::from_utf8(bytes.clone().unwrap()).unwrap();
    let expected: BTreeSet<_> = bad
        .iter()
        .map(|message| (text(&message.key), text(&message.value), i64::from(message.partition), message.offset))
        .collect();
    let group = &found["groups"][0];
    let of_group = |key: &str| group[key].as_str().unwrap();
    assert_eq!((&found["count"], found["groups"].as_array().unwrap().len()), (&json!(10), 1), "{found}");
    assert_eq!((of_group("stage"), of_group("original_topic")), ("VALUE_CONVERTER", topic.as_str()));
    assert_eq!(of_group("exception"), "org.apache.kafka.connect.errors.DataException");
    assert_eq!((of_group("first"), of_group("last")), ("2025-11-30T13:40:29.037Z", "2025-11-30T13:40:29.937Z"));
    let listed = group["records"].as_array().unwrap().iter().map(|record| {
        assert!(record["cause"].as_str().unwrap().contains("invalid JSON"), "{record}");
        let text = |key: &str| record[key].as_str().unwrap().to_owned();
        let number = |key: &str| record[key].as_i64().unwrap();
        (text("key"), text("value"), number("original_partition"), number("original_offset"))
    });
    assert_eq!(listed.collect::<BTreeSet<_>>(), expected);
    let table = dlq(&volley, kafka, "show", &dead, &[]).stdout;
    for part in ["10 dead letters", "VALUE_CONVERTER", "the first 3 of 10", "value no json", "invalid JSON"] {
        assert!(table.contains(part), "{part}: {table}");
    }

    // not replayed
    let servers = kafka.bootstrap_servers();
    let end = dlq(&volley, kafka, "replay", &dead, &["--dry-run"]);
    assert_eq!(end.stdout.lines().filter(|line| line.contains(&format!("-> {topic}  key key-"))).count(), 10);
    assert!(end.stdout.contains("10 read, 10 would be sent, 0 skipped"), "{}", end.stdout);
    for filter in [["--exception", "Other"], ["--to", "2025-11-30"], ["--stage", "TASK_PUT"], ["--key", "key-1"]] {
        let end = replayed(&volley, kafka, &dead, &[&["--dry-run"], &filter[..]].concat());
        assert!(end.ends_with("0 would be sent, 10 skipped (10 filtered, 0 replayed before), 0 refused"), "{end}");
    }
    assert_eq!(kafka.read_topic(&topic).len(), RECORDS);
    assert!(kafka.admin().topic(&format!("{dead}-replayed")).unwrap().is_none(), "a dry run makes nothing");

    // replayed: first one, then the others, then none
    let worker = volley.path("worker.properties").display().to_string();
    let one = ["dlq", "replay", "--topic", &dead, "--worker-config", &worker, "--key", "key-537"];
    let end = volley.run(SOON, &one);
    assert!(end.stdout.contains("10 read, 1 sent, 9 skipped (9 filtered"), "{}\n{}", end.stdout, end.log);
    volley.file("client.properties", &[("bootstrap.servers", "127.0.0.1:1"), ("security.protocol", "PLAINTEXT")]);
    let end = replayed(&volley, kafka, &dead, &["--command-config", "client.properties"]);
    assert!(end.ends_with("10 read, 9 sent, 1 skipped (0 filtered, 1 replayed before), 0 refused"), "{end}");
    for _ in 0..2 {
        let end = replayed(&volley, kafka, &dead, &[]);
        assert!(end.ends_with("10 read, 0 sent, 10 skipped (0 filtered, 10 replayed before), 0 refused"), "{end}");
    }
    let now = by_key(kafka.read_topic(&topic));
    assert_eq!(now.values().map(Vec::len).sum::<usize>(), RECORDS + 10);
    for original in bad {
        let [_, again] = &now[&text(&original.key)][..] else { panic!("not twice: {original:?}") };
        let (from, own): (Vec<_>, Vec<_>) = again.headers.iter().cloned().partition(|(name, _)| name == REPLAYED_FROM);
        assert_eq!((&again.value, again.timestamp, &own), (&original.value, original.timestamp, &original.headers));
        assert_eq!(again.partition, original.partition, "the key says which");
        assert!(text(&from[0].1).starts_with(&format!("{dead}-0@")), "{from:?}");
    }

    // delivered
    let delivered = run("org.apache.kafka.connect.storage.StringConverter", "second");
    let expected: BTreeSet<_> =
        (0..RECORDS).filter(|number| is_bad(*number)).map(|number| format!("no json {number}")).collect();
    assert_eq!(delivered, expected);
    assert_eq!(shown(&volley, kafka, &dead, &[])["groups"][0]["replayed"], 10);
    let end = replayed(&volley, kafka, &dead, &["--again", "--partition", "0", "--offset", "3"]);
    assert!(end.contains("10 read, 1 sent, 9 skipped (9 filtered"), "{end}");
    let none = volley.run(SOON, &["dlq", "show", "--topic", "no-such-topic", "--bootstrap-server", &servers]);
    assert!(none.log.contains("there is no topic no-such-topic") && none.status.code() == Some(3), "{}", none.log);
}

#[test]
fn dead_letters_go_through_another_configuration_under_the_topics_that_they_came_from() {
    let kafka = Kafka::shared();
    let (topic, dead) = (kafka.unique("letters-of"), kafka.topic("letters-again", 1));
    let mut records = Records::to(kafka);
    for number in 0..10 {
        records.send(&dead, None, Some(format!("{{\"n\":{number}}}").as_bytes()), &rejected(&topic, 1));
    }
    records.close();
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    let url = format!("file://{}", volley.path("out").display());
    let query = "SELECT *, _headers['__connect.errors.topic'] AS _topic FROM records \
                 WHERE _headers['__connect.errors.stage'] = 'TASK_PUT' AND n > 4";
    let properties = [
        ("name", dead.as_str()),
        ("connector.class", "ObjectStoreSink"),
        ("topics", &dead),
        ("store.url", &url),
        ("volley.mode", "bounded"),
        ("transforms", "back"),
        ("transforms.back.type", "Sql"),
        ("transforms.back.query", query),
    ];
    volley.file("sink.properties", &properties);
    let end = volley.run(SOON, &["standalone", "worker.properties", "sink.properties", "--until-done"]);
    assert!(end.status.success() && end.stdout.contains("10 rows read, 5 delivered"), "{}\n{}", end.stdout, end.log);
    assert_eq!(parquet_files(&volley.path("out").join("topics").join(&topic)).len(), 1);
}

#[test]
fn a_replay_that_is_killed_and_run_again_leaves_nothing_out() {
    let kafka = Kafka::shared();
    let (topic, dead) = (kafka.topic("kill-replay", 2), kafka.topic("kill-replay-dead", 2));
    let headers = rejected(&topic, 1);
    let send = |numbers: Range<usize>| {
        let mut records = Records::to(kafka);
        for number in numbers {
            records.send(&dead, Some(number.to_string().as_bytes()), None, &headers);
        }
        records.close();
    };
    let mut letters = 60_000;
    send(0..letters);
    let volley = Volley::new();
    let servers = kafka.bootstrap_servers();
    let replay = ["dlq", "replay", "--topic", &dead, "--bootstrap-server", &servers];
    let sent = || {
        let topics = TopicSelection::Topics(vec![topic.clone()]);
        subscribed_end_offsets(&kafka.properties(&[]), &topics).unwrap().values().sum::<i64>() as usize
    };
    let (mut kills, mut in_the_middle) = (0, 0);
    while in_the_middle < 2 {
        let before = sent();
        let running = volley.start(&replay);
        wait_until(SOON, "some more letters are replayed", || (sent() > before).then_some(()));
        running.kill();
        kills += 1;
        if sent() < letters {
            in_the_middle += 1;
        } else {
            // it was too fast to be killed in the middle
            send(letters..2 * letters);
            letters *= 2;
        }
    }
    let end = volley.run(SOON, &replay);
    assert!(end.status.success() && end.stdout.contains(" 0 refused"), "{}\n{}", end.stdout, end.log);
    let times = by_key(kafka.read_topic(&topic));
    let missing = (0..letters).filter(|number| !times.contains_key(&number.to_string())).count();
    assert_eq!(missing, 0);
    let twice = sent() - letters;
    assert!(twice <= kills * 1000, "more than one batch for each kill was sent again: {twice}");
    let end = volley.run(SOON, &replay);
    let expected =
        format!("{letters} read, 0 sent, {letters} skipped (0 filtered, {letters} replayed before), 0 refused");
    assert!(end.stdout.contains(&expected), "{}", end.stdout);
}

#[test]
fn odd_letters_are_shown_and_what_cannot_go_back_is_refused_with_the_reason() {
    let kafka = Kafka::shared();
    let (topic, dead) = (kafka.topic("odd-letters", 1), kafka.topic("odd-letters-dead", 1));
    let gone = kafka.unique("odd-letters-gone");
    let mut records = Records::to(kafka);
    let binary = RawHeader { name: "__connect.errors.stage".into(), value: Some(vec![0xff]) };
    let null = RawHeader { name: "__connect.errors.exception.message".into(), value: None };
    let source = |name: &str| header(&format!("__connect.errors.source.{name}"), "{}");
    let of_source = vec![header("__connect.errors.topic", &topic), source("partition"), source("offset")];
    records.send(&dead, None, None, &[]);
    records.send(&dead, Some(&[0xff, 0x00]), Some(b"\x1b[31m"), &[binary, null]);
    records.send(&dead, Some(b"gone"), Some(b"1"), &rejected(&gone, 0));
    records.send(&dead, Some(b"no such partition"), Some(b"2"), &rejected(&topic, 5));
    records.send(&dead, Some(b"source"), Some(b"{\"schema\":null}"), &of_source);
    records.send(&dead, Some(b"good"), Some(b"3"), &rejected(&topic, 0));
    records.close();
    let volley = Volley::new();
    let end = dlq(&volley, kafka, "show", &dead, &[]);
    assert!(end.status.success() && !end.stdout.contains('\u{1b}'), "{}\n{}", end.stdout, end.log);
    for part in ["6 dead letters", "unknown", "0xff00", "\\u{1b}[31m", "TASK_PUT"] {
        assert!(end.stdout.contains(part), "{part}: {}", end.stdout);
    }
    let all = shown(&volley, kafka, &dead, &["--stage", "unknown"]);
    assert_eq!(all["count"], 2, "the source's and the one without headers: {all}");

    let end = dlq(&volley, kafka, "replay", &dead, &["--same-partition"]);
    assert_eq!(end.status.code(), Some(3), "{}\n{}", end.stdout, end.log);
    for part in [
        format!("refused 2, first {dead}-0@0: no header says which topic"),
        format!("refused 1, first {dead}-0@2: topic {gone} does not exist"),
        format!("refused 1, first {dead}-0@3: topic {topic} does not have the partition"),
        format!("refused 1, first {dead}-0@4: it is the record of a source"),
        "6 read, 1 sent, 0 skipped (0 filtered, 0 replayed before), 5 refused".to_owned(),
    ] {
        assert!(end.stdout.contains(&part), "{part}: {}", end.stdout);
    }
    assert!(end.log.contains("5 dead letters cannot be sent"), "{}", end.log);
    assert!(kafka.admin().topic(&gone).unwrap().is_none(), "no topic is made by the way");
    let elsewhere = kafka.topic("odd-letters-retry", 1);
    let end = replayed(&volley, kafka, &dead, &["--to-topic", &elsewhere]);
    assert!(end.contains("6 read, 5 sent, 1 skipped (0 filtered, 1 replayed before), 0 refused"), "{end}");
    let sent = kafka.read_topic(&elsewhere);
    assert_eq!((&sent[0].key, &sent[0].value), (&None, &None));
    assert_eq!(sent[1].key, Some(vec![0xff, 0x00]));
    let end = dlq(&volley, kafka, "replay", &dead, &["--to-topic", &dead]);
    assert_eq!((end.status.code(), end.log.contains("the dead letter topic itself")), (Some(1), true));
    let end = volley.run(SOON, &["dlq", "show", "--topic", &dead]);
    assert_eq!((end.status.code(), end.log.contains("which cluster?")), (Some(1), true));
}
