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
        ("aws.s3.region", Some("us-east-1")),
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
        ("format.output.fields", Some("value")),
        ("format.output.fields.value.encoding", Some("base64")),
        ("format.output.envelope", Some("true")),
    ];
    let found = defaults(&s3_sink::SINK);
    for (key, default) in expected {
        assert_eq!(found[key].as_deref(), default, "{key}");
    }
    assert!(s3_sink::SINK.config_def().find("aws.s3.bucket.name").unwrap().is_required());
}

#[test]
fn files_are_written_every_minute_under_aiven_s_names() {
    let config = translated(&s3_sink::SINK, &S3);
    for (key, value) in [
        ("store.url", "s3://lake"),
        ("format.class", "JsonLines"),
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
fn names_and_codecs_follow_the_compression() {
    let base = [("gcs.bucket.name", "b"), ("file.name.prefix", "in/"), ("file.max.records", "7")];
    let cases = [
        ("jsonl", "gzip", "file.compression.type", "gzip", ".gz"),
        ("jsonl", "zstd", "file.compression.type", "zstd", ".zst"),
        ("parquet", "snappy", "parquet.codec", "snappy", ".snappy"),
        ("parquet", "none", "parquet.codec", "none", ""),
    ];
    for (format, compression, key, codec, extension) in cases {
        let format = [("format.output.type", format), ("file.compression.type", compression)];
        let config = translated(&gcs_sink::SINK, &[&base[..], &format].concat());
        assert_eq!(config[key], codec);
        assert_eq!(
            config["file.name.template"],
            format!("in/{{{{topic}}}}-{{{{partition}}}}-{{{{start_offset}}}}{extension}")
        );
        assert_eq!(config["flush.size"], "7");
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
        (&s3_sink::SINK, "format.output.type", Some("csv"), "`format.output.type` csv is not offered"),
        (&s3_sink::SINK, "format.output.type", None, "csv, which is the default, is not offered"),
        (&s3_sink::SINK, "format.output.type", Some("json"), "use jsonl, parquet or avro"),
        (&s3_sink::SINK, "file.compression.type", Some("snappy"), "snappy is not offered for jsonl"),
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
    let both = [
        ("gcs.bucket.name", "b"),
        ("gcs.credentials.path", "/k"),
        ("gcs.credentials.json", "{}"),
        ("format.output.type", "jsonl"),
    ];
    assert_eq!(issues(&gcs_sink::SINK, &both)[0].key, "gcs.credentials.json");
}
