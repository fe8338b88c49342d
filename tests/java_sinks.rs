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
    let line = |id: i64| format!(r#"{{"offset":{id},"value":{{"id":{id},"ts":{}}}}}"#, FIRST_MS + id * 900_000);
    assert_eq!(found[&path(3)], format!("{}\n{}", line(3), line(4)));
}

/// The keys that a connector needs to write `topic` to a bucket of that name.
fn aiven_s_keys(topic: &str, s3: &S3) -> String {
    format!(
        "name=aiven-{topic}
        connector.class=io.aiven.kafka.connect.s3.AivenKafkaConnectS3SinkConnector
        topics={topic}
        aws.access.key.id=test
        aws.secret.access.key=test
        aws.s3.bucket.name={topic}
        aws.s3.endpoint={}
        key.converter=org.apache.kafka.connect.storage.StringConverter
        value.converter=org.apache.kafka.connect.converters.ByteArrayConverter
        header.converter=org.apache.kafka.connect.converters.ByteArrayConverter",
        s3.endpoint()
    )
    .replace("\n        ", "\n")
}

#[test]
fn aiven_s_s3_sink_writes_csv_and_json_as_its_documentation_says() {
    let (kafka, s3) = (Kafka::shared(), S3::shared());
    let file = |more: &str| {
        let topic = kafka.topic("aiven", 1);
        kafka.produce_pairs(&topic, &[("a", Some("one")), ("b", None)]);
        s3.create_bucket(&topic);
        drain(kafka, &format!("{}\n{more}", aiven_s_keys(&topic, s3)));
        let (path, contents) = crate::delivered_rows::bytes_in_bucket(s3, &topic).into_iter().next().unwrap();
        (path.replace(&topic, "t"), contents)
    };
    // csv and gzip are the defaults
    let (path, contents) = file("format.output.fields=key,value,offset,headers");
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::MultiGzDecoder::new(contents.as_slice()), &mut text).unwrap();
    assert_eq!((path.as_str(), text.as_str()), ("t-0-0.gz", "YQ==,b25l,0,\nYg==,,1,"));
    let (path, contents) =
        file("format.output.type=json\nfile.compression.type=none\nformat.output.fields=key,offset,headers");
    let expected = "[\n{\"headers\":[],\"offset\":0,\"key\":\"a\"},\n{\"headers\":[],\"offset\":1,\"key\":\"b\"}\n]";
    assert_eq!((path.as_str(), String::from_utf8(contents).unwrap().as_str()), ("t-0-0", expected));
    let (path, contents) = file("file.compression.type=snappy\naws.s3.prefix=old/");
    assert_eq!(path, "old/t-0-00000000000000000000.snappy");
    assert!(contents.starts_with(b"\x82SNAPPY\0"));
}

#[test]
fn aiven_s_s3_sink_writes_a_file_for_each_key() {
    let (kafka, s3) = (Kafka::shared(), S3::shared());
    let topic = kafka.topic("aiven-keys", 1);
    kafka.produce_pairs(
        &topic,
        &[("a", Some("0")), ("b", Some("1")), ("a", Some("2")), ("c/d", None), ("..", Some("3"))],
    );
    s3.create_bucket(&topic);
    let more = "file.name.template={{topic}}-{{partition}}-k{{key}}\nfile.max.records=1\nfile.compression.type=none\n\
                format.output.fields=offset,value\nformat.output.fields.value.encoding=none";
    drain(kafka, &format!("{}\n{more}", aiven_s_keys(&topic, s3)));
    let path = |key: &str| format!("{topic}-0-k{key}");
    let expected = [("a", "2,2"), ("b", "1,1"), ("c/d", "3,"), ("..", "4,3")];
    let expected = expected.map(|(key, text)| (path(key), text.to_owned()));
    assert_eq!(texts_in_bucket(s3, &topic), BTreeMap::from(expected));
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
