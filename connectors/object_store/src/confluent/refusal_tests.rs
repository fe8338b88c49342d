//! What is refused, in words that the user knows; and a task that runs.

use std::fs;
use std::sync::Arc;

use volley_api::testing::{config_map, sink_batch_of, texts};
use volley_api::{Offsets, PluginFactory, Records, SinkContext, TopicPartition};

use super::hdfs_sink::{HDFS_2, HDFS_3};
use super::test_configurations::issues;
use super::{JavaSink, azure_blob_sink, azure_data_lake_sink, gcs_sink, plugin, s3_sink};
use crate::config::SinkConfig;

const S3: [(&str, &str); 4] = [
    ("s3.bucket.name", "lake"),
    ("flush.size", "1"),
    ("storage.class", "io.confluent.connect.s3.storage.S3Storage"),
    ("format.class", "io.confluent.connect.s3.format.json.JsonFormat"),
];
const GCS: [(&str, &str); 3] = [("gcs.bucket.name", "lake"), ("flush.size", "1"), ("format.class", "JsonFormat")];
const AZURE: [(&str, &str); 3] = [("azblob.account.name", "lake"), ("flush.size", "1"), ("format.class", "JsonFormat")];
const DATA_LAKE: [(&str, &str); 3] =
    [("azure.datalake.gen2.account.name", "lake"), ("flush.size", "1"), ("format.class", "JsonFormat")];
const HDFS: [(&str, &str); 3] = [("store.url", "file:///tmp"), ("flush.size", "1"), ("format.class", "JsonFormat")];

/// A sink, its least configuration, what is added to that, and the key and the words of the issue.
type Case<'a> = (&'a JavaSink, &'a [(&'a str, &'a str)], &'a [(&'a str, &'a str)], &'a str, &'a str);

fn check(cases: &[Case<'_>]) {
    for (sink, base, entries, key, expected) in cases {
        assert_eq!(issues(sink, base), []);
        let kept = base.iter().copied().filter(|(key, _)| entries.iter().all(|(other, _)| key != other));
        let entries: Vec<_> = kept.chain(entries.iter().copied()).collect();
        let issues = issues(sink, &entries);
        let is_found = issues.len() == 1 && issues[0].key == *key && issues[0].message.contains(expected);
        assert!(is_found, "{key} of {}: {issues:?}", sink.class);
        let error = sink.translated(&config_map(&entries)).err().unwrap().to_string();
        assert!(error.contains(key), "{error}");
        for ours in [
            "store.s3.endpoint",
            "store.s3.sse",
            "store.s3.access",
            "store.s3.role",
            "store.azure",
            "store.gcs",
            "store.proxy",
            "file.compression",
        ] {
            assert!(!error.contains(ours), "{error}");
        }
    }
}

#[test]
fn what_the_s3_sink_does_not_do_is_said_at_validation() {
    let s3 = &s3_sink::SINK;
    let radar = "org.radarcns.sink.hdfs.AvroFormatRadar";
    let role = "io.confluent.connect.s3.auth.AwsAssumeRoleCredentialsProvider";
    let role_arn = "s3.credentials.provider.sts.role.arn";
    let cases: &[Case<'_>] = &[
        (s3, &S3, &[("flush.size", "0")], "flush.size", "Value must be at least 1"),
        (s3, &S3, &[("format.class", radar)], "format.class", "AvroFormat, JsonFormat, ByteArrayFormat, ParquetFormat"),
        (s3, &S3, &[("behavior.on.null.values", "write")], "behavior.on.null.values", "needs `store.kafka.keys` true"),
        (
            s3,
            &S3,
            &[("store.kafka.keys", "true"), ("keys.format.class", radar)],
            "keys.format.class",
            "AvroFormat, JsonFormat, ByteArrayFormat",
        ),
        (
            s3,
            &S3,
            &[("store.kafka.headers", "true"), ("headers.format.class", "ByteArrayFormat")],
            "headers.format.class",
            "files of headers are of Avro, JsonLines or Parquet",
        ),
        (
            s3,
            &S3,
            &[("s3.object.tagging", "true"), ("s3.object.tagging.key.value.pairs", "a:1,b")],
            "s3.object.tagging.key.value.pairs",
            "`b` is not of the form name:value",
        ),
        (
            s3,
            &S3,
            &[("s3.object.tagging", "true"), ("s3.object.tagging.key.value.pairs", "a:1,b:2,c:3,d:4,e:5,f:6,g:7,h:8")],
            "s3.object.tagging.key.value.pairs",
            "at most 10 tags, and `s3.object.tagging` gives it 3",
        ),
        (s3, &S3, &[("s3.acl.canned", "public")], "s3.acl.canned", "bucket-owner-full-control"),
        (s3, &S3, &[("s3.schema.partition.affix.type", "PREFIX")], "s3.schema.partition.affix.type", "must be NONE"),
        (s3, &S3, &[("rotate.schedule.interval.ms", "1000")], "timezone", "needed together with `rotate.schedule"),
        (s3, &S3, &[("store.url", "minio:9000")], "store.url", "not a URL such as http://localhost:9000"),
        (s3, &S3, &[("s3.bucket.name", "")], "s3.bucket.name", "it names no bucket"),
        (s3, &S3, &[("s3.bucket.name", "a/b")], "s3.bucket.name", "without `/`"),
        (s3, &S3, &[("s3.ssea.name", "rot13")], "s3.ssea.name", "String must be one of"),
        (
            s3,
            &S3,
            &[("s3.sse.kms.key.id", "k")],
            "s3.ssea.name",
            "`s3.ssea.name` must be aws:kms where `s3.sse.kms.key.id`",
        ),
        (s3, &S3, &[("s3.sse.customer.key", "short")], "s3.sse.customer.key", "256 bits in base64"),
        (s3, &S3, &[("aws.access.key.id", "A")], "aws.secret.access.key", "together with `aws.access.key.id`"),
        (s3, &S3, &[("s3.proxy.url", "proxy:1")], "s3.proxy.url", "not a URL such as"),
        (s3, &S3, &[("s3.proxy.user", "me")], "s3.proxy.url", "together with `s3.proxy.user`"),
        (s3, &S3, &[("s3.credentials.provider.class", role)], role_arn, "is needed where"),
        (
            s3,
            &S3,
            &[("s3.credentials.provider.class", "com.github.vdesabou.AwsAssumeRoleCredentialsProvider")],
            "s3.credentials.provider.class",
            "AnonymousCredentialsProvider, or AwsAssumeRoleCredentialsProvider",
        ),
        (s3, &S3, &[("format.bytearray.separator", "\r\n")], "format.bytearray.separator", "white space at its ends"),
        (s3, &S3, &[("topics.dir", "../up")], "topics.dir", "plain names"),
        (s3, &S3, &[("s3.part.size", "1")], "s3.part.size", "at least 5242880"),
        (s3, &S3, &[("s3.compression.type", "zstd")], "s3.compression.type", "none, gzip"),
        (s3, &S3, &[("rotate.idle.ms", "0")], "rotate.idle.ms", "at least 1, or -1"),
    ];
    check(cases);
    let parquet = [("format.class", "ParquetFormat"), ("parquet.codec", "lz4")];
    let parquet: Vec<_> = S3[..3].iter().copied().chain(parquet).collect();
    assert!(issues(s3, &parquet)[0].message.contains("zstd, snappy or lz4_raw"));
}

#[test]
fn what_the_other_sinks_do_not_do_is_said_at_validation() {
    let (gcs, azure, lake) = (&gcs_sink::SINK, &azure_blob_sink::SINK, &azure_data_lake_sink::SINK);
    let endpoint = "azure.datalake.gen2.token.endpoint";
    let both = [("gcs.credentials.path", "/k"), ("gcs.credentials.json", "{}")];
    let cases: &[Case<'_>] = &[
        (gcs, &GCS, &both, "gcs.credentials.json", "not both"),
        (gcs, &GCS, &[("store.url", "gcs:4443")], "store.url", "not a URL such as"),
        (azure, &AZURE, &[("azblob.container.name", "")], "azblob.container.name", "it names no container"),
        (azure, &AZURE, &[("azblob.block.size", "1")], "azblob.block.size", "at least 5242880"),
        (lake, &DATA_LAKE, &[(endpoint, "x")], endpoint, "<tenant id>"),
        (lake, &DATA_LAKE, &[("topics.dir", "")], "topics.dir", "it names no container"),
        (&HDFS_2, &HDFS, &[("store.url", "")], "store.url", "`store.url` or `hdfs.url` is needed"),
        (&HDFS_2, &HDFS, &[("topics.dir", "raw/${topic}")], "topics.dir", "with variables"),
        (&HDFS_3, &HDFS, &[("format.class", "io.confluent.connect.hdfs.orc.OrcFormat")], "format.class", "ORC files"),
    ];
    check(cases);
    let kerberos: Vec<_> = HDFS.iter().copied().chain([("hdfs.authentication.kerberos", "true")]).collect();
    let keys: Vec<_> = issues(&HDFS_2, &kerberos).into_iter().map(|issue| issue.key).collect();
    assert_eq!(keys, ["connect.hdfs.principal", "connect.hdfs.keytab"]);
    let id: Vec<_> = DATA_LAKE.iter().copied().chain([("azure.datalake.gen2.client.id", "a")]).collect();
    let found = issues(lake, &id);
    assert_eq!(found[0].key, "azure.datalake.gen2.client.key");
    assert_eq!(found[1].key, endpoint);
}

#[test]
fn the_store_is_looked_at_and_spoken_of_in_the_user_s_keys() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let url = format!("file://{}", file.path().display());
    let config = config_map(&[("hdfs.url", &url), ("flush.size", "1"), ("format.class", "JsonFormat")]);
    let plugin = plugin(&HDFS_2);
    let PluginFactory::Sink { connector, task } = &plugin.factory else { panic!("not a sink") };
    let issues = connector.validate(&config);
    assert!(issues.len() == 1 && issues[0].key == "store.url", "{issues:?}");
    assert!(task(SinkContext::new("c", 0), &config).is_err());
    // what the worker reports itself is not said twice
    assert!(connector.validate(&config_map(&[])).is_empty());
}

#[test]
fn a_task_of_a_java_class_writes_files_with_confluent_s_names() {
    let root = tempfile::tempdir().unwrap();
    let url = format!("file://{}", root.path().display());
    let entries = [
        ("hdfs.url", url.as_str()),
        ("flush.size", "2"),
        ("format.class", "io.confluent.connect.hdfs.json.JsonFormat"),
        ("topics.dir", "/data/raw"),
        ("logs.dir", "/logs"),
    ];
    let plugin = plugin(&HDFS_2);
    let PluginFactory::Sink { task, .. } = &plugin.factory else { panic!("not a sink") };
    let mut task = task(SinkContext::new("c", 0), &config_map(&entries)).unwrap();
    let records: Records = volley_api::testing::consumed("t", 3, 40, texts(["a", "b"]));
    let origin = volley_api::testing::origin("t", 3, 40, 2);
    task.open(&Offsets::from([(TopicPartition::new("t", 3), 40)])).unwrap();
    let batch = sink_batch_of(Arc::clone(&origin), vec![records]);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(90);
    assert!(task.put(&batch).unwrap().is_empty());
    let partition = [TopicPartition::new("t", 3)];
    loop {
        task.flush(&partition).unwrap();
        let vouched = task.pre_commit(&Offsets::from([(partition[0].clone(), 42)])).unwrap();
        if vouched[&partition[0]] == 42 {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "never delivered");
        std::thread::yield_now();
    }
    let written = root.path().join("data/raw/t/partition=3/t+3+0000000040+0000000041.json");
    assert_eq!(fs::read_to_string(written).unwrap(), "\"a\"\n\"b\"\n");
}

#[test]
fn names_have_the_last_offset_where_java_s_sink_could_look_for_it() {
    let translated = |entries: &[(&str, &str)]| {
        let config = config_map(&[&HDFS[..], entries].concat());
        HDFS_2.translated(&config).unwrap()
    };
    let has_last_offset = |entries: &[(&str, &str)]| {
        let config = SinkConfig::parse(&translated(entries).config).unwrap();
        config.naming.has_claims()
    };
    assert!(has_last_offset(&[]));
    assert!(has_last_offset(&[("store.url", "hdfs://n:8020/x")]));
    assert!(!has_last_offset(&[("store.url", "s3a://bucket/x")]));
    assert!(!has_last_offset(&[("file.name.last.offset", "false")]));
    assert!(!has_last_offset(&[("file.name.template", "{{topic}}-{{partition}}-{{start_offset}}")]));
    let config = translated(&[("file.delim", "-"), ("logs.dir", "wal/${topic}")]);
    assert_eq!((&*config.config["file.delim"], &*config.config["java.logs.dir"]), ("+", "wal/${topic}"));
    assert!(config.remarks.iter().any(|remark| remark.contains("`file.delim` has no effect")), "{:?}", config.remarks);
    let config = translated(&[("logs.dir", "wal/${1}"), ("topic.capture.groups.regex", "(.*)")]);
    assert!(!config.config.contains_key("java.logs.dir"));
}

#[test]
fn a_file_whose_interval_is_over_does_not_wait_for_a_later_record() {
    let idle = |entries: &[(&str, &str)]| {
        let config = config_map(&[&S3[..], entries].concat());
        s3_sink::SINK.translated(&config).unwrap().config["rotate.idle.ms"].clone()
    };
    assert_eq!(idle(&[]), "-1");
    assert_eq!(idle(&[("rotate.interval.ms", "60000")]), "60000");
    assert_eq!(idle(&[("rotate.interval.ms", "60000"), ("rotate.idle.ms", "5000")]), "5000");
}
