//! `io.aiven.kafka.connect.s3.AivenKafkaConnectS3SinkConnector`, also known as `io.aiven.kafka.connect.s3.S3SinkConnector`.

use volley_api::{ConfigKey, ConfigType, Importance, Validator};

use super::file_keys::{
    COMPRESSION_TYPE, FIELD_ENCODING, OUTPUT_FIELDS, TIMESTAMP_SOURCE, TIMESTAMP_TIMEZONE, file_keys,
};
use super::files::{Names, Output, Times, translate_files};
use super::old_s3_keys::{
    OLD_ACCESS_KEY_ID, OLD_BUCKET, OLD_COMPRESSION, OLD_ENDPOINT, OLD_FIELDS, OLD_PREFIX, OLD_REGION,
    OLD_SECRET_ACCESS_KEY, OLD_TIMESTAMP_SOURCE, OLD_TIMESTAMP_TIMEZONE, old_s3_keys,
};
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
        "file.prefix.template",
        "flush.size",
    ]],
    prefixes: &["aws.", "connect.parquet."],
    translated_prefixes: &[],
};

fn keys() -> Vec<ConfigKey> {
    [grouped("AWS", aws_keys()), file_keys("gzip"), old_s3_keys()].concat()
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
        ConfigKey::optional(BUCKET, String, Medium, "The bucket. It must be given, and exist."),
        ConfigKey::optional(
            ENDPOINT,
            String,
            Low,
            "URL of a server that speaks S3. Without it, Amazon's of the region.",
        ),
        ConfigKey::optional(REGION, String, Medium, "Region of the bucket. Without it, us-east-1."),
        ConfigKey::optional(
            PREFIX,
            String,
            Medium,
            "Deprecated. Stands before the names of the files, which are `{{topic}}-{{partition}}-{{start_offset:padding=true}}` then, \
             whatever `file.name.template` says.",
        ),
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
    translate_s3_files(translation);
    let bucket = translation.text(BUCKET).or_else(|| translation.text(OLD_BUCKET)).unwrap_or_default();
    translation.set("store.url", format!("s3://{bucket}"));
    if bucket.is_empty() {
        translation.refuse(BUCKET, format!("neither `{BUCKET}` nor `{OLD_BUCKET}` is given"));
    } else if bucket.contains('/') {
        translation.refuse(BUCKET, format!("`{BUCKET}` is the name of a bucket, without `/`"));
    }
    translate_provider(translation, PROVIDER, ROLE);
    translate_role(translation, ROLE);
    translation.set("store.s3.region", "us-east-1");
    // the newer key counts more
    for (key, target) in [
        (OLD_ENDPOINT, "store.s3.endpoint"),
        (ENDPOINT, "store.s3.endpoint"),
        (OLD_REGION, "store.s3.region"),
        (REGION, "store.s3.region"),
        (OLD_ACCESS_KEY_ID, "store.s3.access.key.id"),
        (ACCESS_KEY_ID, "store.s3.access.key.id"),
        (OLD_SECRET_ACCESS_KEY, "store.s3.secret.access.key"),
        (SECRET_ACCESS_KEY, "store.s3.secret.access.key"),
        (SSE_ALGORITHM, "store.s3.sse.type"),
        (STS_ENDPOINT, "store.s3.sts.endpoint"),
    ] {
        translation.copy(key, target);
    }
}

fn translate_s3_files(translation: &mut Translation<'_>) {
    let fields = translation.given(OUTPUT_FIELDS).or_else(|| translation.given(OLD_FIELDS));
    let old_compression = translation.text(OLD_COMPRESSION).filter(|_| translation.given(COMPRESSION_TYPE).is_none());
    let output = Output {
        compression: old_compression.or_else(|| translation.text(COMPRESSION_TYPE)).unwrap_or("gzip"),
        fields,
        // without the fields, there it is Base64 whatever is asked for
        encoding: translation.text(FIELD_ENCODING).filter(|_| fields.is_some()).unwrap_or("base64"),
    };
    if fields.is_none() && translation.given(FIELD_ENCODING).is_some_and(|asked| !asked.eq_ignore_ascii_case("base64"))
    {
        translation.remark(format!("`{FIELD_ENCODING}` has no effect without `{OUTPUT_FIELDS}`, as in Aiven's sink"));
    }
    let old_prefix = [PREFIX, OLD_PREFIX].into_iter().find_map(|key| Some((key, translation.text(key)?)));
    let (names, times) = match old_prefix {
        Some((key, prefix)) => {
            let times = Times { source: OLD_TIMESTAMP_SOURCE, zone: OLD_TIMESTAMP_TIMEZONE };
            (Names::OldPrefix { prefix, key }, times)
        }
        None => {
            let times = Times { source: TIMESTAMP_SOURCE, zone: TIMESTAMP_TIMEZONE };
            (Names::Template { prefix: "" }, times)
        }
    };
    translate_files(translation, names, output, times);
}
