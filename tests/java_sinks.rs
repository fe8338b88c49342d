//! Configurations of Java's sinks for object stores, run as they are.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::delivered_rows::texts_in_bucket;
use crate::testbed::{Kafka, S3};
use crate::worker_process::Volley;

/// 2023-11-14T22:13:20Z.
const FIRST_MS: i64 = 1_700_000_000_000;

/// A topic of one partition with records `{"id":…,"ts":…}`, a quarter of an hour apart.
fn topic(kafka: &Kafka, records: usize) -> String {
    let topic = kafka.topic("orders", 1);
    kafka.produce(&topic, records, |number, _, value| {
        let ts = FIRST_MS + number as i64 * 900_000;
        value.extend_from_slice(format!(r#"{{"id":{number},"ts":{ts}}}"#).as_bytes());
        0
    });
    topic
}

/// Runs a connector to the end of its topic. Returns the log.
fn drain(kafka: &Kafka, connector: &str) -> String {
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    std::fs::write(volley.path("sink.properties"), format!("{connector}\nvolley.mode=bounded\n")).unwrap();
    let end =
        volley.run(Duration::from_secs(120), &["standalone", "worker.properties", "sink.properties", "--until-done"]);
    assert!(end.status.success(), "{}", end.log);
    end.log
}

fn ids(text: &str) -> Vec<i64> {
    let id = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].as_i64().unwrap();
    text.lines().map(id).collect()
}

#[test]
fn confluent_s_s3_sink_writes_lines_of_json_by_the_hour_of_a_field() {
    let (kafka, s3) = (Kafka::shared(), S3::shared());
    let topic = topic(kafka, 10);
    s3.create_bucket(&topic);
    let config = format!(
        "name=s3-{topic}
        connector.class=io.confluent.connect.s3.S3SinkConnector
        tasks.max=1
        topics={topic}
        s3.bucket.name={topic}
        s3.region=us-east-1
        s3.part.size=5242880
        store.url={}
        aws.access.key.id=test
        aws.secret.access.key=test
        flush.size=3
        storage.class=io.confluent.connect.s3.storage.S3Storage
        format.class=io.confluent.connect.s3.format.json.JsonFormat
        partitioner.class=io.confluent.connect.storage.partitioner.TimeBasedPartitioner
        partition.duration.ms=3600000
        path.format='year'=YYYY/'month'=MM/'day'=dd/'hour'=HH
        locale=en-US
        timezone=Europe/Berlin
        timestamp.extractor=RecordField
        timestamp.field=ts
        schema.compatibility=NONE
        schema.generator.class=io.confluent.connect.storage.hive.schema.DefaultSchemaGenerator
        value.converter=org.apache.kafka.connect.json.JsonConverter
        value.converter.schemas.enable=false",
        s3.endpoint()
    );
    drain(kafka, &config.replace("\n        ", "\n"));
    let found: BTreeMap<String, Vec<i64>> =
        texts_in_bucket(s3, &topic).into_iter().map(|(path, text)| (path, ids(&text))).collect();
    let path = |hour: &str, offset: i64| format!("topics/{topic}/{hour}/{topic}+0+{offset:010}.json");
    // 22:13:20 UTC is 23:13:20 there
    let expected = [
        (path("year=2023/month=11/day=14/hour=23", 0), vec![0, 1, 2]),
        (path("year=2023/month=11/day=14/hour=23", 3), vec![3]),
        (path("year=2023/month=11/day=15/hour=00", 4), vec![4, 5, 6]),
        (path("year=2023/month=11/day=15/hour=00", 7), vec![7]),
        (path("year=2023/month=11/day=15/hour=01", 8), vec![8, 9]),
    ];
    assert_eq!(found, BTreeMap::from(expected));
}

#[test]
fn aiven_s_s3_sink_writes_lines_of_json_under_its_own_names() {
    let (kafka, s3) = (Kafka::shared(), S3::shared());
    let topic = topic(kafka, 5);
    s3.create_bucket(&topic);
    let config = format!(
        "name=aiven-{topic}
        connector.class=io.aiven.kafka.connect.s3.AivenKafkaConnectS3SinkConnector
        topics={topic}
        aws.access.key.id=test
        aws.secret.access.key=test
        aws.s3.bucket.name={topic}
        aws.s3.endpoint={}
        aws.s3.region=us-east-1
        file.name.template=raw/{{{{topic}}}}/{{{{partition:padding=true}}}}-{{{{start_offset:padding=true}}}}.jsonl
        file.max.records=3
        file.compression.type=none
        format.output.type=jsonl
        format.output.fields=value,offset
        flush.size=1",
        s3.endpoint()
    );
    drain(kafka, &config.replace("\n        ", "\n"));
    let found = texts_in_bucket(s3, &topic);
    let path = |offset: i64| format!("raw/{topic}/0000000000-{offset:020}.jsonl");
    assert_eq!(found.keys().collect::<Vec<_>>(), [&path(0), &path(3)]);
    let last = format!(r#"{{"value":{{"id":4,"ts":{}}},"offset":4}}"#, FIRST_MS + 3_600_000);
    assert_eq!(found[&path(3)].lines().last(), Some(last.as_str()));
}

#[test]
fn odd_values_of_a_field_name_directories_of_s3_and_a_new_group_finds_the_files_there() {
    let (kafka, s3) = (Kafka::shared(), S3::shared());
    let odd = ["a/b", "x y", "köln", "*#?", "~|^", "\"'<>", "%25", "+&=", "..", ""];
    let topic = kafka.topic("odd", 1);
    kafka.produce(&topic, odd.len(), |number, _, value| {
        value.extend_from_slice(serde_json::json!({ "id": number, "city": odd[number] }).to_string().as_bytes());
        0
    });
    s3.create_bucket(&topic);
    let config = format!(
        "name=odd-{topic}\nconnector.class=ObjectStoreSink\ntopics={topic}\nstore.url=s3://{topic}\n\
         store.s3.endpoint={}\nstore.s3.access.key.id=test\nstore.s3.secret.access.key=test\n\
         format.class=JsonLines\npartitioner.class=FieldPartitioner\npartition.field.name=city\n\
         value.converter=org.apache.kafka.connect.json.JsonConverter\nvalue.converter.schemas.enable=false\n",
        s3.endpoint()
    );
    drain(kafka, &config);
    // a consumer group that begins anew comes upon every file
    let log = drain(kafka, &format!("{config}consumer.override.group.id=again-{topic}\n"));
    assert!(log.contains("rows=10"), "{log}");
    let mut found: Vec<_> = texts_in_bucket(s3, &topic).values().flat_map(|text| ids(text)).collect();
    found.sort_unstable();
    assert_eq!(found, (0..odd.len() as i64).collect::<Vec<_>>());
}

#[test]
fn confluent_s_s3_sink_writes_keys_and_tombstones_and_tags_objects() {
    let (kafka, s3) = (Kafka::shared(), S3::shared());
    let topic = kafka.topic("keyed", 1);
    kafka.produce_pairs(&topic, &[("a", Some(r#"{"id":0}"#)), ("b", None), ("c", Some(r#"{"id":2}"#))]);
    s3.create_bucket(&topic);
    let config = format!(
        "name=s3-{topic}
        connector.class=io.confluent.connect.s3.S3SinkConnector
        topics={topic}
        s3.bucket.name={topic}
        s3.region=us-east-1
        store.url={}
        aws.access.key.id=test
        aws.secret.access.key=test
        flush.size=10
        storage.class=io.confluent.connect.s3.storage.S3Storage
        format.class=io.confluent.connect.s3.format.json.JsonFormat
        schema.compatibility=BACKWARD
        store.kafka.keys=true
        keys.format.class=io.confluent.connect.s3.format.json.JsonFormat
        behavior.on.null.values=write
        s3.acl.canned=public-read
        s3.object.tagging=true
        s3.object.tagging.key.value.pairs=team:data
        key.converter=org.apache.kafka.connect.storage.StringConverter
        value.converter=org.apache.kafka.connect.json.JsonConverter
        value.converter.schemas.enable=false",
        s3.endpoint()
    );
    drain(kafka, &config.replace("\n        ", "\n"));
    let values = format!("topics/{topic}/partition=0/{topic}+0+0000000000");
    let tombstones = format!("topics/{topic}/tombstone/{topic}+0+0000000001");
    let expected = [
        (format!("{values}.json"), "{\"id\":0}\n{\"id\":2}\n".to_owned()),
        (format!("{values}.keys.json"), "\"a\"\n\"c\"\n".to_owned()),
        (format!("{tombstones}.keys.json"), "\"b\"\n".to_owned()),
    ];
    assert_eq!(texts_in_bucket(s3, &topic), BTreeMap::from(expected));
    let tags = |path: &str| s3.request("GET", &format!("/{topic}/{}?tagging", path.replace('+', "%2B")), b"").unwrap();
    let tagged = tags(&format!("{values}.json"));
    for tag in [("startOffset", "0"), ("endOffset", "2"), ("recordCount", "2"), ("team", "data")] {
        assert!(tagged.contains(&format!("<Key>{}</Key><Value>{}</Value>", tag.0, tag.1)), "{tagged}");
    }
    let acl =
        s3.request("GET", &format!("/{topic}/{}?acl", format!("{values}.json").replace('+', "%2B")), b"").unwrap();
    assert!(acl.contains("AllUsers") && acl.contains("READ"), "{acl}");
    let tagged = tags(&format!("{tombstones}.keys.json"));
    assert!(tagged.contains("<Key>endOffset</Key><Value>1</Value>"), "{tagged}");
}
