//! `io.aiven.kafka.connect.s3.AivenKafkaConnectS3SinkConnector`, also known as `io.aiven.kafka.connect.s3.S3SinkConnector`.

use volley_api::{ConfigKey, ConfigType, Importance, Validator};

use super::file_keys::file_keys;
use super::files::translate_files;
use crate::confluent::{JavaSink, KeyNames, RoleKeys, Translation, grouped, translate_provider, translate_role};

const ACCESS_KEY_ID: &str = "aws.access.key.id";
const SECRET_ACCESS_KEY: &str = "aws.secret.access.key";
const PROVIDER: &str = "aws.credentials.provider";
const BUCKET: &str = "aws.s3.bucket.name";
const ENDPOINT: &str = "aws.s3.endpoint";
const REGION: &str = "aws.s3.region";
const PREFIX: &str = "aws.s3.prefix";
const SSE_ALGORITHM: &str = "aws.s3.sse.algorithm";
const STS_ENDPOINT: &str = "aws.sts.config.endpoint";
const ROLE: RoleKeys = RoleKeys {
    arn: "aws.sts.role.arn",
    session_name: "aws.sts.role.session.name",
    external_id: "aws.sts.role.external.id",
};

/// The sink.
pub(crate) const SINK: JavaSink = JavaSink {
    class: "io.aiven.kafka.connect.s3.AivenKafkaConnectS3SinkConnector",
    alias: Some("io.aiven.kafka.connect.s3.S3SinkConnector"),
    documentation: "Writes records to Amazon S3 and stores like it, each exactly once, with the keys and the defaults of Aiven's \
                    S3 sink. Keys of ObjectStoreSink may be given too.",
    keys,
    names: KeyNames(&[
        ("store.url", BUCKET),
        ("store.s3.endpoint", ENDPOINT),
        ("store.s3.region", REGION),
        ("store.s3.access.key.id", ACCESS_KEY_ID),
        ("store.s3.secret.access.key", SECRET_ACCESS_KEY),
        ("store.s3.sse.type", SSE_ALGORITHM),
        ("store.s3.role.arn", ROLE.arn),
        ("store.s3.role.session.name", ROLE.session_name),
        ("store.s3.role.external.id", ROLE.external_id),
        ("store.s3.sts.endpoint", STS_ENDPOINT),
        ("format.class", "format.output.type"),
        ("parquet.codec", "file.compression.type"),
        ("avro.codec", "file.compression.type"),
        ("flush.size", "file.max.records"),
        ("retry.backoff.ms", "kafka.retry.backoff.ms"),
    ]),
    translate,
    without_effect: &[&[
        "aws.s3.part.size.bytes",
        "aws.s3.backoff.delay.ms",
        "aws.s3.backoff.max.delay.ms",
        "aws.s3.backoff.max.retries",
        "aws.sts.role.session.duration",
        "flush.size",
    ]],
    prefixes: &["aws."],
    translated_prefixes: &[],
};

fn keys() -> Vec<ConfigKey> {
    [grouped("AWS", aws_keys()), file_keys()].concat()
}

fn aws_keys() -> Vec<ConfigKey> {
    use ConfigType::{Class, Int, Long, Password, String};
    use Importance::{Low, Medium};
    let provider = "com.amazonaws.auth.DefaultAWSCredentialsProviderChain";
    let retry = "No effect: see `kafka.retry.backoff.ms` and `retry.timeout.ms`.";
    vec![
        ConfigKey::optional(ACCESS_KEY_ID, Password, Medium, "Access key id."),
        ConfigKey::optional(SECRET_ACCESS_KEY, Password, Medium, "Secret access key."),
        ConfigKey::with_default(PROVIDER, Class, provider, Medium, "Where credentials come from if no key is given."),
        ConfigKey::required(BUCKET, String, Medium, "The bucket. It must exist."),
        ConfigKey::optional(
            ENDPOINT,
            String,
            Low,
            "URL of a server that speaks S3. Without it, Amazon's of the region.",
        ),
        ConfigKey::with_default(REGION, String, "us-east-1", Medium, "Region of the bucket."),
        ConfigKey::optional(PREFIX, String, Medium, "The older name of `file.prefix.template`, which counts more."),
        ConfigKey::with_default(
            "aws.s3.part.size.bytes",
            Int,
            "5242880",
            Medium,
            "No effect: files are written at once.",
        ),
        ConfigKey::optional(SSE_ALGORITHM, String, Medium, "How S3 encrypts new objects: `AES256` or `aws:kms`."),
        ConfigKey::with_default("aws.s3.backoff.delay.ms", Long, "100", Low, retry),
        ConfigKey::with_default("aws.s3.backoff.max.delay.ms", Long, "20000", Low, retry),
        ConfigKey::with_default("aws.s3.backoff.max.retries", Int, "3", Low, retry),
        ConfigKey::optional(ROLE.arn, String, Medium, "Role of AWS that is assumed."),
        ConfigKey::optional(ROLE.external_id, String, Medium, "External id, if the role's owner asks for one."),
        ConfigKey::optional(ROLE.session_name, String, Medium, "Name of the session of the role."),
        ConfigKey::with_default(
            "aws.sts.role.session.duration",
            Int,
            "3600",
            Low,
            "No effect: a session is asked for one hour, and renewed.",
        )
        .validated(Validator::Between(900, 43200)),
        ConfigKey::optional(STS_ENDPOINT, String, Low, "URL of the service that is asked for the role."),
    ]
}

fn translate(translation: &mut Translation<'_>) {
    translate_files(translation, PREFIX);
    let bucket = translation.text(BUCKET).unwrap_or_default();
    translation.set("store.url", format!("s3://{bucket}"));
    if bucket.contains('/') {
        translation.refuse(BUCKET, format!("`{BUCKET}` is the name of a bucket, without `/`"));
    }
    translate_provider(translation, PROVIDER, ROLE);
    translate_role(translation, ROLE);
    for (key, target) in [
        (ENDPOINT, "store.s3.endpoint"),
        (REGION, "store.s3.region"),
        (ACCESS_KEY_ID, "store.s3.access.key.id"),
        (SECRET_ACCESS_KEY, "store.s3.secret.access.key"),
        (SSE_ALGORITHM, "store.s3.sse.type"),
        (STS_ENDPOINT, "store.s3.sts.endpoint"),
    ] {
        translation.copy(key, target);
    }
}
