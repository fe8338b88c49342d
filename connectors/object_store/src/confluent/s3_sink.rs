//! `io.confluent.connect.s3.S3SinkConnector`.

use url::{Host, Url};
use volley_api::{ConfigKey, ConfigType, Importance, Validator};

use super::file_format::FileFormat;
use super::java_sink::JavaSink;
use super::key_names::KeyNames;
use super::partitioner_keys::partitioner_keys;
use super::s3_credentials::{RoleKeys, translate_provider};
use super::storage::{translate_format, translate_null_values, translate_storage};
use super::storage_keys::{
    WITHOUT_EFFECT as STORAGE_WITHOUT_EFFECT, compression_keys, grouped, object_keys, parquet_codec_key, storage_keys,
};
use super::translation::Translation;

const BUCKET: &str = "s3.bucket.name";
const REGION: &str = "s3.region";
const STORE_URL: &str = "store.url";
const PATH_STYLE: &str = "s3.path.style.access.enabled";
const WAN_MODE: &str = "s3.wan.mode";
const COMPRESSION_TYPE: &str = "s3.compression.type";
const COMPRESSION_LEVEL: &str = "s3.compression.level";
const PROVIDER: &str = "s3.credentials.provider.class";
const PROVIDER_PREFIX: &str = "s3.credentials.provider.";
const ACCESS_KEY_ID: &str = "aws.access.key.id";
const SECRET_ACCESS_KEY: &str = "aws.secret.access.key";
const SSE_NAME: &str = "s3.ssea.name";
const SSE_CUSTOMER_KEY: &str = "s3.sse.customer.key";
const SSE_KMS_KEY_ID: &str = "s3.sse.kms.key.id";
const CANNED_ACL: &str = "s3.acl.canned";
const TAGGING: &str = "s3.object.tagging";
const TAGS: &str = "s3.object.tagging.key.value.pairs";
const PROXY_URL: &str = "s3.proxy.url";
const PROXY_USER: &str = "s3.proxy.user";
const PROXY_PASSWORD: &str = "s3.proxy.password";
const KAFKA_KEYS: &str = "store.kafka.keys";
const KAFKA_HEADERS: &str = "store.kafka.headers";
const KEYS_FORMAT: &str = "keys.format.class";
const HEADERS_FORMAT: &str = "headers.format.class";
const TOMBSTONES: &str = "tombstone.encoded.partition";
const SCHEMA_AFFIX: &str = "s3.schema.partition.affix.type";
const ROLE: RoleKeys = RoleKeys {
    arn: "s3.credentials.provider.sts.role.arn",
    session_name: "s3.credentials.provider.sts.role.session.name",
    external_id: "s3.credentials.provider.sts.role.external.id",
};

/// The sink.
pub(crate) const SINK: JavaSink = JavaSink {
    class: "io.confluent.connect.s3.S3SinkConnector",
    alias: None,
    documentation: "Writes records to Amazon S3 and stores like it, each exactly once, with the keys, the defaults and the \
                    file names of Confluent's S3 sink. Keys of ObjectStoreSink may be given too, but for `store.url`.",
    keys,
    names: KeyNames(&[
        ("store.url", BUCKET),
        ("store.s3.endpoint", STORE_URL),
        ("store.s3.region", REGION),
        ("store.s3.path.style.access.enabled", PATH_STYLE),
        ("store.s3.access.key.id", ACCESS_KEY_ID),
        ("store.s3.secret.access.key", SECRET_ACCESS_KEY),
        ("store.s3.sse.type", SSE_NAME),
        ("store.s3.sse.customer.key", SSE_CUSTOMER_KEY),
        ("store.s3.sse.kms.key.id", SSE_KMS_KEY_ID),
        ("store.s3.acl", CANNED_ACL),
        ("store.s3.object.tags", TAGS),
        ("file.offset.tags", TAGGING),
        ("store.s3.role.arn", ROLE.arn),
        ("store.s3.role.session.name", ROLE.session_name),
        ("store.s3.role.external.id", ROLE.external_id),
        ("store.proxy.url", PROXY_URL),
        ("store.proxy.user", PROXY_USER),
        ("store.proxy.password", PROXY_PASSWORD),
        ("file.compression.type", COMPRESSION_TYPE),
        ("file.compression.level", COMPRESSION_LEVEL),
    ]),
    translate,
    without_effect: &[&STORAGE_WITHOUT_EFFECT, &WITHOUT_EFFECT],
    prefixes: &["s3.", "aws.", "confluent."],
    translated_prefixes: &["s3.credentials.provider.sts."],
};

const WITHOUT_EFFECT: [&str; 14] = [
    "s3.part.size",
    "s3.part.retries",
    "s3.retry.backoff.ms",
    "s3.object.behavior.on.tagging.error",
    "s3.http.send.expect.continue",
    "s3.send.digest",
    "s3.elastic.buffer.enable",
    "s3.elastic.buffer.init.capacity",
    "enable.conditional.writes",
    "report.null.values.to.dlq",
    "max.write.duration.ms",
    "rotate.file.on.partition.change",
    "partitioner.max.open.files",
    "max.files.scan.limit",
];

fn keys() -> Vec<ConfigKey> {
    let formats = "`io.confluent.connect.s3.format.` with `avro.AvroFormat`, `json.JsonFormat`, `bytearray.ByteArrayFormat` or \
                   `parquet.ParquetFormat`";
    [
        grouped("S3", s3_keys()),
        storage_keys(formats, None),
        parquet_codec_key(),
        compression_keys(COMPRESSION_TYPE, COMPRESSION_LEVEL),
        object_keys(),
        grouped("Writing", writing_keys()),
        partitioner_keys(),
    ]
    .concat()
}

fn s3_keys() -> Vec<ConfigKey> {
    use ConfigType::{Boolean, Class, Int, List, Long, Password, String};
    use Importance::{High, Low, Medium};
    let provider = "software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider";
    let ignored = "No effect: files are written at once when they are complete.";
    vec![
        ConfigKey::required(BUCKET, String, High, "The bucket. It must exist."),
        ConfigKey::with_default(REGION, String, "us-west-2", Medium, "Region of the bucket."),
        ConfigKey::optional(
            STORE_URL,
            String,
            High,
            "URL of a server that speaks S3, such as `http://minio:9000`. Without it, Amazon's of the region.",
        ),
        ConfigKey::with_default(
            PATH_STYLE,
            Boolean,
            "true",
            Low,
            "Whether the bucket stands in the path of requests (`true`) or in the host name.",
        ),
        ConfigKey::with_default("s3.part.size", Int, "26214400", High, ignored).validated(Validator::AtLeast(5 << 20)),
        ConfigKey::with_default(WAN_MODE, Boolean, "false", Medium, "Whether Amazon's accelerated endpoint is used."),
        ConfigKey::with_default("s3.part.retries", Int, "3", Medium, "No effect: see `retry.timeout.ms`."),
        ConfigKey::with_default("s3.retry.backoff.ms", Long, "200", Low, "No effect: see `retry.backoff.ms`."),
        ConfigKey::with_default(
            PROVIDER,
            Class,
            provider,
            Low,
            "Where credentials come from: a class of AWS' Java clients that means the keys, the environment, a web identity, the \
             container or the machine, all of which are tried; AnonymousCredentialsProvider; or \
             `io.confluent.connect.s3.auth.AwsAssumeRoleCredentialsProvider` with `s3.credentials.provider.sts.role.arn`, \
             `.session.name` and `.external.id`.",
        ),
        ConfigKey::with_default(ACCESS_KEY_ID, String, "", High, "Access key id."),
        ConfigKey::with_default(SECRET_ACCESS_KEY, Password, "", High, "Secret access key."),
        ConfigKey::with_default(SSE_NAME, String, "", Low, "How S3 encrypts new objects: `AES256` or `aws:kms`."),
        ConfigKey::optional(SSE_CUSTOMER_KEY, Password, Low, "Key of 256 bits, in base64, that S3 encrypts with."),
        ConfigKey::with_default(SSE_KMS_KEY_ID, String, "", Low, "The key of KMS, for `aws:kms`."),
        ConfigKey::optional(
            CANNED_ACL,
            String,
            Low,
            "Canned ACL of new objects, such as `bucket-owner-full-control`. Without it, as the bucket says.",
        ),
        ConfigKey::with_default(
            TAGGING,
            Boolean,
            "false",
            Low,
            "Whether each object is tagged with `startOffset`, `endOffset` and `recordCount`.",
        ),
        ConfigKey::with_default(
            TAGS,
            List,
            "",
            Low,
            "Further tags, each as `name:value`, where `s3.object.tagging` is true.",
        ),
        ConfigKey::with_default(
            "s3.object.behavior.on.tagging.error",
            String,
            "ignore",
            Low,
            "No effect: tags go with the object.",
        )
        .validated(Validator::one_of_ignore_case(["ignore", "fail"])),
        ConfigKey::with_default(PROXY_URL, String, "", Low, "URL of the proxy, such as `http://proxy:3128`."),
        ConfigKey::with_default(PROXY_USER, String, "", Low, "User at the proxy."),
        ConfigKey::with_default(PROXY_PASSWORD, Password, "", Low, "Password of the user at the proxy."),
        ConfigKey::with_default("s3.http.send.expect.continue", Boolean, "true", Low, "No effect."),
        ConfigKey::with_default(
            "s3.send.digest",
            Boolean,
            "false",
            Low,
            "No effect: the signature covers the contents.",
        ),
        ConfigKey::with_default(
            SCHEMA_AFFIX,
            String,
            "NONE",
            Low,
            "Only `NONE` is offered: no directory is named after a schema.",
        )
        .validated(Validator::one_of_ignore_case(["NONE", "PREFIX", "SUFFIX"])),
        ConfigKey::with_default(
            "s3.elastic.buffer.enable",
            Boolean,
            "false",
            Low,
            "No effect: buffers grow as needed.",
        ),
        ConfigKey::with_default("s3.elastic.buffer.init.capacity", Int, "131072", Low, "No effect."),
    ]
}

fn writing_keys() -> Vec<ConfigKey> {
    use ConfigType::{Boolean, Class, Long, String};
    use Importance::{Low, Medium};
    let avro = "io.confluent.connect.s3.format.avro.AvroFormat";
    let longest = i64::MAX.to_string();
    vec![
        ConfigKey::with_default("enable.conditional.writes", Boolean, "true", Low, "No effect: writes always are."),
        ConfigKey::with_default("report.null.values.to.dlq", Boolean, "true", Low, "No effect."),
        ConfigKey::with_default(
            TOMBSTONES,
            String,
            "tombstone",
            Low,
            "Directory below the topic's with the keys of records whose value is null, where `behavior.on.null.values` is `write`.",
        ),
        ConfigKey::with_default(
            KAFKA_KEYS,
            Boolean,
            "false",
            Low,
            "Whether each file has another beside it with the key of its records: its name with `.keys` before the extension. A \
             record without key is an error then.",
        ),
        ConfigKey::with_default(
            KAFKA_HEADERS,
            Boolean,
            "false",
            Low,
            "The same for headers, with `.headers` before the extension.",
        ),
        ConfigKey::with_default(
            KEYS_FORMAT,
            Class,
            avro,
            Low,
            "Format of the files of keys: AvroFormat, JsonFormat, ParquetFormat, ByteArrayFormat or StringFormat.",
        ),
        ConfigKey::with_default(
            HEADERS_FORMAT,
            Class,
            avro,
            Low,
            "Format of the files of headers: AvroFormat, JsonFormat or ParquetFormat.",
        ),
        ConfigKey::with_default(
            "max.write.duration.ms",
            Long,
            &longest,
            Medium,
            "No effect: writing holds nothing up.",
        ),
        ConfigKey::with_default(
            "rotate.file.on.partition.change",
            Boolean,
            "true",
            Low,
            "No effect: each directory has its own open file.",
        ),
    ]
}

fn translate(translation: &mut Translation<'_>) {
    translate_storage(translation);
    translate_format(translation, (COMPRESSION_TYPE, COMPRESSION_LEVEL));
    translate_null_values(translation);
    translate_siblings(translation);
    translation.same(&[TOMBSTONES]);
    if translation.boolean(TAGGING) {
        translation.copy(TAGGING, "file.offset.tags");
        translation.copy(TAGS, "store.s3.object.tags");
    }
    translate_place(translation);
    translate_provider(translation, PROVIDER, ROLE);
    for (key, target) in [
        (REGION, "store.s3.region"),
        (ACCESS_KEY_ID, "store.s3.access.key.id"),
        (SECRET_ACCESS_KEY, "store.s3.secret.access.key"),
        (CANNED_ACL, "store.s3.acl"),
        (SSE_NAME, "store.s3.sse.type"),
        (SSE_CUSTOMER_KEY, "store.s3.sse.customer.key"),
        (SSE_KMS_KEY_ID, "store.s3.sse.kms.key.id"),
        (PROXY_URL, "store.proxy.url"),
        (PROXY_USER, "store.proxy.user"),
        (PROXY_PASSWORD, "store.proxy.password"),
    ] {
        translation.copy(key, target);
    }
    refuse_what_is_not_offered(translation);
}

/// The files of keys and of headers.
fn translate_siblings(translation: &mut Translation<'_>) {
    for (switch, class) in [(KAFKA_KEYS, KEYS_FORMAT), (KAFKA_HEADERS, HEADERS_FORMAT)] {
        translation.same(&[switch]);
        if translation.boolean(switch) {
            translation.same(&[class]);
            if let Err(message) = FileFormat::parse(translation.text(class).unwrap_or_default()) {
                translation.refuse(class, message);
            }
        }
    }
}

fn translate_place(translation: &mut Translation<'_>) {
    let bucket = translation.text(BUCKET).unwrap_or_default();
    translation.set("store.url", format!("s3://{bucket}"));
    if bucket.contains('/') {
        translation.refuse(BUCKET, format!("`{BUCKET}` is the name of a bucket, without `/`"));
    }
    let endpoint = translation.text(STORE_URL).map(str::to_owned);
    let is_path_style = translation.boolean(PATH_STYLE) && !translation.boolean(WAN_MODE);
    let endpoint = match endpoint {
        None if translation.boolean(WAN_MODE) => Some(format!("https://{bucket}.s3-accelerate.amazonaws.com")),
        Some(url) if !is_path_style => Some(with_bucket(&url, bucket)),
        endpoint => endpoint,
    };
    // AWS' clients do not put a bucket before an address
    let is_path_style = is_path_style || endpoint.as_deref().is_some_and(is_address);
    translation.set("store.s3.path.style.access.enabled", is_path_style.to_string());
    if let Some(endpoint) = endpoint {
        translation.set("store.s3.endpoint", endpoint);
    }
}

/// The endpoint with the bucket before the host's name. As it is if there is no name.
fn with_bucket(endpoint: &str, bucket: &str) -> String {
    if is_address(endpoint) {
        return endpoint.to_owned();
    }
    match endpoint.split_once("://") {
        Some((scheme, rest)) => format!("{scheme}://{bucket}.{rest}"),
        None => endpoint.to_owned(),
    }
}

fn is_address(endpoint: &str) -> bool {
    Url::parse(endpoint).is_ok_and(|url| matches!(url.host(), Some(Host::Ipv4(_) | Host::Ipv6(_))))
}

fn refuse_what_is_not_offered(translation: &mut Translation<'_>) {
    if translation.text(SCHEMA_AFFIX).is_some_and(|affix| !affix.eq_ignore_ascii_case("NONE")) {
        let message = format!("`{SCHEMA_AFFIX}` must be NONE: this sink has no directories for schemas");
        translation.refuse(SCHEMA_AFFIX, message);
    }
    let prefix = PROVIDER_PREFIX;
    for key in ["sts.aws.access.key.id", "sts.aws.secret.key.id"].map(|key| format!("{prefix}{key}")) {
        if translation.given(&key).is_some() {
            translation.refuse(&key, format!("`{key}` is not read: give `{ACCESS_KEY_ID}` and `{SECRET_ACCESS_KEY}`"));
        }
    }
}
