//! Configurations as users have them, made from the sets of keys of public ones.

use std::collections::BTreeMap;

use volley_api::testing::config_map;
use volley_api::{ConfigIssue, ConfigMap};

use super::hdfs_sink::{HDFS_2, HDFS_3};
use super::{JavaSink, azure_blob_sink, azure_data_lake_sink, gcs_sink, s3_sink};
use crate::config::SinkConfig;

/// The default of each key of the Java class, as it is written.
pub(crate) fn defaults(sink: &JavaSink) -> BTreeMap<String, Option<String>> {
    let def = sink.config_def();
    let listed = def.keys().iter().filter(|key| !key.is_unlisted);
    listed.map(|key| (key.name.clone(), key.default_value().map(str::to_owned))).collect()
}

/// All that is wrong with a configuration.
pub(crate) fn issues(sink: &JavaSink, entries: &[(&str, &str)]) -> Vec<ConfigIssue> {
    sink.translate(&config_map(entries)).err().unwrap_or_default()
}

/// A configuration: lines of `key=value`, what the names of its files end with, and which of its keys are without effect.
struct Case {
    sink: &'static JavaSink,
    lines: &'static str,
    extension: &'static str,
    without_effect: &'static [&'static str],
}

impl Case {
    fn config(&self) -> ConfigMap {
        let entries = self.lines.lines().map(str::trim).filter(|line| !line.is_empty());
        let entries: Vec<_> = entries.map(|line| line.split_once('=').unwrap()).collect();
        config_map(&entries)
    }
}

/// In nearly all of them.
const MINIO: &str = "store.url=http://minio:9000
    aws.access.key.id=minio
    aws.secret.access.key=minio123";

const S3_AVRO: &str = ".avro";

fn cases() -> Vec<Case> {
    [s3_json_cases(), s3_other_cases(), other_cases()].into_iter().flatten().collect()
}

fn s3_json_cases() -> Vec<Case> {
    let s3 = |lines, extension, without_effect| Case { sink: &s3_sink::SINK, lines, extension, without_effect };
    vec![
        s3(
            "connector.class=io.confluent.connect.s3.S3SinkConnector
            tasks.max=1
            topics=orders
            s3.bucket.name=lake
            s3.region=us-east-1
            flush.size=3
            storage.class=io.confluent.connect.s3.storage.S3Storage
            format.class=io.confluent.connect.s3.format.json.JsonFormat
            partitioner.class=io.confluent.connect.storage.partitioner.DefaultPartitioner
            schema.compatibility=NONE",
            ".json",
            &[],
        ),
        s3(
            "topics=orders,users
            s3.bucket.name=lake
            s3.region=us-east-1
            s3.part.size=5242880
            store.url=http://minio:9000
            s3.path.style.access=true
            aws.access.key.id=minio
            aws.secret.access.key=minio123
            flush.size=1000
            rotate.interval.ms=60000
            storage.class=io.confluent.connect.s3.storage.S3Storage
            format.class=io.confluent.connect.s3.format.json.JsonFormat
            partitioner.class=io.confluent.connect.storage.partitioner.TimeBasedPartitioner
            partition.duration.ms=3600000
            path.format='year'=YYYY/'month'=MM/'day'=dd/'hour'=HH
            locale=en-US
            timezone=UTC
            timestamp.extractor=RecordField
            timestamp.field=created_at
            schema.generator.class=io.confluent.connect.storage.hive.schema.DefaultSchemaGenerator",
            ".json",
            &["s3.part.size", "s3.path.style.access", "schema.generator.class"],
        ),
        s3(
            "topics.regex=cdc.*
            s3.bucket.name=lake
            s3.region=ap-northeast-2
            topics.dir=raw/cdc
            flush.size=10000
            rotate.schedule.interval.ms=600000
            s3.compression.type=gzip
            storage.class=io.confluent.connect.s3.storage.S3Storage
            format.class=io.confluent.connect.s3.format.json.JsonFormat
            partitioner.class=io.confluent.connect.storage.partitioner.HourlyPartitioner
            locale=ko_KR
            timezone=Asia/Seoul
            behavior.on.null.values=ignore
            errors.tolerance=all
            errors.deadletterqueue.topic.name=dead",
            ".json.gz",
            &[],
        ),
        s3(
            "s3.bucket.name=lake
            s3.region=
            s3.endpoint=http://minio:9000
            flush.size=100
            storage.class=io.confluent.s3.storage.S3Storage
            format.class=io.confluent.connect.s3.format.json.JsonFormat
            partitioner.class=com.canelmas.kafka.connect.FieldAndTimeBasedPartitioner
            partition.field.name=country
            partition.duration.ms=86400000
            path.format='dt'=YYYY-MM-dd
            locale=en
            timezone=UTC",
            ".json",
            &["s3.endpoint"],
        ),
        s3(
            "s3.bucket.name=lake
            flush.size=100
            topics.dir=
            file.delim=-
            storage.class=io.confluent.connect.s3.storage.S3Storage
            format.class=io.confluent.connect.s3.format.json.JsonFormat
            partitioner.class=io.confluent.connect.storage.partitioner.FieldPartitioner
            partition.field.name=country,city
            s3.credentials.provider.class=io.confluent.connect.s3.auth.BasicCredentialsProvider
            aws.access.key.id=AKIA
            aws.secret.access.key=secret
            store.kafka.keys=false",
            ".json",
            &[],
        ),
        s3(
            "s3.bucket.name=lake
            flush.size=100
            storage.class=io.confluent.connect.s3.storage.S3Storage
            format.class=io.confluent.connect.s3.format.json.JsonFormat
            s3.credentials.provider.class=com.amazonaws.auth.EnvironmentVariableCredentialsProvider
            s3.ssea.name=AES256
            retry.backoff.ms=1000
            schema.ignore=true",
            ".json",
            &["schema.ignore"],
        ),
        s3(
            "s3.bucket.name=lake
            flush.size=100
            storage.class=io.confluent.connect.s3.storage.S3Storage
            format.class=io.confluent.connect.s3.format.json.JsonFormat
            s3.credentials.provider.class=io.confluent.connect.s3.auth.AwsAssumeRoleCredentialsProvider
            s3.credentials.provider.sts.role.arn=arn:aws:iam::1:role/w
            s3.credentials.provider.sts.role.session.name=connect
            s3.credentials.provider.sts.role.external.id=42
            s3.ssea.name=aws:kms
            s3.sse.kms.key.id=arn:aws:kms:eu-west-1:1:key/2
            s3.proxy.url=http://proxy:3128
            s3.proxy.user=me
            s3.proxy.password=mine",
            ".json",
            &[],
        ),
        s3(
            "s3.bucket.name=lake
            s3.region=us-east-1
            store.url=http://minio:9000
            s3.path.style.access.enabled=true
            s3.ssea.name=
            flush.size=100
            storage.class=io.confluent.connect.s3.storage.S3Storage
            format.class=io.confluent.connect.s3.format.json.JsonFormat
            partitioner.class=io.confluent.connect.storage.partitioner.DailyPartitioner
            locale=pt-BR
            timezone=America/Sao_Paulo
            timestamp.extractor=Record
            schema.compatibility=FULL
            consumer.override.group.id=archive",
            ".json",
            &[],
        ),
    ]
}

fn s3_other_cases() -> Vec<Case> {
    let s3 = |lines, extension, without_effect| Case { sink: &s3_sink::SINK, lines, extension, without_effect };
    vec![
        s3(
            "s3.bucket.name=lake
            flush.size=100000
            storage.class=io.confluent.connect.s3.storage.S3Storage
            format.class=io.confluent.connect.s3.format.parquet.ParquetFormat
            value.converter=io.confluent.connect.avro.AvroConverter",
            ".snappy.parquet",
            &[],
        ),
        s3(
            "s3.bucket.name=lake
            flush.size=100000
            parquet.codec=gzip
            storage.class=io.confluent.connect.s3.storage.S3Storage
            format.class=io.confluent.connect.s3.format.parquet.ParquetFormat
            partitioner.class=io.confluent.connect.storage.partitioner.TimeBasedPartitioner
            partition.duration.ms=86400000
            path.format='year'=YYYY/'month'=MM/'day'=dd
            locale=en-US
            timezone=UTC
            timestamp.extractor=Wallclock
            schema.compatibility=BACKWARD
            s3.part.size=26214400",
            ".gz.parquet",
            &["s3.part.size"],
        ),
        s3(
            "s3.bucket.name=lake
            flush.size=1
            parquet.codec=none
            storage.class=io.confluent.connect.s3.storage.S3Storage
            format.class=io.confluent.connect.s3.format.parquet.ParquetFormat
            s3.compression.type=gzip",
            ".parquet",
            &[],
        ),
        s3(
            "s3.bucket.name=lake
            flush.size=1000
            parquet.codec=zstd
            storage.class=io.confluent.connect.s3.storage.S3Storage
            format.class=io.confluent.connect.s3.format.parquet.ParquetFormat
            rotate.interval.ms=300000
            rotate.idle.ms=120000
            store.s3.storage.class=STANDARD_IA",
            ".zstd.parquet",
            &[],
        ),
        s3(
            "s3.bucket.name=lake
            flush.size=1000
            storage.class=io.confluent.connect.s3.storage.S3Storage
            format.class=io.confluent.connect.s3.format.avro.AvroFormat
            avro.codec=snappy
            schema.compatibility=BACKWARD
            enhanced.avro.schema.support=true",
            S3_AVRO,
            &[],
        ),
        s3(
            "s3.bucket.name=lake
            flush.size=1000
            storage.class=io.confluent.connect.s3.storage.S3Storage
            format.class=io.confluent.connect.s3.format.avro.AvroFormat
            partitioner.class=io.confluent.connect.storage.partitioner.TimeBasedPartitioner
            partition.duration.ms=600000
            path.format='year'=YYYY/'month'=MM/'day'=dd/'hour'=HH/'minute'=mm
            locale=US
            timezone=Europe/Berlin
            timestamp.extractor=Record
            rotate.schedule.interval.ms=60000
            schema.compatibility=FULL",
            S3_AVRO,
            &[],
        ),
        s3(
            "s3.bucket.name=lake
            flush.size=1000
            storage.class=io.confluent.connect.s3.storage.S3Storage
            format.class=io.confluent.connect.s3.format.bytearray.ByteArrayFormat
            value.converter=org.apache.kafka.connect.converters.ByteArrayConverter",
            ".bin",
            &[],
        ),
        s3(
            "s3.bucket.name=lake
            flush.size=1000
            storage.class=io.confluent.connect.s3.storage.S3Storage
            format.class=io.confluent.connect.s3.format.bytearray.ByteArrayFormat
            format.bytearray.extension=.jsonl
            s3.compression.type=gzip
            s3.compression.level=9",
            ".jsonl.gz",
            &[],
        ),
        s3(
            "s3.bucket.name=lake
            flush.size=1000
            store.url=https://fra1.digitaloceanspaces.com
            s3.path.style.access.enabled=false
            confluent.topic.bootstrap.servers=kafka:9092
            storage.class=io.confluent.connect.s3.storage.S3Storage
            format.class=io.confluent.connect.s3.format.bytearray.ByteArrayFormat
            s3.wan.mode=false
            s3.object.tagging.key.value.pairs=a:b",
            ".bin",
            &["confluent.topic.bootstrap.servers"],
        ),
    ]
}

fn other_cases() -> Vec<Case> {
    let case = |sink, lines, extension, without_effect| Case { sink, lines, extension, without_effect };
    vec![
        case(
            &gcs_sink::SINK,
            "gcs.bucket.name=lake
            gcs.part.size=5242880
            gcs.credentials.path=/keys/gcs.json
            flush.size=1000
            storage.class=io.confluent.connect.gcs.storage.GcsStorage
            format.class=io.confluent.connect.gcs.format.json.JsonFormat
            partitioner.class=io.confluent.connect.storage.partitioner.TimeBasedPartitioner
            path.format='date'=YYYY-MM-dd
            partition.duration.ms=86400000
            locale=id_ID
            timezone=Asia/Jakarta
            timestamp.extractor=Wallclock
            rotate.interval.ms=600000
            rotate.schedule.interval.ms=600000
            schema.compatibility=FULL
            confluent.topic.bootstrap.servers=kafka:9092
            confluent.topic.replication.factor=1",
            ".json",
            &["gcs.part.size", "confluent.topic.bootstrap.servers", "confluent.topic.replication.factor"],
        ),
        case(
            &gcs_sink::SINK,
            "gcs.bucket.name=lake
            flush.size=1000
            storage.class=io.confluent.connect.gcs.storage.GcsStorage
            format.class=io.confluent.connect.gcs.format.parquet.ParquetFormat
            parquet.codec=snappy
            max.retries=10
            retry.backoff.ms=500",
            ".snappy.parquet",
            &[],
        ),
        case(
            &gcs_sink::SINK,
            "gcs.bucket.name=lake
            flush.size=1000
            gcs.credentials.json={\"type\": \"service_account\"}
            gcs.compression.type=gzip
            format.class=io.confluent.connect.gcs.format.bytearray.ByteArrayFormat",
            ".bin.gz",
            &[],
        ),
        case(
            &azure_blob_sink::SINK,
            "azblob.account.name=lake
            azblob.account.key=c2VjcmV0
            azblob.container.name=topics
            azblob.block.size=26214400
            azblob.retry.type=EXPONENTIAL
            flush.size=1000
            format.class=io.confluent.connect.azure.blob.format.json.JsonFormat
            az.compression.type=gzip
            time.interval=HOURLY",
            ".json.gz",
            &["azblob.block.size", "azblob.retry.type"],
        ),
        case(
            &azure_data_lake_sink::SINK,
            "azure.datalake.gen2.account.name=lake
            azure.datalake.gen2.client.id=id
            azure.datalake.gen2.client.key=secret
            azure.datalake.gen2.token.endpoint=https://login.microsoftonline.com/tenant/oauth2/token
            flush.size=3
            format.class=io.confluent.connect.azure.storage.format.avro.AvroFormat
            confluent.license=",
            S3_AVRO,
            &["confluent.license"],
        ),
        case(
            &HDFS_2,
            "hdfs.url=hdfs://namenode:8020
            topics=logs
            tasks.max=4
            flush.size=3
            format.class=io.confluent.connect.hdfs.json.JsonFormat
            logs.dir=/logs
            topics.dir=/data/raw
            hadoop.conf.dir=/etc/hadoop/conf
            hadoop.home=/opt/hadoop
            hdfs.append.mode=true",
            ".json",
            &["hadoop.home", "hdfs.append.mode"],
        ),
        case(
            &HDFS_2,
            "hdfs.url=hdfs://nameservice1
            flush.size=1000
            rotate.interval.ms=60000
            partitioner.class=io.confluent.connect.hdfs.partitioner.TimeBasedPartitioner
            partition.duration.ms=3600000
            path.format='year'=YYYY/'month'=MM
            locale=ru
            timezone=Europe/Moscow
            hive.integration=true
            hive.metastore.uris=thrift://hive:9083
            hive.database=raw
            schema.compatibility=BACKWARD",
            S3_AVRO,
            &["hive.metastore.uris", "hive.database"],
        ),
        case(
            &HDFS_2,
            "store.url=hdfs://namenode:8020
            flush.size=1000
            format.class=io.confluent.connect.hdfs.parquet.ParquetFormat
            partitioner.class=io.confluent.connect.hdfs.partitioner.FieldPartitioner
            partition.field.name=country
            hdfs.authentication.kerberos=true
            connect.hdfs.principal=connect@EXAMPLE.COM
            connect.hdfs.keytab=/keys/connect.keytab
            storage.class=io.confluent.connect.hdfs.storage.HdfsStorage",
            ".parquet",
            &[],
        ),
        case(
            &HDFS_3,
            "hdfs.url=hdfs://namenode:9000
            flush.size=1000
            format.class=io.confluent.connect.hdfs3.string.StringFormat
            confluent.topic.bootstrap.servers=kafka:9092
            value.converter=org.apache.kafka.connect.storage.StringConverter",
            ".txt",
            &["confluent.topic.bootstrap.servers"],
        ),
        case(
            &HDFS_3,
            "store.url=file:///tmp/hdfs
            flush.size=1000
            format.class=io.confluent.connect.hdfs.json.JsonFormat
            topic.capture.groups.regex=(.*)",
            ".json",
            &["topic.capture.groups.regex"],
        ),
    ]
}

#[test]
fn every_public_configuration_is_accepted_and_its_files_have_confluent_s_extensions() {
    let cases = cases();
    assert!(cases.len() >= 25, "{}", cases.len());
    for case in cases {
        let given = case.config();
        let issues = case.sink.translate(&given).err().unwrap_or_default();
        assert!(issues.is_empty(), "{issues:?} of {}", case.lines);
        let translated = case.sink.translated(&given).unwrap();
        let parsed = SinkConfig::parse(&translated.config).unwrap();
        assert_eq!(&*parsed.format.extension, case.extension, "{}", case.lines);
        let shown = format!("{parsed:?}");
        for secret in ["minio123", "\"secret\"", "\"mine\"", "c2VjcmV0", "\"type"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

#[test]
fn what_has_no_effect_is_named_once_and_nothing_else() {
    for case in cases() {
        let mut given = case.config();
        // what is not there yet hides the rest
        for (key, value) in [("timezone", "UTC"), ("format.class", "JsonFormat")] {
            given.insert(key.to_owned(), value.to_owned());
        }
        if given.get("hdfs.url").or(given.get("store.url")).is_some_and(|url| url.starts_with("hdfs:")) {
            given.insert("store.url".to_owned(), "file:///tmp".to_owned());
        }
        let remarks = case.sink.translated(&given).unwrap().remarks;
        let about_keys: Vec<_> = remarks.iter().filter(|remark| remark.starts_with("these keys")).collect();
        let expected = format!("these keys have no effect here: {}", case.without_effect.join(", "));
        let expected: Vec<_> = (!case.without_effect.is_empty()).then_some(&expected).into_iter().collect();
        assert_eq!(about_keys, expected, "{}", case.lines);
        let about_hive = remarks.iter().any(|remark| remark.contains("registered in Hive"));
        assert_eq!(about_hive, given.get("hive.integration").is_some_and(|value| value == "true"));
    }
}

#[test]
fn a_minio_configuration_says_the_same_in_our_keys() {
    let lines = format!(
        "{MINIO}
        s3.bucket.name=lake
        flush.size=100
        topics.dir=
        file.delim=-
        storage.class=S3Storage
        format.class=ParquetFormat
        rotate.schedule.interval.ms=0
        retry.backoff.ms=0
        timezone=UTC
        rotate.bytes=1000"
    );
    let entries: Vec<_> = lines.lines().map(|line| line.trim().split_once('=').unwrap()).collect();
    let config = s3_sink::SINK.translated(&config_map(&entries)).unwrap().config;
    for (key, value) in [
        ("store.url", "s3://lake"),
        ("store.s3.endpoint", "http://minio:9000"),
        ("store.s3.path.style.access.enabled", "true"),
        ("store.s3.region", "us-west-2"),
        ("store.s3.access.key.id", "minio"),
        ("store.s3.secret.access.key", "minio123"),
        ("topics.dir", ""),
        ("file.delim", "-"),
        ("format.class", "Parquet"),
        ("parquet.codec", "snappy"),
        ("rotate.schedule.interval.ms", "-1"),
        ("rotate.interval.ms", "-1"),
        ("rotate.idle.ms", "-1"),
        ("rotate.bytes", "1000"),
        ("retry.backoff.ms", "1"),
        ("schema.compatibility", "NONE"),
        ("path.format", ""),
    ] {
        assert_eq!(config.get(key).map(String::as_str), Some(value), "{key}");
    }
    // of AWS, nothing is set that the user has not set
    let without: Vec<_> = config.keys().filter(|key| key.contains(".sse.") || key.contains(".role.")).collect();
    assert!(without.is_empty(), "{without:?}");
}

#[test]
fn a_bucket_in_the_host_name_stands_before_it_but_not_before_an_address() {
    let cases = [
        (
            &[("store.url", "https://fra1.example.com:8443/x")][..],
            Some("https://lake.fra1.example.com:8443/x"),
            "false",
        ),
        (&[("store.url", "http://10.0.0.7:9000")], Some("http://10.0.0.7:9000"), "true"),
        (&[], None, "false"),
        (&[("s3.wan.mode", "true")], Some("https://lake.s3-accelerate.amazonaws.com"), "false"),
    ];
    for (entries, endpoint, is_path_style) in cases {
        let base = [
            ("s3.bucket.name", "lake"),
            ("flush.size", "1"),
            ("storage.class", "x"),
            ("format.class", "JsonFormat"),
            ("s3.path.style.access.enabled", "false"),
        ];
        let config = s3_sink::SINK.translated(&config_map(&[&base[..], entries].concat())).unwrap().config;
        assert_eq!(config.get("store.s3.endpoint").map(String::as_str), endpoint);
        assert_eq!(config["store.s3.path.style.access.enabled"], is_path_style);
    }
}
