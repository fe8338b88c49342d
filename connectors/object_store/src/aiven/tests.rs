//! Aiven's configurations, and what becomes of them.

use volley_api::ConfigMap;
use volley_api::testing::config_map;

use super::{gcs_sink, s3_sink};
use crate::config::SinkConfig;
use crate::confluent::JavaSink;
use crate::confluent::test_configurations::{defaults, issues};

const S3: [(&str, &str); 8] = [
    ("aws.access.key.id", "minio"),
    ("aws.secret.access.key", "hunter2"),
    ("aws.s3.bucket.name", "lake"),
    ("aws.s3.endpoint", "http://minio:9000"),
    ("aws.s3.region", "eu-west-1"),
    ("format.output.type", "jsonl"),
    ("file.compression.type", "none"),
    ("flush.size", "1"),
];

fn translated(sink: &JavaSink, entries: &[(&str, &str)]) -> ConfigMap {
    sink.translated(&config_map(entries)).unwrap().config
}

#[test]
fn defaults_are_aiven_s() {
    let expected = [
        ("aws.access.key.id", None),
        ("aws.credentials.provider", Some("com.amazonaws.auth.DefaultAWSCredentialsProviderChain")),
        ("aws.s3.region", None),
        ("aws.s3.part.size.bytes", Some("5242880")),
        ("aws.s3.backoff.delay.ms", Some("100")),
        ("aws.s3.backoff.max.delay.ms", Some("20000")),
        ("aws.s3.backoff.max.retries", Some("3")),
        ("aws.sts.role.session.duration", Some("3600")),
        ("file.compression.type", Some("gzip")),
        ("file.max.records", Some("0")),
        ("file.name.timestamp.timezone", Some("Z")),
        ("file.name.timestamp.source", Some("WALLCLOCK")),
        ("format.output.type", Some("csv")),
        ("format.output.fields", None),
        ("format.output.fields.value.encoding", Some("base64")),
        ("format.output.envelope", Some("true")),
    ];
    let found = defaults(&s3_sink::SINK);
    for (key, default) in expected {
        assert_eq!(found[key].as_deref(), default, "{key}");
    }
    assert_eq!(defaults(&gcs_sink::SINK)["file.compression.type"].as_deref(), Some("none"));
}

#[test]
fn files_are_written_every_minute_under_aiven_s_names() {
    let config = translated(&s3_sink::SINK, &S3);
    for (key, value) in [
        ("store.url", "s3://lake"),
        ("format.class", "RecordJsonLines"),
        ("store.s3.region", "eu-west-1"),
        ("behavior.on.null.values", "keep"),
        ("file.compression.type", "none"),
        ("file.name.template", "{{topic}}-{{partition}}-{{start_offset}}"),
        ("format.output.fields", "value"),
        ("format.output.envelope", "true"),
        ("flush.size", "9223372036854775807"),
        ("rotate.schedule.interval.ms", "60000"),
    ] {
        assert_eq!(config.get(key).map(String::as_str), Some(value), "{key}");
    }
    let parsed = SinkConfig::parse(&config).unwrap();
    assert_eq!((parsed.rotation.schedule_ms, parsed.rotation.idle_ms), (Some(60_000), None));
    assert!(!format!("{parsed:?}").contains("hunter2"));
    // a key of ours counts more
    let config = translated(&s3_sink::SINK, &[&S3[..], &[("rotate.schedule.interval.ms", "1000")]].concat());
    assert_eq!(SinkConfig::parse(&config).unwrap().rotation.schedule_ms, Some(1000));
}

#[test]
fn names_and_codecs_follow_the_format_and_the_compression() {
    let base = [("gcs.bucket.name", "b"), ("file.name.prefix", "in/"), ("file.max.records", "7")];
    let cases = [
        ("csv", "snappy", "RecordCsv", "file.compression.type", "snappy", ".snappy"),
        ("json", "none", "RecordJson", "file.compression.type", "none", ""),
        ("jsonl", "gzip", "RecordJsonLines", "file.compression.type", "gzip", ".gz"),
        ("jsonl", "zstd", "RecordJsonLines", "file.compression.type", "zstd", ".zst"),
        ("parquet", "snappy", "Parquet", "parquet.codec", "snappy", ".snappy"),
        ("parquet", "none", "Parquet", "parquet.codec", "none", ""),
        ("avro", "gzip", "Avro", "file.compression.type", "gzip", ".avro.gz"),
    ];
    for (format, compression, class, key, codec, extension) in cases {
        let format = [("format.output.type", format), ("file.compression.type", compression), ("file.max.bytes", "9")];
        let config = translated(&gcs_sink::SINK, &[&base[..], &format].concat());
        assert_eq!((config["format.class"].as_str(), config[key].as_str()), (class, codec));
        assert_eq!(
            config["file.name.template"],
            format!("in/{{{{topic}}}}-{{{{partition}}}}-{{{{start_offset}}}}{extension}")
        );
        assert_eq!((config["flush.size"].as_str(), config["rotate.bytes"].as_str()), ("7", "9"));
    }
    // without anything else it is csv
    let config = translated(&s3_sink::SINK, &[("aws.s3.bucket.name", "b")]);
    assert_eq!((config["format.class"].as_str(), config["file.compression.type"].as_str()), ("RecordCsv", "gzip"));
    assert_eq!(config["file.name.template"], "{{topic}}-{{partition}}-{{start_offset}}.gz");
    let config = translated(&gcs_sink::SINK, &[("gcs.bucket.name", "b")]);
    assert_eq!(config["file.compression.type"], "none");
}

#[test]
fn old_keys_of_the_s3_sink_count_where_newer_ones_are_not_given() {
    let old = [
        ("aws_s3_bucket", "old"),
        ("aws_access_key_id", "id"),
        ("aws_secret_access_key", "hunter2"),
        ("aws_s3_region", "eu-west-1"),
        ("aws_s3_prefix", "{{timestamp:unit=YYYY}}/{{utc_date}}/"),
        ("output_fields", "key,value"),
        ("output_compression", "none"),
        ("timestamp.source", "event"),
    ];
    let config = translated(&s3_sink::SINK, &old);
    for (key, value) in [
        ("store.url", "s3://old"),
        ("store.s3.region", "eu-west-1"),
        ("store.s3.secret.access.key", "hunter2"),
        ("format.output.fields", "key,value"),
        ("file.compression.type", "none"),
        ("timestamp.extractor", "Record"),
        (
            "file.name.template",
            "{{timestamp:unit=yyyy}}/{{timestamp:unit=yyyy}}-{{timestamp:unit=MM}}-{{timestamp:unit=dd}}/\
             {{topic}}-{{partition}}-{{start_offset:padding=true}}",
        ),
    ] {
        assert_eq!(config[key], value, "{key}");
    }
    assert!(!format!("{:?}", SinkConfig::parse(&config).unwrap()).contains("hunter2"));
    let config = translated(
        &s3_sink::SINK,
        &[&old[..], &[("aws.s3.bucket.name", "new"), ("format.output.fields", "key")]].concat(),
    );
    assert_eq!((config["store.url"].as_str(), config["format.output.fields"].as_str()), ("s3://new", "key"));
}

#[test]
fn without_fields_the_s3_sink_writes_base64_whatever_is_asked_for() {
    let none = ("format.output.fields.value.encoding", "none");
    let encoding = |entries: &[(&str, &str)]| {
        translated(&s3_sink::SINK, &[&S3[..], &[none], entries].concat())["format.output.fields.value.encoding"].clone()
    };
    assert_eq!(encoding(&[]), "base64");
    assert_eq!(encoding(&[("format.output.fields", "value")]), "none");
    let config = translated(&gcs_sink::SINK, &[("gcs.bucket.name", "b"), none]);
    assert_eq!(config["format.output.fields.value.encoding"], "none");
}

#[test]
fn a_template_with_a_key_asks_for_a_file_for_each() {
    for (template, most) in [("k{{key}}", "0"), ("{{topic}}/{{partition}}/{{key}}", "1")] {
        let entries = [("gcs.bucket.name", "b"), ("file.name.template", template), ("file.max.records", most)];
        let config = SinkConfig::parse(&translated(&gcs_sink::SINK, &entries)).unwrap();
        assert!(config.keyed.is_some());
    }
}

#[test]
fn a_role_is_asked_for_with_aiven_s_keys() {
    let role = [("aws.sts.role.arn", "arn:aws:iam::1:role/w"), ("aws.sts.role.session.name", "s")];
    let config = translated(&s3_sink::SINK, &[&S3[..], &role].concat());
    assert_eq!(config["store.s3.role.arn"], "arn:aws:iam::1:role/w");
    assert_eq!(config["store.s3.role.session.name"], "s");
}

#[test]
fn what_is_not_there_is_refused_by_the_user_s_key() {
    let cases = [
        (&s3_sink::SINK, "format.output.type", Some("xml"), "String must be one of"),
        (&s3_sink::SINK, "aws.s3.bucket.name", None, "neither `aws.s3.bucket.name` nor `aws_s3_bucket` is given"),
        (&s3_sink::SINK, "file.name.template", Some("{{key}}-{{start_offset}}"), "does not go with `{{key}}`"),
        (&s3_sink::SINK, "format.output.fields", Some("value,x"), "`x` is not offered"),
        (&s3_sink::SINK, "aws.s3.endpoint", Some("minio:9000"), "not a URL such as"),
        (
            &s3_sink::SINK,
            "aws.secret.access.key",
            None,
            "`aws.secret.access.key` is needed together with `aws.access.key.id`",
        ),
        (&s3_sink::SINK, "aws.credentials.provider", Some("com.acme.Mine"), "`com.acme.Mine` is not there"),
        (&s3_sink::SINK, "aws.s3.sse.algorithm", Some("rot13"), "String must be one of"),
    ];
    for (sink, key, value, expected) in cases {
        let entries = S3.iter().copied().filter(|(other, _)| *other != key);
        let entries: Vec<_> = entries.chain(value.map(|value| (key, value))).collect();
        let issues = issues(sink, &entries);
        assert!(issues.len() == 1 && issues[0].key == key && issues[0].message.contains(expected), "{key}: {issues:?}");
        assert!(!issues[0].message.contains("store."), "{issues:?}");
    }
    let several = [&S3[..], &[("file.name.template", "{{key}}"), ("file.max.records", "2")]].concat();
    let found = issues(&s3_sink::SINK, &several);
    assert!(found.len() == 1 && found[0].message.contains("`file.max.records` is 1 or not given"), "{found:?}");
    let bare = [&S3[..], &[("format.output.envelope", "false"), ("format.output.fields", "key,value")]].concat();
    let found = issues(&s3_sink::SINK, &bare);
    assert!(found.len() == 1 && found[0].message.contains("must contain one field only"), "{found:?}");
    let both = [
        ("gcs.bucket.name", "b"),
        ("gcs.credentials.path", "/k"),
        ("gcs.credentials.json", "{}"),
        ("format.output.type", "jsonl"),
    ];
    assert_eq!(issues(&gcs_sink::SINK, &both)[0].key, "gcs.credentials.json");
}
