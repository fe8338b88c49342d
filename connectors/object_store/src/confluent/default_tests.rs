//! The defaults of the Java classes.

use volley_api::ConfigDef;

use super::test_configurations::defaults;
use super::{JavaSink, hdfs_sink, s3_sink};

/// `None`: must be given. `Some(None)`: may be left out, and has no value then.
type Expected = (&'static str, Option<Option<&'static str>>);

const REQUIRED: Option<Option<&str>> = None;
const NOTHING: Option<Option<&str>> = Some(None);

const fn by_default(text: &str) -> Option<Option<&str>> {
    Some(Some(text))
}

const STORAGE: [Expected; 16] = [
    ("flush.size", REQUIRED),
    ("rotate.interval.ms", by_default("-1")),
    ("rotate.schedule.interval.ms", by_default("-1")),
    ("schema.compatibility", by_default("NONE")),
    ("retry.backoff.ms", by_default("5000")),
    ("shutdown.timeout.ms", by_default("3000")),
    ("filename.offset.zero.pad.width", by_default("10")),
    ("schemas.cache.config", by_default("1000")),
    ("enhanced.avro.schema.support", by_default("true")),
    ("connect.meta.data", by_default("true")),
    ("allow.optional.map.keys", by_default("false")),
    ("avro.codec", by_default("null")),
    ("topics.dir", by_default("topics")),
    ("directory.delim", by_default("/")),
    ("file.delim", by_default("+")),
    ("timezone", by_default("")),
];

const PARTITIONER: [Expected; 8] = [
    ("partitioner.class", by_default("io.confluent.connect.storage.partitioner.DefaultPartitioner")),
    ("partition.field.name", by_default("")),
    ("partition.duration.ms", by_default("-1")),
    ("path.format", by_default("")),
    ("locale", by_default("")),
    ("timezone", by_default("")),
    ("timestamp.extractor", by_default("Wallclock")),
    ("timestamp.field", by_default("timestamp")),
];

const S3: [Expected; 44] = [
    ("s3.bucket.name", REQUIRED),
    ("s3.region", by_default("us-west-2")),
    ("store.url", NOTHING),
    ("s3.path.style.access.enabled", by_default("true")),
    ("s3.part.size", by_default("26214400")),
    ("s3.wan.mode", by_default("false")),
    ("s3.part.retries", by_default("3")),
    ("s3.retry.backoff.ms", by_default("200")),
    ("s3.compression.type", by_default("none")),
    ("s3.compression.level", by_default("-1")),
    ("s3.credentials.provider.class", by_default("software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider")),
    ("aws.access.key.id", by_default("")),
    ("aws.secret.access.key", by_default("")),
    ("s3.ssea.name", by_default("")),
    ("s3.sse.customer.key", NOTHING),
    ("s3.sse.kms.key.id", by_default("")),
    ("s3.acl.canned", NOTHING),
    ("s3.object.tagging", by_default("false")),
    ("s3.object.tagging.key.value.pairs", by_default("")),
    ("s3.object.behavior.on.tagging.error", by_default("ignore")),
    ("s3.proxy.url", by_default("")),
    ("s3.proxy.user", by_default("")),
    ("s3.proxy.password", by_default("")),
    ("s3.http.send.expect.continue", by_default("true")),
    ("s3.send.digest", by_default("false")),
    ("enable.conditional.writes", by_default("true")),
    ("behavior.on.null.values", by_default("fail")),
    ("report.null.values.to.dlq", by_default("true")),
    ("tombstone.encoded.partition", by_default("tombstone")),
    ("store.kafka.keys", by_default("false")),
    ("store.kafka.headers", by_default("false")),
    ("keys.format.class", by_default("io.confluent.connect.s3.format.avro.AvroFormat")),
    ("headers.format.class", by_default("io.confluent.connect.s3.format.avro.AvroFormat")),
    ("format.bytearray.extension", by_default(".bin")),
    ("format.bytearray.separator", NOTHING),
    ("json.decimal.format", by_default("BASE64")),
    ("max.write.duration.ms", by_default("9223372036854775807")),
    ("rotate.file.on.partition.change", by_default("true")),
    ("s3.schema.partition.affix.type", by_default("NONE")),
    ("s3.elastic.buffer.enable", by_default("false")),
    ("s3.elastic.buffer.init.capacity", by_default("131072")),
    ("format.class", REQUIRED),
    ("storage.class", REQUIRED),
    ("parquet.codec", by_default("snappy")),
];

const HDFS: [Expected; 19] = [
    ("hdfs.url", NOTHING),
    ("store.url", NOTHING),
    ("hadoop.conf.dir", by_default("")),
    ("hadoop.home", by_default("")),
    ("logs.dir", by_default("logs")),
    ("topic.capture.groups.regex", NOTHING),
    ("format.class", by_default("io.confluent.connect.hdfs.avro.AvroFormat")),
    ("storage.class", by_default("io.confluent.connect.hdfs.storage.HdfsStorage")),
    ("hdfs.authentication.kerberos", by_default("false")),
    ("connect.hdfs.principal", by_default("")),
    ("connect.hdfs.keytab", by_default("")),
    ("hdfs.namenode.principal", by_default("")),
    ("kerberos.ticket.renew.period.ms", by_default("3600000")),
    ("hive.integration", by_default("false")),
    ("hive.metastore.uris", by_default("")),
    ("hive.conf.dir", by_default("")),
    ("hive.home", by_default("")),
    ("hive.database", by_default("default")),
    ("hive.table.name", by_default("${topic}")),
];

fn check(sink: &JavaSink, expected: &[&[Expected]]) {
    let (def, found) = (sink.config_def(), defaults(sink));
    for (key, default) in expected.iter().copied().flatten() {
        let is_required = def.find(key).unwrap_or_else(|| panic!("{key} is missing")).is_required();
        let found = (!is_required).then(|| found[*key].as_deref());
        assert_eq!(found, *default, "{key}");
    }
    let theirs: usize = def.keys().iter().filter(|key| !key.is_unlisted).count();
    let names: std::collections::BTreeSet<_> = expected.iter().copied().flatten().map(|(key, _)| *key).collect();
    assert_eq!(theirs, names.len(), "there are other keys than Confluent's");
}

#[test]
fn the_s3_sink_has_confluent_s_keys_and_defaults() {
    check(&s3_sink::SINK, &[&S3, &STORAGE, &PARTITIONER]);
}

#[test]
fn the_hdfs_sink_has_confluent_s_keys_and_defaults() {
    check(&hdfs_sink::HDFS_2, &[&HDFS, &STORAGE, &PARTITIONER]);
}

#[test]
fn keys_of_ours_are_known_but_shown_only_where_they_are_given() {
    let def: ConfigDef = s3_sink::SINK.config_def();
    for key in ["rotate.idle.ms", "rotate.bytes", "retry.timeout.ms", "store.s3.object.tags", "store.s3.session.token"]
    {
        let key = def.find(key).unwrap();
        assert!(key.is_unlisted && !key.is_required() && key.default_value().is_none(), "{}", key.name);
    }
}
