//! Law 2: a bad row never takes a good row with it; it is in the dead letter topic, byte for byte, and nowhere else.

use std::collections::BTreeMap;
use std::time::Duration;

use arrow::array::AsArray;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::delivered_rows::on_disk;
use crate::testbed::Kafka;
use crate::worker_process::{Volley, parquet_files};

const RECORDS: usize = 200_000;
const PARTITIONS: usize = 4;

/// Every thousandth record cannot be decoded, each in one of five ways.
fn value_of(number: usize) -> Vec<u8> {
    let n = number / PARTITIONS;
    let good = format!(r#"{{"p":{},"n":{n},"name":"row {n}"}}"#, number % PARTITIONS).into_bytes();
    if number % 1000 != 137 {
        return good;
    }
    match number / 1000 % 5 {
        0 => good[..good.len() - 3].to_vec(),
        1 => b"\"p\":1}".to_vec(),
        2 => [b"{\"p\":1,\"n\":\"".as_slice(), &[0xff, 0xfe], b"\"}"].concat(),
        3 => b"nul".to_vec(),
        _ => [good.as_slice(), b" trailing"].concat(),
    }
}

fn is_bad(number: usize) -> bool {
    number % 1000 == 137
}

#[test]
fn one_bad_record_in_a_thousand_goes_to_the_dead_letter_topic_and_all_good_ones_are_delivered() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("undecodable", PARTITIONS as i32);
    let dead = kafka.unique("dead");
    kafka.produce(&topic, RECORDS, |number, key, value| {
        key.extend_from_slice(format!("key-{number}").as_bytes());
        value.extend_from_slice(&value_of(number));
        (number % PARTITIONS) as i32
    });
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    let url = format!("file://{}", volley.path("out").display());
    volley.file(
        "sink.properties",
        &[
            ("name", &format!("bad-{topic}")),
            ("connector.class", "ObjectStoreSink"),
            ("topics", &topic),
            ("store.url", &url),
            ("volley.mode", "bounded"),
            ("errors.tolerance", "all"),
            ("errors.deadletterqueue.topic.name", &dead),
            ("errors.deadletterqueue.topic.replication.factor", "1"),
            ("errors.deadletterqueue.context.headers.enable", "true"),
        ],
    );
    let end =
        volley.run(Duration::from_secs(120), &["standalone", "worker.properties", "sink.properties", "--until-done"]);
    assert!(end.status.success(), "{}", end.log);

    let found = on_disk(&volley.path("out"));
    for number in 0..RECORDS {
        let row = ((number % PARTITIONS) as i64, (number / PARTITIONS) as i64);
        assert_eq!(found.get(&row).copied().unwrap_or_default(), u32::from(!is_bad(number)), "row {number}");
    }

    let letters: BTreeMap<String, Vec<u8>> = kafka
        .read_topic(&dead)
        .into_iter()
        .map(|letter| {
            let headers: BTreeMap<_, _> = letter.headers.into_iter().collect();
            let text = |name: &str| {
                let value = headers.get(&format!("__connect.errors.{name}")).cloned().flatten().unwrap();
                String::from_utf8(value).unwrap()
            };
            assert_eq!(text("topic"), topic);
            assert_eq!(text("stage"), "VALUE_CONVERTER");
            assert_eq!(text("class.name"), "org.apache.kafka.connect.json.JsonConverter");
            assert_eq!(text("exception.class.name"), "org.apache.kafka.connect.errors.DataException");
            assert!(!text("exception.message").is_empty());
            (String::from_utf8(letter.key.unwrap()).unwrap(), letter.value.unwrap_or_default())
        })
        .collect();
    let expected: BTreeMap<String, Vec<u8>> = (0..RECORDS)
        .filter(|number| is_bad(*number))
        .map(|number| (format!("key-{number}"), value_of(number)))
        .collect();
    assert_eq!(letters, expected);
}

/// An order among 2 000. The odd ones: a number as status, a text as amount, and messages that are no orders at all.
fn order(number: usize) -> String {
    match number {
        400 => "\"heartbeat\"".to_owned(),
        800 => format!(r#"{{"p":0,"n":{number},"status":5,"amount":1}}"#),
        1200 => format!(r#"{{"p":0,"n":{number},"status":"paid","amount":"n/a"}}"#),
        1600 => "42".to_owned(),
        _ => {
            let status = if number.is_multiple_of(2) { "paid" } else { "cancelled" };
            format!(r#"{{"p":0,"n":{number},"status":"{status}","amount":{number}}}"#)
        }
    }
}

/// Without a query, a file has the texts as they are, and all records.
fn assert_plain_texts(kafka: &Kafka, topic: &str) {
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    let url = format!("file://{}", volley.path("out").display());
    let name = format!("plain-{topic}");
    let properties = [
        ("name", name.as_str()),
        ("connector.class", "ObjectStoreSink"),
        ("topics", topic),
        ("store.url", &url),
        ("volley.mode", "bounded"),
    ];
    volley.file("sink.properties", &properties);
    let end =
        volley.run(Duration::from_secs(120), &["standalone", "worker.properties", "sink.properties", "--until-done"]);
    assert!(end.status.success(), "{}", end.log);
    let mut statuses: BTreeMap<String, usize> = BTreeMap::new();
    for file in parquet_files(&volley.path("out")) {
        let file = ParquetRecordBatchReaderBuilder::try_new(std::fs::File::open(file).unwrap()).unwrap();
        for batch in file.build().unwrap() {
            let batch = batch.unwrap();
            for status in batch.column_by_name("status").unwrap().as_string::<i32>() {
                *statuses.entry(status.unwrap_or("(none)").to_owned()).or_default() += 1;
            }
        }
    }
    let expected = [("(none)", 2), ("5", 1), ("cancelled", 1000), ("paid", 997)];
    assert_eq!(statuses, expected.map(|(status, times)| (status.to_owned(), times)).into());
}

#[test]
fn a_query_treats_each_record_as_what_it_is_whatever_others_hold() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("odd", 1);
    let dead = kafka.unique("dead");
    kafka.produce(&topic, 2_000, |number, _, value| {
        value.extend_from_slice(order(number).as_bytes());
        0
    });
    for (name, batch) in [("default", None), ("small", Some("100"))] {
        let volley = Volley::new();
        volley.worker(&kafka.bootstrap_servers(), &[]);
        let url = format!("file://{}", volley.path("out").display());
        let connector = format!("{name}-{topic}");
        let mut properties = vec![
            ("name", connector.as_str()),
            ("connector.class", "ObjectStoreSink"),
            ("topics", &topic),
            ("store.url", &url),
            ("volley.mode", "bounded"),
            ("transforms", "sql"),
            ("transforms.sql.type", "Sql"),
            ("transforms.sql.query", "SELECT p, n, status, amount * 2 AS amount FROM records WHERE status = 'paid'"),
            ("errors.tolerance", "all"),
            ("errors.deadletterqueue.topic.name", &dead),
            ("errors.deadletterqueue.topic.replication.factor", "1"),
        ];
        properties.extend(batch.map(|rows| ("consumer.override.max.poll.records", rows)));
        volley.file("sink.properties", &properties);
        let end = volley
            .run(Duration::from_secs(120), &["standalone", "worker.properties", "sink.properties", "--until-done"]);
        assert!(end.status.success(), "{}", end.log);
        let found = on_disk(&volley.path("out"));
        let paid = (0..2_000).filter(|number| number % 2 == 0 && ![400, 800, 1200, 1600].contains(number));
        let paid: BTreeMap<(i64, i64), u32> = paid.map(|number| ((0, number), 1)).collect();
        assert_eq!(found.into_iter().collect::<BTreeMap<_, _>>(), paid, "{name}");
    }
    assert_plain_texts(kafka, &topic);
    let letters = kafka.read_topic(&dead).into_iter().map(|letter| String::from_utf8(letter.value.unwrap()).unwrap());
    let mut letters: Vec<String> = letters.collect();
    letters.sort();
    letters.dedup();
    // A number is no text that could be 'paid', and may be rejected or not be selected.
    letters.retain(|letter| *letter != order(800));
    let mut expected = [order(400), order(1200), order(1600)];
    expected.sort();
    assert_eq!(letters, expected);
}

#[test]
fn without_tolerance_the_first_bad_record_ends_the_task_and_names_its_offset() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("intolerant", 1);
    kafka.produce(&topic, 100, |number, _, value| {
        value.extend_from_slice(if number == 60 { b"{\"p\":" } else { b"{\"p\":0,\"n\":1}" });
        0
    });
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    let url = format!("file://{}", volley.path("out").display());
    volley.file(
        "sink.properties",
        &[
            ("name", &topic),
            ("connector.class", "ObjectStoreSink"),
            ("topics", &topic),
            ("store.url", &url),
            ("volley.mode", "bounded"),
        ],
    );
    let end =
        volley.run(Duration::from_secs(60), &["standalone", "worker.properties", "sink.properties", "--until-done"]);
    assert_eq!(end.status.code(), Some(3), "{}", end.log);
    assert!(end.log.contains(&format!("offset 60 of partition {topic}-0")), "{}", end.log);
}

#[test]
fn no_offset_behind_a_record_whose_dead_letter_is_refused_is_committed() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("refused", 1);
    let dead = kafka.topic_with("dead-small", 1, &[("max.message.bytes", "200")]);
    kafka.produce(&topic, 100, |number, _, value| {
        if number == 60 {
            value.resize(1000, b'{');
        } else {
            value.extend_from_slice(b"{\"p\":0,\"n\":1}");
        }
        0
    });
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    volley.file(
        "sink.properties",
        &[
            ("name", &topic),
            ("connector.class", "Blackhole"),
            ("topics", &topic),
            ("volley.mode", "bounded"),
            ("errors.tolerance", "all"),
            ("errors.deadletterqueue.topic.name", &dead),
            ("errors.deadletterqueue.topic.replication.factor", "1"),
        ],
    );
    let end =
        volley.run(Duration::from_secs(60), &["standalone", "worker.properties", "sink.properties", "--until-done"]);
    assert_eq!(end.status.code(), Some(3), "{}", end.log);
    assert!(end.log.contains(&format!("could not write to the dead letter topic `{dead}`")), "{}", end.log);
    let committed = kafka.admin().group_offsets(&format!("connect-{topic}")).unwrap();
    assert!(committed.values().all(|offset| *offset <= 60), "{committed:?}");
}
