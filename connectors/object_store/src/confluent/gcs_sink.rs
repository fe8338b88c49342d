//! `io.confluent.connect.gcs.GcsSinkConnector`.

use volley_api::{ConfigKey, ConfigType, Importance, Validator};

use super::java_sink::JavaSink;
use super::key_names::KeyNames;
use super::partitioner_keys::partitioner_keys;
use super::storage::{translate_format, translate_null_values, translate_storage};
use super::storage_keys::{WITHOUT_EFFECT, compression_keys, grouped, object_keys, parquet_codec_key, storage_keys};
use super::translation::Translation;

const BUCKET: &str = "gcs.bucket.name";
const CREDENTIALS_PATH: &str = "gcs.credentials.path";
const CREDENTIALS_JSON: &str = "gcs.credentials.json";
const STORE_URL: &str = "store.url";
const COMPRESSION_TYPE: &str = "gcs.compression.type";
const COMPRESSION_LEVEL: &str = "gcs.compression.level";
const PROXY_URL: &str = "gcs.proxy.url";
const PROXY_USER: &str = "gcs.proxy.user";
const PROXY_PASSWORD: &str = "gcs.proxy.password";

/// The sink.
pub(crate) const SINK: JavaSink = JavaSink {
    class: "io.confluent.connect.gcs.GcsSinkConnector",
    alias: None,
    documentation: "Writes records to Google Cloud Storage, each exactly once, with the keys, the defaults and the file names of \
                    Confluent's GCS sink. Keys of ObjectStoreSink may be given too, but for `store.url`.",
    keys,
    names: KeyNames(&[
        ("store.url", BUCKET),
        ("store.gcs.endpoint", STORE_URL),
        ("store.gcs.service.account.path", CREDENTIALS_PATH),
        ("store.gcs.service.account.key", CREDENTIALS_JSON),
        ("store.proxy.url", PROXY_URL),
        ("store.proxy.user", PROXY_USER),
        ("store.proxy.password", PROXY_PASSWORD),
        ("file.compression.type", COMPRESSION_TYPE),
        ("file.compression.level", COMPRESSION_LEVEL),
    ]),
    translate,
    without_effect: &[&WITHOUT_EFFECT, &["gcs.part.size", "gcs.part.retries", "gcs.retry.backoff.ms"]],
    prefixes: &["gcs.", "confluent."],
    translated_prefixes: &[],
};

fn keys() -> Vec<ConfigKey> {
    let formats = "`io.confluent.connect.gcs.format.` with `avro.AvroFormat`, `json.JsonFormat`, `bytearray.ByteArrayFormat` or \
                   `parquet.ParquetFormat`";
    [
        grouped("GCS", gcs_keys()),
        storage_keys(formats, Some("io.confluent.connect.gcs.storage.GcsStorage")),
        parquet_codec_key(),
        compression_keys(COMPRESSION_TYPE, COMPRESSION_LEVEL),
        object_keys(),
        partitioner_keys(),
    ]
    .concat()
}

fn gcs_keys() -> Vec<ConfigKey> {
    use ConfigType::{Int, Long, Password, String};
    use Importance::{High, Low, Medium};
    let ignored = "No effect: files are written at once when they are complete.";
    vec![
        ConfigKey::required(BUCKET, String, High, "The bucket. It must exist."),
        ConfigKey::with_default(
            CREDENTIALS_PATH,
            String,
            "",
            High,
            "File with the key of a service account. Without it, GOOGLE_APPLICATION_CREDENTIALS or the machine's own account.",
        ),
        ConfigKey::with_default(CREDENTIALS_JSON, Password, "", High, "The key of a service account itself, as JSON."),
        ConfigKey::optional(
            STORE_URL,
            String,
            Low,
            "URL of a server that speaks Google's protocol, if not Google's own.",
        ),
        ConfigKey::with_default("gcs.part.size", Int, "26214400", High, ignored).validated(Validator::AtLeast(5 << 20)),
        ConfigKey::with_default("gcs.part.retries", Int, "3", Medium, "No effect: see `retry.timeout.ms`."),
        ConfigKey::with_default("gcs.retry.backoff.ms", Long, "200", Low, "No effect: see `retry.backoff.ms`."),
        ConfigKey::with_default(PROXY_URL, String, "", Low, "URL of the proxy, such as `http://proxy:3128`."),
        ConfigKey::with_default(PROXY_USER, String, "", Low, "User at the proxy."),
        ConfigKey::with_default(PROXY_PASSWORD, Password, "", Low, "Password of the user at the proxy."),
    ]
}

fn translate(translation: &mut Translation<'_>) {
    translate_storage(translation);
    translate_format(translation, (COMPRESSION_TYPE, COMPRESSION_LEVEL));
    translate_null_values(translation);
    let bucket = translation.text(BUCKET).unwrap_or_default();
    translation.set("store.url", format!("gs://{bucket}"));
    if bucket.contains('/') {
        translation.refuse(BUCKET, format!("`{BUCKET}` is the name of a bucket, without `/`"));
    }
    if translation.text(CREDENTIALS_PATH).is_some() && translation.given(CREDENTIALS_JSON).is_some() {
        translation.refuse(CREDENTIALS_JSON, format!("give `{CREDENTIALS_PATH}` or `{CREDENTIALS_JSON}`, not both"));
    }
    for (key, target) in [
        (STORE_URL, "store.gcs.endpoint"),
        (CREDENTIALS_PATH, "store.gcs.service.account.path"),
        (CREDENTIALS_JSON, "store.gcs.service.account.key"),
        (PROXY_URL, "store.proxy.url"),
        (PROXY_USER, "store.proxy.user"),
        (PROXY_PASSWORD, "store.proxy.password"),
    ] {
        translation.copy(key, target);
    }
}
